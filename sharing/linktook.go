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
	if kind != "link" {
		return nil
	}
	l, found, err := tx.LinkByID(ctx, id)
	if err != nil || !found {
		return err
	}
	l.Files++
	l.Bytes += d.Size
	switch {
	case l.MaxFiles > 0 && l.Files > l.MaxFiles:
		return fault.Tell(fault.ErrQuota, "This link takes no more files; ask who sent it for another.")
	case l.MaxBytes > 0 && l.Bytes > l.MaxBytes:
		return fault.Tell(fault.ErrQuota, "This link takes no more than %d bytes in all; ask who sent it for another.", l.MaxBytes)
	}
	return tx.PutLink(l)
}
