package files_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// shaky is a state store, and with steps.call a file store, that breaks at one
// step or from one step on.
type shaky struct {
	store.State
	*steps
}

// Update counts as a step.
func (s shaky) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := s.call("Update"); err != nil {
		return err
	}
	err := s.State.Update(ctx, f)
	if err == nil && s.lost() {
		err = fault.ErrUnavailable
	}
	return err
}

// steps counts the calls to both stores.
type steps struct {
	mu     sync.Mutex
	n      int
	at     int    // breaks at this step, counted from 1; 0 for never
	again  int    // and from this step on
	mode   string // "crash": and at all that follow; "once"; "lost": the state's step is done, but its answer is lost
	looked func() // called at each step, if set
	busy   bool   // looked runs
	states []int  // the steps that were of the state store
}

func (s *steps) call(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return nil
	}
	s.n++
	if op == "Update" {
		s.states = append(s.states, s.n)
	}
	if s.looked != nil {
		s.busy = true
		s.mu.Unlock()
		s.looked()
		s.mu.Lock()
		s.busy = false
	}
	if s.at > 0 && (s.n == s.at && s.mode != "lost" || s.n > s.at && s.mode == "crash" || s.again > 0 && s.n >= s.again) {
		return fault.ErrUnavailable
	}
	return nil
}

func (s *steps) lost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at > 0 && s.n == s.at && s.mode == "lost"
}

func (s *steps) set(at int, mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n, s.at, s.again, s.mode, s.states = 0, at, 0, mode, nil
	var gap int
	if n, _ := fmt.Sscanf(mode, "crash %d steps later", &gap); n == 1 {
		s.again = at + gap
	}
}

// moveCase is a move with what lies at its ends.
type moveCase struct {
	name     string
	src, dst string
	seeds    []string
	copies   bool // it is a copy
}

// do is the case's operation, as ann.
func (c moveCase) do(w *world) *outcome {
	w.Helper()
	if c.copies {
		return w.as("ann").cp(c.src, c.dst)
	}
	return w.as("ann").mv(c.src, c.dst)
}

func moveCases() []moveCase {
	const s, d, l = "/firm/s", "/firm/d", "/lab/d"
	file, tree := []string{s}, []string{s + "/a", s + "/e/b", s + "/e/f/", s + "/c"}
	oldTree := []string{d + "/a", d + "/old/x", d + "/y"}
	return []moveCase{
		{"file to free", s, d, file, false},
		{"file to file", s, d, append([]string{d}, file...), false},
		{"file to folder", s, d, append(oldTree, file...), false},
		{"folder to free", s, d, tree, false},
		{"folder to file", s, d, append([]string{d}, tree...), false},
		{"folder to folder", s, d, append(slices.Clone(oldTree), tree...), false},
		{"file to other store", s, l, file, false},
		{"folder to other store", s, l, append([]string{l + "/z"}, tree...), false},
	}
}

// moveWorld is a world with a case laid out.
func moveWorld(tb testing.TB, shape mem2backend, state store.State, c moveCase) (*world, *steps) {
	tb.Helper()
	st := &steps{}
	w := newWorld(tb, options{shape: shape, shared: shaky{cleared(tb, state), st}, quiet: true})
	w.seed("ann", "/lab/")
	w.seed("ann", c.seeds...)
	w.paint(c.seeds...)
	w.settleOn(c.seeds...)
	w.setHook(func(op string, _ vpath.Path) error { return st.call(op) })
	return w, st
}

// all is what both workspaces hold, with the properties.
func (w *world) all() string {
	w.Helper()
	w.mu.Lock()
	hook := w.hook
	w.hook = nil
	w.mu.Unlock()
	defer w.setHook(hook)
	var out []string
	for _, space := range []string{"/firm", "/lab"} {
		for _, line := range w.tree(space) {
			name, _, _ := strings.Cut(line, "=")
			props, err := w.state.PropsOf(context.Background(), vpath.Must(space+"/"+name))
			if err != nil {
				w.Fatal(err)
			}
			out = append(out, space+"/"+line+" has "+fmt.Sprint(props))
		}
	}
	return strings.Join(append(out, w.standing()...), "\n")
}

// shown is what the owner sees in both workspaces.
func (w *world) shown(p vpath.Path) (out []string) {
	w.Helper()
	_, list, err := w.as("root").tree().Find(context.Background(), p, true, files.Want{})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Errorf("list %s: %v", p, err)
	}
	for _, n := range list {
		out = append(out, n.Path.String())
		if n.Dir {
			out = append(out, w.shown(n.Path)...)
		}
	}
	return out
}
