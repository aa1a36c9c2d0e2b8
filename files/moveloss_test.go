package files_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// A crash in the midst of a move, and then a store that is away for one call
// while the move is resumed: it ends old or new all the same. A rename that was
// done before the crash is the trap, since nobody can see it then.
func TestMoveResumedWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	for kind, cases := range map[string][]string{
		"full":    {"file to free", "file to file", "file to folder", "folder to file", "folder to folder"},
		"objects": {"file to file"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			state := openState(t)
			for _, c := range moveCases() {
				if !slices.Contains(cases, c.name) {
					continue
				}
				w, st := moveWorld(t, shapes[kind], state, c)
				before := w.all()
				st.set(0, "")
				w.as("ann").mv(c.src, c.dst).ok()
				total, after := st.n, w.all()
				for at := 1; at <= total; at++ {
					for away := 1; away <= total; away++ {
						w, st := moveWorld(t, shapes[kind], state, c)
						st.set(at, "crash")
						w.as("ann").mv(c.src, c.dst)
						st.set(away, "once")
						w.start(0)
						_ = w.svc.Resume(t.Context())
						done := st.n < away
						st.set(0, "")
						if err := w.svc.Resume(t.Context()); err != nil || w.svc.Moves() > 0 {
							t.Errorf("%s, crash at step %d, away at %d: %d moves open (%v)", c.name, at, away, w.svc.Moves(), err)
						}
						if got := w.all(); got != before && got != after {
							t.Errorf("%s, crash at step %d, away at %d: neither old nor new:\n%s", c.name, at, away,
								cmp.Diff(strings.Split(after, "\n"), strings.Split(got, "\n")))
						}
						if done {
							break
						}
					}
				}
			}
		})
	}
}

// A rename that was done, whose answer was an error, while the store tells
// nothing about it: the move waits until it does.
func TestRenameOfWhichNobodyKnows(t *testing.T) {
	t.Parallel()
	for _, c := range moveCases() {
		for nth := range 2 { // what is replaced is renamed first
			w := newWorld(t, options{quiet: true})
			w.seed("ann", c.seeds...)
			w.seed("ann", "/lab/")
			var renames int
			var lost bool
			w.setHook(func(op string, _ vpath.Path) error {
				switch {
				case op == "Rename":
					renames++
				case renames == nth+1 && !lost && op == "Stat":
					lost = true
					return fault.ErrUnavailable
				}
				return nil
			})
			for name, b := range w.back {
				w.back[name] = lossy{b, b.(*mem.Backend)}
			}
			w.apply(0)
			o := w.as("ann").mv(c.src, c.dst)
			if err := w.svc.Resume(t.Context()); err != nil || w.svc.Moves() != 0 {
				t.Errorf("%s: answer %v, resume: %v", c.name, o.err, err)
			}
			w.setHook(nil)
			if w.isThere(c.src) || !w.isThere(c.dst) || len(w.tree("/firm"))+len(w.tree("/lab")) == 0 {
				t.Errorf("%s: answer %v, %q", c.name, o.err, w.tree("/firm"))
			}
			for _, name := range w.tree("/firm") {
				if strings.HasPrefix(name, backends.Reserved) {
					t.Errorf("%s: left behind: %s", c.name, name)
				}
			}
		}
	}
}

// Another tool puts a file into a folder while it moves, after its members were
// listed: it is in no copy, and stays where it was put.
func TestMoveKeepsWhatComesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, shape := range []mem2backend{mem.Objects, mem.Bare} {
		for _, late := range []string{"/firm/s/late", "/firm/s/e/late", "/firm/s/new/late"} {
			w := newWorld(t, options{shape: shape, quiet: true})
			w.seed("ann", "/firm/s/a", "/firm/s/e/b", "/firm/s/f/")
			var came atomic.Bool
			w.setHook(func(op string, _ vpath.Path) error {
				if op == "Publish" && !came.Swap(true) {
					w.seed("", late)
				}
				return nil
			})
			w.as("ann").mv("/firm/s", "/firm/d").ok()
			w.setHook(nil)
			if got := w.tree("/firm/d"); len(got) < 4 {
				t.Errorf("the new place holds %q", got)
			}
			w.as("root").get(late).ok()
			w.as("ann").get("/firm/s/a").want(fs.ErrNotExist)
			if n := w.svc.Moves(); n != 0 {
				t.Errorf("%d moves open", n)
			}
		}
	}
}

