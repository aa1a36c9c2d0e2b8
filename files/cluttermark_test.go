package files_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"portico/backends/mem"
	"portico/files"
	"portico/vpath"
)

// clutterWays are all the ways by which clutter comes, goes and moves, from what
// layClutter makes.
func clutterWays() map[string]func(w *world) {
	return map[string]func(w *world){
		"put new":         func(w *world) { w.as("ann").put("/firm/~$n", "1") },
		"put over":        func(w *world) { w.as("ann").put("/firm/d/~$a", "2") },
		"lock":            func(w *world) { w.as("ann").lock("/firm/.n.swp") },
		"mkdir":           func(w *world) { w.as("ann").mkdir("/firm/.Trashes") },
		"delete":          func(w *world) { w.as("ann").rm("/firm/d/~$a") },
		"delete all":      func(w *world) { w.as("ann").rm("/firm/d") },
		"rename":          func(w *world) { w.as("ann").mv("/firm/d/~$a", "/firm/d/~$b") },
		"rename over":     func(w *world) { w.as("ann").mv("/firm/d/~$a", "/firm/e/~$e") },
		"to a document":   func(w *world) { w.as("ann").mv("/firm/d/~$a", "/firm/d/a") },
		"from a document": func(w *world) { w.as("ann").mv("/firm/d/a", "/firm/d/~$a") },
		"over a folder":   func(w *world) { w.as("ann").mv("/firm/d/a", "/firm/e") },
		"move":            func(w *world) { w.as("ann").mv("/firm/d", "/firm/n") },
		"move over":       func(w *world) { w.as("ann").mv("/firm/d", "/firm/e") },
		"move away":       func(w *world) { w.as("ann").mv("/firm/d", "/lab/d") },
		"copy one":        func(w *world) { w.as("ann").cp("/firm/d/~$a", "/lab/~$a") },
		"copy":            func(w *world) { w.as("ann").cp("/firm/d", "/firm/n") },
		"copy over":       func(w *world) { w.as("ann").cp("/firm/d", "/firm/e") },
		"copy over a file": func(w *world) {
			w.as("ann").cp("/firm/d", "/firm/~$f")
			w.as("ann").cp("/firm/d/~$a", "/firm/e")
		},
		"drop": func(w *world) { w.as("ida").put("/firm/Drop/.Trashes/~$n", "1") },
		"upload": func(w *world) {
			if st, err := w.as("ann").tryBegin("/firm/~$n", ask(4)); err == nil {
				_ = (&sending{w.as("ann"), st}).try(strings.NewReader("four"))
			}
		},
		"chunks": func(w *world) {
			if err := w.as("ann").tree().BeginChunks(w.Context(), "f", nameless); err == nil {
				_ = w.as("ann").tryChunk("f", numbered(1), "1")
				_, _, _ = w.as("ann").tryJoin("f", "/firm/~$n", 1)
			}
		},
	}
}

func clutterWorld(tb testing.TB, shape mem2backend) (*world, *steps) {
	tb.Helper()
	st := &steps{}
	w := newWorld(tb, options{shape: shape, shared: shaky{newMemState(), st}, quiet: true})
	w.layClutter()
	w.setHook(func(op string, _ vpath.Path) error { return st.call(op) })
	return w, st
}

func (w *world) layClutter() {
	w.Helper()
	w.seed("ann", "/lab/", "/firm/d/", "/firm/e/", "/firm/Drop/")
	for _, p := range []string{"/firm/d/~$a", "/firm/d/a", "/firm/e/~$e", "/firm/~$f"} {
		w.as("ann").put(p, p).ok()
	}
}

// At no moment, by no way, and after a crash or a failure at no call of either
// store, is there clutter without its mark: it could not be found any more.
func TestClutterIsNeverWithoutItsMark(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, way := range clutterWays() {
			w, st := clutterWorld(t, t.shape)
			st.looked = func() { w.marksHold(name) }
			st.set(0, "")
			before := w.all()
			way(w)
			total := st.n
			st.looked = nil
			w.marksHold(name)
			if takes := t.kind != "bare" || name != "upload" && name != "chunks"; takes && w.all() == before {
				t.Errorf("%s changes nothing", name)
			}
			for at := 1; at <= total; at++ {
				for _, mode := range []string{"crash", "once"} {
					w, st := clutterWorld(t, t.shape)
					st.set(at, mode)
					way(w)
					st.set(0, "")
					if mode == "crash" {
						w.start(0)
					}
					if err := w.svc.Resume(t.Context()); err != nil {
						t.Errorf("%s, %s at step %d: resume: %v", name, mode, at, err)
					}
					w.marksHold(fmt.Sprintf("%s, %s at step %d", name, mode, at))
				}
			}
		}
	})
}

