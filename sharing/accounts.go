package sharing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/contacts"
	"portico/store"
	"portico/vpath"
)

// Invitation is what its page shows, to whoever holds the secret.
type Invitation struct {
	Mail        string // whom it is for; nobody else can use it
	Name        string
	Workspace   string
	Firm        string // the workspace's title
	By          string
	Expires     time.Time
	HasPassword bool // they sign in to accept, and set none
}

// Invitation is what a secret invites to. The errors are fs.ErrNotExist, ErrGone
// and an *identity.ThrottledError for an address that tries many.
func (s *Service) Invitation(ctx context.Context, secret, address string) (Invitation, error) {
	t, err := s.knock(ctx, inviteKind, invitePrefix, secret, address)
	if err != nil {
		return Invitation{}, fmt.Errorf("sharing: invitation: %w", err)
	}
	c, a, err := s.invited(ctx, s.State, t)
	if err != nil {
		return Invitation{}, fmt.Errorf("sharing: invitation: %w", err)
	}
	return Invitation{
		Mail: c.Mail, Name: c.Name, Workspace: c.Workspace, Firm: s.title(c.Workspace), By: c.ByName,
		Expires: t.Expires, HasPassword: a.Password != "",
	}, nil
}

// invited finds whom an invitation is for, as long as they are still invited.
func (s *Service) invited(ctx context.Context, in store.CustomerReader, t store.Ticket) (store.Contact, store.Account, error) {
	p := purposeOf(t)
	c, found, err := in.ContactByMail(ctx, p.Workspace, t.Subject)
	if err != nil {
		return c, store.Account{}, err
	}
	a, has, err := in.AccountByID(ctx, p.Account)
	switch {
	case err != nil:
		return c, a, err
	case !found || !isOpen(c) || !has || a.Closed || a.Mail != t.Subject:
		return c, a, fault.Tell(ErrGone, "This invitation is not good any more. Ask who invited you for a new one.")
	}
	return c, a, nil
}

// AcceptInvitation sets the name and the first password of somebody who was
// invited, and answers whom to start a session for. What they may see was settled
// when they were invited: they choose no more than these two. Somebody who has a
// password is ErrSignIn: see Accept.
func (s *Service) AcceptInvitation(ctx context.Context, secret, name, password, address string) (identity.Identity, error) {
	_, err := s.knock(ctx, inviteKind, invitePrefix, secret, address)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: accept invitation: %w", err)
	}
	if name, err = line(fault.Say("name"), name, maxName); err == nil && name == "" {
		err = fault.Tell(fs.ErrInvalid, "Write your name, so that people know who you are.")
	}
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: accept invitation: %w", err)
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: accept invitation: %w", err)
	}
	var a store.Account
	err = s.State.Update(ctx, func(tx store.Tx) error {
		// Again, and by the store alone: of two who come at once one is too late.
		t, err := s.ticket(ctx, tx, inviteKind, invitePrefix, secret)
		if err != nil {
			return err
		}
		var c store.Contact
		if c, a, err = s.invited(ctx, tx, t); err != nil {
			return err
		}
		if a.Password != "" {
			return fault.Tell(ErrSignIn, "%s has a password already; sign in with it to accept.", a.Mail)
		}
		a.Name, a.Password, a.Changed = name, hash, s.Clock()
		if err := tx.PutAccount(a); err != nil {
			return err
		}
		return s.activate(tx, t, c, a)
	})
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: accept invitation: %w", err)
	}
	s.forget()
	return contacts.Of(a), nil
}

// Accept takes an invitation up for somebody who is signed in already. One to
// another address is fs.ErrPermission (CVE-2026-34389).
func (s *Service) Accept(ctx context.Context, by By, secret string) error {
	err := s.State.Update(ctx, func(tx store.Tx) error {
		t, err := s.ticket(ctx, tx, inviteKind, invitePrefix, secret)
		if err != nil {
			return err
		}
		c, a, err := s.invited(ctx, tx, t)
		switch {
		case err != nil:
			return err
		case !by.Contact || by.ID != identity.ContactPrefix+a.ID:
			return fault.Tell(fs.ErrPermission, "This invitation is for another address than yours; sign out, and open it again.")
		}
		return s.activate(tx, t, c, a)
	})
	if err != nil {
		return fmt.Errorf("sharing: accept: %w", err)
	}
	return nil
}

// activate makes a contact active, and the invitation a used one.
func (s *Service) activate(tx store.Tx, t store.Ticket, c store.Contact, a store.Account) error {
	if err := spend(tx, t); err != nil {
		return err
	}
	c.State = store.Active
	if c.Name == "" {
		c.Name = a.Name
	}
	if err := tx.PutContact(c); err != nil {
		return err
	}
	by := By{ID: identity.ContactPrefix + a.ID, Name: a.Name, Mail: a.Mail, Contact: true}
	return s.did(tx, by, "invitation-accepted", vpath.Path{}, a.Mail)
}

// SignedIn makes a contact active in each workspace that has invited them: who
// came with the password needs no invitation any more.
func (s *Service) SignedIn(ctx context.Context, by By) error {
	if !by.Contact {
		return nil
	}
	all, err := s.State.ContactsOf(ctx, by.Mail)
	if err != nil {
		return fmt.Errorf("sharing: signed in: %w", err)
	}
	waiting := false
	for _, c := range all {
		waiting = waiting || c.State == store.Invited
	}
	if !waiting {
		return nil
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		all, err := tx.ContactsOf(ctx, by.Mail)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.State != store.Invited {
				continue
			}
			c.State = store.Active
			if err := tx.PutContact(c); err != nil {
				return err
			}
			if err := spendAll(ctx, tx, inviteKind, c.Mail, c.Workspace); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sharing: signed in: %w", err)
	}
	return nil
}

// hash judges a new password and hashes it, when it is its turn.
func (s *Service) hash(ctx context.Context, password string) (hash string, err error) {
	if err := identity.CheckNew(password); err != nil {
		return "", fmt.Errorf("sharing: hash: %w", err)
	}
	busy := s.Queue.Do(ctx, func() { hash, err = identity.HashPassword(s.Rand, password) })
	return hash, errors.Join(busy, err)
}

// forget has everybody forget the proofs of a password that is another now.
func (s *Service) forget() {
	if s.Changed != nil {
		s.Changed()
	}
}