// A folder that cannot be removed, since it holds what Portico does not show (a
// link, a pipe), keeps nobody out of the move's ends for ever.
func TestMoveOfAFolderThatStays(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/s/a", "/firm/d/old", "/lab/")
		w.setHook(func(op string, p vpath.Path) error {
			if op == "Remove" && (p == vpath.Must("/s") || p.Depth() == 1 && strings.HasPrefix(p.Name(), backends.Reserved)) {
				return fault.ErrNotEmpty
			}
			return nil
		})
		w.as("ann").mv("/firm/s", "/firm/d").ok()
		w.as("ann").get("/firm/d/a").ok()
		if err := w.svc.Resume(t.Context()); err != nil || w.svc.Moves() != 0 {
			t.Errorf("%d moves open (%v)", w.svc.Moves(), err)
		}
		w.as("ann").put("/firm/d/b", "1").ok()
	})
}

// A workspace gets another storage while a move waits to be resumed: what lies
// there under the old name was never moved, and stays.
func TestMoveResumedOverAnotherStorage(t *testing.T) {
	t.Parallel()
	for phase, breaks := range map[string]string{"sweep": "RemoveAll", "clear": "Publish", "finish": "RemoveAll"} {
		w := newWorld(t, options{shape: mem.Objects, quiet: true})
		w.seed("ann", "/firm/s/a", "/lab/")
		if phase != "sweep" {
			w.seed("ann", "/firm/d/old")
		}
		var down atomic.Bool
		w.setHook(func(op string, _ vpath.Path) error {
			if down.Load() || op == breaks && (phase != "clear" || len(w.phases()) > 0 && w.phases()[0] == phase) {
				down.Store(true)
				return fault.ErrUnavailable
			}
			return nil
		})
		w.as("ann").mv("/firm/s", "/firm/d")
		w.setHook(nil)
		other := mem.NewWith(mem.Options{Shape: mem.Objects})
		b, err := other.At(vpath.Must("/firm"))
		if err != nil {
			t.Fatal(err)
		}
		w.back["firm"] = b
		w.seed("hal", "/firm/s/precious", "/firm/d/dear")
		w.start(0)
		err = w.svc.Resume(t.Context())
		got := strings.Join(w.tree("/firm"), " ")
		if !strings.Contains(got, "precious") || !strings.Contains(got, "dear") {
			t.Errorf("%s: the other storage holds %q (%v)", phase, got, err)
		}
	}
}

func (w *world) phases() (out []string) {
	moves, err := w.state.Moves(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range moves {
		out = append(out, m.Phase)
	}
	return out
}

// An upload that is all there holds memory of the storage while it waits for its
// path, and the move that it waits for may need that very memory.
func TestUploadDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, options{shape: mem.Objects, quiet: true})
		w.seed("ann", "/firm/s/a", "/lab/")
		began, memory := make(chan struct{}), make(chan struct{})
		moved := make(chan error, 1)
		var waits atomic.Bool
		w.setHook(func(op string, p vpath.Path) error {
			if op == "Put" && p == vpath.Must("/d/a") && !waits.Swap(true) {
				close(began)
				<-memory
			}
			return nil
		})
		body := hold("new", func() {
			go func() {
				_, err := w.as("ann").tree().Move(t.Context(), vpath.Must("/firm/s"), vpath.Must("/lab/d"), files.TransferOptions{})
				moved <- err
			}()
			<-began
		})
		_, _, err := w.as("ann").tree().Put(t.Context(), vpath.Must("/firm/s/b"), body, files.PutOptions{Size: -1})
		if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("put: %v", err)
		}
		close(memory)
		if err := <-moved; err != nil {
			t.Errorf("move: %v", err)
		}
		w.setHook(nil)
		w.has("/lab", "d/", "d/a=/firm/s/a")
		w.has("/firm")
		if err := w.state.Close(); err != nil {
			t.Error(err)
		}
	})
}
