// Package unlock keeps the links that let the owner of an account in whom
// strangers keep out.
//
// After a hundred wrong passwords a day an account takes none from new devices
// (package throttle). Whoever guesses could so shut its owner out; the link, which
// goes to the owner's mail address, forgets the guesses. It signs nobody in.
package unlock

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// Life is how long a link is good, as long as what it undoes.
const Life = 24 * time.Hour

const (
	kind   = "unlock"
	prefix = "gwu_" // for scanners of logs and source code (THREATS.md §4.4)
	length = 32     // bytes: 256 bits
)

// Store is what a Keeper needs of the state store.
type Store interface {
	store.TicketReader
	Update(ctx context.Context, f func(store.Tx) error) error
}

// Options are what a Keeper stands on.
type Options struct {
	Store Store
	Clock func() time.Time
	Rand  io.Reader
	// Pardon forgets what is kept against a login, in the transaction that spends
	// the link, and records that it did.
	Pardon func(ctx context.Context, tx store.Tx, login identity.Login) error
}

// Keeper makes links and takes them. Many may use it at once.
type Keeper struct{ o Options }

// New makes a Keeper.
func New(o Options) *Keeper { return &Keeper{o} }

// Make writes down a secret for a login as it was typed: that is what the guesses
// are counted by. Earlier ones of the login are good no more.
func (k *Keeper) Make(tx store.Tx, login identity.Login) (secret string, until time.Time, err error) {
	b := make([]byte, length)
	if _, err := io.ReadFull(k.o.Rand, b); err != nil {
		return "", until, fmt.Errorf("unlock: make: %w", err)
	}
	secret = prefix + base64.RawURLEncoding.EncodeToString(b)
	now := k.o.Clock()
	until = now.Add(Life)
	if err := tx.DropTicketsOf(kind, string(login)); err != nil {
		return "", until, fmt.Errorf("unlock: make: %w", err)
	}
	err = tx.PutTicket(store.Ticket{Sum: sha256.Sum256([]byte(secret)), Kind: kind, Subject: string(login), Created: now, Expires: until})
	if err != nil {
		return "", until, fmt.Errorf("unlock: make: %w", err)
	}
	return secret, until, nil
}

// Good tells whether a secret is one that can be used; else the error is
// fs.ErrNotExist. It spends nothing: programs that look for harm in mails open
// what is in them.
func (k *Keeper) Good(ctx context.Context, secret string) error {
	_, err := k.find(ctx, k.o.Store, secret)
	return err
}

// Use spends a secret. One that was used already, even by somebody at the same
// moment, is fs.ErrNotExist.
func (k *Keeper) Use(ctx context.Context, secret string) error {
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		t, err := k.find(ctx, tx, secret)
		if err != nil {
			return err
		}
		if err := tx.DropTicket(t.Sum); err != nil {
			return err
		}
		return k.o.Pardon(ctx, tx, identity.Login(t.Subject))
	})
	if err != nil {
		return fmt.Errorf("unlock: use: %w", err)
	}
	return nil
}

func (k *Keeper) find(ctx context.Context, in store.TicketReader, secret string) (store.Ticket, error) {
	t, ok := store.Ticket{}, false
	if strings.HasPrefix(secret, prefix) {
		var err error
		if t, ok, err = in.TicketBySum(ctx, sha256.Sum256([]byte(secret))); err != nil {
			return t, fmt.Errorf("unlock: find: %w", err)
		}
	}
	if !ok || t.Kind != kind || !t.Expires.After(k.o.Clock()) {
		return store.Ticket{}, fault.Tell(fs.ErrNotExist, "This link was used already, or its time is over.")
	}
	return t, nil
}
