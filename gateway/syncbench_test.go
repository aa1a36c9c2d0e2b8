package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"portico/backends"
	"portico/backends/mem"
	"portico/vpath"
)

// BenchmarkSync asks for what has changed in a folder of 10,000 files, one of which
// has, and of which none has; and lists them all, to compare.
func BenchmarkSync(b *testing.B) {
	o := newOffice(b, mem.New())
	base := o.fresh()
	put := func(i, size int) {
		p := vpath.Must(fmt.Sprintf("%s/document %05d.docx", strings.TrimPrefix(base, "/firm"), i))
		if _, err := o.firm.Put(b.Context(), p, strings.NewReader(strings.Repeat("x", size)), backends.PutOptions{Size: int64(size)}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 10_000 {
		put(i, 1)
	}
	m := newMirror(b, o.as("ann"), base, "1")
	m.sync(0)
	size := 0
	b.Run("one change", func(b *testing.B) {
		for b.Loop() {
			size++
			put(size%10_000, 2+size%100)
			if told := m.sync(0); len(told) != 1 {
				b.Fatalf("told of %d things", len(told))
			}
		}
	})
	b.Run("no change", func(b *testing.B) {
		for b.Loop() {
			if told := m.sync(0); len(told) != 0 {
				b.Fatalf("told of %d things", len(told))
			}
		}
	})
	b.Run("PROPFIND", func(b *testing.B) {
		for b.Loop() {
			m.user.Do("PROPFIND", base, `<D:propfind xmlns:D="DAV:">`+syncProps+`</D:propfind>`, "Depth: 1").Want(207)
		}
	})
}
