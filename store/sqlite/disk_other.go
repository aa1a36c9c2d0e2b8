//go:build !linux

package sqlite

// diskKind knows network disks on Linux only, where servers run.
func diskKind(string) (string, error) { return "", nil }
