package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// The phases of a move in the journal. Each names the step that is next, so that
// after a crash the steps from there on are simply done again.
const (
	phaseClear  = "clear"  // remove what stands at the destination, if it is a folder or makes way for one
	phaseRename = "rename" // the store moves at once
	phaseCarry  = "carry"  // copy everything to a place that is free
	phaseOver   = "over"   // copy a file over another
	phaseSwap   = "swap"   // as rename, and phaseClear went before
	phaseFill   = "fill"   // as carry, and phaseClear went before
	phaseSweep  = "sweep"  // the new place counts: remove what is left at the old one
	phaseUndo   = "undo"   // the copy failed: remove what it made; the old place counts
)

// Move moves a file or a folder, as a whole or not at all. Where the backend
// has no rename it is copied and then deleted, under a journal row: whoever
// looks sees the old place or the new one, and a crash at any moment ends with
// one of the two, when Resume has run.
//
// Properties move along, locks do not (RFC 4918 §7.6); a lock on a file that is
// replaced stays on its path.
func (t *Tree) Move(ctx context.Context, src, dst vpath.Path, o TransferOptions) (created bool, err error) {
	created, err = t.move(ctx, src, dst, o)
	return created, t.refused(ctx, audit.Event{Action: audit.Move, Path: src.String(), Dest: dst.String()}, err)
}

func (t *Tree) move(ctx context.Context, src, dst vpath.Path, o TransferOptions) (bool, error) {
	x, err := t.begin(ctx, src, dst, o, true)
	if err != nil {
		return false, err
	}
	defer x.done()
	if x.src.space != x.dst.space {
		room, err := t.room(ctx, x)
		if err != nil {
			return false, err
		}
		defer room.done()
	}
	m, err := t.journalRow(x)
	if err != nil {
		return false, err
	}
	// From here on the client's patience does not count.
	ctx = context.WithoutCancel(ctx)
	undo, err := t.makeWay(ctx, x)
	if err != nil {
		return false, err
	}
	if err := t.s.beginMove(ctx, m); err != nil {
		undo()
		return false, err
	}
	// What is left to sweep when the new place counts is no longer the client's
	// business: for all who look, the move is done.
	if arrived, err := t.s.runMove(ctx, t.r, m); err != nil && !arrived {
		undo()
		return false, err
	}
	x.recount()
	return len(x.old) == 0, nil
}

// beginMove writes the journal's row. If that fails, the row may be there all the
// same, and would be carried out at some later start: it is taken back.
func (s *Service) beginMove(ctx context.Context, m store.Move) error {
	err := s.State.Update(ctx, func(tx store.Tx) error { return tx.PutMove(m) })
	if err == nil {
		return nil
	}
	if lost := s.State.Update(ctx, func(tx store.Tx) error { return tx.DropMove(m.ID) }); lost != nil {
		s.moves.set(m) // Resume finds out
	}
	return unrecorded(err)
}

// journalRow is the move as the journal keeps it.
func (t *Tree) journalRow(x *transfer) (store.Move, error) {
	id, err := t.s.token()
	if err != nil {
		return store.Move{}, err
	}
	event, err := json.Marshal(t.event(audit.Event{
		Action: audit.Move, Path: x.src.path.String(), Dest: x.dst.path.String(), Allowed: true,
	}))
	if err != nil {
		return store.Move{}, fmt.Errorf("files: move: audit event: %w", err)
	}
	m := store.Move{
		ID: id, From: x.src.path, To: x.dst.path, Dir: x.dir(), Began: t.now(), Audit: event,
	}
	m.Phase = t.s.mover(t.r, m).carryPhase(phaseRename, phaseCarry)
	switch {
	case len(x.old) > 0 && !x.replaces():
		m.Phase = phaseClear
	case x.replaces() && m.Phase == phaseCarry:
		m.Phase = phaseOver
	}
	return m, nil
}

// recount carries the workspaces' counts on.
func (x *transfer) recount() {
	for _, m := range x.old {
		x.dst.space.usage.add(-m.info.Size)
	}
	if x.src.space == x.dst.space {
		return
	}
	for _, m := range x.all {
		x.src.space.usage.add(-m.info.Size)
		x.dst.space.usage.add(m.info.Size)
	}
}

