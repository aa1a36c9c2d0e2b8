package sharing

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"portico/fault"
	"portico/identity"
	"portico/identity/contacts"
	"portico/identity/throttle"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// resetsOpen bounds how many mails strangers can have sent to one address.
const resetsOpen = 3

// AskReset sends a way to a new password to a contact. It answers the same, and
// takes the same time, for an address that nobody has, whose account is closed or
// who has not accepted yet (THREATS.md rows 59 and 64): the store is written to
// in any case. The error is an *identity.ThrottledError, or the store is away.
func (s *Service) AskReset(ctx context.Context, mail, address string) error {
	if err := s.Throttle.Blocked(ctx, throttle.ResetAsks, address); err != nil {
		return fmt.Errorf("sharing: ask reset: %w", err)
	}
	if err := s.Throttle.Guess(ctx, throttle.ResetAsks, address); err != nil {
		return fmt.Errorf("sharing: ask reset: %w", err)
	}
	clean, bad := Address(mail) // what is none is an address that nobody has
	err := s.State.Update(ctx, func(tx store.Tx) error {
		a, found, err := tx.AccountByMail(ctx, clean)
		if err != nil {
			return err
		}
		before, err := tx.TicketsOf(ctx, resetKind, clean)
		if err != nil {
			return err
		}
		if bad != nil || !found || !contacts.IsOpen(a) || s.current(before) >= resetsOpen {
			return s.decoy(tx)
		}
		return s.sendReset(tx, a)
	})
	if err != nil {
		return fmt.Errorf("sharing: ask reset: %w", err)
	}
	return nil
}

// decoy writes as much as a mail that goes out: two rows, which the next one sweeps.
func (s *Service) decoy(tx store.Tx) error {
	for range 2 {
		if _, err := s.issue(tx, decoyKind, resetPrefix, "", purpose{}, -graveTerm); err != nil {
			return err
		}
	}
	return nil
}

// current counts the tickets that are good now.
func (s *Service) current(all []store.Ticket) (n int) {
	for _, t := range all {
		if s.Clock().Before(t.Expires) {
			n++
		}
	}
	return n
}

// sendReset leaves the ways that were sent before as they are: who asks twice because
// the first mail is late may use either.
func (s *Service) sendReset(tx store.Tx, a store.Account) error {
	secret, err := s.issue(tx, resetKind, resetPrefix, a.Mail, purpose{Account: a.ID}, resetTerm)
	if err != nil {
		return err
	}
	return s.Tell.Tell(tx, notify.Notice{
		To: identity.ContactPrefix + a.ID, Mail: a.Mail, Event: notify.Reset, Always: true, Quiet: true,
		Name: a.Name,
		Data: map[string]string{"link": s.address("/reset/" + secret), "until": moment(s.Clock().Add(resetTerm))},
	})
}

// ResetFor tells whose password a secret sets anew, for its page. The errors are
// those of Invitation.
func (s *Service) ResetFor(ctx context.Context, secret, address string) (mail string, err error) {
	t, err := s.knock(ctx, resetKind, resetPrefix, secret, address)
	if err != nil {
		return "", fmt.Errorf("sharing: reset: %w", err)
	}
	return t.Subject, nil
}

// Reset sets a new password with a secret that was mailed, and ends all sessions.
// It answers whom to start a session for. The errors are those of Invitation.
func (s *Service) Reset(ctx context.Context, secret, password, address string) (identity.Identity, error) {
	if _, err := s.knock(ctx, resetKind, resetPrefix, secret, address); err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: reset: %w", err)
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: reset: %w", err)
	}
	var a store.Account
	err = s.State.Update(ctx, func(tx store.Tx) error {
		t, err := s.ticket(ctx, tx, resetKind, resetPrefix, secret)
		if err != nil {
			return err
		}
		var found bool
		if a, found, err = tx.AccountByID(ctx, purposeOf(t).Account); err != nil {
			return err
		}
		if !found || !contacts.IsOpen(a) || a.Mail != t.Subject {
			return fault.Tell(ErrGone, "This link is not good any more. Ask who invited you for a new one.")
		}
		return s.setPassword(ctx, tx, &a, hash, "password-reset")
	})
	if err != nil {
		return identity.Identity{}, fmt.Errorf("sharing: reset: %w", err)
	}
	s.forget()
	return contacts.Of(a), nil
}

// SetPassword changes a contact's password, for who knows the old one. All their
// sessions end, that of the one who asks too: the page starts a new one.
func (s *Service) SetPassword(ctx context.Context, by By, old, password string) error {
	account, ok := strings.CutPrefix(by.ID, identity.ContactPrefix)
	if !ok || !by.Contact {
		return fmt.Errorf("sharing: set password: %w", fault.Tell(fault.ErrConflict, "Your password is kept by your firm's directory; change it there."))
	}
	a, found, err := s.State.AccountByID(ctx, account)
	if err != nil || !found {
		return fmt.Errorf("sharing: set password: %w", errors.Join(err, identity.ErrRefused))
	}
	if err := s.prove(ctx, by, a, old); err != nil {
		return fmt.Errorf("sharing: set password: %w", err)
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("sharing: set password: %w", err)
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		now, found, err := tx.AccountByID(ctx, account)
		switch {
		case err != nil:
			return err
		case !found || now.Closed || now.Password != a.Password: // another was quicker
			return identity.ErrRefused
		}
		return s.setPassword(ctx, tx, &now, hash, "password-set")
	})
	if err != nil {
		return fmt.Errorf("sharing: set password: %w", err)
	}
	s.forget()
	return nil
}

// prove holds what somebody types for their password against it. It counts as a
// sign-in does: a session that was left open is no place to guess at leisure.
func (s *Service) prove(ctx context.Context, by By, a store.Account, old string) error {
	try, err := s.Throttle.Begin(ctx, identity.Login(a.Mail), by.Principal.Address)
	if err != nil {
		return err
	}
	hash, err := identity.ParseHash(a.Password)
	proved := false
	if err == nil {
		err = s.Queue.Do(ctx, func() { proved = hash.Verify(old) })
	}
	switch {
	case err != nil:
		return errors.Join(err, try.Unseen(ctx))
	case !proved:
		_, err := try.Failed(ctx)
		return errors.Join(fault.Tell(identity.ErrRefused, "This is not your current password."), err)
	}
	return try.Proved(ctx)
}

// setPassword writes a new password. What an old one let in is over: sessions, and
// ways to a new one that were mailed (THREATS.md rows 62 and 64). App passwords
// stay: each is one device's own, and its owner ends it where it is lost.
func (s *Service) setPassword(ctx context.Context, tx store.Tx, a *store.Account, hash, action string) error {
	a.Password, a.Changed = hash, s.Clock()
	if err := tx.PutAccount(*a); err != nil {
		return err
	}
	if err := tx.DropSessionsOf(identity.ContactPrefix + a.ID); err != nil {
		return err
	}
	if err := spendAll(ctx, tx, resetKind, a.Mail, ""); err != nil {
		return err
	}
	by := By{ID: identity.ContactPrefix + a.ID, Name: a.Name, Mail: a.Mail, Contact: true}
	return s.did(tx, by, action, vpath.Path{}, a.Mail)
}
