package files

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Many who take random paths never overlap, and all come through.
func TestPathLocks(t *testing.T) {
	t.Parallel()
	var locks pathLocks
	holders := map[vpath.Path]*int{} // written without a lock: the race detector watches
	paths := []string{"/a", "/a/b", "/a/b/c", "/a/bc", "/d", "/d/e", "/", "/d/e/f"}
	for _, p := range paths {
		holders[vpath.Must(p)] = new(int)
	}
	var all sync.WaitGroup
	for i := range 8 {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		all.Go(func() {
			for range 200 {
				p, q := vpath.Must(paths[rng.IntN(len(paths))]), vpath.Must(paths[rng.IntN(len(paths))])
				release, err := locks.acquire(t.Context(), nil, p, q)
				if err != nil {
					t.Error(err)
					return
				}
				for at, n := range holders {
					if p.Contains(at) || q.Contains(at) {
						*n++
					}
				}
				runtime.Gosched()
				release()
			}
		})
	}
	all.Wait()
	if len(locks.queue) > 0 {
		t.Errorf("%d claims left", len(locks.queue))
	}
}

// Paths that have nothing to do with each other do not wait.
func TestPathLocksApart(t *testing.T) {
	t.Parallel()
	var locks pathLocks
	for _, p := range []string{"/a/b", "/a/bc", "/a/c", "/b"} {
		if _, err := locks.acquire(t.Context(), nil, vpath.Must(p)); err != nil {
			t.Fatal(err)
		}
	}
}

// Who comes first is served first: a claim to a folder is not starved by claims
// to what is in it.
func TestPathLocksInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var locks pathLocks
		release, err := locks.acquire(t.Context(), nil, vpath.Must("/a/1"))
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		var mu sync.Mutex
		take := func(p string) {
			go func() {
				release, err := locks.acquire(t.Context(), nil, vpath.Must(p))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, p)
				mu.Unlock()
				release()
			}()
			synctest.Wait()
		}
		for _, p := range []string{"/a", "/a/2", "/b"} {
			take(p)
		}
		release()
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[/b /a /a/2]" {
			t.Errorf("order %s", got)
		}
	})
}

// One who gives up lets those behind through.
func TestPathLocksCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var locks pathLocks
		release, err := locks.acquire(t.Context(), nil, vpath.Must("/a/1"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() {
			_, err := locks.acquire(ctx, nil, vpath.Must("/a"))
			results <- err
		}()
		synctest.Wait()
		go func() {
			_, err := locks.acquire(t.Context(), nil, vpath.Must("/a/2"))
			results <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if err := <-results; err != nil {
			t.Error(err)
		}
		release()
	})
}

// One who may not know of a path does not wait for it.
func TestPathLocksAskFirst(t *testing.T) {
	t.Parallel()
	var locks pathLocks
	no := errors.New("no")
	may := func() error { return no }
	release, err := locks.acquire(t.Context(), may, vpath.Must("/a"))
	if err != nil {
		t.Fatalf("a path that is free: %v", err)
	}
	if _, err := locks.acquire(t.Context(), may, vpath.Must("/a/b")); !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	release()
}

// What the journal said a while ago never undoes what this process has done since,
// and always tells what others have done.
func TestMovesTake(t *testing.T) {
	t.Parallel()
	at := func(phase string) store.Move {
		return store.Move{ID: "1", From: vpath.Must("/x/a"), To: vpath.Must("/x/b"), Phase: phase}
	}
	none := []store.Move(nil)
	for name, c := range map[string]struct {
		before, while func(m *moves)
		said          []store.Move
		want          string // the phase, "" for over
	}{
		"new":           {nil, nil, []store.Move{at(phaseCarry)}, phaseCarry},
		"gone on":       {func(m *moves) { m.take([]store.Move{at(phaseCarry)}) }, nil, []store.Move{at(phaseSweep)}, phaseSweep},
		"over":          {func(m *moves) { m.take([]store.Move{at(phaseCarry)}) }, nil, none, ""},
		"mine":          {func(m *moves) { m.begin(at(phaseCarry)); m.set(at(phaseSweep)) }, nil, []store.Move{at(phaseCarry)}, phaseSweep},
		"mine unsaid":   {func(m *moves) { m.begin(at(phaseCarry)) }, nil, none, phaseCarry},
		"ended while":   {func(m *moves) { m.begin(at(phaseSweep)) }, func(m *moves) { m.end(at(phaseSweep)) }, []store.Move{at(phaseSweep)}, ""},
		"left while":    {func(m *moves) { m.begin(at(phaseSweep)) }, func(m *moves) { m.leave(at(phaseSweep)) }, []store.Move{at(phaseCarry)}, phaseSweep},
		"left before":   {func(m *moves) { m.begin(at(phaseCarry)); m.leave(at(phaseCarry)) }, nil, []store.Move{at(phaseSweep)}, phaseSweep},
		"ended by them": {func(m *moves) { m.begin(at(phaseCarry)); m.leave(at(phaseCarry)) }, nil, none, ""},
	} {
		m := newMoves()
		if c.before != nil {
			c.before(&m)
		}
		turn := m.turn
		was := m.open["1"].Phase
		m.watch()
		if c.while != nil {
			c.while(&m)
		}
		m.take(c.said)
		if got := m.open["1"].Phase; got != c.want || got != was && m.turn == turn {
			t.Errorf("%s: %q, want %q, after %d turns", name, got, c.want, m.turn-turn)
		}
	}
}

// A reader that has missed too many changes to tell reads again, and gives up
// where a path never comes to rest.
func TestSteady(t *testing.T) {
	t.Parallel()
	m := newMoves()
	far := store.Move{ID: "1", From: vpath.Must("/x/a"), To: vpath.Must("/x/b")}
	near := store.Move{ID: "2", From: vpath.Must("/a"), To: vpath.Must("/b")}
	p := vpath.Must("/a/b")
	for _, c := range []struct {
		name  string
		turn  store.Move
		turns int
		reads int
	}{{"nothing", near, 0, 1}, {"elsewhere", far, keepTurns, 1}, {"missed", far, keepTurns + 1, 2}, {"here", near, 1, 2}} {
		reads := 0
		err := m.steady(p, atPath, func() error {
			for range c.turns {
				if reads == 0 {
					m.set(c.turn)
				}
			}
			reads++
			return nil
		})
		if err != nil || reads != c.reads {
			t.Errorf("%s: %d reads, want %d (%v)", c.name, reads, c.reads, err)
		}
	}
	err := m.steady(p, inList, func() error { m.set(near); return nil })
	if !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a path that never rests: %v", err)
	}
}