// Two people at one name: whoever wins, what is there is found.
func TestClutterOfTwoPeople(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("ann", "/firm/d/")
		for range 10 {
			var all sync.WaitGroup
			for _, login := range []string{"ann", "root"} {
				tree := s.as(login).tree()
				all.Go(func() {
					for i := range 6 {
						p, q := vpath.Must("/firm/d/~$a"), vpath.Must("/firm/d/~$b")
						switch i % 3 {
						case 0:
							_, _, _ = tree.Put(t.Context(), p, strings.NewReader(login), files.PutOptions{Size: int64(len(login))})
						case 1:
							_, _ = tree.Move(t.Context(), p, q, over)
						default:
							_ = tree.Delete(t.Context(), p, files.Guard{})
						}
					}
				})
			}
			all.Wait()
			s.marksHold("after a race")
		}
	})
}

// A process that is halted at any step, and goes on when another one has ended what is
// there, makes nothing that cannot be found.
func TestClutterOfTwoServers(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			two := func() []*replica {
				rs := replicas(t, 2, shape, options{})
				rs[0].layClutter()
				return rs
			}
			for name, way := range clutterWays() {
				rs := two()
				steps := rs[0].onStep(0, nil)
				way(rs[0].world)
				for at := int64(1); at <= steps.Load(); at++ {
					rs := two()
					rs[0].onStep(at, func() {
						rs[0].lapse()
						for _, p := range []string{"/firm/d/~$a", "/firm/~$n", "/firm/n", "/firm/d", "/firm/e"} {
							rs[1].as("root").rm(p)
						}
					})
					way(rs[0].world)
					rs[1].settle()
					rs[1].marksHold(fmt.Sprintf("%s, halted at step %d", name, at))
				}
			}
		})
	})
}

// A folder that ends on the way of a drop, and is made anew by it, has its mark.
func TestClutterOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Objects, quiet: true})
	w.seed("root", "/firm/Drop/")
	w.as("root").mkdir("/firm/Drop/.Trashes").ok()
	w.once("Mkdir", func() {
		w.setHook(nil)
		w.as("root").rm("/firm/Drop/.Trashes").ok()
	})
	w.as("ida").put("/firm/Drop/.Trashes/x", "1").ok()
	w.marksHold("after the drop")
}

// What ends while its folder is copied, and was copied before, is in the copy.
func TestClutterThatEndsBehindACopy(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, dst := range []string{"/firm/n", "/firm/~$f"} { // the second makes way for it
			w, st := clutterWorld(t, t.shape)
			ended := false
			st.looked = func() {
				copied := slices.ContainsFunc(w.tree("/firm"), func(line string) bool { // where a draft of it lies, too
					return strings.HasSuffix(line, "/~$a=/firm/d/~$a") && !strings.HasPrefix(line, "d/")
				})
				if copied && !ended {
					ended = true
					w.as("root").rm("/firm/d/~$a").ok()
				}
			}
			w.as("ann").cp("/firm/d", dst).ok()
			st.looked = nil
			if !ended {
				t.Errorf("%s: nothing ended meanwhile", dst)
			}
			w.marksHold("after the copy to " + dst)
			w.as("ann").reads(dst+"/~$a", "/firm/d/~$a")
		}
	})
}

// Whatever is done, clutter does as files of other names do.
func TestClutterDoesAsFilesDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		clutter, plain := newWorld(t, options{quiet: true, shared: newMemState()}), newWorld(t, options{quiet: true, shared: newMemState()})
		name := rapid.SampledFrom([]string{"/firm/X1", "/firm/X2", "/firm/d", "/firm/d/X1", "/firm/d/a", "/firm/X3/a", "/firm/X3", "/lab/d"})
		as := func(p, sign string) string { return strings.ReplaceAll(p, "X", sign) }
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			p, q, op := name.Draw(rt, "p"), name.Draw(rt, "q"), rapid.IntRange(0, 4).Draw(rt, "op")
			who := rapid.SampledFrom([]string{"ann", "ann", "tom", "bob"}).Draw(rt, "who")
			one := realOp(clutter.as(who), op, as(p, "~$"), as(q, "~$"), "x")
			two := realOp(plain.as(who), op, as(p, "x"), as(q, "x"), "x")
			if (one.err == nil) != (two.err == nil) || one.created != two.created {
				rt.Fatalf("%s: %v with clutter; %s: %v without", one.what, one.err, two.what, two.err)
			}
			a, b := strings.ReplaceAll(clutter.shownFiles(), "~$", "x"), plain.shownFiles()
			if a != b {
				rt.Fatalf("after %s clutter:\n%s\nothers:\n%s", one.what, a, b)
			}
		}
		clutter.marksHold("at the end")
	})
}
