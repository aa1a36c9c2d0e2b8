package s3

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

// TestTLS speaks to a store whose certificate only CAFile knows.
func TestTLS(t *testing.T) {
	t.Parallel()
	front := spoil(t, parts.MinIO(t))
	server := httptest.NewTLSServer(front)
	defer server.Close()
	front.Endpoint = server.URL
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := openStorage(t, parts.MinIO(t), Options{})
	s := openStorage(t, front.S3, Options{Bucket: plain.o.Bucket, CAFile: ca, MinIO: true})
	if err := s.Check(t.Context()); err != nil {
		t.Fatalf("Check = %v", err)
	}
	b, err := s.At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), vpath.Must("/file"), newNoise(20<<20, nil), backends.PutOptions{Size: -1}); err != nil {
		t.Errorf("Put = %v", err)
	}
	if got := read(t, b.(*Backend), "/file", backends.Range{Off: -5}); len(got) != 5 {
		t.Errorf("read %d bytes, want 5", len(got))
	}
	stranger := openStorage(t, front.S3, Options{Bucket: plain.o.Bucket})
	if err := stranger.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check of an unknown certificate = %v, want ErrUnavailable", err)
	}
}
