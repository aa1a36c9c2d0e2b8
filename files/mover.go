package files

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// The phases of a move in the journal. Each names the step that is next, so that
// after a crash the steps from there on are simply done again.
//
//	free destination    rename | carry, then sweep
//	file over file      rename | over, then sweep; but see transfer.isPromoted
//	all other           save, clear, swap | fill, then finish
//	copy of another kind scrap while it is made (see swap.go), then as all other
//
// The first of each pair is for a store that moves at once, the second for one
// that copies.
const (
	phaseSave   = "save"   // put aside what stands at the destination and makes way
	phaseClear  = "clear"  // remove what was put aside by copying
	phaseRename = "rename" // the store moves at once
	phaseCarry  = "carry"  // copy everything to a place that is free
	phaseOver   = "over"   // copy a file over another
	phaseSwap   = "swap"   // as rename, with something put aside
	phaseFill   = "fill"   // as carry, with something put aside
	phaseSweep  = "sweep"  // the new place counts: remove what is left at the old one
	phaseFinish = "finish" // as sweep, and what was put aside goes as well

	// The ways back, where a step failed.
	phaseReturn  = "return"  // rename back what has arrived and does not count
	phaseUndo    = "undo"    // remove what a copy has made; the old place counts
	phaseRestore = "restore" // bring back what was put aside
	phaseUnsave  = "unsave"  // the destination is as it was: remove what was put aside
	phaseScrap   = "scrap"   // remove a copy that is not complete; the destination is as it was
)

// aside is where a move keeps what it replaces until the new thing has arrived.
// It is hidden as long as the move is open.
func aside(m store.Move) vpath.Path {
	p, err := top(m.To).Child(backends.Reserved + "-" + m.ID)
	if err != nil {
		panic(err) // unreachable: a short name of hex digits, below a workspace
	}
	return p
}

// mover does the steps of one move.
type mover struct {
	s        *Service
	move     store.Move
	from, to place
	delta    *delta // for the counts of the workspaces; nil where a request of the past knew it
	resumed  bool   // after a crash, or when the store is back

	carried *transfer // what was copied last; nil where the store has renamed

	// also goes with the arrival. Who resumes a move knows nothing of it.
	also func(store.Tx) error

	// refused is why also has refused the arrival, and undone tells that nothing is
	// left of a move that was given up.
	refused error
	undone  bool
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
// now, since the store is away, stays in the journal, and Resume takes it up. d
// is nil there.
func (s *Service) runMove(ctx context.Context, r *rules, m store.Move, d *delta) (arrived bool, err error) {
	return s.swapIn(ctx, r, m, d, nothing)
}

// swapIn is runMove with what else goes with the arrival.
func (s *Service) swapIn(ctx context.Context, r *rules, m store.Move, d *delta, also func(store.Tx) error) (arrived bool, err error) {
	v := s.mover(r, m)
	if v == nil {
		return false, fmt.Errorf("files: move %s: a workspace is gone from the config: %w", m.ID, fault.ErrUnavailable)
	}
	v.delta, v.resumed, v.also = d, d == nil, also
	defer s.gone.Add(1)
	s.moves.begin(m)
	if err = v.run(ctx); err == nil {
		s.moves.end(m)
		return true, nil
	}
	s.moves.leave(m)
	if v.undone && v.resumed && v.refused != nil {
		s.Log.WarnContext(ctx, "move undone", "from", m.From, "to", m.To, "err", err)
		return false, nil // nobody waits for it
	}
	s.Log.ErrorContext(ctx, "move not finished", "from", m.From, "to", m.To, "phase", v.move.Phase, "err", err)
	return v.move.Phase == phaseSweep || v.move.Phase == phaseFinish, err
}

// run does step after step until the row is gone, or until another process may
// have taken the move over.
func (v *mover) run(ctx context.Context) error {
	for {
		if err := stillHeld(ctx); err != nil {
			return err
		}
		over, err := v.step(ctx)
		if over && err == nil {
			err = v.drop(ctx)
		}
		if over || err != nil {
			return err
		}
	}
}

// step does what the phase says and enters the next one, or tells that the move
// is over.
func (v *mover) step(ctx context.Context) (over bool, err error) {
	switch v.move.Phase {
	case phaseSave:
		if err := v.bring(ctx, v.to, v.aside()); err != nil {
			return true, v.giveUp(ctx, err)
		}
		return false, v.enter(ctx, phaseClear, nothing)
	case phaseClear:
		if err := v.sweep(ctx, v.to, v.aside()); err != nil {
			return true, v.giveUp(ctx, err)
		}
		return false, v.enter(ctx, v.carryPhase(phaseSwap, phaseFill), nothing)
	case phaseSwap, phaseFill:
		if err := v.bring(ctx, v.from, v.to); err != nil {
			return true, v.giveUp(ctx, err)
		}
		return v.settle(ctx, phaseFinish, v.arriveAnew)
	case phaseRename, phaseCarry, phaseOver:
		if err := v.bring(ctx, v.from, v.to); err != nil {
			return true, v.giveUp(ctx, err)
		}
		return v.settle(ctx, phaseSweep, v.arrive)
	case phaseReturn:
		return false, v.goBack(ctx)
	case phaseRestore:
		return false, v.restore(ctx)
	case phaseUndo:
		return true, v.clear(ctx, v.to)
	case phaseUnsave:
		return true, errors.Join(v.clear(ctx, v.aside()), v.scrap(ctx))
	case phaseScrap:
		return true, v.scrap(ctx)
	case phaseFinish:
		if err := v.clear(ctx, v.aside()); err != nil {
			return true, err
		}
	}
	return true, v.sweep(ctx, v.from, v.to)
}

// restore brings back what was put aside. A rename that was tried left the
// destination free; what a copy has left there goes first, if there is something
// to bring back.
func (v *mover) restore(ctx context.Context) error {
	saved, err := v.tree(ctx, v.aside())
	if err != nil {
		return err
	}
	if v.renamer() == nil && len(saved) > 0 {
		if err := v.clear(ctx, v.to); err != nil {
			return err
		}
	}
	if err := v.bring(ctx, v.aside(), v.to); err != nil {
		return err
	}
	return v.enter(ctx, phaseUnsave, nothing)
}

// giveUp ends a move of which a step failed, and answers with why it failed. A
// rename that failed made nothing, and a file that was to be replaced by a file
// is the old one. Everything else is brought back to what it was, at once or,
// where the store is away, by Resume. Where nobody knows whether the step was
// done, Resume goes on with it. Where the claim was lost, the step has broken off
// because of that, and whoever has the claim now goes on with it.
func (v *mover) giveUp(ctx context.Context, why error) error {
	if _, ok := errors.AsType[*unsureError](why); ok || stillHeld(ctx) != nil {
		return why
	}
	back := v.wayBack()
	if back == "" {
		if err := v.drop(ctx); err != nil {
			return errors.Join(why, err)
		}
	} else {
		if err := v.enter(ctx, back, nothing); err != nil {
			return errors.Join(why, err)
		}
		if err := v.run(ctx); err != nil {
			return errors.Join(why, err)
		}
	}
	v.s.moves.end(v.move)
	v.undone = true
	return why
}

func nothing(store.Tx) error { return nil }

// aside is the place of what is replaced.
func (v *mover) aside() place { return v.to.at(aside(v.move)) }

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
	err := v.update(ctx, func(tx store.Tx) error {
		return errors.Join(also(tx), tx.PutMove(next))
	})
	if err != nil {
		return err
	}
	v.move = next
	v.s.moves.set(next)
	return nil
}

