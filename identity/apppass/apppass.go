// Package apppass keeps app passwords: one for each device, which opens what its
// owner may open and no more, and can be taken back alone.
//
// One is 160 random bits, shown once; the store has its SHA-256. That needs no
// slow hash, as nobody can try them all. It is looked up at every request and
// never kept in memory, so that one which is revoked is dead at once on all
// replicas.
package apppass

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// Limits of what a person may have.
const (
	MaxPerPerson = 50
	MaxName      = 100 // characters
)

// Store is what a Keeper needs of the state store.
type Store interface {
	store.AppPasswordReader
	Update(ctx context.Context, f func(store.Tx) error) error
}

// Options are what a Keeper needs.
type Options struct {
	Store Store
	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Keeper makes, finds and revokes app passwords. Close it.
type Keeper struct {
	o Options

	mu      sync.Mutex
	uses    map[string]use // by ID: to be written
	writing bool
	closed  bool
	writer  sync.WaitGroup
}

// New makes a Keeper.
func New(o Options) *Keeper { return &Keeper{o: o, uses: make(map[string]use)} }

// Wish is what an app password shall be.
type Wish struct {
	Name    string // the device's, for people to read
	Limit   identity.Limit
	Expires time.Time // zero: never
}

// Also is done in the transaction that makes or revokes an app password: the
// audit. Its error undoes all. It may be called more than once, as Update says.
type Also func(tx store.Tx, p store.AppPassword) error

// Make makes an app password for owner. The secret is told this once. The
// errors are fs.ErrInvalid for a wish that makes no sense, fault.ErrConflict for
// somebody who has too many, fs.ErrPermission for somebody who came with an app
// password: one that may only read must not make one that may write.
func (k *Keeper) Make(ctx context.Context, owner identity.Identity, w Wish, also Also) (secret string, p store.AppPassword, err error) {
	now := k.o.Clock()
	if err := w.check(owner, now); err != nil {
		return "", p, fmt.Errorf("apppass: make: %w", err)
	}
	secret, p, err = k.compose(owner, w, now)
	if err != nil {
		return "", store.AppPassword{}, fmt.Errorf("apppass: make: %w", err)
	}
	err = k.o.Store.Update(ctx, func(tx store.Tx) error {
		has, err := tx.AppPasswordsOf(ctx, owner.ID)
		if err != nil {
			return err
		}
		if len(has) >= MaxPerPerson {
			return fault.Tell(fault.ErrConflict, "There are %d app passwords already, and no more may be: revoke one that is not used.", len(has))
		}
		if err := tx.PutAppPassword(p); err != nil {
			return err
		}
		return also(tx, p)
	})
	if err != nil {
		return "", store.AppPassword{}, fmt.Errorf("apppass: make: %w", err)
	}
	return secret, p, nil
}

func (w Wish) check(owner identity.Identity, now time.Time) error {
	n := utf8.RuneCountInString(w.Name)
	switch {
	case owner.Key != "" || owner.Limit != identity.Limit{}:
		return fault.Tell(fs.ErrPermission, "An app password cannot make another. Sign in with your own password.")
	case owner.ID == "":
		return fault.Tell(fs.ErrInvalid, "An app password needs an owner.")
	case n == 0 || n > MaxName || !utf8.ValidString(w.Name) || strings.TrimSpace(w.Name) != w.Name ||
		strings.ContainsFunc(w.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.Tell(fs.ErrInvalid, "The name of the device must have 1 to %d characters that can be printed, and no space at its ends.", MaxName)
	case !w.Expires.IsZero() && !w.Expires.After(now):
		return fault.Tell(fs.ErrInvalid, "The app password would have expired already: choose a later date.")
	}
	return nil
}

func (k *Keeper) compose(owner identity.Identity, w Wish, now time.Time) (string, store.AppPassword, error) {
	secret, sum, err := newSecret(k.o.Rand)
	if err != nil {
		return "", store.AppPassword{}, err
	}
	id, err := newID(k.o.Rand)
	if err != nil {
		return "", store.AppPassword{}, err
	}
	return secret, store.AppPassword{
		ID: id, Sum: sum, Owner: owner.ID, Login: string(owner.Login), Name: w.Name,
		Workspace: w.Limit.Workspace, ReadOnly: w.Limit.ReadOnly, Created: now, Expires: w.Expires,
	}, nil
}

// List gives a person's app passwords, the oldest first, expired ones too.
func (k *Keeper) List(ctx context.Context, owner string) ([]store.AppPassword, error) {
	list, err := k.o.Store.AppPasswordsOf(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("apppass: list: %w", err)
	}
	return list, nil
}

// Revoke ends an app password of owner's. One that is not owner's does not exist
// (fs.ErrNotExist).
func (k *Keeper) Revoke(ctx context.Context, owner, id string, also Also) error {
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		list, err := tx.AppPasswordsOf(ctx, owner)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(p store.AppPassword) bool { return p.ID == id })
		if at < 0 {
			return fault.Tell(fs.ErrNotExist, "There is no such app password.")
		}
		if err := tx.DropAppPassword(id); err != nil {
			return err
		}
		return also(tx, list[at])
	})
	if err != nil {
		return fmt.Errorf("apppass: revoke: %w", err)
	}
	return nil
}

// Why Find has found nothing. Both wrap identity.ErrRefused, and nobody outside
// is told which.
var (
	// ErrUnknown is a guess, or one that was revoked.
	ErrUnknown = fmt.Errorf("apppass: no such app password: %w", identity.ErrRefused)
	// ErrUnusable is one that was mistyped, which the letters at its end tell, or
	// one whose term is over: no guess.
	ErrUnusable = fmt.Errorf("apppass: mistyped or expired: %w", identity.ErrRefused)
)

// Find looks up an app password. Whether it is of the login that it was presented
// with, the caller must see, who knows the owner's of today.
func (k *Keeper) Find(ctx context.Context, password string) (store.AppPassword, error) {
	sum, ok := parse(password)
	if !ok {
		return store.AppPassword{}, ErrUnusable
	}
	p, ok, err := k.o.Store.AppPasswordBySum(ctx, sum)
	switch {
	case err != nil && !errors.Is(err, fault.ErrUnavailable) && ctx.Err() == nil:
		return store.AppPassword{}, fmt.Errorf("apppass: find: %w: %w", fault.ErrUnavailable, err)
	case err != nil:
		return store.AppPassword{}, fmt.Errorf("apppass: find: %w", err)
	case !ok:
		return store.AppPassword{}, ErrUnknown
	case !p.Expires.IsZero() && !k.o.Clock().Before(p.Expires):
		return store.AppPassword{}, ErrUnusable
	}
	return p, nil
}
