package sharing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"portico/fault"
	"portico/store"
)

// InviteLink makes a new invitation and gives its address, for a server that sends
// no mail: whoever asks hands it to the contact by another way. That of before is
// over, and each link is recorded.
func (s *Service) InviteLink(ctx context.Context, by By, workspace, mail string) (address string, err error) {
	d, c, err := s.managed(ctx, by, workspace, mail)
	if err == nil {
		err = s.managedElsewhere(ctx, by, c)
	}
	if err != nil {
		return "", fmt.Errorf("sharing: invite link: %w", err)
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		c, found, err := tx.ContactByMail(ctx, workspace, c.Mail)
		switch {
		case err != nil:
			return err
		case !found:
			return noContact(mail)
		case c.State != store.Invited:
			return fault.Tell(fault.ErrConflict, "%s does not wait for an invitation; their access is %s.", c.Mail, state(c.State))
		}
		a, err := s.ensureAccount(ctx, tx, c)
		if err != nil {
			return err
		}
		if a.Password != "" { // they sign in to accept; a link in a stranger's hand must not do it for them
			return fault.Tell(fs.ErrExist, "%s has a password already; tell them to sign in.", c.Mail)
		}
		if err := spendAll(ctx, tx, inviteKind, c.Mail, workspace); err != nil {
			return err
		}
		secret, err := s.issue(tx, inviteKind, invitePrefix, c.Mail, purpose{Workspace: workspace, Account: a.ID}, inviteTerm)
		if err != nil {
			return err
		}
		c.Invited = s.Clock()
		if err := tx.PutContact(c); err != nil {
			return err
		}
		address = s.address("/invite/" + secret)
		return s.did(tx, by, "invite-link", d.top, c.Mail)
	})
	if err != nil {
		return "", fmt.Errorf("sharing: invite link: %w", err)
	}
	return address, nil
}

// managedElsewhere refuses the address of an invitation to who has no say over the
// contact in each workspace that has let them in: whoever opens it first sets the
// password, and sees what all of them have shared.
func (s *Service) managedElsewhere(ctx context.Context, by By, c store.Contact) error {
	all, err := s.State.ContactsOf(ctx, c.Mail)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Workspace == c.Workspace || !isOpen(other) {
			continue
		}
		_, _, err := s.managed(ctx, by, other.Workspace, c.Mail)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return fault.Tell(fs.ErrPermission, "%s is invited elsewhere, too, and has no password yet; ask an administrator for the link.", c.Mail)
		case err != nil:
			return err
		}
	}
	return nil
}
