package files_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/vpath"
)

// movers are three processes with a case of a move laid out.
func movers(tb testing.TB, shape mem2backend, c moveCase) []*replica {
	tb.Helper()
	rs := replicas(tb, 3, shape, options{})
	rs[0].seed("ann", "/lab/")
	rs[0].seed("ann", c.seeds...)
	rs[0].paint(c.seeds...)
	return rs
}

// A mover is killed at any step. Another process takes the move up, and ends it or
// dies of it, too: then a third one does.
func TestTakeoverOfADeadMover(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			for _, c := range moveCases() {
				rs := movers(t, shape, c)
				before := rs[1].all()
				steps := rs[0].onStep(0, nil)
				rs[0].as("ann").mv(c.src, c.dst).ok()
				total, after := steps.Load(), rs[1].all()
				rs[1].settle()
				for at := int64(1); at <= total; at++ {
					rs := movers(t, shape, c)
					rs[0].onStep(at, rs[0].kill)
					o := rs[0].as("ann").mv(c.src, c.dst)
					if at%2 == 0 { // a second one dies of it, too
						rs[1].onStep(1+at%11, rs[1].kill)
					}
					_ = rs[1].svc.Resume(t.Context())
					rs[2].settle()
					got := rs[2].all()
					if got != before && got != after || o.err == nil && got != after {
						t.Errorf("%s, killed at step %d (answer %v): neither old nor new:\n%s", c.name, at, o.err,
							cmp.Diff(strings.Split(after, "\n"), strings.Split(got, "\n")))
					}
					if n := rs[0].held(); n != 0 {
						t.Errorf("%s, killed at step %d: %d claims left", c.name, at, n)
					}
					for _, end := range []string{c.src, c.dst} { // nothing is in the way any more
						if rs[2].isThere(end) {
							rs[2].as("ann").rm(end).ok()
						}
					}
				}
			}
		})
	})
}

// A mover that has failed and brings back what was there is killed at any step.
func TestTakeoverOfAMoverThatGaveUp(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			for _, c := range moveCases() {
				if !strings.HasPrefix(c.name, "folder to f") { // the others differ little
					continue
				}
				calm := movers(t, shape, c)
				before := calm[2].all()
				calm[0].as("ann").mv(c.src, c.dst).ok()
				after := calm[2].all()
				for nth := int64(1); nth <= 6; nth++ { // the copy or rename that fails
					for at := int64(1); ; at++ {
						rs := movers(t, shape, c)
						steps := rs[0].onStep(at, rs[0].kill)
						kill := rs[0].step
						var n atomic.Int64
						rs[0].step = func(op string) error {
							if err := kill(op); err != nil || rs[0].dead.Load() || op != "Copy" && op != "Publish" && op != "Rename" {
								return err
							}
							if n.Add(1) == nth {
								return fault.ErrQuota
							}
							return nil
						}
						o := rs[0].as("ann").mv(c.src, c.dst)
						if steps.Load() < at {
							break // it came to its end alive
						}
						_ = rs[1].svc.Resume(t.Context())
						rs[2].settle()
						got := rs[2].all()
						if got != before && got != after || o.err == nil && got != after {
							t.Errorf("%s, failed at copy %d, killed at step %d (answer %v): neither old nor new:\n%s", c.name, nth, at, o.err,
								cmp.Diff(strings.Split(before, "\n"), strings.Split(got, "\n")))
						}
					}
				}
			}
		})
	})
}

// A mover loses its claim at any step without dying: the state store was away for a
// moment. Another process takes the move up and ends it, while the first one comes
// to the end of what it is at, finds that out, and breaks nothing.
func TestTakeoverOfASlowMover(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]mem2backend{"objects": mem.Objects, "bare": mem.Bare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, c := range moveCases() {
					rs := movers(t, shape, c)
					before := rs[1].all()
					steps := rs[0].onStep(0, nil)
					rs[0].as("ann").mv(c.src, c.dst).ok()
					total, after := steps.Load(), rs[1].all()
					for at := int64(1); at <= total; at++ {
						rs := movers(t, shape, c)
						var taken sync.WaitGroup
						rs[0].onStep(at, func() {
							rs[0].lose()
							taken.Go(rs[1].settle)
							synctest.Wait()
						})
						o := rs[0].as("ann").mv(c.src, c.dst)
						taken.Wait()
						rs[0].step = nil
						rs[0].settle()
						got := withoutAside(rs[1].all())
						if got != before && got != after || o.err == nil && got != after {
							t.Errorf("%s, lost at step %d (answer %v): neither old nor new:\n%s", c.name, at, o.err,
								cmp.Diff(strings.Split(after, "\n"), strings.Split(got, "\n")))
						}
						if o.err != nil {
							o.is503()
						}
					}
				}
			})
		})
	}
}

// The same with the one call to the file store that is on its way: it is done a
// second later, and that does no harm, since who takes the move up waits longer.
func TestTakeoverWithACallOnItsWay(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]mem2backend{"objects": mem.Objects, "bare": mem.Bare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, c := range moveCases() {
					rs := movers(t, shape, c)
					before := rs[1].all()
					steps := rs[0].onStep(0, nil)
					rs[0].as("ann").mv(c.src, c.dst).ok()
					total, after := steps.Load(), rs[1].all()
					for at := int64(1); at <= total; at++ {
						rs := movers(t, shape, c)
						var taken sync.WaitGroup
						rs[0].onStep(at, func() {
							var hung atomic.Bool
							rs[0].first.setHook(func(string, vpath.Path) error {
								if !hung.Swap(true) {
									rs[0].lose()
									taken.Go(rs[1].settle)
									time.Sleep(time.Second)
								}
								return nil
							})
						})
						o := rs[0].as("ann").mv(c.src, c.dst)
						taken.Wait()
						rs[0].step = nil
						rs[1].settle()
						if got := withoutAside(rs[1].all()); got != before && got != after || o.err == nil && got != after {
							t.Errorf("%s, lost at step %d (answer %v): neither old nor new:\n%s", c.name, at, o.err,
								cmp.Diff(strings.Split(after, "\n"), strings.Split(got, "\n")))
						}
					}
				}
			})
		})
	}
}

// A process that has lost its claim and does not know it yet comes to the state
// store after another one has ended its move: it writes no row of it again, which
// would stay when it dies right afterwards.
func TestAStolenMoveIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range moveCases() {
			for nth := 2; nth <= 5; nth++ { // the first one writes the row
				rs := movers(t, mem.Objects, c)
				n := 0
				rs[0].step = func(op string) error {
					if op == "Update" {
						if n++; n == nth {
							rs[0].steal()
							rs[1].settle()
						}
					} else if n >= nth {
						rs[0].kill()
					}
					return nil
				}
				o := rs[0].as("ann").mv(c.src, c.dst)
				if left, err := rs[1].Moves(t.Context()); len(left) > 0 || err != nil {
					t.Errorf("%s: the journal holds %v (%v)", c.name, left, err)
				}
				if rs[1].isThere(c.src) || !rs[1].isThere(c.dst) {
					t.Errorf("%s: answer %v, %s", c.name, o.err, rs[1].all())
				}
			}
		}
	})
}

// withoutAside leaves out what the one call that was under way when the claim was
// lost may have put aside: nobody can take that back from a file store.
func withoutAside(all string) string {
	lines := slices.DeleteFunc(strings.Split(all, "\n"), func(l string) bool { return strings.Contains(l, backends.Reserved+"-") })
	return strings.Join(lines, "\n")
}
