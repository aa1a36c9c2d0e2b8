package backendtest

import (
	"io/fs"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// timeTests hold a Timer; they pass over a driver that is none.
func timeTests() []test {
	return []test{
		{"a time is set, and nothing else", timer(timeSet)},
		{"a time that cannot be set changes nothing", timer(timeErrors)},
		{"the time of a large file is set", timer(timeLarge)},
	}
}

type timeFunc func(p string, t time.Time) (backends.Info, error)

func timer(run func(d *driver, set timeFunc)) func(d *driver) {
	return func(d *driver) {
		if c, ok := d.Backend.(backends.Timer); ok {
			run(d, func(p string, t time.Time) (backends.Info, error) { return c.SetModTime(d.ctx(), vpath.Must(p), t) })
		}
	}
}

// then is a time that no clock of a test shows.
func then() time.Time { return time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC) }

func timeSet(d *driver, set timeFunc) {
	for _, o := range []backends.PutOptions{{}, {Meta: fullMeta()}} {
		before := d.putWith("/a % + \u00e9", "content", o)
		info, err := set("/a % + \u00e9", then())
		if err != nil {
			d.Fatalf("SetModTime: %v", err)
		}
		now := d.stat("/a % + \u00e9")
		d.wantSame("Stat after SetModTime", now, info)
		if !now.ModTime.Equal(then()) || !now.Meta.ModTime.Equal(then()) {
			d.Errorf("the time is %v, want %v", now.ModTime, then())
		}
		d.wantContent("/a % + \u00e9", "content")
		if now.ETag != before.ETag || now.SHA256 != before.SHA256 || now.Creator != before.Creator || now.ContentType != before.ContentType {
			d.Errorf("SetModTime made %+v of %+v", now, before)
		}
		d.putWith("/a % + \u00e9", "another", backends.PutOptions{})
		if again := d.stat("/a % + \u00e9"); again.ModTime.Equal(then()) {
			d.Errorf("the next version has the time of the one before")
		}
	}
}

func timeErrors(d *driver, set timeFunc) {
	d.mkdir("/folder")
	for p, want := range map[string]error{"/none": fs.ErrNotExist, "/none/below": fs.ErrNotExist, "/folder": fault.ErrIsDir, "/": fault.ErrIsDir} {
		_, err := set(p, then())
		d.wantErr("SetModTime "+p, err, want)
	}
	d.wantList("/", "folder/")
}

func timeLarge(d *driver, set timeFunc) {
	body := blob(d.size(17<<20), 1)
	d.put("/large", body)
	info, err := set("/large", then())
	if err != nil {
		d.Fatalf("SetModTime: %v", err)
	}
	d.wantSame("Stat after SetModTime", d.stat("/large"), info)
	d.wantContent("/large", body)
}
