package backendtest

import (
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func folderTests() []test {
	return []test{
		{"a folder is made empty", mkdirEmpty},
		{"a folder is made once", mkdirTwice},
		{"a folder needs a parent", mkdirOrphan},
		{"a file needs a parent", putOrphan},
		{"nothing is made below a file", makeBelowFile},
		{"an empty folder stays when its last member goes", emptied},
		{"a folder that holds anything is not removed", removeFull},
		{"folders nest", nested},
		{"a file takes the place of a removed folder", filePlace},
		{"a folder's name is not a prefix", notPrefix},
	}
}

func (d *driver) wantMkdirErr(path string, want ...error) {
	d.Helper()
	_, err := d.Mkdir(d.ctx(), vpath.Must(path), backends.Meta{})
	d.wantErr("Mkdir("+path+")", err, want...)
}

func (d *driver) wantPutErr(path string, want ...error) {
	d.Helper()
	_, err := d.tryPut(path, "never seen", backends.PutOptions{})
	d.wantErr("Put("+path+")", err, want...)
}

func (d *driver) wantRemoveErr(path string, want ...error) {
	d.Helper()
	d.wantErr("Remove("+path+")", d.Remove(d.ctx(), vpath.Must(path)), want...)
}

func mkdirEmpty(d *driver) {
	info, err := d.Mkdir(d.ctx(), vpath.Must("/folder"), backends.Meta{})
	if err != nil || !info.Dir || info.Name != "folder" || info.ETag != "" {
		d.Fatalf("Mkdir = %+v, %v", info, err)
	}
	d.wantFolder("/folder")
	d.wantList("/folder")
	d.wantList("/", "folder/")
	d.wantSame("List's entry", d.list("/")[0], d.stat("/folder"))
}

func mkdirTwice(d *driver) {
	d.mkdir("/folder")
	d.put("/folder/file", "x")
	d.put("/file", "y")
	d.wantMkdirErr("/folder", fs.ErrExist)
	d.wantMkdirErr("/file", fs.ErrExist)
	d.wantContent("/folder/file", "x")
	d.wantContent("/file", "y")
}

func mkdirOrphan(d *driver) {
	d.wantMkdirErr("/no/folder", fault.ErrNoParent)
	d.wantMkdirErr("/no/such/folder", fault.ErrNoParent)
	d.wantGone("/no")
	d.wantList("/")
}

func putOrphan(d *driver) {
	d.wantPutErr("/no/file", fault.ErrNoParent)
	d.wantPutErr("/no/such/file", fault.ErrNoParent)
	d.wantGone("/no")
	d.wantList("/")
}

func makeBelowFile(d *driver) {
	d.put("/file", "x")
	for _, path := range []string{"/file/a", "/file/a/b"} {
		d.wantPutErr(path, fault.ErrNotDir)
		d.wantMkdirErr(path, fault.ErrNotDir)
	}
	d.wantContent("/file", "x")
	d.wantList("/", "file")
}

func emptied(d *driver) {
	d.mkdir("/folder", "/folder/sub")
	d.put("/folder/a", "x")
	d.put("/folder/b", "x")
	d.remove("/folder/a", "/folder/sub")
	d.wantList("/folder", "b")
	d.remove("/folder/b")
	d.wantFolder("/folder")
	d.wantList("/folder")
	d.wantList("/", "folder/")
	d.remove("/folder")
	d.wantMissing("/folder")
	d.wantList("/")
}

func removeFull(d *driver) {
	d.mkdir("/a", "/a/b")
	d.wantRemoveErr("/a", fault.ErrNotEmpty)
	d.put("/a/b/file", "x")
	d.wantRemoveErr("/a", fault.ErrNotEmpty)
	d.wantRemoveErr("/a/b", fault.ErrNotEmpty)
	d.wantContent("/a/b/file", "x")
	d.remove("/a/b/file", "/a/b", "/a")
	d.wantList("/")
}

func nested(d *driver) {
	d.mkdir("/a", "/a/b", "/a/b/c", "/a/d")
	d.put("/a/b/c/file", "deep")
	d.put("/a/file", "shallow")
	d.wantList("/", "a/")
	d.wantList("/a", "b/", "d/", "file")
	d.wantList("/a/b", "c/")
	d.wantList("/a/b/c", "file")
	d.wantList("/a/d")
	d.wantContent("/a/b/c/file", "deep")
}

func filePlace(d *driver) {
	d.mkdir("/x")
	d.remove("/x")
	d.put("/x", "now a file")
	d.wantContent("/x", "now a file")
	d.remove("/x")
	d.mkdir("/x")
	d.wantFolder("/x")
	d.wantList("/", "x/")
}

// notPrefix is the fault of stores that know only keys: what starts with a
// folder's name lies in it.
func notPrefix(d *driver) {
	d.mkdir("/a", "/ab")
	d.put("/ab/file", "x")
	d.put("/a.txt", "x")
	d.wantList("/a")
	d.wantMissing("/a/b")
	d.remove("/a")
	d.wantGone("/a")
	d.wantContent("/ab/file", "x")
	d.wantList("/", "a.txt", "ab/")
	d.wantGone("/a.tx")
}
