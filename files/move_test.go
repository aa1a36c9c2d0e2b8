package files_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// A move is the old or the new state, and nothing else, after a crash or a
// failure at any call of either store.
func TestMoveBreaksAnywhere(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range moveCases() {
			if t.kind == "bare" && !strings.HasPrefix(c.name, "folder to f") { // the others differ little from "objects"
				continue
			}
			w, st := moveWorld(t, t.shape, state, c)
			before := w.all()
			st.set(0, "")
			w.as("ann").mv(c.src, c.dst).ok()
			total, states, after := st.n, st.states, w.all()
			if before == after {
				t.Fatalf("%s: nothing moved", c.name)
			}
			for at := 1; at <= total; at++ {
				breakMove(t, t.shape, state, c, at, "crash", before, after)
				breakMove(t, t.shape, state, c, at, "once", before, after)
				if t.kind == "objects" && c.name == "folder to free" { // in the midst of its undoing
					breakMove(t, t.shape, state, c, at, fmt.Sprintf("crash %d steps later", 1+at%5), before, after)
				}
			}
			for _, at := range states {
				breakMove(t, t.shape, state, c, at, "lost", before, after)
			}
		}
	})
}

func breakMove(tb testing.TB, shape mem2backend, state store.State, c moveCase, at int, mode, before, after string) {
	tb.Helper()
	w, st := moveWorld(tb, shape, state, c)
	st.set(at, mode)
	o := c.do(w)
	fail := func(format string, args ...any) {
		tb.Helper()
		tb.Errorf("%s, %s at step %d (answer %v): %s", c.name, mode, at, o.err, fmt.Sprintf(format, args...))
	}
	st.set(0, "")
	if strings.HasPrefix(mode, "crash") {
		w.start(0)
	}
	if err := w.svc.Resume(tb.Context()); err != nil {
		fail("resume: %v", err)
	}
	got := w.all()
	switch {
	case got != before && got != after:
		fail("neither old nor new:\n%s", cmp.Diff(strings.Split(after, "\n"), strings.Split(got, "\n")))
	case o.err == nil && got != after:
		fail("told done, and it is not")
	}
	if left, err := w.state.Moves(tb.Context()); len(left) > 0 || err != nil || w.svc.Moves() > 0 {
		fail("%d moves in the journal, %d open (%v)", len(left), w.svc.Moves(), err)
	}
	if shown, there := w.shown(vpath.Path{}), strings.Count(got, " has ")+2; len(shown) != there {
		fail("%d things are shown, %d are there", len(shown), there)
	}
	w.standingCounts()
	w.setHook(nil)
	for _, end := range []string{c.src, c.dst} { // nothing is held any more
		if o := w.as("ann").rm(end); o.err != nil && !errors.Is(o.err, fs.ErrNotExist) {
			fail("delete %s: %v", end, o.err)
		}
	}
}

// Whoever looks while a move runs sees the old place or the new one, and all of it.
func TestReadersDuringAMove(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range moveCases() {
			if c.name == "file to file" { // the one case where the new version shows before the old name ends
				continue
			}
			w, st := moveWorld(t, t.shape, state, c)
			at := vpath.Must(c.src)
			whole := func(p string) []string { return w.shown(vpath.Must(p)) }
			oldSrc, oldDst := whole(c.src), whole(c.dst)
			hadDst := w.isThere(c.dst)
			seen := map[string]bool{}
			st.looked = func() {
				src, dst := w.isThere(c.src), w.isThere(c.dst)
				if got := whole(c.src); src && !slices.Equal(got, oldSrc) {
					t.Errorf("%s: half of the source: %q", c.name, got)
				}
				switch {
				case src && dst && !hadDst, !src && !dst:
					t.Errorf("%s: source there: %v, destination there: %v", c.name, src, dst)
				case src && dst && !slices.Equal(whole(c.dst), oldDst):
					t.Errorf("%s: half of the destination: %q", c.name, whole(c.dst))
				case dst && !src && len(whole(c.dst)) != len(oldSrc):
					t.Errorf("%s: half of the new place: %q", c.name, whole(c.dst))
				}
				seen[fmt.Sprint(src, dst)] = true
				if names := w.shown(at.Parent()); slices.Contains(names, c.src) != src {
					t.Errorf("%s: the listing disagrees: %q", c.name, names)
				}
			}
			st.set(0, "")
			w.as("ann").mv(c.src, c.dst).ok()
			if !seen["true false"] && !seen["true true"] {
				t.Errorf("%s: nobody looked: %v", c.name, seen)
			}
		}
	})
}

func (w *world) isThere(p string) bool {
	w.Helper()
	_, err := w.as("root").tree().Stat(context.Background(), vpath.Must(p))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Errorf("stat %s: %v", p, err)
	}
	return err == nil
}

