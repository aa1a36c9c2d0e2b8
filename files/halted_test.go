package files_test

import (
	"testing"
	"testing/synctest"
)

// Each kind of change is halted at any of its steps, for so long that the others
// have its claim by then and work where it worked. When it goes on it knows that
// by its clock alone: nothing has closed Lost, and no context has ended. It changes
// nothing any more, not even by the call that it was just about to make.
func TestWhoWasHaltedChangesNothing(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*user) *outcome{
		"put over":   func(u *user) *outcome { return u.put("/lab/d/f", "sick") },
		"put new":    func(u *user) *outcome { return u.put("/lab/d/new", "sick") },
		"delete":     func(u *user) *outcome { return u.rm("/lab/d/f") },
		"delete all": func(u *user) *outcome { return u.rm("/lab/d") },
		"make":       func(u *user) *outcome { return u.mkdir("/lab/e") },
		"move":       func(u *user) *outcome { return u.mv("/lab/d", "/lab/e") },
		"move file":  func(u *user) *outcome { return u.mv("/lab/d/f", "/lab/d/new") },
		"move over":  func(u *user) *outcome { return u.mv("/lab/d/f", "/lab/d/g") },
		"copy":       func(u *user) *outcome { return u.cp("/lab/d", "/lab/e") },
		"copy over":  func(u *user) *outcome { return u.cp("/lab/d/f", "/lab/d/g") },
		"lock":       func(u *user) *outcome { return u.lock("/lab/d/new") },
	}
	everyShape(t, func(on *onShape) {
		shape := on.shape
		synctest.Test(on.T, func(t *testing.T) {
			for name, change := range changes {
				halts := 0
				for at := int64(1); ; at++ {
					h := halt(t, shape, at, change)
					if h.steps < at {
						break // it came to its end first
					}
					if h.stolen {
						halts++
						h.check(name, at)
					}
				}
				if halts == 0 {
					t.Errorf("%s never had a claim: the test shows nothing", name)
				}
			}
		})
	})
}

// halted is a change that was halted at one of its steps.
type halted struct {
	*testing.T
	other  *replica
	o      *outcome
	steps  int64
	stolen bool // it had a claim
}

func halt(t *testing.T, shape mem2backend, at int64, change func(*user) *outcome) *halted {
	t.Helper()
	rs := replicas(t, 2, shape, options{})
	rs[0].seed("ann", "/lab/", "/lab/d/", "/lab/d/f", "/lab/d/g")
	h := &halted{T: t, other: rs[1]}
	steps := rs[0].onStep(at, func() {
		rs[0].lapse()
		if h.stolen = len(rs[0].stolen) > 0; h.stolen {
			h.well()
		}
	})
	h.o = change(rs[0].as("ann"))
	h.steps = steps.Load()
	rs[0].step = nil
	return h
}

// places are where others work meanwhile.
func places() []string {
	return []string{"/lab/d/f", "/lab/d/g", "/lab/d/new", "/lab/e/f", "/lab/e/g"}
}

// well ends what the halted one has left open, and fills all places.
func (h *halted) well() {
	h.other.settle()
	u := h.other.as("ann")
	for _, dir := range []string{"/lab/d", "/lab/e"} {
		if !h.other.isThere(dir) {
			u.mkdir(dir).ok()
		}
	}
	for _, p := range places() {
		u.put(p, "well").ok()
	}
}

func (h *halted) check(name string, at int64) {
	h.Helper()
	if h.o.err != nil { // else it was done before
		h.o.is503()
	}
	h.other.settle()
	for _, p := range places() {
		if !h.other.isThere(p) {
			h.Errorf("%s, halted at step %d: %s, which another has acknowledged, is gone", name, at, p)
			continue
		}
		if got := h.other.as("ann").get(p).body; got != "well" {
			h.Errorf("%s, halted at step %d: %s = %q, another's acknowledged upload is lost", name, at, p, got)
		}
	}
}
