package backendtest

import (
	"context"
	"io/fs"
	"strings"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func basicTests() []test {
	return []test{
		{"what is missing does not exist", missing},
		{"nothing exists below a file", belowFile},
		{"the root is a folder that stays", root},
		{"a file holds what was put", putAndRead},
		{"a file is replaced", overwrite},
		{"a removed file is gone", removeFile},
		{"a folder is not a file", folderNotFile},
		{"a cancelled call does nothing", cancelled},
		{"a store that works passes its check", check},
	}
}

func missing(d *driver) {
	d.wantMissing("/no")
	d.wantMissing("/no/such/path")
}

func belowFile(d *driver) {
	d.put("/file", "x")
	d.wantMissing("/file/below")
	d.wantMissing("/file/below/deep")
	d.wantContent("/file", "x")
}

// wantMissing asks for path in all ways that only read or remove.
func (d *driver) wantMissing(path string) {
	d.Helper()
	p := vpath.Must(path)
	d.wantGone(path)
	_, _, err := d.List(d.ctx(), p)
	d.wantErr("List("+path+")", err, fs.ErrNotExist)
	_, _, err = d.tryRead(path, backends.Range{})
	d.wantErr("Open("+path+")", err, fs.ErrNotExist)
	d.wantErr("Remove("+path+")", d.Remove(d.ctx(), p), fs.ErrNotExist)
}

func root(d *driver) {
	d.wantFolder("/")
	d.wantList("/")
	_, err := d.tryPut("/", "x", backends.PutOptions{})
	d.wantErr("Put(/)", err, fault.ErrIsDir)
	_, _, err = d.tryRead("/", backends.Range{})
	d.wantErr("Open(/)", err, fault.ErrIsDir)
	_, err = d.Mkdir(d.ctx(), vpath.Path{}, backends.Meta{})
	d.wantErr("Mkdir(/)", err, fs.ErrExist)
	if err := d.Remove(d.ctx(), vpath.Path{}); err == nil {
		d.Error("Remove(/) removed the root")
	}
	d.wantFolder("/")
	d.put("/file", "the root still takes files")
	d.remove("/file")
	d.wantFolder("/")
}

func putAndRead(d *driver) {
	info := d.put("/file.txt", "hello")
	d.wantContent("/file.txt", "hello")
	d.wantSame("Stat after Put", d.stat("/file.txt"), info)
	if info.Name != "file.txt" || info.Size != 5 || info.Dir || info.ETag == "" || info.ModTime.IsZero() {
		d.Errorf("Put told %+v", info)
	}
	d.put("/empty", "")
	d.wantContent("/empty", "")
	d.wantList("/", "empty", "file.txt")
}

func overwrite(d *driver) {
	d.put("/file", "the first version, a long one")
	d.put("/file", "second")
	d.wantContent("/file", "second")
	d.put("/file", "")
	d.wantContent("/file", "")
	d.put("/file", "third, longer again")
	d.wantContent("/file", "third, longer again")
	d.wantList("/", "file")
}

func removeFile(d *driver) {
	d.put("/file", "x")
	d.put("/other", "y")
	d.remove("/file")
	d.wantMissing("/file")
	d.wantList("/", "other")
	d.put("/file", "again")
	d.wantContent("/file", "again")
}

func folderNotFile(d *driver) {
	d.mkdir("/folder")
	d.put("/file", "x")
	_, _, err := d.tryRead("/folder", backends.Range{})
	d.wantErr("Open(folder)", err, fault.ErrIsDir)
	_, err = d.tryPut("/folder", "x", backends.PutOptions{})
	d.wantErr("Put(folder)", err, fault.ErrIsDir)
	_, _, err = d.List(d.ctx(), vpath.Must("/file"))
	d.wantErr("List(file)", err, fault.ErrNotDir)
	d.wantFolder("/folder")
	d.wantContent("/file", "x")
}

func cancelled(d *driver) {
	d.put("/file", "old")
	ctx, cancel := context.WithCancel(d.ctx())
	cancel()
	file, fresh := vpath.Must("/file"), vpath.Must("/new")

	_, err := d.Stat(ctx, file)
	d.wantErr("Stat", err, context.Canceled)
	_, _, err = d.List(ctx, vpath.Path{})
	d.wantErr("List", err, context.Canceled)
	_, _, err = d.Open(ctx, file, backends.Range{})
	d.wantErr("Open", err, context.Canceled)
	_, err = d.Put(ctx, file, strings.NewReader("new"), backends.PutOptions{Size: 3})
	d.wantErr("Put", err, context.Canceled)
	_, err = d.Mkdir(ctx, fresh, backends.Meta{})
	d.wantErr("Mkdir", err, context.Canceled)
	d.wantErr("Remove", d.Remove(ctx, file), context.Canceled)

	d.wantContent("/file", "old")
	d.wantList("/", "file")
}

func check(d *driver) {
	if err := d.storage.Check(d.ctx()); err != nil {
		d.Errorf("Check: %v", err)
	}
}
