package files

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// moves are the moves that have begun and are not over, as every reader and
// writer must know of them.
type moves struct {
	mu     sync.RWMutex
	open   map[string]store.Move
	ended  map[string]bool // those that ended since Resume read the journal; nil if it does not run
	turn   int64           // counts the changes
	recent []vpath.Path    // the ends of the last changes, endsEach a turn
}

// keepTurns bounds how many changes a reader may miss and still learn whether
// one of them concerned it.
const keepTurns = 128

func (m *moves) set(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(mv)
}

func (m *moves) put(mv store.Move) {
	if m.open == nil {
		m.open = map[string]store.Move{}
	}
	m.open[mv.ID] = mv
	m.turned(mv)
}

// endsEach is how many places a move concerns.
const endsEach = 3

// turned notes that something has changed at the ends of mv.
func (m *moves) turned(mv store.Move) {
	m.turn++
	m.recent = append(m.recent, mv.From, mv.To, aside(mv))
	if over := len(m.recent) - endsEach*keepTurns; over > 0 {
		m.recent = slices.Delete(m.recent, 0, over)
	}
}

// watch begins a Resume: from here on add knows what has ended meanwhile.
func (m *moves) watch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = map[string]bool{}
}

// add takes in what the journal said, but for moves that this process knows, and
// those that were over before the journal's answer got here. It gives all that
// are open now: a row that is no longer in the journal is over, too.
func (m *moves) add(list []store.Move) []store.Move {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mv := range list {
		if _, ok := m.open[mv.ID]; !ok && !m.ended[mv.ID] {
			m.put(mv)
		}
	}
	m.ended = nil
	return slices.SortedFunc(maps.Values(m.open), func(a, b store.Move) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID))
	})
}

func (m *moves) end(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, mv.ID)
	if m.ended != nil {
		m.ended[mv.ID] = true
	}
	m.turned(mv)
}

func (m *moves) count() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.open)
}

// hides tells that p is at the end of a move that does not count: the new place
// until all of it is there, the old place afterwards, and always what was put
// aside. A rename happens at once and needs no hiding; nor does a file that is
// copied over another, which is the old one or the new one at any moment.
func (m *moves) hides(p vpath.Path) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, mv := range m.open {
		hidden := aside(mv).Contains(p)
		switch mv.Phase {
		case phaseSweep, phaseFinish:
			hidden = hidden || mv.From.Contains(p)
		case phaseClear, phaseCarry, phaseFill, phaseUndo, phaseRestore:
			hidden = hidden || mv.To.Contains(p)
		}
		if hidden {
			return true
		}
	}
	return false
}

// touches tells that a change of p would meet a move.
func (m *moves) touches(p vpath.Path) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, mv := range m.open {
		for _, end := range []vpath.Path{mv.From, mv.To, aside(mv)} {
			if end.Contains(p) || p.Contains(end) {
				return true
			}
		}
	}
	return false
}

// What a reader of p looks at, and what the end of a move may meet.
func atPath(p, end vpath.Path) bool { return end.Contains(p) }
func inList(p, end vpath.Path) bool { return end.Contains(p) || end.Parent() == p }
func inTree(p, end vpath.Path) bool { return end.Contains(p) || p.Contains(end) }

// steady runs a read of p, and runs it again if meanwhile a move has gone on to
// its next phase where the read looks. Without it a reader could ask before and
// look after, and see half of a folder, both of its places or neither.
func (m *moves) steady(p vpath.Path, where func(p, end vpath.Path) bool, read func() error) error {
	const tries = 20
	for range tries {
		m.mu.RLock()
		before := m.turn
		m.mu.RUnlock()
		if err := read(); !m.turnedAt(p, where, before) {
			return err
		}
	}
	return busyMoving(p)
}

// turnedAt tells whether a move has changed at p since before.
func (m *moves) turnedAt(p vpath.Path, where func(p, end vpath.Path) bool, before int64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := int(m.turn-before) * endsEach
	if n > len(m.recent) {
		return true
	}
	return slices.ContainsFunc(m.recent[len(m.recent)-n:], func(end vpath.Path) bool {
		return where(p, end)
	})
}

func busyMoving(p vpath.Path) error {
	return fault.Tell(fault.ErrUnavailable, "%s is being moved at the moment: try again shortly", p)
}

// Resume ends the moves that a crash or a store that was away has left open. It
// is called before the first request, when the paths must be hidden at once,
// and again until it returns nil.
func (s *Service) Resume(ctx context.Context) error {
	s.resuming.Lock()
	defer s.resuming.Unlock()
	s.moves.watch()
	left, err := s.State.Moves(ctx)
	all := s.moves.add(left)
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range all {
		failed = append(failed, s.resumeOne(ctx, m))
	}
	return errors.Join(failed...)
}

func (s *Service) resumeOne(ctx context.Context, m store.Move) error {
	release, err := s.paths.acquire(ctx, nil, m.From, m.To)
	if err != nil {
		return err
	}
	defer release()
	// It may have been a request under way, and over by now.
	left, err := s.State.Moves(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(left, func(l store.Move) bool { return l.ID == m.ID })
	if i < 0 {
		s.moves.end(m)
		return nil
	}
	_, err = s.runMove(context.WithoutCancel(ctx), s.rules.Load(), left[i], true)
	return err
}

// KeepResuming calls Resume whenever a move is left open, until ctx ends.
func (s *Service) KeepResuming(ctx context.Context, every <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-every:
		}
		if s.moves.count() > 0 {
			if err := s.Resume(ctx); err != nil {
				s.Log.WarnContext(ctx, "moves still open", "err", err)
			}
		}
	}
}
