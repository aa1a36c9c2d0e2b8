package sharing

import (
	"context"

	"portico/fault"
	"portico/store"
)

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
	all, err := in.DepositsBy(ctx, linkSubject(l.ID))
	for _, d := range all {
		if d.IsPlaceholder() && !d.Gone && d.Opened.IsZero() && !d.Path.IsForPrograms() && !out(d) {
			n++
		}
	}
	return n, err
}

// What the programs of a link's visitors may keep beside the files that it takes,
// which count in no other limit: for one file, and how many at a time.
const (
	linkClutterBytes = 1 << 20
	linkClutter      = 100
)

// clutterFits holds it to these. Most of it is some hundred bytes, and lives as long
// as a document is open. The window has its own sentence for a refusal.
func clutterFits(ctx context.Context, in store.DepositReader, d store.Deposit) error {
	if d.Size > linkClutterBytes {
		return fault.ErrQuota
	}
	all, err := in.DepositsBy(ctx, d.Subject)
	n := 0
	for _, other := range all {
		if other.Path.IsForPrograms() && !other.Gone && other.ID != d.ID {
			n++
		}
	}
	if err == nil && n >= linkClutter {
		err = fault.ErrQuota
	}
	return err
}
