// Package arch holds the tests of the house itself: that imports go one way,
// that the code keeps out of what the project forbids, and that the files
// around the code (Dockerfile, compose.yaml, README.md, the dashboard) say what
// is true. It has no code of its own.
package arch
