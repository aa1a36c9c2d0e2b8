package sharing

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"portico/fault"
	"portico/identity/throttle"
	"portico/store"
)

// How long what is sent by mail is good (THREATS.md §4.4).
const (
	inviteTerm = 7 * 24 * time.Hour
	resetTerm  = 30 * time.Minute

	// A ticket that has run out is kept so long, for whom it was sent to read
	// that it has and not that it never was.
	graveTerm = 30 * 24 * time.Hour
)

// The kinds of tickets, and what begins a secret of one, so that scanners of
// logs and of source code can spot it (THREATS.md §4.4).
const (
	inviteKind = "invite"
	resetKind  = "reset"
	spentKind  = "spent"  // was one of those above
	decoyKind  = "decoy"  // nobody has its secret: see AskReset
	endingKind = "ending" // no secret: that an end was announced

	invitePrefix = "gwi_"
	resetPrefix  = "gwr_"
)

const (
	secretBytes = 32
	idBytes     = 10
)

// crockford has no i, l, o or u, so that nothing is misread.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// newSecret makes what is sent by mail, and what the store keeps of it.
func (s *Service) newSecret(prefix string) (text string, sum store.Sum, err error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", sum, fmt.Errorf("sharing: random source: %w", err)
	}
	text = prefix + base64.RawURLEncoding.EncodeToString(b)
	return text, sumOf(text), nil
}

// newID makes a name that is no secret and cannot be guessed.
func (s *Service) newID() (string, error) {
	b := make([]byte, idBytes)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", fmt.Errorf("sharing: random source: %w", err)
	}
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(b), nil
}

// sumOf is of the text and not of the bytes, so that one secret has one spelling.
func sumOf(secret string) store.Sum { return sha256.Sum256([]byte(secret)) }

// purpose is what a ticket keeps of what it is good for. It is the server's own:
// whoever comes with the secret chooses none of it (THREATS.md row 65).
type purpose struct {
	Workspace string `json:"workspace,omitempty"`
	Account   string `json:"account,omitempty"`
}

// purposeOf is what was written with a ticket; nothing for one that was spent.
func purposeOf(t store.Ticket) (p purpose) {
	_ = json.Unmarshal(t.Data, &p) // ours; of anything else, nothing
	return p
}

// issue writes a ticket and gives the secret to send.
func (s *Service) issue(tx store.Tx, kind, prefix, mail string, p purpose, term time.Duration) (secret string, err error) {
	secret, sum, err := s.newSecret(prefix)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("sharing: ticket: %w", err)
	}
	now := s.Clock()
	if err := tx.DropExpiredTickets(now.Add(-graveTerm)); err != nil {
		return "", err
	}
	return secret, tx.PutTicket(store.Ticket{Sum: sum, Kind: kind, Subject: mail, Data: data, Created: now, Expires: now.Add(term)})
}

// spend ends a ticket. What is left of it says that it was one.
func spend(tx store.Tx, t store.Ticket) error {
	if err := tx.DropTicket(t.Sum); err != nil {
		return err
	}
	t.Kind, t.Data = spentKind, nil
	return tx.PutTicket(t)
}

// spendAll ends the tickets of one kind and address; of one workspace, where one
// is named.
func spendAll(ctx context.Context, tx store.Tx, kind, mail, workspace string) error {
	all, err := tx.TicketsOf(ctx, kind, mail)
	if err != nil {
		return err
	}
	for _, t := range all {
		if workspace != "" && purposeOf(t).Workspace != workspace {
			continue
		}
		if err := spend(tx, t); err != nil {
			return err
		}
	}
	return nil
}

// ticket finds what a secret is good for. The errors are fs.ErrNotExist and
// ErrGone.
func (s *Service) ticket(ctx context.Context, in store.TicketReader, kind, prefix, secret string) (store.Ticket, error) {
	if !strings.HasPrefix(secret, prefix) || len(secret) != len(prefix)+base64.RawURLEncoding.EncodedLen(secretBytes) {
		return store.Ticket{}, noTicket()
	}
	t, ok, err := in.TicketBySum(ctx, sumOf(secret))
	switch {
	case err != nil:
		return t, err
	case ok && t.Kind == kind && s.Clock().Before(t.Expires):
		return t, nil
	case ok && (t.Kind == kind || t.Kind == spentKind):
		return store.Ticket{}, fault.Tell(ErrGone, "This link was used already, or its time is over. Ask for a new one.")
	}
	return store.Ticket{}, noTicket()
}

// noTicket says nothing of what there is: a guess learns no more than that it was one.
func noTicket() error {
	return fault.Tell(fs.ErrNotExist, "There is no such link. Check that the whole of its address was copied.")
}

// knock is ticket for somebody at an address, who may not try many.
func (s *Service) knock(ctx context.Context, kind, prefix, secret, address string) (store.Ticket, error) {
	if err := s.Throttle.Blocked(ctx, throttle.Secrets, address); err != nil {
		return store.Ticket{}, err
	}
	t, err := s.ticket(ctx, s.State, kind, prefix, secret)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.Throttle.Guess(ctx, throttle.Secrets, address); err != nil {
			return t, err
		}
	}
	return t, err
}
