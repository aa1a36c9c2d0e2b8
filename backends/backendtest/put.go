package backendtest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing/iotest"

	"portico/backends"
	"portico/vpath"
)

func putTests() []test {
	return []test{
		{"a body of unknown length is stored", unknownLength},
		{"a body of known length is stored", knownLength},
		{"a body may dribble", dribble},
		{"the end may come with the last bytes", endWithBytes},
		{"Commit comes once, after the last byte and before anyone sees", commitOrder},
		{"Commit's error aborts", commitError},
		{"a body is asked for its end", askedForEnd},
	}
}

// sizes stand around the limits of buffers and parts that stores have.
func (d *driver) sizes() []int {
	if d.o.NoBlob {
		return []int{0, 1, 4096, 64 << 10}
	}
	return []int{0, 1, 64<<10 - 1, 64 << 10, 5<<20 - 1, 5 << 20, 5<<20 + 1, 8 << 20, 16<<20 + 1, 20<<20 + 1}
}

func unknownLength(d *driver) {
	for i, size := range d.sizes() {
		d.storeAs(fmt.Sprintf("/file %d", size), blob(size, byte(i)), -1)
		d.storeAs("/one", blob(size, byte(i)), -1)
	}
}

func knownLength(d *driver) {
	for i, size := range d.sizes() {
		d.storeAs("/one", blob(size, byte(i)), int64(size))
	}
}

// storeAs puts content with that announced length, and reads it again. The
// body is nothing but a Reader, as that of a request is.
func (d *driver) storeAs(path, content string, size int64) {
	d.Helper()
	body := struct{ io.Reader }{strings.NewReader(content)}
	info, err := d.Put(d.ctx(), vpath.Must(path), body, backends.PutOptions{Size: size})
	if err != nil || info.Size != int64(len(content)) {
		d.Fatalf("Put of %d bytes announced as %d = %+v, %v", len(content), size, info, err)
	}
	d.wantContent(path, content)
}

func dribble(d *driver) {
	content := blob(5000, 1)
	for _, size := range []int64{-1, int64(len(content))} {
		body := iotest.OneByteReader(strings.NewReader(content))
		if _, err := d.Put(d.ctx(), vpath.Must("/file"), body, backends.PutOptions{Size: size}); err != nil {
			d.Fatalf("Put: %v", err)
		}
		d.wantContent("/file", content)
	}
}

func endWithBytes(d *driver) {
	for i, size := range []int{1, 4096, d.size(5 << 20)} {
		content := blob(size, byte(i))
		for _, announced := range []int64{-1, int64(size)} {
			body := iotest.DataErrReader(strings.NewReader(content))
			if _, err := d.Put(d.ctx(), vpath.Must("/file"), body, backends.PutOptions{Size: announced}); err != nil {
				d.Fatalf("Put: %v", err)
			}
			d.wantContent("/file", content)
		}
	}
}

// watched tells when a body has been read to its end.
type watched struct {
	io.Reader
	ended atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		w.ended.Store(true)
	}
	return n, err
}

// commitOrder looks at the store from inside Commit: Commit may block, so no
// lock that a reader needs may be held.
func commitOrder(d *driver) {
	for _, old := range []string{"", "old bytes"} {
		for _, size := range []int{0, 10, d.size(12 << 20)} {
			for _, known := range []bool{true, false} {
				d.commitCase(old, blob(size, 9), known)
			}
		}
	}
}

func (d *driver) commitCase(old, content string, known bool) {
	d.Helper()
	d.mkdir("/here")
	if old != "" {
		d.put("/here/file", old)
	}
	body := &watched{Reader: strings.NewReader(content)}
	calls := 0
	o := backends.PutOptions{Size: -1, Commit: func() error {
		calls++
		if !body.ended.Load() {
			d.Error("Commit was called before the body's end")
		}
		d.wantOnly("/here/file", old)
		return nil
	}}
	if known {
		o.Size = int64(len(content))
	}
	if _, err := d.Put(d.ctx(), vpath.Must("/here/file"), body, o); err != nil {
		d.Fatalf("Put: %v", err)
	}
	if calls != 1 {
		d.Errorf("Commit was called %d times", calls)
	}
	d.wantContent("/here/file", content)
	d.remove("/here/file", "/here")
}

// wantOnly demands that the folder of path holds nothing but the old version,
// or nothing at all where old is "".
func (d *driver) wantOnly(path, old string) {
	d.Helper()
	dir, name := vpath.Must(path).Parent().String(), vpath.Must(path).Name()
	if old == "" {
		d.wantGone(path)
		d.wantList(dir)
		return
	}
	d.wantContent(path, old)
	d.wantList(dir, name)
}

func commitError(d *driver) {
	d.mkdir("/here")
	for _, size := range []int{0, 10, d.size(12 << 20)} {
		for _, announced := range []int64{-1, int64(size)} {
			o := backends.PutOptions{Size: announced, Commit: func() error { return errCommit }}
			_, err := d.Put(d.ctx(), vpath.Must("/here/new"), strings.NewReader(blob(size, 1)), o)
			d.wantErr("Put", err, errCommit)
			d.wantOnly("/here/new", "")
		}
	}
	before := d.put("/here/file", "old bytes")
	o := backends.PutOptions{Commit: func() error { return errCommit }}
	_, err := d.tryPut("/here/file", "new bytes", o)
	d.wantErr("Put", err, errCommit)
	d.wantOnly("/here/file", "old bytes")
	d.wantSame("Stat", d.stat("/here/file"), before)
}

// askedForEnd has a body whose announced bytes all come, and then an error: a
// driver that stops at the announced length never hears of it.
func askedForEnd(d *driver) {
	before := d.put("/file", "old bytes")
	for _, size := range []int{0, 10, d.size(12 << 20)} {
		body := io.MultiReader(strings.NewReader(blob(size, 1)), iotest.ErrReader(errBody))
		_, err := d.Put(d.ctx(), vpath.Must("/file"), body, backends.PutOptions{Size: int64(size)})
		d.wantErr("Put", err, errBody)
		d.wantOnly("/file", "old bytes")
		d.wantSame("Stat", d.stat("/file"), before)
	}
}
