package files_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func (u *user) quotaOf(p string) (files.Quota, error) {
	return u.tree().Quota(u.ctx, vpath.Must(p))
}

func (w *world) used(want int64) {
	w.Helper()
	q, err := w.as("root").quotaOf("/firm")
	if err != nil || q.Used != want || q.Available != 100-want {
		w.Errorf("quota %+v (%v), want %d used", q, err, want)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quota: 100})
		ann := w.as("ann")
		bytes := func(n int) string { return strings.Repeat("x", n) }
		unknown := func(o *files.PutOptions) { o.Size = -1 }
		w.used(0)
		ann.put("/firm/a", bytes(60)).ok()
		ann.put("/firm/b", bytes(41)).want(fault.ErrQuota)
		ann.put("/firm/b", bytes(41), unknown).want(fault.ErrQuota)
		ann.put("/firm/b", bytes(40), unknown).ok()
		w.used(100)
		ann.put("/firm/a", bytes(60)).ok() // in its own place
		ann.put("/firm/a", bytes(61)).want(fault.ErrQuota)
		ann.put("/firm/a", bytes(10)).ok()
		w.used(50)
		// More than was announced.
		ann.put("/firm/c", bytes(60), func(o *files.PutOptions) { o.Size = 10 }).want(fault.ErrQuota)
		ann.stream("/firm/c", func() bodyReader { return cut(bytes(30)) }, files.PutOptions{Size: 50}).want(fault.ErrTruncated)
		w.used(50)
		ann.cp("/firm/b", "/firm/d").ok()
		ann.cp("/firm/b", "/firm/e").want(fault.ErrQuota)
		w.used(90)
		ann.mv("/firm/d", "/firm/b").ok()
		w.used(50)
		ann.mv("/firm/b", "/lab/b").ok()
		w.used(10)
		ann.put("/lab/c", bytes(60)).ok()
		ann.mv("/lab/b", "/firm/b").ok()
		ann.put("/firm/z", bytes(50)).ok()
		ann.mv("/lab/c", "/firm/c").want(fault.ErrQuota)
		ann.rm("/firm/b").ok()
		w.used(60)
		// Another tool writes: it is seen at the next count.
		w.seed("eve", "/firm/foreign")
		w.used(60)
		w.clock.add(time.Hour)
		w.used(73)
		w.apply(200)
		if q, err := w.as("root").quotaOf("/firm"); err != nil || q.Available != 127 {
			t.Errorf("after a larger quota: %+v, %v", q, err)
		}
	})
}

func TestQuotaTellsNothingHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100})
	w.seed("hal", "/firm/HR/plan")
	if q, err := w.as("bob").quotaOf("/firm"); err != nil || q.Used != -1 || q.Available != 100-13 {
		t.Errorf("quota %+v, %v", q, err)
	}
	if _, err := w.as("bob").quotaOf("/lab"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if q, err := w.as("bob").quotaOf("/"); err != nil || q.Used != -1 || q.Available != -1 {
		t.Errorf("quota %+v, %v", q, err)
	}
	w.mem.FailNext("Free", fault.ErrUnavailable)
	if _, err := w.as("bob").quotaOf("/firm"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	w.clock.add(time.Hour)
	w.mem.FailNext("Walk", fault.ErrUnavailable)
	if _, err := w.as("bob").quotaOf("/firm"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	w.apply(0)
	if q, err := w.as("bob").quotaOf("/firm"); err != nil || q.Used != -1 || q.Available < 1<<60 {
		t.Errorf("without a quota: %+v, %v", q, err)
	}
}

// Uploads at once cannot go beyond the quota together.
func TestQuotaOfUploadsAtOnce(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quota: 100})
		var all sync.WaitGroup
		var stored atomic.Int64
		for i := range 30 {
			tree := w.as("ann").tree()
			all.Go(func() {
				size := []int64{10, -1}[i%2]
				_, _, err := tree.Put(t.Context(), vpath.Must("/firm/"+string(rune('a'+i))), strings.NewReader("0123456789"), files.PutOptions{Size: size})
				switch {
				case err == nil:
					stored.Add(10)
				case !errors.Is(err, fault.ErrQuota):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := int64(len(w.tree("/firm")) * 10); n != stored.Load() || n > 100 {
			t.Errorf("%d bytes stored, %d told", n, stored.Load())
		}
		w.used(stored.Load())
		if n := w.svc.Uploads(); n != 0 {
			t.Errorf("%d uploads in flight", n)
		}
	})
}

// While one request counts a large workspace again, the others do not wait.
func TestCountingHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100})
	w.used(0)
	w.clock.add(time.Hour)
	w.once("Walk", func() {
		w.as("ann").put("/firm/x", "12345").ok()
		w.used(5)
	})
	w.used(10) // what comes while it counts may count twice, until the next time
	w.clock.add(time.Hour)
	w.used(5)
}

// A large workspace takes longer to count than a client waits: what it began is
// counted to the end, else nobody could ever upload.
func TestCountingGoesOnWithoutTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100})
	w.seed("ann", "/firm/x")
	ctx, hangUp := context.WithCancel(t.Context())
	var counts atomic.Int64
	w.setHook(func(op string, _ vpath.Path) error {
		if op == "Walk" {
			counts.Add(1)
			hangUp()
		}
		return nil
	})
	put := func(ctx context.Context) error {
		_, _, err := w.as("ann").tree().Put(ctx, vpath.Must("/firm/a"), strings.NewReader("1"), files.PutOptions{Size: 1})
		return err
	}
	if err := put(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the client that hung up: %v", err)
	}
	if err := put(t.Context()); err != nil || counts.Load() != 1 {
		t.Errorf("the next client: %v, after %d counts, want 1", err, counts.Load())
	}
}