// mover does the steps of one move.
type mover struct {
	s        *Service
	move     store.Move
	from, to place
}

// mover is nil where the config has no longer one of the workspaces.
func (s *Service) mover(r *rules, m store.Move) *mover {
	from, to := r.spaces[m.From.Top()], r.spaces[m.To.Top()]
	if from == nil || to == nil {
		return nil
	}
	return &mover{
		s: s, move: m,
		from: place{m.From, from, m.From.Tail()}, to: place{m.To, to, m.To.Tail()},
	}
}

// runMove does what is left of a move, from its phase on. If it fails before the
// new place counts (arrived), it is undone; what can be neither done nor undone
// now, since the store is away, stays in the journal, and Resume takes it up.
func (s *Service) runMove(ctx context.Context, r *rules, m store.Move) (arrived bool, err error) {
	v := s.mover(r, m)
	if v == nil {
		return false, fmt.Errorf("files: move %s: a workspace is gone from the config: %w", m.ID, fault.ErrUnavailable)
	}
	defer s.gone.Add(1)
	s.moves.set(m)
	if err = v.run(ctx); err == nil {
		s.moves.end(m)
		return true, nil
	}
	s.Log.ErrorContext(ctx, "move not finished", "from", m.From, "to", m.To, "phase", v.move.Phase, "err", err)
	return v.move.Phase == phaseSweep, err
}

func (v *mover) run(ctx context.Context) error {
	if v.move.Phase == phaseClear {
		if err := v.clear(ctx, v.to); err != nil {
			return err // roll forward later: part of the old folder may be gone
		}
		if err := v.enter(ctx, v.carryPhase(phaseSwap, phaseFill), v.forgetTarget); err != nil {
			return err
		}
	}
	switch v.move.Phase {
	case phaseRename, phaseCarry, phaseOver, phaseSwap, phaseFill:
		if err := v.carry(ctx); err != nil {
			return v.giveUp(ctx, err)
		}
		if err := v.enter(ctx, phaseSweep, v.arrive); err != nil {
			return err
		}
	case phaseUndo:
		if err := v.clear(ctx, v.to); err != nil {
			return err
		}
		return v.drop(ctx)
	}
	if err := v.clear(ctx, v.from); err != nil {
		return err
	}
	return v.drop(ctx)
}

// carryPhase is how the store can bring things to a place that is free.
func (v *mover) carryPhase(atOnce, copying string) string {
	if v.renamer() != nil {
		return atOnce
	}
	return copying
}

// enter makes the next phase durable, together with what else changes then.
func (v *mover) enter(ctx context.Context, phase string, also func(store.Tx) error) error {
	next := v.move
	next.Phase = phase
	err := v.s.State.Update(ctx, func(tx store.Tx) error {
		if err := also(tx); err != nil {
			return err
		}
		return tx.PutMove(next)
	})
	if err != nil {
		return unrecorded(err)
	}
	v.move = next
	v.s.moves.set(next)
	return nil
}

// drop ends the journal's row.
func (v *mover) drop(ctx context.Context) error {
	err := v.s.State.Update(ctx, func(tx store.Tx) error { return tx.DropMove(v.move.ID) })
	if err != nil {
		return unrecorded(err)
	}
	return nil
}

// forgetTarget drops what is known of a destination that was cleared. A file that
// is replaced by a file keeps its locks, since its path goes on as what it was.
func (v *mover) forgetTarget(tx store.Tx) error {
	return errors.Join(tx.DropLocksBelow(v.move.To), tx.DropPropsBelow(v.move.To))
}

// clear removes what lies at l and below.
func (v *mover) clear(ctx context.Context, l place) error {
	all, err := v.tree(ctx, l)
	if err != nil || len(all) == 0 {
		return err
	}
	for p, err := range removeAll(ctx, all) {
		return fmt.Errorf("files: move: remove %s: %w", p, err)
	}
	return nil
}

