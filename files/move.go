package files

import (
	"context"
	"fmt"
	"io/fs"

	"portico/audit"
	"portico/fault"
	"portico/store"
	"portico/vpath"
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
	if arrived, err := t.s.runMove(ctx, t.r, m, false); err != nil && !arrived {
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
	event, err := audit.Encode(t.event(audit.Event{
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
		m.Phase = phaseSave
		return m, x.fitsAside(m)
	case x.replaces() && m.Phase == phaseCarry:
		m.Phase = phaseOver
	}
	return m, nil
}

// fitsAside judges whether what is replaced can be put aside.
func (x *transfer) fitsAside(m store.Move) error {
	for _, old := range x.old {
		below, _ := x.dst.path.Under(old.path)
		if _, err := aside(m).Join(below); err != nil {
			return fault.Tell(fs.ErrInvalid, "%s holds paths that are too long for it to be replaced: delete it first", x.dst.path)
		}
	}
	return nil
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
