package files

import (
	"context"
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

// A copy that takes the place of something of another kind, a file over a folder or
// a folder over a file, cannot be written over it, and to remove the old thing
// first would lose it where the store then fails. So the copy is made out of sight,
// under a row of the journal, and when all of it is there it moves to its place as
// by MOVE, which puts the old thing aside until then.

// newPart ends the name of a copy that is being made; see aside.
const newPart = "-new"

// draft is where a copy is made: hidden, as long as its row is in the journal.
func draft(at vpath.Path, id string) (vpath.Path, error) {
	return top(at).Child(backends.Reserved + "-" + id + newPart)
}

// isDraft tells the row of a copy from that of a move.
func isDraft(m store.Move) bool {
	return m.From.Depth() == 2 && m.From.Name() == backends.Reserved+"-"+m.ID+newPart
}

// copyAnew is copyHeld where something of another kind makes way.
func (t *Tree) copyAnew(ctx context.Context, x *transfer) (l Landed, err error) {
	room, err := t.room(ctx, x)
	if err != nil {
		return l, err
	}
	defer room.done()
	m, y, err := t.draftRow(x)
	if err != nil {
		return l, err
	}
	going, stop := onward(ctx)
	defer stop()
	if err := t.s.beginMove(going, m, x); err != nil {
		return l, err
	}
	t.s.moves.begin(m)
	v := t.s.mover(t.r, m)
	if err = anyOf(t.copyAll(going, y, y.inTheWay())); err == nil {
		clutter := y.clutter()
		err = v.enter(going, phaseSave, func(tx store.Tx) error { return t.copyProps(going, tx, y, clutter) })
	}
	if err != nil {
		_, lost := t.s.runMove(going, t.r, v.move, &delta{}) // which scraps it
		return l, errors.Join(err, lost)
	}
	t.s.keepSums(going, y)
	unlock := x.unlockOld()
	arrived, err := t.s.swapIn(going, t.r, v.move, &delta{to: sizeOf(x.all) - sizeOf(x.old)}, func(tx store.Tx) error {
		return errors.Join(unlock(tx), t.depositedAll(going, tx, x))
	})
	if arrived {
		return Landed{Timed: y.timed()}, nil
	}
	return l, err
}

// unlockOld is what ends the locks on what is not there any more. What else stood there has
// ended with the arrival.
func (x *transfer) unlockOld() func(store.Tx) error {
	ended := append(x.inTheWay(), x.rest()...) // outside of the transaction: it looks at each member
	return func(tx store.Tx) error {
		var failed []error
		for _, m := range ended {
			failed = append(failed, tx.DropLocksBelow(m.path))
		}
		return errors.Join(failed...)
	}
}

// draftRow is the copy as the journal keeps it, and as it is made.
func (t *Tree) draftRow(x *transfer) (m store.Move, y *transfer, err error) {
	id, err := t.s.token()
	if err != nil {
		return m, nil, err
	}
	event, err := t.s.keep(t.event(audit.Event{
		Action: audit.Copy, Path: x.src.path.String(), Dest: x.dst.path.String(), Allowed: true,
	}), id)
	if err != nil {
		return m, nil, fmt.Errorf("files: copy: audit event: %w", err)
	}
	at, err := draft(x.dst.path, id)
	if err != nil {
		return m, nil, err
	}
	m = store.Move{ID: id, From: at, To: x.dst.path, Dir: x.dir(), Phase: phaseScrap, Began: t.now(), Audit: event}
	anew := *x
	anew.dst, anew.old, anew.made = x.dst.at(at), nil, new(made)
	for _, old := range x.old { // a replaced file stays whose it was
		below, _ := x.dst.path.Under(old.path)
		if p, err := at.Join(below); err == nil {
			anew.old = append(anew.old, member{x.dst.at(p), old.info})
		}
	}
	for _, one := range x.all {
		if _, err := anew.target(one); err != nil {
			return m, nil, fault.Tell(fs.ErrInvalid, "%s holds paths that are too long to take the place of %s: delete that first", x.src.path, x.dst.path)
		}
	}
	return m, &anew, x.fitsAside(m)
}

// anyOf is one of the failures, the first by its path.
func anyOf(failed map[vpath.Path]error) error {
	for _, p := range slices.SortedFunc(maps.Keys(failed), vpath.Path.Compare) {
		return fmt.Errorf("files: copy %s: %w", p.Name(), failed[p])
	}
	return nil
}

// scrap removes a copy that will not take its place.
func (v *mover) scrap(ctx context.Context) error {
	if !isDraft(v.move) {
		return nil
	}
	return v.clear(ctx, v.from)
}
