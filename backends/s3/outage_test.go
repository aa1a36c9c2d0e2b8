package s3

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

// everything is one call of each method. Paths exist.
func everything(ctx context.Context, b *Backend) map[string]func() error {
	p := vpath.Must
	return map[string]func() error{
		"Check": func() error { return b.s.Check(ctx) },
		"Reap":  func() error { _, err := b.s.Reap(ctx, b.s.o.Clock()); return err },
		"Stat":  func() error { _, err := b.Stat(ctx, p("/file")); return err },
		"List":  func() error { _, _, err := b.List(ctx, p("/")); return err },
		"Open":  func() error { _, _, err := b.Open(ctx, p("/file"), backends.Range{}); return err },
		"Put":   func() error { return putText(ctx, b, "/file", "new", backends.Condition{}) },
		"Put if": func() error {
			return putText(ctx, b, "/other", "new", backends.Condition{NotExist: true})
		},
		"Mkdir":  func() error { _, err := b.Mkdir(ctx, p("/dir2"), backends.Meta{}); return err },
		"Remove": func() error { return b.Remove(ctx, p("/file")) },
		"Copy":   func() error { _, err := b.Copy(ctx, p("/file"), p("/copy"), backends.Meta{}); return err },
		"Walk": func() error {
			return b.Walk(ctx, p("/"), func(vpath.Path, backends.Info) error { return nil })
		},
		"RemoveAll": func() error { return b.RemoveAll(ctx, []vpath.Path{p("/file")})[p("/file")] },
	}
}

func putText(ctx context.Context, b *Backend, path, text string, c backends.Condition) error {
	_, err := b.Put(ctx, vpath.Must(path), strings.NewReader(text), backends.PutOptions{Size: int64(len(text)), If: c})
	return err
}

// away demands that all methods, at once, say that the store is away, and soon.
func away(t *testing.T, b *Backend, within time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, call := range everything(t.Context(), b) {
		wg.Go(func() {
			start := time.Now()
			err := call()
			if !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s = %v, want ErrUnavailable", name, err)
			}
			if took := time.Since(start); took > within {
				t.Errorf("%s took %v, want %v at most", name, took, within)
			}
		})
	}
}

func TestOutages(t *testing.T) {
	t.Parallel()
	store := parts.OwnMinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	if err := putText(t.Context(), b, "/file", "kept", backends.Condition{}); err != nil {
		t.Fatal(err)
	}

	store.Stop(t)
	away(t, b, 10*time.Second)
	fresh := openStorage(t, store, Options{MinIO: true, Bucket: b.s.o.Bucket}) // Portico starts while its store is away
	if err := fresh.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check of a new Storage = %v, want ErrUnavailable", err)
	}
	store.Start(t)
	if err := fresh.Check(t.Context()); err != nil {
		t.Errorf("Check after the start = %v", err)
	}
	if got := read(t, b, "/file", backends.Range{}); got != "kept" {
		t.Errorf("content after a restart = %q, want kept", got)
	}

	store.Freeze(t)
	away(t, b, 11*time.Second)
	store.Thaw(t)
	if err := putText(t.Context(), b, "/file", "and on", backends.Condition{}); err != nil {
		t.Errorf("Put after the thaw = %v", err)
	}
}

// TestReadersHearOfAnOutage: a file that ends in the middle is an error.
func TestReadersHearOfAnOutage(t *testing.T) {
	t.Parallel()
	store := parts.OwnMinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	const size = 200 << 20 // more than sockets hold
	if _, err := b.Put(t.Context(), vpath.Must("/file"), newNoise(size, nil), backends.PutOptions{Size: size}); err != nil {
		t.Fatal(err)
	}
	rc, info, err := b.Open(t.Context(), vpath.Must("/file"), backends.Range{})
	if err != nil || info.Size != size {
		t.Fatalf("Open = %+v, %v", info, err)
	}
	defer rc.Close()
	if _, err := io.CopyN(io.Discard, rc, 1<<20); err != nil {
		t.Fatal(err)
	}
	store.Kill(t)
	if n, err := io.Copy(io.Discard, rc); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("reading on gave %d bytes and %v, want ErrUnavailable", n, err)
	}
	store.Start(t)

	ctx, cancel := context.WithCancel(t.Context())
	if rc, _, err = b.Open(ctx, vpath.Must("/file"), backends.Range{}); err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	cancel()
	if _, err := io.Copy(io.Discard, rc); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("reading with a cancelled ctx = %v, want context.Canceled", err)
	}
}

// TestNonsenseIsNoMissingFile puts a proxy's pages in the place of answers.
func TestNonsenseIsNoMissingFile(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]func(http.ResponseWriter, *http.Request){
		"404 page": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html><body>no such site</body></html>", http.StatusNotFound)
		},
		"200 page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html><body>hi</body></html>")
		},
		"502 page":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) },
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"no bucket": fail(404, "NoSuchBucket"),
		"denied":    fail(403, "AccessDenied"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{MinIO: true})
			if err := putText(t.Context(), b, "/file", "kept", backends.Condition{}); err != nil {
				t.Fatal(err)
			}
			rule := func(_ string, w http.ResponseWriter, r *http.Request) bool { page(w, r); return true }
			front.rule.Store(&rule)
			for what, call := range everything(t.Context(), b) {
				if name == "200 page" && what == "Check" {
					continue // HEAD has no page: 200 is a yes, and the first real call finds out
				}
				if err := call(); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s = %v, want ErrUnavailable", what, err)
				}
			}
			front.off()
			if got := read(t, b, "/file", backends.Range{}); got != "kept" {
				t.Errorf("content = %q, want kept", got)
			}
		})
	}
}

// TestCheckNamesTheMend holds what an admin is told.
func TestCheckNamesTheMend(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	missing := openStorage(t, store, Options{Bucket: "no-such-bucket"})
	if err := missing.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), `bucket "no-such-bucket" does not exist`) {
		t.Errorf("Check of a missing bucket = %v", err)
	}
	b, err := missing.At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), vpath.Must("/file")); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Stat without a bucket = %v, want ErrUnavailable", err)
	}
	wrong := store
	wrong.SecretKey = "a-wrong-secret"
	refused, _ := workspace(t, parts.MinIO(t), Options{})
	denied := openStorage(t, wrong, Options{Bucket: refused.s.o.Bucket})
	err = denied.Check(t.Context())
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "check access_key") || strings.Contains(err.Error(), "a-wrong-secret") {
		t.Errorf("Check with a wrong secret = %v", err)
	}
}
