package files_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// at runs f once, at the first call op of the process.
func (r *replica) at(op string, f func()) {
	var done atomic.Bool
	r.step = func(o string) error {
		if o == op && !done.Swap(true) {
			f()
		}
		return nil
	}
}

// A process that loses its claim after all was judged publishes nothing.
func TestALostClaimStopsTheChange(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, do := range map[string]struct {
			at string
			do func(*user) *outcome
		}{
			"put":    {"Publish", func(u *user) *outcome { return u.put("/firm/x", "new") }},
			"new":    {"Publish", func(u *user) *outcome { return u.put("/firm/n", "new") }},
			"delete": {"Remove", func(u *user) *outcome { return u.rm("/firm/d") }},
			"copy":   {"Mkdir", func(u *user) *outcome { return u.cp("/firm/d", "/firm/e") }},
			"mkdir":  {"Mkdir", func(u *user) *outcome { return u.mkdir("/firm/e") }},
			"lock":   {"Publish", func(u *user) *outcome { return u.lock("/firm/n") }},
		} {
			synctest.Test(t.T, func(tt *testing.T) {
				rs := replicas(tt, 2, t.shape, options{})
				rs[0].seed("ann", "/firm/x", "/firm/d/y")
				rs[0].at(do.at, func() { rs[0].lose(); synctest.Wait() })
				do.do(rs[0].as("ann")).is503()
				rs[0].has("/firm", "d/", "d/y=/firm/d/y", "x=/firm/x")
			})
		}
	})
}

// What was published while the claim was lost is not told as done.
func TestALostClaimAfterThePublication(t *testing.T) {
	t.Parallel()
	for _, lose := range []func(*replica){(*replica).lose, (*replica).steal} {
		synctest.Test(t, func(t *testing.T) {
			rs := replicas(t, 2, mem.Objects, options{})
			rs[0].first.setHook(func(op string, _ vpath.Path) error {
				if op == "Publish" {
					lose(rs[0])
				}
				return nil
			})
			rs[0].as("ann").put("/firm/n", "new").is503()
			if n := len(rs[0].rec.Open()); n != 1 {
				t.Errorf("%d intents are open, want 1: nobody knows the outcome", n)
			}
		})
	}
}

// Many who drop files of one name through several processes all find a place.
func TestDropsOfOneNameFromManyProcesses(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			rs := replicas(t, 3, shape, options{})
			rs[0].seed("root", "/firm/Drop/")
			var all sync.WaitGroup
			for i := range 12 {
				r := rs[i%3]
				tree := r.as("ida").tree()
				all.Go(func() {
					body := hold(string(rune('a'+i)), func() { time.Sleep(time.Duration(i) * time.Millisecond) })
					if _, _, err := tree.Put(t.Context(), vpath.Must("/firm/Drop/scan.pdf"), body, files.PutOptions{Size: -1}); err != nil {
						t.Errorf("drop %d: %v", i, err)
					}
				})
			}
			all.Wait()
			if got := rs[0].tree("/firm/Drop"); len(got) != 12 {
				t.Errorf("the drop holds %q", got)
			}
			if n := rs[0].held(); n != 0 {
				t.Errorf("%d claims left", n)
			}
		})
	})
}

// All processes judge by one count, and one of them counts.
func TestQuotaOfManyProcesses(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			rs := replicas(t, 3, shape, options{quota: 100})
			rs[0].seed("eve", "/firm/foreign") // 13 bytes
			var walks atomic.Int64
			rs[0].first.setHook(func(op string, p vpath.Path) error {
				if (op == "Walk" || op == "List") && p.IsRoot() {
					walks.Add(1)
					time.Sleep(time.Second)
				}
				return nil
			})
			var all sync.WaitGroup
			for _, r := range rs {
				all.Go(func() { r.used(13) })
			}
			all.Wait()
			if n := walks.Load(); n != 1 {
				t.Errorf("counted %d times", n)
			}
			bytes := func(n int) string { return strings.Repeat("x", n) }
			rs[0].as("ann").put("/firm/a", bytes(50)).ok()
			rs[1].as("ann").put("/firm/b", bytes(40)).want(fault.ErrQuota)
			rs[1].used(63)
			rs[1].as("ann").put("/firm/b", bytes(37)).ok()
			rs[2].as("ann").cp("/firm/b", "/firm/c").want(fault.ErrQuota)
			rs[2].as("ann").rm("/firm/a").ok()
			rs[0].used(50)
			rs[0].as("ann").cp("/firm/b", "/firm/c").ok()
			rs[1].used(87)
			rs[1].as("ann").mv("/firm/c", "/firm/b").ok()
			rs[2].as("ann").mv("/firm/b", "/lab/b").ok()
			rs[0].used(13)
			rs[0].seed("eve", "/firm/other")
			rs[0].clock.add(16 * time.Minute)
			for _, r := range rs {
				if err := r.svc.Resume(t.Context()); err != nil {
					t.Error(err)
				}
			}
			rs[1].used(24)
			rs[2].used(24)
		})
	})
}

