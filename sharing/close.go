package sharing

import (
	"context"
	"fmt"
	"slices"

	"portico/identity"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// CloseAccess takes everything in a workspace from a contact, in one transaction:
// what was shared with them or offered, the links that were made for them, the
// invitation; and where no other workspace has them, their password, sessions and
// app passwords. tell sends them a mail.
func (s *Service) CloseAccess(ctx context.Context, by By, workspace, mail string, tell bool) error {
	d, c, err := s.managed(ctx, by, workspace, mail)
	if err != nil {
		return fmt.Errorf("sharing: close access: %w", err)
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		c, found, err := tx.ContactByMail(ctx, workspace, c.Mail)
		if err != nil {
			return err
		}
		if !found {
			return noContact(mail)
		}
		if err := s.close(ctx, tx, d.top, c); err != nil {
			return err
		}
		if tell && c.State != store.Closed {
			if err := s.tellClosed(tx, by, c); err != nil {
				return err
			}
		}
		return s.did(tx, by, "access-closed", d.top, c.Mail)
	})
	if err == nil {
		err = s.changed(ctx)
	}
	if err != nil {
		return fmt.Errorf("sharing: close access: %w", err)
	}
	return nil
}

// close takes a workspace from a contact. The order does not matter: nobody sees any
// of it before all is committed.
func (s *Service) close(ctx context.Context, tx store.Tx, top vpath.Path, c store.Contact) error {
	c.State = store.Closed
	if err := tx.PutContact(c); err != nil {
		return err
	}
	if err := s.Files.WithdrawAll(ctx, tx, contactSubject(c.Mail), top); err != nil {
		return err
	}
	links, err := linksFor(ctx, tx, c)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := s.endLink(ctx, tx, l); err != nil {
			return err
		}
	}
	if err := spendAll(ctx, tx, inviteKind, c.Mail, c.Workspace); err != nil {
		return err
	}
	return s.closeAccount(ctx, tx, c.Mail)
}

// closeAccount closes the login of somebody whom no workspace has any more. The
// password goes: who is let in again sets a new one, and one that leaked
// meanwhile is worth nothing.
func (s *Service) closeAccount(ctx context.Context, tx store.Tx, mail string) error {
	all, err := tx.ContactsOf(ctx, mail)
	if err != nil || slices.ContainsFunc(all, isOpen) {
		return err
	}
	a, found, err := tx.AccountByMail(ctx, mail)
	if err != nil || !found {
		return err
	}
	a.Closed, a.Password, a.Changed = true, "", s.Clock()
	if err := tx.PutAccount(a); err != nil {
		return err
	}
	owner := identity.ContactPrefix + a.ID
	if err := tx.DropSessionsOf(owner); err != nil {
		return err
	}
	devices, err := tx.AppPasswordsOf(ctx, owner)
	if err != nil {
		return err
	}
	for _, p := range devices {
		if err := tx.DropAppPassword(p.ID); err != nil {
			return err
		}
	}
	return spendAll(ctx, tx, resetKind, mail, "")
}

// tellClosed goes out by mail alone: there is no page left on which they could read it.
func (s *Service) tellClosed(tx store.Tx, by By, c store.Contact) error {
	return s.Tell.Tell(tx, notify.Notice{
		Mail: c.Mail, Name: c.Name, From: by.ID, Language: c.Language, Event: notify.Closed, Brand: c.Workspace, Always: true, Quiet: true,
		Data: map[string]string{"by": by.Name, "firm": s.title(c.Workspace)},
	})
}
