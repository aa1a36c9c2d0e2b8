package files_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// A process that cannot know what others move answers nothing, until it can again.
func TestStaleAnswersNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 2, mem.Objects, options{})
		r := rs[1]
		r.seed("ann", "/firm/x", "/firm/d/y")
		r.follow()
		synctest.Wait()
		r.as("ann").get("/firm/x").ok()
		refused := func() {
			t.Helper()
			if r.svc.Stale() == nil {
				t.Error("not stale")
			}
			ann := r.as("ann")
			for _, o := range []*outcome{
				ann.get("/firm/x"), ann.stat("/firm/x"), ann.ls("/firm"), ann.find("/firm/x"), ann.put("/firm/x", "1"),
				ann.put("/firm/new", "1"), ann.mkdir("/firm/e"), ann.rm("/firm/x"), ann.cp("/firm/d", "/firm/f"),
				ann.mv("/firm/d", "/firm/g"), ann.lock("/firm/x"), ann.lock("/firm/n"), ann.patch("/firm/x", files.Guard{}, color("red")),
				r.as("ida").put("/firm/Drop/z", "1"),
			} {
				o.is503()
			}
			r.has("/firm", "d/", "d/y=/firm/d/y", "x=/firm/x")
		}
		r.lostTouch(errors.New("gone"))
		refused()
		r.wake()
		synctest.Wait()
		r.as("ann").get("/firm/x").ok()

		r.clock.add(2 * time.Second)
		r.as("ann").get("/firm/x").ok()
		r.clock.add(2 * time.Second) // nobody has looked for 4 s
		r.as("ann").get("/firm/x").is503()
		r.wake()
		synctest.Wait()
		r.as("ann").get("/firm/x").ok()

		r.dead.Store(true) // the store does not answer
		r.lostTouch(errors.New("gone"))
		r.wake()
		synctest.Wait()
		if r.svc.Stale() == nil {
			t.Error("a wake without an answer of the journal ends the staleness")
		}
	})
}

// A process alone is never stale, and follows nobody.
func TestAloneIsNeverStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x")
	w.clock.add(time.Hour)
	w.as("ann").get("/firm/x").ok()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w.svc.Follow(ctx)
	if err := w.svc.Stale(); err != nil {
		t.Error(err)
	}
}

// Whoever looks through another process sees the old place or the new one, as soon
// as the word of each step has come there.
func TestReadersOfAnotherProcess(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]mem2backend{"objects": mem.Objects, "bare": mem.Bare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rs := replicas(t, 2, shape, options{})
				rs[0].seed("ann", "/firm/s/a", "/firm/s/e/b")
				rs[1].follow()
				synctest.Wait()
				seen := map[string]bool{}
				one := make(chan struct{}, 1) // several may be copied at once
				rs[0].step = func(string) error {
					one <- struct{}{}
					defer func() { <-one }()
					synctest.Wait()
					old, now := strings.Join(rs[1].shown(vpath.Must("/firm/s")), " "), strings.Join(rs[1].shown(vpath.Must("/firm/d")), " ")
					switch old + now {
					case "/firm/s/a /firm/s/e /firm/s/e/b", "/firm/d/a /firm/d/e /firm/d/e/b":
					default:
						t.Errorf("the old place shows %q, the new one %q", old, now)
					}
					seen[old] = true
					return nil
				}
				rs[0].as("ann").mv("/firm/s", "/firm/d").ok()
				synctest.Wait()
				if len(seen) != 2 || rs[1].svc.Moves() != 0 {
					t.Errorf("seen %v, %d moves open", seen, rs[1].svc.Moves())
				}
			})
		})
	}
}

// A move that another process is at is left to it, and nobody waits for its end.
func TestResumeLeavesARunningMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 2, mem.Objects, options{})
		rs[0].seed("ann", "/firm/s/a")
		var looked bool
		rs[0].step = func(op string) error {
			if op == "Copy" && !looked {
				looked = true
				began := time.Now()
				if err := rs[1].svc.Resume(t.Context()); err != nil || time.Since(began) > 2*time.Second {
					t.Errorf("resume: %v after %v", err, time.Since(began))
				}
				if rs[1].svc.Moves() != 1 {
					t.Errorf("%d moves open", rs[1].svc.Moves())
				}
				rs[1].as("bob").get("/firm/d/a").want(fs.ErrNotExist)
			}
			return nil
		}
		rs[0].as("ann").mv("/firm/s", "/firm/d").ok()
		if !looked {
			t.Error("nothing was copied")
		}
	})
}

// What a dead process has left is taken up at the next tick.
func TestKeepResumingForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 2, mem.Objects, options{})
		rs[0].seed("ann", "/firm/s/a")
		rs[1].follow()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		go rs[1].svc.KeepResuming(ctx, tick.C)
		rs[0].step = func(op string) error {
			if op == "Remove" {
				rs[0].kill()
			}
			return nil
		}
		rs[0].as("ann").mv("/firm/s", "/firm/d")
		time.Sleep(6 * time.Second)
		if n := rs[1].svc.Moves(); n != 0 {
			t.Errorf("%d moves open", n)
		}
		rs[1].has("/firm", "d/", "d/a=/firm/s/a")
		rs[1].as("ann").put("/firm/s", "1").ok()
	})
}

// The journal is asked again where the answer was lost, not where a client left.
func TestFollowOutlastsAWatchThatEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 1, mem.Objects, options{})
		rs[0].brief = fault.ErrUnavailable // the first watch ends at once
		rs[0].seed("ann", "/firm/x")
		rs[0].follow()
		synctest.Wait()
		rs[0].as("ann").get("/firm/x").is503()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		rs[0].as("ann").get("/firm/x").ok()
	})
}
