package files

import (
	"context"
	"errors"
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
func (t *Tree) Move(ctx context.Context, src, dst vpath.Path, o TransferOptions) (l Landed, err error) {
	if isNoise(src) || isNoise(dst) {
		l.Created, err = t.carryNoise(ctx, src, dst, o, true)
	} else {
		l, err = t.move(ctx, src, dst, o)
	}
	return l, t.refused(ctx, audit.Event{Action: audit.Move, Path: src.String(), Dest: dst.String()}, err)
}

func (t *Tree) move(ctx context.Context, src, dst vpath.Path, o TransferOptions) (Landed, error) {
	held, x, err := t.begin(ctx, src, dst, o, true)
	if err != nil {
		return Landed{}, err
	}
	defer x.done()
	l, err := t.moveHeld(held, x)
	return l, orLost(held, err)
}

func (t *Tree) moveHeld(ctx context.Context, x *transfer) (Landed, error) {
	if x.src.space != x.dst.space {
		room, err := t.room(ctx, x)
		if err != nil {
			return Landed{}, err
		}
		defer room.done()
	}
	m, err := t.journalRow(x)
	if err != nil {
		return Landed{}, err
	}
	// From here on the client's patience does not count.
	going, stop := onward(ctx)
	defer stop()
	if err := t.s.beginMove(going, m, x); err != nil {
		return Landed{}, err
	}
	undo, err := t.makeWay(going, x)
	if err != nil {
		return Landed{}, errors.Join(err, t.s.endMove(going, m))
	}
	// What is left to sweep when the new place counts is no longer the client's
	// business: for all who look, the move is done.
	also := func(tx store.Tx) error {
		if x.src.space != x.dst.space {
			if err := t.boundNoise(going, tx, x.dst.path); err != nil {
				return err
			}
		}
		return errors.Join(x.endLocks(tx), t.becomesDeposit(going, tx, x))
	}
	if arrived, err := t.s.swapIn(going, t.r, m, x.delta(), also); err != nil && !arrived {
		undo()
		return Landed{}, err
	}
	t.s.twins.add(x.dst.path)
	return Landed{Created: len(x.old) == 0, Timed: t.timeMoved(going, x)}, nil
}

// beginMove writes the journal's row, and the marks of what will be there. If that
// fails, the row may be there all the same, and would be carried out at some later
// start: it is taken back.
func (s *Service) beginMove(ctx context.Context, m store.Move, x *transfer) error {
	clutter := x.clutter()
	err := s.update(ctx, func(tx store.Tx) error { return errors.Join(tx.PutMove(m), markIn(tx, clutter)) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errLost): // nothing was written
		return err
	}
	_ = s.endMove(ctx, m) // then Resume finds out
	return unrecorded(err)
}

// endMove takes back the row of a move of which nothing was done.
func (s *Service) endMove(ctx context.Context, m store.Move) error {
	err := s.update(ctx, func(tx store.Tx) error { return tx.DropMove(m.ID) })
	if err != nil {
		s.moves.set(m)
	}
	return err
}

// journalRow is the move as the journal keeps it.
func (t *Tree) journalRow(x *transfer) (store.Move, error) {
	id, err := t.s.token()
	if err != nil {
		return store.Move{}, err
	}
	event, err := t.s.keep(t.event(audit.Event{
		Action: audit.Move, Path: x.src.path.String(), Dest: x.dst.path.String(), Allowed: true,
	}), id)
	if err != nil {
		return store.Move{}, fmt.Errorf("files: move: audit event: %w", err)
	}
	m := store.Move{
		ID: id, From: x.src.path, To: x.dst.path, Dir: x.dir(), Began: t.now(), Audit: event,
	}
	m.Phase = t.s.mover(t.r, m).carryPhase(phaseRename, phaseCarry)
	switch {
	case len(x.old) > 0 && (!x.replaces() || x.isPromoted()):
		m.Phase = phaseSave
		return m, x.fitsAside(m)
	case x.replaces() && m.Phase == phaseCarry:
		m.Phase = phaseOver
	}
	return m, nil
}

// endLocks ends the locks on what is replaced, but for those on a file that a file
// replaces.
func (x *transfer) endLocks(tx store.Tx) error {
	if len(x.old) == 0 || x.replaces() {
		return nil
	}
	return tx.DropLocksBelow(x.dst.path)
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

// delta is what the move changes in the workspaces' counts.
func (x *transfer) delta() *delta {
	d := &delta{to: -sizeOf(x.old)}
	if x.src.space != x.dst.space {
		d.from, d.to = -sizeOf(x.all), d.to+sizeOf(x.all)
	}
	return d
}

func sizeOf(all []member) (sum int64) {
	for _, m := range all {
		sum += m.info.Size
	}
	return sum
}
