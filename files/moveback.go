package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"portico/fault"
	"portico/store"
)

// What goes with the arrival of a move may refuse it: a link takes no more deposits,
// or has ended meanwhile. Then the move goes back.

// settle is arrived, and the way back where what goes with the arrival was refused:
// then nothing of it was written, and all that was there before is there yet. A file
// that was replaced by a file is not, so a move that may be refused puts it aside.
func (v *mover) settle(ctx context.Context, phase string, arrive func(context.Context, store.Tx) error) (over bool, err error) {
	err = v.arrived(ctx, phase, arrive)
	if err != nil && v.refused != nil && v.move.Phase != phaseOver {
		return true, v.giveUp(ctx, v.refused)
	}
	return false, err
}

// goesAlong is also, and keeps its refusal: the error of the transaction does not
// tell whose it was.
func (v *mover) goesAlong(tx store.Tx) error {
	err := v.also(tx)
	if v.refused = nil; err != nil && isRefusal(err) {
		v.refused = err
	}
	return err
}

// wayBack is the phase that brings back what was there before, "" where nothing
// has changed.
func (v *mover) wayBack() string {
	back := ""
	switch v.move.Phase {
	case phaseRename:
		if v.refused != nil {
			back = phaseReturn
		}
	case phaseCarry:
		back = phaseUndo
	case phaseSave:
		back = v.carryPhase("", phaseUnsave)
	case phaseSwap:
		back = phaseRestore
		if v.refused != nil {
			back = phaseReturn
		}
	case phaseClear, phaseFill:
		back = phaseRestore
	}
	if back == "" && isDraft(v.move) {
		back = phaseScrap
	}
	return back
}

// goBack brings a thing back to its old place, from where it would have replaced
// what was put aside, if anything. That is done at once: a move that copies has its
// old place yet.
func (v *mover) goBack(ctx context.Context) error {
	if err := v.bringBack(ctx); err != nil {
		return err
	}
	saved, err := v.tree(ctx, v.aside())
	switch {
	case err != nil:
		return err
	case len(saved) > 0:
		return v.enter(ctx, phaseRestore, nothing)
	}
	return v.enter(ctx, phaseUnsave, nothing)
}

func (v *mover) bringBack(ctx context.Context) error {
	err := v.bring(ctx, v.to, v.from)
	if errors.Is(err, fs.ErrNotExist) {
		left, lost := v.tree(ctx, v.to)
		if lost == nil && len(left) == 0 {
			return nil // another tool has taken it away
		}
	}
	if err == nil && v.renamer() == nil { // any more: the config has changed since
		err = v.clear(ctx, v.to)
	}
	return err
}

// owed refuses for a move that is resumed what makes a deposit: who resumes it can
// neither tell whose it is nor ask their limits, and an arrival without it would be
// a file of which nobody is told. Who sent it was told that it failed, or nothing.
func (s *Service) owed(ctx context.Context, m store.Move) func(store.Tx) error {
	return func(tx store.Tx) error {
		if m.Dir || isDraft(m) || m.Phase == phaseOver || !m.From.IsForPrograms() || m.To.IsForPrograms() {
			return nil
		}
		d, found, err := tx.DepositAt(ctx, m.To) // where it has moved along to
		if err == nil && found && d.IsPlaceholder() {
			err = fmt.Errorf("files: move %s: nobody would be told of a deposit: %w", m.ID, fault.ErrConflict)
		}
		return err
	}
}
