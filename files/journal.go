package files

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// moves are the moves that have begun and are not over, as every reader and
// writer must know of them.
type moves struct {
	stale func() error // whether others may have gone on unseen; nil for never

	mu     sync.RWMutex
	open   map[string]store.Move
	mine   map[string]bool // those that this process is at: of them it knows more than the journal
	fresh  map[string]bool // those that this process has changed since the look at the journal began; nil while there is none
	turn   int64           // counts the changes
	recent []vpath.Path    // the ends of the last changes, endsEach a turn
}

// keepTurns bounds how many changes a reader may miss and still learn whether
// one of them concerned it.
const keepTurns = 128

func newMoves() moves {
	return moves{open: map[string]store.Move{}, mine: map[string]bool{}}
}

// set notes the phase of a move as this process knows it, in an answer of the
// journal or without one.
func (m *moves) set(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed(mv)
	m.put(mv)
}

func (m *moves) put(mv store.Move) {
	m.open[mv.ID] = mv
	m.turned(mv)
}

// begin notes that this process is at the move, until leave or end.
func (m *moves) begin(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mine[mv.ID] = true
	m.put(mv)
}

// leave notes that this process has stopped in the midst of the move: from the
// next look at the journal on, that knows more.
func (m *moves) leave(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.mine, mv.ID)
	m.changed(mv)
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

// watch begins a look at the journal: what this process changes from here on,
// take knows better than the answer.
func (m *moves) watch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = map[string]bool{}
}

// changed notes that an answer of the journal which is on its way may be older
// than what this process knows of mv.
func (m *moves) changed(mv store.Move) {
	if m.fresh != nil {
		m.fresh[mv.ID] = true
	}
}

// blink ends a look that had no answer.
func (m *moves) blink() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = nil
}

// take brings what is known of moves up to what the journal said. A row that is
// no longer there is over. The moves that this process is at, or was at when the
// answer was on its way, are left as it knows them.
func (m *moves) take(list []store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := make(map[string]store.Move, len(list))
	for _, mv := range list {
		rows[mv.ID] = mv
	}
	for id, mv := range m.open {
		if _, there := rows[id]; !there && !m.mine[id] && !m.fresh[id] {
			delete(m.open, id)
			m.turned(mv)
		}
	}
	for _, mv := range list {
		known, open := m.open[mv.ID]
		if m.mine[mv.ID] || m.fresh[mv.ID] || open && known.Phase == mv.Phase {
			continue
		}
		m.put(mv)
	}
	m.fresh = nil
}

// all gives the open moves, the oldest first.
func (m *moves) all() []store.Move {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.SortedFunc(maps.Values(m.open), func(a, b store.Move) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID))
	})
}

func (m *moves) end(mv store.Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, mv.ID)
	delete(m.mine, mv.ID)
	m.changed(mv)
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
		hidden := aside(mv).Contains(p) || isDraft(mv) && mv.From.Contains(p)
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
// look after, and see half of a folder, both of its places or neither. A reader
// who cannot know what others move sees nothing.
func (m *moves) steady(p vpath.Path, where func(p, end vpath.Path) bool, read func() error) error {
	const tries = 20
	for range tries {
		if err := m.unseen(); err != nil {
			return err
		}
		m.mu.RLock()
		before := m.turn
		m.mu.RUnlock()
		err := read()
		if blind := m.unseen(); blind != nil {
			return blind
		}
		if !m.turnedAt(p, where, before) {
			return err
		}
	}
	return busyMoving(p)
}

// unseen is nil if the moves of others are known.
func (m *moves) unseen() error {
	if m.stale == nil {
		return nil
	}
	return m.stale()
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
