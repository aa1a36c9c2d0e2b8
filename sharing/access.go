package sharing

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// OpenAccess lets a contact in: it picks the folders that may be shared with them,
// and sends an invitation. The one who asks needs the right to invite or to share
// on each folder.
func (s *Service) OpenAccess(ctx context.Context, by By, workspace, mail string, folders []vpath.Path) error {
	mail, err := Address(mail)
	if err != nil {
		return fmt.Errorf("sharing: open access: %w", err)
	}
	d, err := s.desk(ctx, by, workspace)
	if err != nil {
		return fmt.Errorf("sharing: open access: %w", err)
	}
	if err := s.notColleague(ctx, mail); err != nil {
		return fmt.Errorf("sharing: open access: %w", err)
	}
	if folders, err = d.mayOpen(ctx, folders); err != nil {
		return fmt.Errorf("sharing: open access: %w", err)
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		c, found, err := tx.ContactByMail(ctx, workspace, mail)
		switch {
		case err != nil:
			return err
		case found && isOpen(c):
			return fault.Tell(fs.ErrExist, "%s has access already; change the folders on the contact's page.", mail)
		case found && !d.knows(c):
			return fault.Tell(fs.ErrPermission, "%s is a contact of colleagues of yours; ask them to open the access.", mail)
		}
		_, err = s.open(ctx, tx, d, store.Contact{Workspace: workspace, Mail: mail}, folders, "")
		return err
	})
	if err != nil {
		return fmt.Errorf("sharing: open access: %w", err)
	}
	return nil
}

// mayOpen judges the folders of a contact.
func (d *desk) mayOpen(ctx context.Context, folders []vpath.Path) ([]vpath.Path, error) {
	if len(folders) == 0 {
		return nil, fault.Tell(fs.ErrInvalid, "Choose at least one folder that may be shared with this contact.")
	}
	for _, f := range folders {
		if f.Top() != d.top.Name() {
			return nil, fault.Tell(fs.ErrInvalid, "The folder %s is not in this workspace; a contact has folders of their own in each.", f)
		}
		n, err := d.tree.Stat(ctx, f)
		switch {
		case err != nil:
			return nil, err
		case !n.Dir:
			return nil, fault.Tell(fault.ErrNotDir, "%s is a file; choose the folder that it lies in.", f)
		case !d.deals(f):
			return nil, fault.Tell(fs.ErrPermission, "You may not share %s, and so let nobody in there; leave it out, or ask for the right.", f)
		}
	}
	return tidy(folders), nil
}

// open writes a contact as invited, with their account, and sends the invitation.
// message is what the giver writes along, "" for nothing.
func (s *Service) open(ctx context.Context, tx store.Tx, d *desk, c store.Contact, folders []vpath.Path, message string) (store.Contact, error) {
	was, found, err := tx.ContactByMail(ctx, c.Workspace, c.Mail)
	switch {
	case err != nil:
		return c, err
	case found:
		c = was
	default:
		c.Created = s.Clock()
	}
	c.State, c.Folders, c.By, c.ByName = store.Invited, folders, d.by.ID, d.by.Name
	account, err := s.ensureAccount(ctx, tx, c)
	if err != nil {
		return c, err
	}
	if err := s.invite(ctx, tx, d.by, c, account, message); err != nil {
		return c, err
	}
	return c, s.did(tx, d.by, "access-opened", d.top, c.Mail)
}

// ensureAccount finds or makes the account of a contact, and opens it.
func (s *Service) ensureAccount(ctx context.Context, tx store.Tx, c store.Contact) (store.Account, error) {
	a, found, err := tx.AccountByMail(ctx, c.Mail)
	switch {
	case err != nil:
		return a, err
	case found && !a.Closed:
		return a, nil
	case !found:
		id, err := s.newID()
		if err != nil {
			return a, err
		}
		a = store.Account{ID: id, Mail: c.Mail, Name: c.Name, Created: s.Clock()}
	}
	a.Closed = false
	return a, tx.PutAccount(a)
}

// invite sends an invitation; one that was sent before is over.
func (s *Service) invite(ctx context.Context, tx store.Tx, by By, c store.Contact, a store.Account, message string) error {
	if err := spendAll(ctx, tx, inviteKind, c.Mail, c.Workspace); err != nil {
		return err
	}
	secret, err := s.issue(tx, inviteKind, invitePrefix, c.Mail, purpose{Workspace: c.Workspace, Account: a.ID}, inviteTerm)
	if err != nil {
		return err
	}
	c.Invited = s.Clock()
	if err := tx.PutContact(c); err != nil {
		return err
	}
	return s.Tell.Tell(tx, notify.Notice{
		To: identity.ContactPrefix + a.ID, Mail: c.Mail, Name: c.Name, From: by.ID, Language: c.Language, Event: notify.Invited, Brand: c.Workspace,
		Always: true, Quiet: true,
		Data: map[string]string{
			"link": s.address("/invite/" + secret), "firm": s.title(c.Workspace), "by": by.Name, "message": message,
			"until": c.Invited.Add(inviteTerm).UTC().Format(time.RFC3339),
		},
	})
}

// inviteAgainAfter keeps a button that is pressed ten times from sending ten mails.
const inviteAgainAfter = time.Minute

