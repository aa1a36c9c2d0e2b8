package sharing

import (
	"context"
	"io/fs"
	"strings"

	"portico/fault"
	"portico/store"
)

// linkTakes holds a deposit by a link against those of its terms that linkTook does
// not count, in the same transaction: what the door has judged may be otherwise by
// now.
func linkTakes(ctx context.Context, tx store.Tx, d store.Deposit) error {
	id, ok := strings.CutPrefix(d.Subject, "link:")
	if !ok {
		return nil
	}
	l, found, err := tx.LinkByID(ctx, id)
	switch {
	case err != nil || !found:
		return err
	case !l.Revoked.IsZero():
		return fault.Tell(fs.ErrPermission, "This link takes nothing any more.")
	case d.Size > fileLimit(l) || l.MaxBytes == 0 && l.Bytes+d.Size > linkAllBytes:
		return fault.Tell(fault.ErrTooLarge, "This link does not take so much.")
	case d.Path.IsForPrograms():
		if err := clutterFits(ctx, tx, d); err != nil {
			return err
		}
	}
	return fitsType(l.Types, d.Path.Name())
}

// linkTook counts a deposit that came by a link, in its transaction: of many that
// come at once none is above the link's limits.
func linkTook(ctx context.Context, tx store.Tx, d store.Deposit) error {
	kind, id := cutSubject(d.Subject)
	if kind != "link" || d.Path.IsForPrograms() {
		return nil
	}
	l, found, err := tx.LinkByID(ctx, id)
	if err != nil || !found {
		return err
	}
	held, err := placesHeld(ctx, tx, l, func(other store.Deposit) bool { return other.ID == d.ID })
	if err != nil {
		return err
	}
	l.Files++
	l.Bytes += d.Size
	switch {
	case l.MaxFiles > 0 && l.Files+held > l.MaxFiles:
		return fault.Tell(fault.ErrQuota, "This link takes no more files; ask who sent it for another.")
	case l.MaxBytes > 0 && l.Bytes > l.MaxBytes:
		return fault.Tell(fault.ErrQuota, "This link takes no more than %d bytes in all; ask who sent it for another.", l.MaxBytes)
	}
	if d.IsPlaceholder() {
		return nil // it counts as long as it stands, and no longer
	}
	return tx.PutLink(l)
}

// placesHeld is how many placeholders of a link stand, but for those that are left
// out. Where the link has no limit of files nobody needs to know.
func placesHeld(ctx context.Context, in store.DepositReader, l store.Link, out func(store.Deposit) bool) (n int, err error) {
	if l.MaxFiles == 0 {
		return 0, nil
	}
	all, err := in.PlaceholdersBy(ctx, linkSubject(l.ID))
	for _, d := range all {
		if d.Opened.IsZero() && !d.Path.IsForPrograms() && !out(d) {
			n++
		}
	}
	return n, err
}

// What the programs of a link's visitors may keep beside the files that it takes,
// which count in no other limit: for one file, and how many at a time. In an inbox
// nobody deletes them, so there it is how many in all.
const (
	linkClutterBytes = 1 << 20
	linkClutter      = 100
)

// clutterFits holds it to these, as Room.allows has done before there was a file: of
// many that come at once some are refused only here. Most of it is some hundred
// bytes, and lives as long as a document is open. The window has its own sentence for
// a refusal.
func clutterFits(ctx context.Context, in store.DepositReader, d store.Deposit) error {
	if d.Size > linkClutterBytes {
		return fault.ErrQuota
	}
	return clutterHasRoom(ctx, in, d.Subject, func(other store.Deposit) bool { return other.ID == d.ID })
}

// clutterHasRoom judges how many there are, but for those that are left out.
func clutterHasRoom(ctx context.Context, in store.DepositReader, subject string, out func(store.Deposit) bool) error {
	all, err := in.PlaceholdersBy(ctx, subject)
	n := 0
	for _, d := range all {
		if d.Path.IsForPrograms() && !out(d) {
			n++
		}
	}
	if err == nil && n >= linkClutter {
		err = fault.ErrQuota
	}
	return err
}
