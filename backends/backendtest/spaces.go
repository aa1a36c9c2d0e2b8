package backendtest

import (
	"io/fs"

	"portico/backends"
	"portico/vpath"
)

func spaceTests() []test {
	return []test{
		{"two workspaces do not see each other", spacesApart},
		{"the storage's top sees all", topSeesAll},
		{"a workspace lies deep", deepSpace},
		{"Portico's own folder is never seen", reservedHidden},
		{"Portico's own folder is never reached", reservedClosed},
		{"the reserved name is free elsewhere", reservedElsewhere},
	}
}

func spacesApart(d *driver) {
	a, b, ab := d.at("/a"), d.at("/b"), d.at("/ab")
	a.put("/file", "of a")
	b.put("/file", "of b")
	b.mkdir("/folder")
	a.wantList("/", "file")
	b.wantList("/", "file", "folder/")
	ab.wantList("/")
	a.wantContent("/file", "of a")
	b.wantContent("/file", "of b")
	a.remove("/file")
	b.wantContent("/file", "of b")
	a.wantFolder("/")
	a.wantList("/")
	a.wantGone("/b")
	a.wantGone("/folder")
}

func topSeesAll(d *driver) {
	top, a := d.at("/"), d.at("/a")
	a.put("/file", "of a")
	top.wantContent("/a/file", "of a")
	top.put("/a/other", "from the top")
	a.wantContent("/other", "from the top")
	top.put("/at the top", "x")
	top.wantList("/", "a/", "at the top", "suite/")
	a.wantList("/", "file", "other")
	if got, want := top.stat("/a/file").ETag, a.stat("/file").ETag; got != want {
		d.Errorf("one file has the ETags %q and %q", got, want)
	}
}

func deepSpace(d *driver) {
	deep := d.at("/x/y z/\u00e9")
	deep.wantFolder("/")
	deep.wantList("/")
	deep.put("/file", "x")
	d.at("/x/y z/\u00e9").wantContent("/file", "x")
	d.at("/").wantContent("/x/y z/\u00e9/file", "x")
	d.at("/x").wantList("/", "y z/")
	deep.remove("/file")
	deep.wantFolder("/")
}

func reservedHidden(d *driver) {
	top := d.at("/")
	// A large upload on its way has something to hide.
	err := top.during("/file", blob(d.size(12<<20), 1), backends.PutOptions{}, func() {
		top.wantList("/", "suite/")
	})
	if err != nil {
		d.Fatalf("Put: %v", err)
	}
	top.wantList("/", "file", "suite/")
	top.wantMissing("/" + backends.Reserved)
	top.wantMissing("/" + backends.Reserved + "/tmp")
	if w, ok := top.Backend.(backends.Walker); ok {
		err := w.Walk(d.ctx(), vpath.Path{}, func(p vpath.Path, _ backends.Info) error {
			if p.Top() == backends.Reserved {
				d.Errorf("Walk visits %s", p)
			}
			return nil
		})
		if err != nil {
			d.Errorf("Walk: %v", err)
		}
	}
}

func reservedClosed(d *driver) {
	top := d.at("/")
	top.put("/file", "x")
	for _, path := range []string{"/" + backends.Reserved, "/" + backends.Reserved + "/x", "/" + backends.Reserved + "/tmp/x"} {
		p := vpath.Must(path)
		top.wantPutErr(path, refusals()...)
		top.wantMkdirErr(path, refusals()...)
		if c, ok := top.Backend.(backends.Copier); ok {
			_, err := c.Copy(d.ctx(), vpath.Must("/file"), p, backends.Meta{})
			d.wantErr("Copy to "+path, err, refusals()...)
		}
		if r, ok := top.Backend.(backends.Renamer); ok {
			d.wantErr("Rename to "+path, r.Rename(d.ctx(), vpath.Must("/file"), p), refusals()...)
			d.wantErr("Rename of "+path, r.Rename(d.ctx(), p, vpath.Must("/mine")), fs.ErrNotExist)
		}
		if _, err := d.storage.At(p); err == nil {
			d.Errorf("At(%s) gave a workspace", path)
		}
		top.wantMissing(path)
	}
	top.wantList("/", "file", "suite/")
	top.wantContent("/file", "x")
}

func reservedElsewhere(d *driver) {
	top := d.at("/")
	top.put("/"+backends.Reserved+"x", "not it")
	d.mkdir("/" + backends.Reserved)
	d.put("/"+backends.Reserved+"/file", "a folder like any other")
	d.wantList("/", backends.Reserved+"/")
	d.wantContent("/"+backends.Reserved+"/file", "a folder like any other")
	top.wantList("/", backends.Reserved+"x", "suite/")
	top.wantContent(space+"/"+backends.Reserved+"/file", "a folder like any other")
}
