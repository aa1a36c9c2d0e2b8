// Package session knows who is signed in to the pages. All of it is in the
// store and none in memory: a session that ends on one replica has ended on
// all, with the next request.
//
// The browser holds a random id, the store its SHA-256: who reads the database
// is signed in as nobody.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"portico/identity"
	"portico/store"
)

// The life of a session (THREATS.md §4.3).
const (
	Idle     = 30 * time.Minute // without a request
	Absolute = 12 * time.Hour   // in all

	seenEvery = time.Minute      // Seen is written no more often: each write is durable, and costs
	tidyEvery = 10 * time.Minute // expired sessions are dropped by a sign-in, no more often
	idBytes   = 32
)

// ErrNone is a cookie that stands for nobody: it was never given, has ended or
// has expired, or its person has left.
var ErrNone = errors.New("nobody is signed in")

// Also is what the caller commits together with a change: the audit's row, so
// that none happens without a trace.
type Also = func(store.Tx) error

// Store is what sessions need of the state store.
type Store interface {
	store.SessionReader
	Update(ctx context.Context, f func(store.Tx) error) error
}

// Finder finds people without their password.
type Finder interface {
	ByID(ctx context.Context, id string) (identity.Identity, error)
}

// Options are what a Keeper stands on.
type Options struct {
	State  Store
	People Finder
	Clock  func() time.Time
	Rand   io.Reader

	// Stamp, if set, names the credential that somebody has now. A session ends
	// when it is not the one of its beginning any more: so a new password in
	// the config ends the sessions of the old one, here, on other replicas and
	// after a restart. It must not tell the password or its hash.
	Stamp func(id string) string
}

// Keeper keeps sessions. It holds nothing but when it last tidied up.
type Keeper struct {
	o      Options
	tidied tidy
}

// New makes a Keeper.
func New(o Options) *Keeper { return &Keeper{o: o} }

// data is what a session keeps as JSON.
type data struct {
	Login  identity.Login `json:"login"`
	Groups []string       `json:"groups,omitempty"` // of the outside provider, at the sign-in
	Stamp  string         `json:"stamp,omitempty"`

	PasswordSet time.Time `json:"password_set,omitzero"`
}

// Start signs somebody in and gives the cookie's value. The session of the old
// cookie ends, whoever's it was: an id that was there before the sign-in, and
// that somebody else may have planted, is worth nothing after it
// (CVE-2018-16463). groups are those that an outside provider vouched for; they
// last as long as the session. An error of also signs nobody in.
func (k *Keeper) Start(ctx context.Context, who identity.Identity, groups []string, old string, also ...Also) (cookie string, err error) {
	id := make([]byte, idBytes)
	if _, err := io.ReadFull(k.o.Rand, id); err != nil {
		return "", fmt.Errorf("session: start: %w", err)
	}
	cookie = base64.RawURLEncoding.EncodeToString(id)
	kept, err := json.Marshal(data{Login: who.Login, Groups: groups, Stamp: k.stamp(who.ID), PasswordSet: who.PasswordSet})
	if err != nil {
		return "", fmt.Errorf("session: start: %w", err)
	}
	now := k.o.Clock()
	s := store.Session{Sum: sum(cookie), Owner: who.ID, Data: kept, Created: now, Seen: now, Expires: now.Add(Absolute)}
	err = k.o.State.Update(ctx, func(tx store.Tx) error {
		if k.tidied.due(now) {
			if err := tx.DropExpiredSessions(now); err != nil {
				return err
			}
		}
		if old != "" {
			if err := tx.DropSession(sum(old)); err != nil {
				return err
			}
		}
		return join(tx, tx.PutSession(s), also)
	})
	if err != nil {
		return "", fmt.Errorf("session: start: %w", err)
	}
	return cookie, nil
}

// Find tells who a cookie stands for, as the directory knows them now. The
// errors are ErrNone and those that wrap fault.ErrUnavailable: a store or a
// directory that is away is no reason to forget who is signed in.
func (k *Keeper) Find(ctx context.Context, cookie string) (identity.Identity, error) {
	if len(cookie) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return identity.Identity{}, ErrNone
	}
	s, ok, err := k.o.State.SessionBySum(ctx, sum(cookie))
	if err != nil {
		return identity.Identity{}, fmt.Errorf("session: find: %w", err)
	}
	now := k.o.Clock()
	var d data
	if !ok || !k.alive(s, now) || json.Unmarshal(s.Data, &d) != nil || d.Stamp != k.stamp(s.Owner) {
		return identity.Identity{}, ErrNone
	}
	who, err := k.o.People.ByID(ctx, s.Owner)
	switch {
	case errors.Is(err, identity.ErrRefused): // left, or closed
		return identity.Identity{}, ErrNone
	case err != nil:
		return identity.Identity{}, fmt.Errorf("session: find: %w", err)
	// A new password ends the sessions of the old one (THREATS.md row 62). An older
	// moment is what a cache, or a server of the directory that lags behind, still says.
	case who.PasswordSet.After(d.PasswordSet):
		return identity.Identity{}, ErrNone
	}
	if now.Sub(s.Seen) >= seenEvery {
		if err := k.o.State.Update(ctx, func(tx store.Tx) error { return tx.TouchSession(s.Sum, now) }); err != nil {
			return identity.Identity{}, fmt.Errorf("session: find: %w", err)
		}
	}
	return with(who, d.Groups), nil
}

// End signs out. A cookie that stands for nobody is no error.
func (k *Keeper) End(ctx context.Context, cookie string, also ...Also) error {
	err := k.o.State.Update(ctx, func(tx store.Tx) error { return join(tx, tx.DropSession(sum(cookie)), also) })
	if err != nil {
		return fmt.Errorf("session: end: %w", err)
	}
	return nil
}

// EndAll signs somebody out everywhere: they have a new password, or were
// told to leave.
func (k *Keeper) EndAll(ctx context.Context, owner string, also ...Also) error {
	err := k.o.State.Update(ctx, func(tx store.Tx) error { return join(tx, tx.DropSessionsOf(owner), also) })
	if err != nil {
		return fmt.Errorf("session: end all: %w", err)
	}
	return nil
}

// alive holds a session against both clocks. One from the future is none: its
// idle time would never begin.
func (k *Keeper) alive(s store.Session, now time.Time) bool {
	return now.Before(s.Expires) && now.Sub(s.Seen) < Idle && s.Seen.Sub(now) < Idle
}

func (k *Keeper) stamp(owner string) string {
	if k.o.Stamp == nil {
		return ""
	}
	return k.o.Stamp(owner)
}

// sum is of the text and not of the bytes, so that one session has one spelling:
// base64 has several for the last bits.
func sum(cookie string) store.Sum { return sha256.Sum256([]byte(cookie)) }

func join(tx store.Tx, err error, also []Also) error {
	for _, f := range also {
		if err != nil {
			return err
		}
		err = f(tx)
	}
	return err
}

// with adds groups to somebody. The directory's own list is not touched: it may
// be the cache's.
func with(who identity.Identity, groups []string) identity.Identity {
	has := make(map[string]bool, len(who.Groups))
	all := make([]identity.Membership, 0, len(who.Groups)+len(groups))
	for _, m := range who.Groups {
		has[m.Group] = true
		all = append(all, m)
	}
	for _, g := range groups {
		if !has[g] {
			has[g] = true
			all = append(all, identity.Membership{Group: g})
		}
	}
	if len(all) > 0 {
		who.Groups = all
	}
	return who
}