// A lock is taken through one process while a file is uploaded through another:
// the upload is refused, or it was there before the lock.
func TestLockBesideAnUploadElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lock, put string
		opts      []func(*files.LockOptions)
	}{
		{"/firm/d/x", "/firm/d/x", nil},
		{"/firm/d/new", "/firm/d/new", nil},
		{"/firm/d", "/firm/d/x", []func(*files.LockOptions){infinite}},
		{"/firm/d", "/firm/d/new", nil},
	} {
		for ms := range 12 {
			synctest.Test(t, func(t *testing.T) {
				rs := replicas(t, 2, mem.Objects, options{})
				rs[0].seed("ann", "/firm/d/x")
				for _, r := range rs {
					r.step = func(string) error { time.Sleep(time.Millisecond); return nil }
				}
				var stored time.Time
				var putErr error
				var all sync.WaitGroup
				tree := rs[1].as("root").tree()
				all.Go(func() {
					_, _, putErr = tree.Put(t.Context(), vpath.Must(c.put), strings.NewReader("new"), files.PutOptions{Size: 3})
					stored = time.Now()
				})
				time.Sleep(time.Duration(ms) * time.Millisecond)
				lock := rs[0].as("ann").lock(c.lock, c.opts...)
				locked := time.Now()
				all.Wait()
				if lock.err == nil && putErr == nil && stored.After(locked) {
					t.Errorf("%s, after %d ms: stored at %v although locked at %v", c.lock, ms, stored, locked)
				}
				if putErr != nil && !errors.Is(putErr, fault.ErrLocked) && !errors.Is(putErr, fault.ErrPrecondition) {
					t.Errorf("%s: %v", c.lock, putErr)
				}
			})
		}
	}
}

// What an upload is to replace, or the folder that it goes to, is deleted through
// another process: the upload brings neither back.
func TestUploadIntoWhatAnotherProcessDeleted(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, c := range []struct{ put, rm string }{
			{"/firm/d/x", "/firm/d/x"}, {"/firm/d/x", "/firm/d"}, {"/firm/d/new", "/firm/d"},
		} {
			rs := replicas(t, 2, t.shape, options{})
			rs[0].seed("ann", "/firm/d/x")
			body := func() bodyReader { return hold("new", func() { rs[1].as("ann").rm(c.rm).ok() }) }
			o := rs[0].as("ann").stream(c.put, body, files.PutOptions{Size: -1})
			if !errors.Is(o.err, fault.ErrPrecondition) && !errors.Is(o.err, fault.ErrNoParent) {
				t.Errorf("%+v: %v", c, o.err)
			}
			if rs[1].isThere(c.rm) {
				t.Errorf("%+v: it is back", c)
			}
		}
	})
}

// A move that begins through another process while a folder is about to be listed
// for a copy: the copy is whole, or there is none.
func TestCopyDuringAMoveElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 2, mem.Bare, options{})
		rs[0].seed("ann", "/firm/s/a", "/firm/s/b", "/firm/s/e/c")
		removed := make(chan struct{})
		var first atomic.Bool
		rs[1].step = func(op string) error { // one is swept, and then it takes its time
			if op == "Remove" && first.Swap(true) {
				select {
				case <-removed:
				default:
					close(removed)
				}
				time.Sleep(time.Minute)
			}
			return nil
		}
		var moving sync.WaitGroup
		rs[0].at("List", func() {
			moving.Go(func() { rs[1].as("root").mv("/firm/s", "/firm/d").ok() })
			select {
			case <-removed:
			case <-time.After(time.Second): // it waits for the copy
			}
		})
		o := rs[0].as("ann").cp("/firm/s", "/firm/c")
		moving.Wait()
		if n := len(rs[1].tree("/firm/c")); o.err == nil && n != 4 {
			t.Errorf("the copy holds %q", rs[1].tree("/firm/c"))
		}
	})
}