// The same with readers that run at their own pace.
func TestReadersBesideManyMoves(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/m/a/1", "/firm/m/a/2", "/firm/m/a/3")
		var stop atomic.Bool
		var readers sync.WaitGroup
		for range 3 {
			tree := w.as("root").tree()
			readers.Go(func() {
				for !stop.Load() {
					_, list, err := tree.Find(t.Context(), vpath.Must("/firm/m"), true, files.Want{})
					if errors.Is(err, fault.ErrUnavailable) { // on a busy machine: a move at each try
						continue
					}
					if err != nil || len(list) != 1 {
						t.Errorf("the folder holds %v (%v)", list, err)
						return
					}
					_, list, err = tree.Find(t.Context(), list[0].Path, true, files.Want{})
					if err == nil && len(list) != 3 || err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fault.ErrUnavailable) {
						t.Errorf("the moving folder holds %v (%v)", list, err)
						return
					}
					body, _, err := tree.Open(t.Context(), vpath.Must("/firm/m/a/1"), files.Range{})
					if err == nil {
						body.Close()
					} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fault.ErrUnavailable) {
						t.Errorf("open: %v", err)
						return
					}
				}
			})
		}
		a, b := vpath.Must("/firm/m/a"), vpath.Must("/firm/m/b")
		for range 16 {
			if _, err := w.as("ann").tree().Move(t.Context(), a, b, over); err != nil {
				t.Error(err)
			}
			if err := w.svc.Resume(t.Context()); err != nil {
				t.Error(err)
			}
			a, b = b, a
		}
		stop.Store(true)
		readers.Wait()
	})
}

// A copy of a folder that is moved away meanwhile does not take what the move has
// left of it for all there is.
func TestCopyDuringAMove(t *testing.T) {
	t.Parallel()
	for _, shape := range []mem2backend{mem.Objects, mem.Bare} {
		w := newWorld(t, options{shape: shape, quiet: true})
		w.seed("ann", "/firm/a/1", "/firm/a/2", "/firm/a/3")
		copying := w.as("ann").tree()
		var began atomic.Bool
		w.setHook(func(op string, p vpath.Path) error {
			if (op == "Walk" || op == "List") && p.Name() == "a" && !began.Swap(true) {
				w.mem.FailNext("Remove", nil) // one is swept, and then the store breaks
				w.mem.FailNext("Remove", fault.ErrUnavailable)
				w.as("ann").mv("/firm/a", "/firm/b").ok()
			}
			return nil
		})
		if _, err := copying.Copy(t.Context(), vpath.Must("/firm/a"), vpath.Must("/firm/c"), over); !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("error %v, want %v; the copy holds %q", err, fault.ErrUnavailable, w.tree("/firm/c"))
		}
		w.has("/firm/b", "1=/firm/a/1", "2=/firm/a/2", "3=/firm/a/3")
	}
}

// Resume does not disturb a move that runs.
func TestResumeDuringAMove(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range moveCases() {
			w, st := moveWorld(t, t.shape, state, c)
			var resumes sync.WaitGroup
			st.looked = func() {
				resumes.Go(func() {
					if err := w.svc.Resume(t.Context()); err != nil {
						t.Errorf("%s: resume: %v", c.name, err)
					}
				})
			}
			w.as("ann").mv(c.src, c.dst).ok()
			resumes.Wait()
			st.looked = nil
			if w.svc.Moves() != 0 || w.isThere(c.src) || !w.isThere(c.dst) {
				t.Errorf("%s: %d moves open", c.name, w.svc.Moves())
			}
		}
	})
}

// A store that is away during a move comes back, and the move ends by itself.
func TestKeepResuming(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Objects})
	w.seed("ann", "/firm/s/a")
	w.mem.FailNext("RemoveAll", fault.ErrUnavailable)
	w.mem.FailNext("RemoveAll", fault.ErrUnavailable)
	w.as("ann").mv("/firm/s", "/firm/d").ok() // for all who look it is done
	w.as("ann").get("/firm/d/a").ok()
	w.as("ann").get("/firm/s/a").want(fs.ErrNotExist)
	w.as("ann").put("/firm/s/b", "1").want(fault.ErrUnavailable)
	w.as("ann").mkdir("/firm/s").want(fault.ErrUnavailable)
	w.as("ann").rm("/firm/d").want(fault.ErrUnavailable)
	w.as("ann").cp("/firm/d", "/firm/e").want(fault.ErrUnavailable)
	w.as("ann").mv("/firm/d", "/firm/e").want(fault.ErrUnavailable)
	w.seed("ann", "/firm/other")
	w.as("ann").mv("/firm/other", "/firm/s").want(fault.ErrUnavailable)
	w.as("ann").cp("/firm/other", "/firm/d").want(fault.ErrUnavailable)
	w.as("ann").patch("/firm/d", files.Guard{}, color("red")).want(fault.ErrUnavailable)
	w.as("ann").lock("/firm/d").want(fault.ErrUnavailable)
	ticks := make(chan time.Time)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.svc.KeepResuming(ctx, ticks) })
	ticks <- time.Time{}
	ticks <- time.Time{} // the first one is over, and has failed
	ticks <- time.Time{} // the second one is over
	if n := w.svc.Moves(); n != 0 {
		t.Errorf("%d moves open", n)
	}
	stop()
	running.Wait()
	w.as("ann").put("/firm/s", "1").ok()
}

