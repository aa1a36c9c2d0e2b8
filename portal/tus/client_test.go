package tus_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/local"
	"portico/backends/s3"
	"portico/internal/parts"
	"portico/store"
	"portico/store/postgres"
)

// The tests of this file run tus-js-client, the protocol's own client.

const whole = 40<<20 + 12345

// blob writes a file of n bytes, and gives its content.
func blob(t *testing.T, n int) (file, content string) {
	t.Helper()
	b := make([]byte, n)
	_, _ = mrand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	file = filepath.Join(t.TempDir(), "some file.bin")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, string(b)
}

// storages opens the same storage, as often as it is asked.
func storages(t *testing.T, kind string) func() backends.Storage {
	t.Helper()
	dir := t.TempDir()
	minio := parts.S3{}
	bucket := fmt.Sprintf("tus-%d", buckets.Add(1))
	if kind == "minio" {
		minio = parts.MinIO(t)
		minio.MakeBucket(t, bucket)
	}
	return func() backends.Storage {
		var s backends.Storage
		var err error
		if kind == "minio" {
			s, err = s3.Open(t.Context(), s3.Options{
				Endpoint: minio.Endpoint, AccessKey: minio.AccessKey, SecretKey: minio.SecretKey, Bucket: bucket,
				MinIO: true, Clock: time.Now, Budget: backends.NewBudget(64 << 20),
			})
		} else {
			s, err = local.Open(local.Options{Dir: dir, Rand: rand.Reader, Clock: time.Now})
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
}

var buckets atomic.Int64

func onEach(t *testing.T, f func(t *testing.T, open func() backends.Storage)) {
	t.Helper()
	for _, kind := range []string{"disk", "minio"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f(t, storages(t, kind))
		})
	}
}

// job is an upload to /firm/Clients/big.bin.
func (h *house) job(file string) parts.TusUpload {
	return parts.TusUpload{
		Endpoint: h.url, File: file, URLs: filepath.Join(h.TempDir(), "urls"),
		Metadata: map[string]string{"path": "/firm/Clients", "filename": "big.bin", "lastModified": "1700000000000"},
	}
}

// arrived wants an upload that went well.
func (h *house) arrived(r parts.TusResult, content string) {
	h.Helper()
	if r.Error != "" || r.Died || r.Path != "/firm/Clients/big.bin" {
		h.Fatalf("the client says %+v", r)
	}
	h.holds("/Clients/big.bin", content)
	h.idle()
}

func TestClient(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open func() backends.Storage) {
		t.Helper()
		for _, change := range []func(*parts.TusUpload){
			func(*parts.TusUpload) {},
			func(u *parts.TusUpload) { u.ChunkSize = 5<<20 + 1 },
			func(u *parts.TusUpload) { u.ChunkSize = 7 << 20; u.Deferred = true },
			func(u *parts.TusUpload) { u.ChunkSize = 9 << 20; u.Early = true },
		} {
			h := newHouse(t, settings{storage: open()})
			file, content := blob(t, whole)
			u := h.job(file)
			u.Metadata["exists"] = "replace"
			change(&u)
			h.arrived(parts.Tus(t, u), content)
		}
	})
}

// TestClientBrokenLine breaks the connection in the middle: the client goes on by
// itself, and sends no more than the rest.
func TestClientBrokenLine(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open func() backends.Storage) {
		t.Helper()
		h := newHouse(t, settings{storage: open()})
		server := httptest.NewUnstartedServer(h.server.Config.Handler)
		cut := &cutter{Listener: server.Listener}
		cut.left.Store(25 << 20)
		server.Listener = cut
		server.Start()
		t.Cleanup(server.Close)
		h.url = server.URL + "/api/v1/uploads"
		file, content := blob(t, whole)
		r := parts.Tus(t, h.job(file))
		h.arrived(r, content)
		if slices.Index(r.Requests, "HEAD 200") < 0 {
			t.Errorf("nothing broke: %q", r.Requests)
		}
		if left := cut.left.Load(); left < -int64(whole-25<<20)-1<<20 {
			t.Errorf("%d bytes were sent again: %q", -left-int64(whole-25<<20), r.Requests)
		}
	})
}

// TestClientDies goes on in a new process of the client.
func TestClientDies(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open func() backends.Storage) {
		t.Helper()
		h := newHouse(t, settings{storage: open()})
		file, content := blob(t, whole)
		u := h.job(file)
		u.ExitAt, u.ChunkSize = 22<<20, 5<<20
		if r := parts.Tus(t, u); !r.Died {
			t.Fatalf("the client did not die: %+v", r)
		}
		h.lacks("/Clients/big.bin")
		u.ExitAt, u.Resume = 0, true
		r := parts.Tus(t, u)
		h.arrived(r, content)
		if len(r.Requests) == 0 || r.Requests[0] != "HEAD 200" {
			t.Errorf("the client began anew: %q", r.Requests)
		}
	})
}

func TestClientTerminates(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open func() backends.Storage) {
		t.Helper()
		h := newHouse(t, settings{storage: open()})
		file, _ := blob(t, whole)
		u := h.job(file)
		u.TerminateAt, u.ChunkSize = 20<<20, 5<<20
		if r := parts.Tus(t, u); !r.Terminated || r.Error != "" {
			t.Fatalf("the client says %+v", r)
		}
		h.lacks("/Clients/big.bin")
		h.idle()
	})
}

func TestClientIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{max: 1 << 20})
	file, _ := blob(t, 2<<20)
	if r := parts.Tus(t, h.job(file)); r.Status != 413 || !strings.Contains(r.Body, "1048576") {
		t.Errorf("the client says %+v", r)
	}
}

// TestClientChangesServers goes on at another server over the same stores.
func TestClientChangesServers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, open func() backends.Storage) {
		t.Helper()
		dsn := parts.Postgres(t).DSN
		one := newHouse(t, settings{storage: open(), state: replica(t, dsn, "one")})
		two := newHouse(t, settings{storage: open(), state: replica(t, dsn, "two")})
		file, content := blob(t, whole)
		u := one.job(file)
		u.ExitAt, u.ChunkSize = 22<<20, 5<<20
		if r := parts.Tus(t, u); !r.Died {
			t.Fatalf("the client did not die: %+v", r)
		}
		// What the client remembers is the first server's address.
		data, err := os.ReadFile(u.URLs)
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.ReplaceAll(string(data), one.server.URL, two.server.URL)
		if err := os.WriteFile(u.URLs, []byte(moved), 0o600); err != nil {
			t.Fatal(err)
		}
		u.Endpoint, u.ExitAt, u.Resume = two.url, 0, true
		r := parts.Tus(t, u)
		two.arrived(r, content)
		if !strings.HasPrefix(r.URL, two.server.URL) || slices.Contains(r.Requests, "POST 201") {
			t.Errorf("the client did not go on at the other server: %+v", r)
		}
	})
}

// replica is the store as one process has it, which hears of the others.
func replica(t *testing.T, dsn, name string) store.State {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Replica: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
