package backendtest

import (
	"io"
	"strings"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func conditionTests() []test {
	return []test{
		{"a file that must not exist", notExist},
		{"a file that must be the very version", sameVersion},
		{"a condition is judged at publication", judgedLate},
		{"a condition is judged after Commit", judgedAfterCommit},
	}
}

func ifNotExist() backends.PutOptions {
	return backends.PutOptions{If: backends.Condition{NotExist: true}}
}

func ifETag(etag string) backends.PutOptions {
	return backends.PutOptions{If: backends.Condition{ETag: etag}}
}

// wantRefused demands that a Put with that condition fails and changes nothing.
func (d *driver) wantRefused(path string, o backends.PutOptions) {
	d.Helper()
	_, err := d.tryPut(path, "never seen", o)
	d.wantErr("Put("+path+")", err, fault.ErrPrecondition)
}

func notExist(d *driver) {
	d.putWith("/new", "first", ifNotExist())
	before := d.stat("/new")
	d.wantRefused("/new", ifNotExist())
	d.wantSame("Stat", d.stat("/new"), before)
	d.wantContent("/new", "first")
	d.remove("/new")
	d.putWith("/new", "second", ifNotExist())
	d.wantContent("/new", "second")

	d.mkdir("/folder")
	_, err := d.tryPut("/folder", "x", ifNotExist())
	d.wantErr("Put(folder)", err, fault.ErrPrecondition, fault.ErrIsDir)
	d.wantFolder("/folder")
}

func sameVersion(d *driver) {
	d.wantRefused("/file", ifETag("none"))
	d.wantGone("/file")
	first := d.put("/file", "first").ETag
	second := d.putWith("/file", "second", ifETag(first)).ETag
	d.wantRefused("/file", ifETag(first))
	d.wantRefused("/file", ifETag("none"))
	d.wantContent("/file", "second")
	d.putWith("/file", "third", ifETag(second))
	d.wantContent("/file", "third")
	last := d.stat("/file").ETag
	d.remove("/file")
	d.wantRefused("/file", ifETag(last))
	d.wantGone("/file")
}

// during puts content at path, and runs change when the body is half sent.
func (d *driver) during(path, content string, o backends.PutOptions, change func()) error {
	half := len(content) / 2
	rest := &failing{strings.NewReader(""), func() error { change(); return io.EOF }}
	body := io.MultiReader(strings.NewReader(content[:half]), rest, strings.NewReader(content[half:]))
	o.Size = int64(len(content))
	_, err := d.Put(d.ctx(), vpath.Must(path), body, o)
	return err
}

func judgedLate(d *driver) {
	err := d.during("/new", "slow writer", ifNotExist(), func() { d.put("/new", "quick writer") })
	d.wantErr("Put", err, fault.ErrPrecondition)
	d.wantContent("/new", "quick writer")

	etag := d.stat("/new").ETag
	err = d.during("/new", "slow writer", ifETag(etag), func() { d.put("/new", "quick again") })
	d.wantErr("Put", err, fault.ErrPrecondition)
	d.wantContent("/new", "quick again")

	etag = d.stat("/new").ETag
	err = d.during("/new", "slow writer", ifETag(etag), func() { d.remove("/new") })
	d.wantErr("Put", err, fault.ErrPrecondition)
	d.wantGone("/new")

	d.mkdir("/folder")
	err = d.during("/folder/file", "slow writer", backends.PutOptions{}, func() { d.remove("/folder") })
	d.wantErr("Put", err, fault.ErrNoParent)
	d.wantGone("/folder")

	err = d.during("/place", "slow writer", backends.PutOptions{}, func() { d.mkdir("/place") })
	d.wantErr("Put", err, fault.ErrIsDir)
	d.wantFolder("/place")
	d.wantList("/place")
}

func judgedAfterCommit(d *driver) {
	o := ifNotExist()
	o.Commit = func() error { d.put("/new", "came meanwhile"); return nil }
	d.wantRefused("/new", o)
	d.wantContent("/new", "came meanwhile")

	o = ifETag(d.stat("/new").ETag)
	o.Commit = func() error { d.put("/new", "and again"); return nil }
	d.wantRefused("/new", o)
	d.wantContent("/new", "and again")
	d.wantList("/", "new")
}