// InviteAgain sends a new invitation; that of before is over.
func (s *Service) InviteAgain(ctx context.Context, by By, workspace, mail string) error {
	d, c, err := s.managed(ctx, by, workspace, mail)
	if err != nil {
		return fmt.Errorf("sharing: invite again: %w", err)
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
		case s.Clock().Before(c.Invited.Add(inviteAgainAfter)):
			return fault.Tell(fault.ErrBusy, "An invitation to %s went out a moment ago; wait a minute.", c.Mail)
		}
		a, err := s.ensureAccount(ctx, tx, c)
		if err != nil {
			return err
		}
		if err := s.invite(ctx, tx, by, c, a, ""); err != nil {
			return err
		}
		return s.did(tx, by, "invited-again", d.top, c.Mail)
	})
	if err != nil {
		return fmt.Errorf("sharing: invite again: %w", err)
	}
	return nil
}

// Outside are the shares that would end if a contact had these folders alone: to
// say so before SetFolders does it.
func (s *Service) Outside(ctx context.Context, by By, workspace, mail string, folders []vpath.Path) ([]ShareView, error) {
	d, c, err := s.managed(ctx, by, workspace, mail)
	if err != nil {
		return nil, fmt.Errorf("sharing: outside: %w", err)
	}
	folders = slices.Concat(folders, d.unseen(ctx, c.Folders))
	views, err := s.sharesOf(ctx, d, contactSubject(c.Mail), func(g store.Grant) bool {
		return g.Path.Top() == workspace && !within(folders, g.Path)
	})
	if err != nil {
		return nil, fmt.Errorf("sharing: outside: %w", err)
	}
	return views, nil
}

// SetFolders changes which folders may be shared with a contact. Shares and links
// outside end. Folders that the one who asks does not see stay.
func (s *Service) SetFolders(ctx context.Context, by By, workspace, mail string, folders []vpath.Path) error {
	d, c, err := s.managed(ctx, by, workspace, mail)
	if err != nil {
		return fmt.Errorf("sharing: set folders: %w", err)
	}
	added := slices.DeleteFunc(slices.Clone(folders), func(f vpath.Path) bool { return slices.Contains(c.Folders, f) })
	kept := d.unseen(ctx, c.Folders)
	if len(added) > 0 {
		if _, err := d.mayOpen(ctx, added); err != nil {
			return fmt.Errorf("sharing: set folders: %w", err)
		}
	}
	if len(folders)+len(kept) == 0 {
		return fmt.Errorf("sharing: set folders: %w", fault.Tell(fs.ErrInvalid, "Leave the contact at least one folder, or close the access."))
	}
	folders = tidy(append(slices.Clone(folders), kept...))
	err = s.State.Update(ctx, func(tx store.Tx) error {
		c, found, err := tx.ContactByMail(ctx, workspace, c.Mail)
		switch {
		case err != nil:
			return err
		case !found:
			return noContact(mail)
		}
		c.Folders = folders
		if err := tx.PutContact(c); err != nil {
			return err
		}
		if err := s.endOutside(ctx, tx, by, c); err != nil {
			return err
		}
		return s.did(tx, by, "folders-set", d.top, c.Mail)
	})
	if err == nil {
		err = s.Files.GrantsChanged(ctx)
	}
	if err != nil {
		return fmt.Errorf("sharing: set folders: %w", err)
	}
	return nil
}

// unseen are those of the folders that somebody does not see.
func (d *desk) unseen(ctx context.Context, folders []vpath.Path) []vpath.Path {
	return slices.DeleteFunc(slices.Clone(folders), func(f vpath.Path) bool {
		_, err := d.tree.Stat(ctx, f)
		return err == nil
	})
}

// endOutside ends what a contact has outside their folders.
func (s *Service) endOutside(ctx context.Context, tx store.Tx, by By, c store.Contact) error {
	grants, err := tx.GrantsTo(ctx, contactSubject(c.Mail))
	if err != nil {
		return err
	}
	grants = slices.DeleteFunc(grants, func(g store.Grant) bool {
		return g.Path.Top() != c.Workspace || within(c.Folders, g.Path)
	})
	for _, g := range grants {
		if err := s.Files.WithdrawThese(ctx, tx, g.ID); err != nil {
			return err
		}
		if !s.isLive(g) {
			continue
		}
		if err := s.tellContact(ctx, tx, c, notify.Stopped, g, by); err != nil {
			return err
		}
	}
	links, err := linksFor(ctx, tx, c)
	if err != nil {
		return err
	}
	for _, l := range links {
		opens, err := tx.GrantsTo(ctx, linkSubject(l.ID))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(opens, func(g store.Grant) bool { return !within(c.Folders, g.Path) }) {
			if err := s.endLink(ctx, tx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// linkSubject names a link in a grant.
func linkSubject(id string) string { return "link:" + id }

// endLink revokes a link and takes back what it opens.
func (s *Service) endLink(ctx context.Context, tx store.Tx, l store.Link) error {
	l.Revoked = s.Clock()
	l.Version++
	if err := tx.PutLink(l); err != nil {
		return err
	}
	return s.Files.WithdrawAll(ctx, tx, linkSubject(l.ID), vpath.Path{})
}
