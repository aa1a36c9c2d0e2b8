package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// noted tells whether anybody wanted to hear of its end.
type noted struct {
	context.Context
	watched *atomic.Bool
}

func (n noted) Done() <-chan struct{} {
	n.watched.Store(true)
	return n.Context.Done()
}

// TestWatch: what is found by key is not watched, since that would cost more
// than to let it end; what may be long is.
func TestWatch(t *testing.T) {
	s := openedHere(t)
	if _, err := s.Locks(t.Context(), time.Unix(0, 0)); err != nil { // opens a connection
		t.Fatal(err)
	}
	p := vpath.Must("/firm/a")
	all := store.Listing{Path: p, Locks: true, Props: true}
	inside := all
	inside.Members = true
	for name, c := range map[string]struct {
		read    func(context.Context) error
		watched bool
	}{
		"AppPasswordBySum": {func(ctx context.Context) error { _, _, err := s.AppPasswordBySum(ctx, store.Sum{}); return err }, false},
		"LocksOn":          {func(ctx context.Context) error { _, err := s.LocksOn(ctx, p, time.Unix(0, 0)); return err }, false},
		"Around":           {func(ctx context.Context) error { _, err := s.Around(ctx, all, time.Unix(0, 0)); return err }, false},
		"Around members":   {func(ctx context.Context) error { _, err := s.Around(ctx, inside, time.Unix(0, 0)); return err }, true},
		"AuditRows":        {func(ctx context.Context) error { _, err := s.AuditRows(ctx, "main", 0, 9); return err }, true},
	} {
		ctx := noted{t.Context(), new(atomic.Bool)}
		if err := c.read(ctx); err != nil || ctx.watched.Load() != c.watched {
			t.Errorf("%s: watched is %t, want %t (%v)", name, ctx.watched.Load(), c.watched, err)
		}
	}
}

// TestWaitIsWatched: a request that ends while it waits for a connection is let
// go, whatever it asks for.
func TestWaitIsWatched(t *testing.T) {
	s := openedHere(t)
	for range readers {
		c, err := s.read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func(c *sql.Conn) { _ = c.Close() }(c) // nothing was asked of it
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer := make(chan error)
	go func() {
		_, err := s.LocksOn(ctx, vpath.Must("/firm/a"), time.Unix(0, 0))
		answer <- err
	}()
	for s.read.Stats().WaitCount == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("LocksOn = %v, want context.Canceled and no fault of the store", err)
	}
}

func openedHere(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