// tree is all that lies at l, nothing if it is free.
func (v *mover) tree(ctx context.Context, l place) ([]member, error) {
	info, err := l.space.Backend.Stat(ctx, l.inner)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return members(ctx, l, info, true)
}

// carry brings everything to the new place.
func (v *mover) carry(ctx context.Context) error {
	all, err := v.tree(ctx, v.from)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		// Renamed before a crash, or taken away by another tool after it was
		// copied: what is at the new place is all there is.
		_, err := v.to.space.Backend.Stat(ctx, v.to.inner)
		return err
	}
	if r := v.renamer(); r != nil {
		return v.rename(ctx, r)
	}
	return v.copyTree(ctx, &transfer{src: v.from, dst: v.to, all: all})
}

// rename is done too if the store has renamed and broke only then, so that it
// answered with an error.
func (v *mover) rename(ctx context.Context, r backends.Renamer) error {
	err := r.Rename(ctx, v.from.inner, v.to.inner)
	if err == nil {
		return nil
	}
	if all, lost := v.tree(ctx, v.from); lost != nil || len(all) > 0 {
		return err
	}
	if _, lost := v.to.space.Backend.Stat(ctx, v.to.inner); lost != nil {
		return err
	}
	return nil
}

// renamer is the backend, if it moves at once.
func (v *mover) renamer() backends.Renamer {
	if r, ok := v.from.space.Backend.(backends.Renamer); ok && v.from.space == v.to.space {
		return r
	}
	return nil
}

func (v *mover) copyTree(ctx context.Context, x *transfer) error {
	var files []member
	for _, m := range x.all {
		if !m.info.Dir {
			files = append(files, m)
			continue
		}
		to, err := x.target(m)
		if err == nil {
			err = carry(ctx, m, to, m.info.Meta)
		}
		if err != nil {
			return err
		}
	}
	failed := each(ctx, files, func(ctx context.Context, m member) error {
		to, err := x.target(m)
		if err != nil {
			return err
		}
		return carry(ctx, m, to, keepTime(m))
	})
	for _, p := range slices.SortedFunc(maps.Keys(failed), vpath.Path.Compare) {
		return fmt.Errorf("files: move: copy %s: %w", p, failed[p])
	}
	return nil
}

// keepTime keeps a file's time of change where only the store knows it, and would
// take the copy for a new file.
func keepTime(m member) (meta backends.Meta) {
	if m.info.Meta.ModTime.IsZero() {
		meta.ModTime = m.info.ModTime
	}
	return meta
}

// arrive makes the new place the one that counts, together with its properties
// and the audit row.
func (v *mover) arrive(tx store.Tx) error {
	return errors.Join(
		tx.DropLocksBelow(v.move.From),
		tx.MoveProps(v.move.From, v.move.To),
		v.appendAudit(tx),
	)
}

func (v *mover) appendAudit(tx store.Tx) error {
	var e audit.Event
	if err := json.Unmarshal(v.move.Audit, &e); err != nil {
		return fmt.Errorf("files: move: audit event: %w", err)
	}
	return v.s.Audit.Append(tx, e)
}

// giveUp ends a move whose carry failed, and answers with why it failed. A rename
// that failed made nothing, and a file that was to be replaced by a file is the
// old one or the new one, and whole: it stays. What a copy has made is removed.
//
// Where the destination was cleared already, there is no way back to what was,
// but there is one forward: while the store is only away, the move stays open.
func (v *mover) giveUp(ctx context.Context, why error) error {
	cleared := v.move.Phase == phaseSwap || v.move.Phase == phaseFill
	if cleared && errors.Is(why, fault.ErrUnavailable) {
		return why
	}
	if v.move.Phase == phaseCarry || v.move.Phase == phaseFill {
		if err := v.enter(ctx, phaseUndo, func(store.Tx) error { return nil }); err != nil {
			return errors.Join(why, err)
		}
		if err := v.clear(ctx, v.to); err != nil {
			return errors.Join(why, err)
		}
	}
	if err := v.drop(ctx); err != nil {
		return errors.Join(why, err)
	}
	v.s.moves.end(v.move)
	return why
}
