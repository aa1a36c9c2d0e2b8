package backendtest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func brokenTests() []test {
	return []test{
		{"a broken upload leaves what was there", broken},
		{"a cancelled upload leaves what was there", cancelledUpload},
		{"an upload of the wrong length leaves what was there", wrongLength},
		{"a cancellation in Commit leaves what was there", cancelledCommit},
		{"broken uploads are reaped", reaped},
		{"the reaper spares what is younger and what is done", reaperSpares},
	}
}

// failing is a body of n bytes that then runs end instead of ending.
type failing struct {
	io.Reader
	end func() error
}

func failAfter(n int, end func() error) io.Reader {
	return &failing{strings.NewReader(blob(n, 77)), end}
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // strings.Reader gives it bare
		err = f.end()
	}
	return n, err
}

// cut is one way in which an upload ends badly.
type cut struct{ announced, sent int }

// cuts break at the start, in the middle and at the end, small and large, with
// a length that was announced and without.
func cuts(sizes ...int) []cut {
	var out []cut
	for _, size := range sizes {
		for _, sent := range []int{0, 1, size / 2, size} {
			out = append(out, cut{size, sent}, cut{-1, sent})
		}
	}
	return out
}

// wantUntouched uploads through try over an old file and over none, and demands
// that nothing changes.
func (d *driver) wantUntouched(want error, try func(p vpath.Path, o backends.PutOptions) error) {
	d.Helper()
	before := d.stat("/here/old")
	for _, path := range []string{"/here/old", "/here/new"} {
		committed := false
		err := try(vpath.Must(path), backends.PutOptions{Commit: func() error { committed = true; return nil }})
		d.wantErr("Put", err, want)
		if committed {
			d.Error("Commit was called for a broken body")
		}
	}
	d.wantOnly("/here/old", "old bytes")
	d.wantSame("Stat", d.stat("/here/old"), before)
}

func broken(d *driver) {
	d.mkdir("/here")
	d.put("/here/old", "old bytes")
	d.brokenBy(errBody, cuts(10, d.size(18<<20)))
	for _, err := range []error{fault.ErrTooLarge, io.ErrUnexpectedEOF, fmt.Errorf("not an end: %w", io.EOF)} {
		d.brokenBy(err, cuts(10))
	}
}

func (d *driver) brokenBy(want error, all []cut) {
	d.Helper()
	for _, c := range all {
		d.wantUntouched(want, func(p vpath.Path, o backends.PutOptions) error {
			o.Size = int64(c.announced)
			_, err := d.Put(d.ctx(), p, failAfter(c.sent, func() error { return want }), o)
			return err
		})
	}
}

func cancelledUpload(d *driver) {
	d.mkdir("/here")
	d.put("/here/old", "old bytes")
	for _, c := range cuts(10, d.size(18<<20)) {
		d.wantUntouched(context.Canceled, func(p vpath.Path, o backends.PutOptions) error {
			ctx, cancel := context.WithCancel(d.ctx())
			defer cancel()
			o.Size = int64(c.announced)
			// The body ends well: only ctx tells that the client has gone.
			_, err := d.Put(ctx, p, failAfter(c.sent, func() error { cancel(); return io.EOF }), o)
			return err
		})
	}
}

func wrongLength(d *driver) {
	d.mkdir("/here")
	d.put("/here/old", "old bytes")
	for _, c := range []cut{{10, 9}, {10, 0}, {10, 11}, {0, 1}, {10, 10}, {d.size(12 << 20), d.size(6 << 20)}} {
		d.wantUntouched(fault.ErrTruncated, func(p vpath.Path, o backends.PutOptions) error {
			o.Size = int64(c.announced)
			_, err := d.Put(d.ctx(), p, failAfter(c.sent, func() error { return fault.ErrTruncated }), o)
			return err
		})
	}
}

func cancelledCommit(d *driver) {
	d.mkdir("/here")
	before := d.put("/here/old", "old bytes")
	for _, path := range []string{"/here/old", "/here/new"} {
		for _, size := range []int{10, d.size(12 << 20)} {
			ctx, cancel := context.WithCancel(d.ctx())
			o := backends.PutOptions{Size: -1, Commit: func() error { cancel(); return nil }}
			_, err := d.Put(ctx, vpath.Must(path), strings.NewReader(blob(size, 1)), o)
			d.wantErr("Put", err, context.Canceled)
		}
	}
	d.wantOnly("/here/old", "old bytes")
	d.wantSame("Stat", d.stat("/here/old"), before)
}

// farFuture lies after every upload that a test began.
func farFuture() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

func reaped(d *driver) {
	for _, announced := range []int{d.size(18 << 20), -1} {
		end := func() error { return errBody }
		_, err := d.Put(d.ctx(), vpath.Must("/file"), failAfter(d.size(11<<20), end), backends.PutOptions{Size: int64(announced)})
		d.wantErr("Put", err, errBody)
	}
	if _, err := d.storage.Reap(d.ctx(), farFuture()); err != nil {
		d.Fatalf("Reap: %v", err)
	}
	if n, err := d.storage.Reap(d.ctx(), farFuture()); n != 0 || err != nil {
		d.Errorf("a second Reap found %d, %v", n, err)
	}
	d.wantList("/")
}

func reaperSpares(d *driver) {
	d.put("/done", "content")
	d.mkdir("/folder")
	content := blob(d.size(12<<20), 4)
	sent := false
	body := &failing{strings.NewReader(content), func() error {
		if sent {
			return io.EOF
		}
		sent = true
		if n, err := d.storage.Reap(d.ctx(), time.Unix(1, 0)); n != 0 || err != nil {
			d.Errorf("Reap of nothing = %d, %v", n, err)
		}
		return io.EOF
	}}
	if _, err := d.Put(d.ctx(), vpath.Must("/running"), body, backends.PutOptions{Size: -1}); err != nil {
		d.Fatalf("Put: %v", err)
	}
	if _, err := d.storage.Reap(d.ctx(), farFuture()); err != nil {
		d.Fatalf("Reap: %v", err)
	}
	d.wantContent("/running", content)
	d.wantContent("/done", "content")
	d.wantList("/", "done", "folder/", "running")
}
