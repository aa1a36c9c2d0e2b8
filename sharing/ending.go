package sharing

import (
	"context"
	"crypto/sha256"
	"time"

	"portico/notify"
	"portico/store"
)

// endingTerm is how long before its end a share is announced to end.
const endingTerm = 3 * 24 * time.Hour

// RemindEnding tells both sides of the shares that end within three days, once,
// whatever replica asks and how often. One that was made for less is not
// announced: its end was just said.
func (s *Service) RemindEnding(ctx context.Context, now time.Time) error {
	all, err := s.State.AcceptedGrants(ctx)
	if err != nil {
		return wrap("remind ending", err)
	}
	for _, g := range all {
		from := g.Until.Add(-endingTerm)
		if g.Until.IsZero() || now.Before(from) || !now.Before(g.Until) || !g.Created.Before(from) {
			continue
		}
		if _, told, err := s.State.TicketBySum(ctx, endingMark(g)); err != nil || told {
			if err != nil {
				return wrap("remind ending", err)
			}
			continue
		}
		r, err := s.recipient(ctx, g)
		if err != nil {
			return wrap("remind ending", err)
		}
		if err := s.State.Update(ctx, func(tx store.Tx) error { return s.remind(ctx, tx, g, r) }); err != nil {
			return wrap("remind ending", err)
		}
	}
	return nil
}

// endingMark is of one share and one end.
func endingMark(g store.Grant) store.Sum {
	return sha256.Sum256([]byte("ending\x00" + g.ID + "\x00" + moment(g.Until)))
}

// remind announces one end, unless it was announced. What says so is a ticket that
// nobody has a secret for: a new end is announced anew.
func (s *Service) remind(ctx context.Context, tx store.Tx, g store.Grant, r recipient) error {
	now, found, err := tx.GrantByID(ctx, g.ID)
	if err != nil || !found || !now.Until.Equal(g.Until) {
		return err
	}
	mark := endingMark(g)
	if _, told, err := tx.TicketBySum(ctx, mark); err != nil || told {
		return err
	}
	if err := tx.PutTicket(store.Ticket{Sum: mark, Kind: endingKind, Subject: g.ID, Created: s.Clock(), Expires: g.Until}); err != nil {
		return err
	}
	if kind, _ := cutSubject(g.Subject); kind != "link" {
		n := s.noticeTo(r, notify.Ending, g)
		if err := s.Tell.Tell(tx, n); err != nil {
			return err
		}
	}
	return s.tellGiver(ctx, tx, By{Name: g.GiverName}, notify.Ending, g)
}
