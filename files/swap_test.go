package files_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"portico/fault"
	"portico/vpath"
)

// copyCases are the copies that take the place of something of another kind.
func copyCases() (list []moveCase) {
	for _, c := range moveCases() {
		if c.name == "file to folder" || c.name == "folder to file" {
			c.name, c.copies = "copy of "+c.name, true
			list = append(list, c)
		}
	}
	deep := moveCase{name: "copy of mixed folders", src: "/firm/s", dst: "/firm/d", copies: true}
	deep.seeds = []string{"/firm/s/a", "/firm/s/b/x", "/firm/d/a/y", "/firm/d/b"}
	return append(list, deep)
}

// A copy over something of another kind is the old or the new state after a crash
// or a failure at any call of either store: what it replaces is never lost.
func TestCopyBreaksAnywhere(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range copyCases() {
			w, st := moveWorld(t, t.shape, state, c)
			before := w.all()
			st.set(0, "")
			c.do(w).ok()
			total, states, after := st.n, st.states, w.all()
			if before == after {
				t.Fatalf("%s: nothing was copied", c.name)
			}
			for at := 1; at <= total; at++ {
				breakMove(t, t.shape, state, c, at, "crash", before, after)
				breakMove(t, t.shape, state, c, at, "once", before, after)
			}
			for _, at := range states {
				breakMove(t, t.shape, state, c, at, "lost", before, after)
			}
		}
	})
}

// A copy that the store refuses leaves what it was to replace as it was.
func TestCopyThatCannotBeDone(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, c := range copyCases() {
			for _, op := range []string{"Publish", "Copy", "Mkdir"} {
				w := newWorld(t, options{shape: t.shape, quiet: true})
				w.seed("ann", c.seeds...)
				before := w.all()
				var calls atomic.Int32 // members are copied several at a time
				w.setHook(func(called string, _ vpath.Path) error {
					if called == op {
						calls.Add(1)
						return fault.ErrQuota
					}
					return nil
				})
				o := c.do(w)
				w.setHook(nil)
				if calls.Load() > 0 && !errors.Is(o.err, fault.ErrQuota) {
					t.Errorf("%s without %s: %v", c.name, op, o.err)
				}
				if got := w.all(); calls.Load() > 0 && got != before || w.svc.Moves() != 0 {
					t.Errorf("%s without %s: %d moves open, and there is\n%s", c.name, op, w.svc.Moves(), got)
				}
			}
		}
	})
}

// While it is made nobody sees a copy, in the list of the workspace or by its name.
func TestNobodySeesADraft(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range copyCases() {
			w, st := moveWorld(t, t.shape, state, c)
			st.looked = func() {
				for _, p := range w.shown(vpath.Must("/firm")) {
					if strings.Contains(p, "/.portico") {
						t.Errorf("%s: %s is shown", c.name, p)
					}
				}
			}
			st.set(0, "")
			c.do(w).ok()
		}
	})
}

// What the firm copies into the place of a customer's folder is no longer theirs.
func TestCopiedOverAFolderOfDeposits(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	guest := w.outside(eve)
	guest.mkdir("/d/sub").ok()
	guest.put("/d/sub/a.txt", "a").ok()
	w.seed("ann", "/firm/n/a.txt")
	w.as("ann").cp("/firm/n", "/firm/d/sub").ok()
	guest.rm("/d/sub/a.txt").want(fs.ErrPermission)
	if info, err := w.back["firm"].Stat(t.Context(), vpath.Must("/d/sub/a.txt")); err != nil || info.Creator != id("ann") {
		t.Errorf("it is %q's, %v", info.Creator, err)
	}
}