// drop ends the journal's row.
func (v *mover) drop(ctx context.Context) error {
	return v.update(ctx, func(tx store.Tx) error {
		if !isDraft(v.move) {
			return tx.DropMove(v.move.ID)
		}
		return errors.Join(tx.DropPropsBelow(v.move.From), tx.DropNoiseBelow(v.move.From), tx.DropMove(v.move.ID))
	})
}

// update changes the state, if the row is as this mover left it. A process that
// has lost its claim without knowing it yet would write an old phase over the new
// one of who took the move over: then it changes nothing, and stops.
func (v *mover) update(ctx context.Context, change func(store.Tx) error) error {
	if err := stillHeld(ctx); err != nil {
		return err
	}
	err := v.s.update(ctx, func(tx store.Tx) error {
		if err := v.isMine(ctx, tx); err != nil {
			return err
		}
		return change(tx)
	})
	if err != nil && !errors.Is(err, errLost) {
		return unrecorded(err)
	}
	return err
}

func (v *mover) isMine(ctx context.Context, tx store.Tx) error {
	if !v.s.shared {
		return nil
	}
	rows, err := tx.Moves(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(m store.Move) bool { return m.ID == v.move.ID && m.Phase == v.move.Phase }) {
		return errLost
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

// arrived is enter for the moment when the new place counts.
func (v *mover) arrived(ctx context.Context, phase string, arrive func(context.Context, store.Tx) error) error {
	err := v.enter(ctx, phase, func(tx store.Tx) error { return arrive(ctx, tx) })
	if err == nil {
		v.recounted()
		if v.carried != nil {
			v.s.keepSums(ctx, v.carried)
		}
	}
	v.s.reread(ctx, v.move.From, v.move.To) // where the answer was lost, too
	return err
}

// arrive makes the new place the one that counts, together with all that stands on
// it and the audit row.
func (v *mover) arrive(ctx context.Context, tx store.Tx) error {
	return errors.Join(
		tx.DropLocksBelow(v.move.From),
		tx.MoveProps(v.move.From, v.move.To),
		v.moveNoise(ctx, tx),
		unmark(tx, v.move.From),
		moveAlong(tx, v.move.From, v.move.To),
		v.recount(ctx, tx),
		v.goesAlong(tx),
		v.appendAudit(tx),
	)
}

// arriveAnew is arrive where something was replaced: its locks end with it, but for
// those whose file was replaced by a file. Also knows which these are; who resumes
// the move does not.
func (v *mover) arriveAnew(ctx context.Context, tx store.Tx) error {
	if !v.resumed {
		return v.arrive(ctx, tx)
	}
	return errors.Join(tx.DropLocksBelow(v.move.To), v.arrive(ctx, tx))
}

func (v *mover) appendAudit(tx store.Tx) error {
	return v.s.Audit.Append(tx, v.s.kept(v.move))
}
