package files_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// promoted are moves by which a file of a program becomes a document: to a name that
// is free, over a file, and the same in another workspace.
func promoted(kind string) []string {
	all := []string{"/d/n.pdf", "/d/old.txt", "/l/n.pdf", "/l/old.txt"}
	if kind == "bare" { // the others differ little from "objects"
		return all[:2]
	}
	return all
}

func promotedWorld(tb testing.TB, shape mem2backend, state store.State) (*world, *steps) {
	tb.Helper()
	st := &steps{}
	w := newWorld(tb, options{shape: shape, shared: shaky{cleared(tb, state), st}, quiet: true})
	w.grant("/", "root", "owner")
	w.seed("root", "/firm/d/x", "/lab/l/x")
	for _, p := range []string{"/firm/d", "/lab/l"} {
		w.as("root").give(p, eve, "depositor").ok()
	}
	guest := w.outside(eve)
	guest.put("/d/.n.swp", "newer").ok()
	guest.put("/d/old.txt", "old").ok()
	guest.put("/l/old.txt", "old").ok()
	w.setHook(func(op string, _ vpath.Path) error { return st.call(op) })
	st.set(0, "")
	return w, st
}

// sent are the deposits that stand, and no placeholders.
func (w *world) sent() string {
	w.Helper()
	all, err := w.state.DepositsBelow(w.Context(), vpath.Path{})
	if err != nil {
		w.Fatal(err)
	}
	var list []string
	for _, d := range all {
		if !d.Gone && !d.IsPlaceholder() {
			list = append(list, fmt.Sprintf("%s %s %d", d.Path, d.Name, d.Size))
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// unnamed is all without the random names of grants, and those of deposits, which
// count how often one was tried.
func (w *world) unnamed() string {
	w.Helper()
	lines := strings.Split(w.all(), "\n")
	for i, line := range lines {
		words := strings.Split(line, " ")
		if words[0] == "grant" || words[0] == "deposit" {
			words[1] = "X"
		}
		lines[i] = strings.Join(words, " ")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A move whose deposit is refused when it has arrived is undone: nothing is left of
// it, nothing in its way, and the next try is judged anew. So it is after a crash, or
// a failure, at any call of either store.
func TestMoveWhoseDepositIsRefused(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, dst := range promoted(t.kind) {
			w, st := promotedWorld(t, t.shape, state)
			before, sent := w.unnamed(), w.sent()
			w.refuse = fault.Tell(fault.ErrQuota, "no more deposits")
			w.outside(eve).mv("/d/.n.swp", dst).want(fault.ErrQuota)
			total := st.n
			w.wantsBack(dst, before, sent)
			w.refuse = nil
			w.outside(eve).mv("/d/.n.swp", dst).ok()
			if got := w.outside(eve).get(dst).ok().body; got != "newer" {
				t.Errorf("%s holds %q", dst, got)
			}
			w.outside(eve).get("/d/.n.swp").want(fs.ErrNotExist)
			for at := 1; at <= total; at++ {
				for _, mode := range []string{"crash", "once"} {
					w, st := promotedWorld(t, t.shape, state)
					w.refuse = fault.Tell(fault.ErrQuota, "no more deposits")
					before, sent := w.unnamed(), w.sent()
					st.set(at, mode)
					w.outside(eve).mv("/d/.n.swp", dst)
					st.set(0, "")
					w.refuse = nil
					w.resumed(mode)
					w.wantsBack(fmt.Sprintf("%s, %s at step %d", dst, mode, at), before, sent)
				}
			}
		}
	})
}

func (w *world) resumed(mode string) {
	w.Helper()
	if mode == "crash" {
		w.start(0)
	}
	if err := w.svc.Resume(w.Context()); err != nil {
		w.Errorf("%s: %v", mode, err)
	}
}

// wantsBack wants that nothing has changed, and that nothing is under way.
func (w *world) wantsBack(what, before, sent string) {
	w.Helper()
	if after := w.unnamed(); after != before {
		w.Errorf("%s: something changed:\n%s", what, cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n")))
	}
	if now := w.sent(); now != sent {
		w.Errorf("%s: deposits:\n%s", what, cmp.Diff(sent, now))
	}
	if left, err := w.state.Moves(w.Context()); len(left) > 0 || err != nil || w.svc.Moves() > 0 {
		w.Errorf("%s: %d moves in the journal, %d open (%v)", what, len(left), w.svc.Moves(), err)
	}
}

// A move that makes a deposit is the old or the new state after a crash at any call,
// and the new one has its deposit.
func TestMoveThatMakesADepositBreaks(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, dst := range promoted(t.kind) {
			w, st := promotedWorld(t, t.shape, state)
			before, sent := w.unnamed(), w.sent()
			st.set(0, "")
			w.outside(eve).mv("/d/.n.swp", dst).ok()
			total, after, made := st.n, w.unnamed(), w.sent()
			if sent == made {
				t.Fatalf("%s: no deposit", dst)
			}
			for at := 1; at <= total; at++ {
				for _, mode := range []string{"crash", "once", "lost"} {
					w, st := promotedWorld(t, t.shape, state)
					st.set(at, mode)
					res := w.outside(eve).mv("/d/.n.swp", dst)
					st.set(0, "")
					w.resumed(mode)
					if w.sent() == made {
						w.wantsBack(fmt.Sprintf("%s, %s at step %d: arrived", dst, mode, at), after, made)
						continue
					}
					if res.err == nil {
						t.Errorf("%s, %s at step %d: told done, and it is not", dst, mode, at)
					}
					w.wantsBack(fmt.Sprintf("%s, %s at step %d", dst, mode, at), before, sent)
				}
			}
		}
	})
}