// A move between workspaces of which one is gone from the config waits.
func TestMoveOfAWorkspaceThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Objects})
	w.seed("ann", "/firm/s/a", "/lab/")
	w.mem.FailNext("RemoveAll", fault.ErrUnavailable)
	w.as("ann").mv("/firm/s", "/lab/s").ok()
	lab, rules := w.back["lab"], w.rules.Workspaces["lab"]
	delete(w.back, "lab")
	delete(w.rules.Workspaces, "lab")
	w.start(0)
	if err := w.svc.Resume(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("resume: %v", err)
	}
	w.as("ann").get("/firm/s/a").want(fs.ErrNotExist)
	w.back["lab"], w.rules.Workspaces["lab"] = lab, rules
	w.apply(0)
	if err := w.svc.Resume(t.Context()); err != nil || w.svc.Moves() != 0 {
		t.Errorf("resume: %v", err)
	}
	w.has("/lab", "s/", "s/a=/firm/s/a")
	w.has("/firm")
}

// A carry that cannot succeed is undone at once: the old place counts, and a
// folder that was to be replaced is as it was.
func TestMoveThatCannotBeDone(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for want, seeds := range map[string][]string{
			"s/ s/a=/firm/s/a":                      {"/firm/s/a"},
			"d/ d/old=/firm/d/old s/ s/a=/firm/s/a": {"/firm/s/a", "/firm/d/old"},
		} {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", seeds...)
			for _, op := range []string{"Publish", "Rename"} {
				w.mem.FailNext(op, fault.ErrQuota)
			}
			if o := w.as("ann").mv("/firm/s", "/firm/d"); !errors.Is(o.err, fault.ErrQuota) || w.svc.Moves() != 0 {
				t.Errorf("error %v, %d moves open", o.err, w.svc.Moves())
			}
			w.has("/firm", strings.Fields(want)...)
		}
	})
}

// What breaks after the old folder was put aside is brought back, too.
func TestMoveThatBreaksLate(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for step := 1; step <= 6; step++ {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", "/firm/s/a", "/firm/d/old")
			for _, op := range []string{"Publish", "Rename"} {
				for range step - 1 {
					w.mem.FailNext(op, nil)
				}
				w.mem.FailNext(op, fault.ErrQuota)
			}
			o := w.as("ann").mv("/firm/s", "/firm/d")
			if w.svc.Moves() != 0 {
				t.Errorf("step %d: %d moves open", step, w.svc.Moves())
			}
			if o.err != nil {
				w.has("/firm", "d/", "d/old=/firm/d/old", "s/", "s/a=/firm/s/a")
			} else {
				w.has("/firm", "d/", "d/a=/firm/s/a")
			}
		}
	})
}

// A rename that was done, but whose answer was an error, is done.
func TestRenameWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: func(b *mem.Backend) backends.Backend { return lossy{b, b} }})
	w.seed("ann", "/firm/s/a")
	w.as("ann").mv("/firm/s", "/firm/d").ok()
	w.has("/firm", "d/", "d/a=/firm/s/a")
}

// lossy renames and says that it could not.
type lossy struct {
	backends.Backend
	b *mem.Backend
}

func (l lossy) Rename(ctx context.Context, src, dst vpath.Path) error {
	return errors.Join(l.b.Rename(ctx, src, dst), fault.ErrUnavailable)
}

// What moves keeps its creator, its date and its properties.
func TestMoveKeepsWhatAFileIs(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("tom", "/firm/s/a")
		was := w.as("ann").stat("/firm/s/a").ok().node
		w.as("ann").patch("/firm/s/a", files.Guard{}, color("red")).ok()
		for i, dst := range []string{"/firm/d", "/lab/d"} {
			w.as("root").mv([]string{"/firm/s", "/firm/d"}[i], dst).ok()
			is := w.as("ann").find(dst + "/a").ok().node
			info, err := w.back[vpath.Must(dst).Top()].Stat(t.Context(), vpath.Must("/d/a"))
			if err != nil || info.Creator != id("tom") || !is.ModTime.Equal(was.ModTime) || len(is.Props) != 1 {
				t.Errorf("%s: %+v by %s (%v), was %+v", dst, is, info.Creator, err, was)
			}
		}
	})
}
