package backendtest

import (
	"io"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func readTests() []test {
	return []test{
		{"a range gives its bytes", ranges},
		{"a range outside tells the size", outside},
		{"a range of an empty file", emptyRange},
		{"a range of a large file", largeRange},
		{"a reader keeps its version", keepsVersion},
		{"a reader may be closed early", closeEarly},
	}
}

func ranges(d *driver) {
	d.put("/file", "0123456789")
	for _, c := range []struct {
		r    backends.Range
		want string
	}{
		{backends.Range{}, "0123456789"},
		{backends.Range{Len: 1}, "0"},
		{backends.Range{Len: 10}, "0123456789"},
		{backends.Range{Len: 99}, "0123456789"},
		{backends.Range{Off: 3}, "3456789"},
		{backends.Range{Off: 3, Len: 4}, "3456"},
		{backends.Range{Off: 9}, "9"},
		{backends.Range{Off: 9, Len: 1}, "9"},
		{backends.Range{Off: 9, Len: 5}, "9"},
		{backends.Range{Off: -1}, "9"},
		{backends.Range{Off: -4}, "6789"},
		{backends.Range{Off: -4, Len: 1}, "6789"},
		{backends.Range{Off: -10}, "0123456789"},
		{backends.Range{Off: -99}, "0123456789"},
	} {
		got, info, err := d.tryRead("/file", c.r)
		if err != nil || got != c.want || info.Size != 10 {
			d.Errorf("Open(%+v) = %q of %d bytes, %v; want %q of 10", c.r, got, info.Size, err, c.want)
		}
	}
}

func outside(d *driver) {
	put := d.put("/file", "0123456789")
	for _, r := range []backends.Range{{Off: 10}, {Off: 10, Len: 1}, {Off: 1 << 40}, {Off: 1 << 40, Len: 7}} {
		_, info, err := d.tryRead("/file", r)
		d.wantErr("Open outside", err, fault.ErrRange)
		d.wantSame("Info of a range outside", info, put)
	}
}

func emptyRange(d *driver) {
	put := d.put("/file", "")
	d.wantContent("/file", "")
	for _, r := range []backends.Range{{Len: 1}, {Off: 1}, {Off: -1}} {
		_, info, err := d.tryRead("/file", r)
		d.wantErr("Open outside", err, fault.ErrRange)
		d.wantSame("Info of a range outside", info, put)
	}
}

func largeRange(d *driver) {
	const size = 3<<20 + 17
	content := blob(d.size(size), 1)
	n := int64(len(content))
	d.put("/file", content)
	for _, r := range []backends.Range{{Off: n / 2}, {Off: n - 1}, {Off: -n / 3}, {Off: 4095, Len: 2}, {Off: 1, Len: n - 2}} {
		got, info, err := d.tryRead("/file", r)
		off, length, _ := r.Resolve(n)
		if err != nil || got != content[off:off+length] || info.Size != n {
			d.Errorf("Open(%+v) = %s of %d, %v", r, brief(got), info.Size, err)
		}
	}
}

// size is n, or what is left of it under NoBlob.
func (d *driver) size(n int) int {
	if d.o.NoBlob {
		return min(n, 64<<10)
	}
	return n
}

// keepsVersion holds a reader over changes of the file. It need not live
// through them: an object store may have begun no answer yet. But it must not
// give the bytes of another version.
func keepsVersion(d *driver) {
	old := blob(d.size(2<<20), 1)
	d.put("/file", old)
	for _, change := range []func(){
		func() { d.put("/file", blob(d.size(2<<20), 2)) },
		func() { d.put("/file", "short") },
		func() { d.remove("/file") },
	} {
		before := d.stat("/file")
		want, _ := d.read("/file")
		rc, info, err := d.Open(d.ctx(), vpath.Must("/file"), backends.Range{})
		if err != nil {
			d.Fatalf("Open: %v", err)
		}
		d.wantSame("Open's Info", info, before)
		change()
		got, err := io.ReadAll(rc)
		if err == nil && string(got) != want {
			d.Errorf("a reader gave %s, want %s or an error", brief(string(got)), brief(want))
		}
		if err := rc.Close(); err != nil {
			d.Errorf("Close: %v", err)
		}
	}
}

func closeEarly(d *driver) {
	d.put("/file", blob(d.size(1<<20), 1))
	for range 20 {
		rc, _, err := d.Open(d.ctx(), vpath.Must("/file"), backends.Range{})
		if err != nil {
			d.Fatalf("Open: %v", err)
		}
		if _, err := io.ReadFull(rc, make([]byte, 10)); err != nil {
			d.Errorf("Read: %v", err)
		}
		if err := rc.Close(); err != nil {
			d.Errorf("Close: %v", err)
		}
	}
}
