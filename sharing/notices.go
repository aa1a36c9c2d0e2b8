package sharing

import (
	"context"
	"strings"
	"time"

	"portico/identity"
	"portico/notify"
	"portico/store"
)

// cutSubject parts "contact:MAIL".
func cutSubject(subject string) (kind, name string) {
	kind, name, _ = strings.Cut(subject, ":")
	return kind, name
}

// isLive tells a grant that gives something, or will when it is accepted.
func (s *Service) isLive(g store.Grant) bool {
	return g.State != store.Declined && (g.Until.IsZero() || g.Until.After(s.Clock()))
}

// noticeTo tells a recipient of a grant. The item is its leaf name alone: what lies
// above it is no business of theirs.
// A mail of it that cannot be delivered is told to its giver.
func (s *Service) noticeTo(r recipient, event notify.Event, g store.Grant) notify.Notice {
	link := s.address("/portal/")
	if kind, _ := cutSubject(g.Subject); kind == "user" {
		link = s.address("/files" + g.Path.Escaped())
	}
	return notify.Notice{
		To: r.id, Mail: r.mail, Name: r.name, From: g.Giver, Language: r.language, Event: event, Brand: g.Path.Top(), Batch: batchOf(event, g),
		Data: map[string]string{"by": g.GiverName, "item": s.itemName(g), "until": moment(g.Until), "link": link},
	}
}

// itemName is what a grant is of, for its recipient.
func (s *Service) itemName(g store.Grant) string {
	if g.Path.Depth() == 1 {
		return s.title(g.Path.Top())
	}
	return g.Path.Name()
}

// moment is a time as notices carry it, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// tellGiver tells who gave something what its recipient did.
func (s *Service) tellGiver(ctx context.Context, tx store.Tx, by By, event notify.Event, g store.Grant) error {
	return s.Tell.Tell(tx, notify.Notice{
		To: g.Giver, Mail: s.mailOf(ctx, tx, g.Giver), Event: event, Brand: g.Path.Top(), Batch: batchOf(event, g),
		Data: map[string]string{"by": by.Name, "item": s.itemName(g), "until": moment(g.Until), "link": s.address("/files" + g.Path.Escaped())},
	})
}

// batchOf keeps what happens to one sharing in one mail, and apart by what it is.
func batchOf(event notify.Event, g store.Grant) string {
	if g.Batch == "" {
		return ""
	}
	return string(event) + ":" + g.Batch + ":" + g.Subject
}

// tellContact tells a contact of a grant of theirs.
func (s *Service) tellContact(ctx context.Context, tx store.Tx, c store.Contact, event notify.Event, g store.Grant, by By) error {
	r := recipient{subject: contactSubject(c.Mail), mail: c.Mail, name: c.Name, language: c.Language}
	a, found, err := tx.AccountByMail(ctx, c.Mail)
	if err != nil {
		return err
	}
	if found {
		r.id = identity.ContactPrefix + a.ID
	}
	n := s.noticeTo(r, event, g)
	n.Data["by"], n.From = by.Name, by.ID
	return s.Tell.Tell(tx, n)
}
