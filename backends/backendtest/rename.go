package backendtest

import (
	"context"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// renameTests hold a Renamer; they pass over a driver that is none.
func renameTests() []test {
	return []test{
		{"a file is renamed as it is", renamer(renameFile)},
		{"a rename replaces a file", renamer(renameOver)},
		{"a folder is renamed with all below it", renamer(renameFolder)},
		{"a rename that cannot be changes nothing", renamer(renameErrors)},
	}
}

type renameFunc func(src, dst string) error

func renamer(run func(d *driver, mv renameFunc)) func(d *driver) {
	return func(d *driver) {
		if r, ok := d.Backend.(backends.Renamer); ok {
			run(d, func(src, dst string) error { return r.Rename(d.ctx(), vpath.Must(src), vpath.Must(dst)) })
		}
	}
}

func renameFile(d *driver, mv renameFunc) {
	d.mkdir("/to")
	before := d.putWith("/a", "content", backends.PutOptions{Meta: fullMeta()})
	if err := mv("/a", "/to/b"); err != nil {
		d.Fatalf("Rename: %v", err)
	}
	d.wantMissing("/a")
	d.wantContent("/to/b", "content")
	d.wantMeta("/to/b", fullMeta())
	before.Name = "b"
	d.wantSame("Stat", d.stat("/to/b"), before)
	d.wantList("/", "to/")
	d.wantList("/to", "b")
}

func renameOver(d *driver, mv renameFunc) {
	d.put("/src", "the new")
	d.putWith("/dst", "the old", backends.PutOptions{Meta: fullMeta()})
	if err := mv("/src", "/dst"); err != nil {
		d.Fatalf("Rename: %v", err)
	}
	d.wantContent("/dst", "the new")
	d.wantMeta("/dst", backends.Meta{})
	d.wantList("/", "dst")

	d.mkdir("/folder")
	d.put("/folder/file", "inside")
	if err := mv("/folder", "/dst"); err != nil {
		d.Fatalf("Rename of a folder over a file: %v", err)
	}
	d.wantList("/", "dst/")
	d.wantContent("/dst/file", "inside")
}

func renameFolder(d *driver, mv renameFunc) {
	if _, err := d.Mkdir(d.ctx(), vpath.Must("/a"), backends.Meta{Creator: "bob"}); err != nil {
		d.Fatalf("Mkdir: %v", err)
	}
	d.mkdir("/a/b", "/a/b/c", "/a/empty", "/to", "/ab")
	d.putWith("/a/b/c/file", "deep", backends.PutOptions{Meta: fullMeta()})
	d.put("/ab/file", "not below a")
	before := d.stat("/a/b/c/file")
	if err := mv("/a", "/to/z"); err != nil {
		d.Fatalf("Rename: %v", err)
	}
	d.wantMissing("/a")
	d.wantMissing("/a/b/c/file")
	d.wantList("/", "ab/", "to/")
	d.wantList("/to/z", "b/", "empty/")
	d.wantContent("/to/z/b/c/file", "deep")
	d.wantSame("Stat", d.stat("/to/z/b/c/file"), before)
	if got := d.stat("/to/z").Creator; got != "bob" {
		d.Errorf("the folder's creator = %q, want bob", got)
	}
	d.wantContent("/ab/file", "not below a")
}

func renameErrors(d *driver, mv renameFunc) {
	d.mkdir("/folder", "/full", "/empty")
	d.put("/full/file", "x")
	d.put("/file", "y")
	for _, c := range []struct {
		src, dst string
		want     []error
	}{
		{"/no", "/new", []error{fs.ErrNotExist}},
		{"/file/no", "/new", []error{fs.ErrNotExist}},
		{"/file", "/folder", []error{fs.ErrExist}},
		{"/folder", "/full", []error{fs.ErrExist}},
		{"/full", "/empty", []error{fs.ErrExist}},
		{"/file", "/no/new", []error{fault.ErrNoParent}},
		{"/folder", "/no/new", []error{fault.ErrNoParent}},
		{"/folder", "/file/new", []error{fault.ErrNotDir}},
		{"/full", "/full/inside", []error{fault.ErrConflict}},
		{"/", "/new", []error{fault.ErrConflict}},
		{"/folder", "/", []error{fs.ErrExist}},
	} {
		d.wantErr("Rename("+c.src+", "+c.dst+")", mv(c.src, c.dst), c.want...)
	}
	ctx, cancel := context.WithCancel(d.ctx())
	cancel()
	err := d.Backend.(backends.Renamer).Rename(ctx, vpath.Must("/file"), vpath.Must("/new"))
	d.wantErr("Rename, cancelled", err, context.Canceled)
	d.wantList("/", "empty/", "file", "folder/", "full/")
	d.wantList("/full", "file")
	d.wantContent("/full/file", "x")
}
