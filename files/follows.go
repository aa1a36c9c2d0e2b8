package files

import (
	"errors"

	"portico/store"
	"portico/vpath"
)

// What people have put on a path goes with the thing that lies there: shares,
// labels, deposits, and the folders that a customer may be given things of. It
// moves along, and it ends with the thing: a new one under an old name inherits
// nothing.

// endBelow ends all that stands on p and below it, as its thing ends or begins.
// Properties are the caller's.
func endBelow(tx store.Tx, p vpath.Path) error {
	return errors.Join(
		tx.DropGrantsBelow(p),
		tx.DropLabelsBelow(p),
		tx.DepositsGoneBelow(p),
		tx.DropContactFolders(p),
	)
}

// beginAt makes sure that a new thing at p inherits nothing.
func beginAt(tx store.Tx, p vpath.Path) error {
	return errors.Join(tx.DropProps(p), endBelow(tx, p))
}

// moveAlong takes all that stands on from to its new place, where nothing is left
// of what stood there.
func moveAlong(tx store.Tx, from, to vpath.Path) error {
	if err := errors.Join(
		tx.DropContactFolders(to),
		tx.MoveGrants(from, to),
		tx.MoveLabels(from, to),
		tx.MoveDeposits(from, to),
	); err != nil {
		return err
	}
	if from.Top() != to.Top() {
		return tx.DropContactFolders(from) // a customer is one workspace's
	}
	return tx.MoveContactFolders(from, to)
}
