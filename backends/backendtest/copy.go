package backendtest

import (
	"context"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// copyTests hold a Copier; they pass over a driver that is none.
func copyTests() []test {
	return []test{
		{"a copy is like its source", copier(copyLike)},
		{"a copy replaces a file", copier(copyOver)},
		{"a copy takes the meta that is given", copier(copyMeta)},
		{"a copy that cannot be changes nothing", copier(copyErrors)},
		{"a large file is copied", copier(copyLarge)},
	}
}

type copyFunc func(src, dst string, m backends.Meta) (backends.Info, error)

func copier(run func(d *driver, cp copyFunc)) func(d *driver) {
	return func(d *driver) {
		if c, ok := d.Backend.(backends.Copier); ok {
			run(d, func(src, dst string, m backends.Meta) (backends.Info, error) {
				return c.Copy(d.ctx(), vpath.Must(src), vpath.Must(dst), m)
			})
		}
	}
}

func copyLike(d *driver, cp copyFunc) {
	d.mkdir("/to here")
	src := d.putWith("/a % + \u00e9", "content", backends.PutOptions{Meta: fullMeta()})
	info, err := cp("/a % + \u00e9", "/to here/b # ?", backends.Meta{})
	if err != nil {
		d.Fatalf("Copy: %v", err)
	}
	d.wantSame("Stat after Copy", d.stat("/to here/b # ?"), info)
	d.wantContent("/to here/b # ?", "content")
	d.wantMeta("/to here/b # ?", fullMeta())
	if info.SHA256 != src.SHA256 {
		d.Errorf("the copy's SHA256 = %q, want %q", info.SHA256, src.SHA256)
	}
	d.wantSame("the source", d.stat("/a % + \u00e9"), src)
	d.put("/a % + \u00e9", "changed")
	d.wantContent("/to here/b # ?", "content")
}

func copyOver(d *driver, cp copyFunc) {
	d.put("/src", "from here")
	old := d.putWith("/dst", "old one 9", backends.PutOptions{Meta: fullMeta()})
	info, err := cp("/src", "/dst", backends.Meta{})
	if err != nil {
		d.Fatalf("Copy: %v", err)
	}
	d.wantContent("/dst", "from here")
	d.wantMeta("/dst", backends.Meta{})
	if info.ETag == old.ETag || info.ETag == "" {
		d.Errorf("ETag %q after the copy, %q before", info.ETag, old.ETag)
	}
	d.wantList("/", "dst", "src")
}

func copyMeta(d *driver, cp copyFunc) {
	d.putWith("/src", "content", backends.PutOptions{Meta: fullMeta()})
	if _, err := cp("/src", "/dst", backends.Meta{Creator: "ldap:zo\u00eb"}); err != nil {
		d.Fatalf("Copy: %v", err)
	}
	want := fullMeta()
	want.Creator = "ldap:zo\u00eb"
	d.wantMeta("/dst", want)
	d.wantMeta("/src", fullMeta())
	if _, err := cp("/src", "/dst", backends.Meta{ContentType: "image/png"}); err != nil {
		d.Fatalf("Copy: %v", err)
	}
	want = fullMeta()
	want.ContentType = "image/png"
	d.wantMeta("/dst", want)
}

func copyErrors(d *driver, cp copyFunc) {
	d.mkdir("/folder")
	d.put("/file", "x")
	d.put("/other", "y")
	for _, c := range []struct {
		src, dst string
		want     error
	}{
		{"/no", "/new", fs.ErrNotExist},
		{"/file/no", "/new", fs.ErrNotExist},
		{"/folder", "/new", fault.ErrIsDir},
		{"/", "/new", fault.ErrIsDir},
		{"/file", "/folder", fault.ErrIsDir},
		{"/file", "/", fault.ErrIsDir},
		{"/file", "/no/new", fault.ErrNoParent},
		{"/file", "/other/new", fault.ErrNotDir},
	} {
		_, err := cp(c.src, c.dst, backends.Meta{})
		d.wantErr("Copy("+c.src+", "+c.dst+")", err, c.want)
	}
	ctx, cancel := context.WithCancel(d.ctx())
	cancel()
	_, err := d.Backend.(backends.Copier).Copy(ctx, vpath.Must("/file"), vpath.Must("/new"), backends.Meta{})
	d.wantErr("Copy, cancelled", err, context.Canceled)
	d.wantList("/", "file", "folder/", "other")
	d.wantContent("/file", "x")
	d.wantContent("/other", "y")
}

func copyLarge(d *driver, cp copyFunc) {
	content := blob(d.size(12<<20+5), 1)
	d.put("/src", content)
	if _, err := cp("/src", "/dst", backends.Meta{}); err != nil {
		d.Fatalf("Copy: %v", err)
	}
	d.wantContent("/dst", content)
}
