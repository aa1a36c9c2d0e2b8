package local_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/local"
	"portico/vpath"
)

func benchBackend(b *testing.B) backends.Backend {
	b.Helper()
	s, err := local.Open(local.Options{Dir: b.TempDir(), Rand: rand.Reader, Clock: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	be, err := s.At(vpath.Must("/firm"))
	if err != nil {
		b.Fatal(err)
	}
	return be
}

func BenchmarkPutSmall(b *testing.B) {
	be := benchBackend(b)
	for i := 0; b.Loop(); i++ {
		p := vpath.Must(fmt.Sprintf("/file %d", i))
		if _, err := be.Put(b.Context(), p, strings.NewReader("a small file"), backends.PutOptions{Size: 12}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutLarge(b *testing.B) {
	be := benchBackend(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 4<<20) // 64 MiB
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		body := struct{ io.Reader }{bytes.NewReader(content)}
		if _, err := be.Put(b.Context(), vpath.Must("/file"), body, backends.PutOptions{Size: int64(len(content))}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList2000(b *testing.B) {
	be := benchBackend(b)
	for i := range 2000 {
		p := vpath.Must(fmt.Sprintf("/file %d", i))
		if _, err := be.Put(b.Context(), p, strings.NewReader("x"), backends.PutOptions{Size: 1, Meta: backends.Meta{Creator: "ann"}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, _, err := be.List(b.Context(), vpath.Path{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStat(b *testing.B) {
	be := benchBackend(b)
	if _, err := be.Put(b.Context(), vpath.Must("/file"), strings.NewReader("x"), backends.PutOptions{Size: 1}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := be.Stat(b.Context(), vpath.Must("/file")); err != nil {
			b.Fatal(err)
		}
	}
}
