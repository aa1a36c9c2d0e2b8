// Package backendtest is the suite that every driver of package backends
// passes. A driver's own test calls it:
//
//	func TestContract(t *testing.T) {
//		backendtest.Run(t, func(t *testing.T) backends.Storage { … })
//	}
//
// and adds only what its store alone can do wrong.
package backendtest

import (
	"testing"

	"portico/backends"
	"portico/vpath"
)

// Options tell the suite what a store can bear, and lend it a hand. The zero
// value asks for everything that needs no help.
type Options struct {
	// Plant stores content under name, a slash path from the top of s, as
	// another program would: around the driver. A name that ends in a slash is
	// an empty folder. Nil leaves out the tests of what other programs do.
	Plant func(t *testing.T, s backends.Storage, name, content string)

	// MaxPath is the longest path in bytes, workspace root included, that the
	// store can hold. 0 means vpath.MaxPath. A key of S3 has 1,024 bytes with the
	// storage's prefix counted in: open one without a prefix, or say less here.
	MaxPath int

	// MaxFolder is the longest name of a folder in bytes, where that is less than
	// a file's. 0 means vpath.MaxName. MinIO keeps a marker "name/" in a folder
	// "name__XLDIR__" of its disk.
	MaxFolder int

	// Again opens what s holds a second time, as another process does. Nil for a
	// store that only s can open.
	Again func(t *testing.T, s backends.Storage) backends.Storage

	// NoBlob leaves out the files above 64 KiB, for a store without parts.
	NoBlob bool
}

// Run holds the storages that open gives against the contract. open is called
// once for each test and gives an empty storage, or one below a fresh prefix;
// the suite closes it. Tests run side by side.
func Run(t *testing.T, open func(t *testing.T) backends.Storage) {
	t.Helper()
	RunWith(t, Options{}, open)
}

// RunWith is Run with options.
func RunWith(t *testing.T, o Options, open func(t *testing.T) backends.Storage) {
	t.Helper()
	if o.MaxPath == 0 {
		o.MaxPath = vpath.MaxPath
	}
	if o.MaxFolder == 0 {
		o.MaxFolder = vpath.MaxName
	}
	for _, group := range [][]test{
		basicTests(), folderTests(), nameTests(), readTests(), listTests(), metaTests(), putTests(), brokenTests(),
		conditionTests(), raceTests(), spaceTests(), copyTests(), renameTests(), bulkTests(), namerTests(), strangerTests(),
		stageTests(), bareTests(), fenceTests(), timeTests(),
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(drive(t, o, open(t)))
			})
		}
	}
}

// test is one sentence of the contract.
type test struct {
	name string
	run  func(d *driver)
}
