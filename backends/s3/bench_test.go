package s3

import (
	"fmt"
	"io"
	"testing"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/internal/parts"
	"portico/vpath"
)

// zeros is a body that costs nothing to make.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// BenchmarkPutLarge stands beside BenchmarkPutLargeDirect: their ratio counts.
func BenchmarkPutLarge(b *testing.B) {
	at := benchBackend(b)
	const size = 256 << 20
	b.SetBytes(size)
	for b.Loop() {
		if _, err := at.Put(b.Context(), vpath.Must("/file"), io.LimitReader(zeros{}, size), backends.PutOptions{Size: -1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutLargeDirect(b *testing.B) {
	at := benchBackend(b)
	c := parts.MinIO(b).Client(b).Client
	const size = 256 << 20
	b.SetBytes(size)
	for b.Loop() {
		_, err := c.PutObject(b.Context(), at.s.o.Bucket, "firm/file", io.LimitReader(zeros{}, size), size, minio.PutObjectOptions{
			PartSize: partSize, NumThreads: 2, ConcurrentStreamParts: true, DisableContentSha256: true,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStatFile(b *testing.B) {
	at := benchBackend(b)
	if _, err := at.Put(b.Context(), vpath.Must("/file"), io.LimitReader(zeros{}, 1), backends.PutOptions{Size: 1}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := at.Stat(b.Context(), vpath.Must("/file")); err != nil {
			b.Fatal(err)
		}
	}
}

func benchBackend(b *testing.B) *Backend {
	b.Helper()
	bucket := fmt.Sprintf("bench-%d", buckets.Add(1))
	store := parts.MinIO(b)
	store.MakeBucket(b, bucket)
	s, err := Open(b.Context(), storeOptions(store, Options{Bucket: bucket, MinIO: true}))
	if err != nil {
		b.Fatal(err)
	}
	at, err := s.At(vpath.Must("/firm"))
	if err != nil {
		b.Fatal(err)
	}
	return at.(*Backend)
}
