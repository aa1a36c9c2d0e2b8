package sharing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// ContactWish is what somebody writes of a contact. Neither the state nor the
// folders are among it (THREATS.md row 71).
type ContactWish struct {
	Workspace    string
	Mail         string
	Name         string
	Organisation string
	Language     string // one of Languages, "" for the server's
	Notes        string
}

// ContactView is a contact with what is shared with them, as the one who asks may
// know it.
type ContactView struct {
	Contact store.Contact // its Folders are those that the one who asks sees
	Hidden  int           // how many more folders there are
	Shares  []ShareView
	Links   []store.Link // made for them
	Manage  bool         // whether the one who asks may open, change and close the access
}

// Contacts are the customers of a workspace that the one who asks may know of: all
// of them for who may share or invite at its root; for others those whose folders
// hold something that they may share, and those whom they let in themself.
func (s *Service) Contacts(ctx context.Context, by By, workspace string) ([]store.Contact, error) {
	d, err := s.desk(ctx, by, workspace)
	if err != nil {
		return nil, fmt.Errorf("sharing: contacts: %w", err)
	}
	all, err := s.State.ContactsIn(ctx, workspace)
	if err != nil {
		return nil, fmt.Errorf("sharing: contacts: %w", err)
	}
	var known []store.Contact
	for _, c := range all {
		if d.knows(c) {
			c, _ = d.cut(ctx, c)
			known = append(known, c)
		}
	}
	if len(known) == 0 && !d.works() {
		return nil, fmt.Errorf("sharing: contacts: %w", noDesk())
	}
	return known, nil
}

// Contact is one of them. Who may not know of a contact is told that there is none.
func (s *Service) Contact(ctx context.Context, by By, workspace, mail string) (ContactView, error) {
	d, c, err := s.knownContact(ctx, by, workspace, mail)
	if err != nil {
		return ContactView{}, fmt.Errorf("sharing: contact: %w", err)
	}
	v := ContactView{Manage: d.manages(c)}
	v.Contact, v.Hidden = d.cut(ctx, c)
	if v.Shares, err = s.sharesOf(ctx, d, contactSubject(c.Mail), func(g store.Grant) bool { return g.Path.Top() == workspace }); err != nil {
		return ContactView{}, fmt.Errorf("sharing: contact: %w", err)
	}
	if v.Links, err = linksFor(ctx, s.State, c); err != nil {
		return ContactView{}, fmt.Errorf("sharing: contact: %w", err)
	}
	return v, nil
}

// PutContact writes a contact's card, of a new one or of one that the one who asks
// knows. It opens no access.
func (s *Service) PutContact(ctx context.Context, by By, w ContactWish) (store.Contact, error) {
	w, err := w.clean()
	if err != nil {
		return store.Contact{}, fmt.Errorf("sharing: put contact: %w", err)
	}
	d, err := s.desk(ctx, by, w.Workspace)
	if err != nil {
		return store.Contact{}, fmt.Errorf("sharing: put contact: %w", err)
	}
	if err := s.notColleague(ctx, w.Mail); err != nil {
		return store.Contact{}, fmt.Errorf("sharing: put contact: %w", err)
	}
	var c store.Contact
	err = s.State.Update(ctx, func(tx store.Tx) error {
		var found bool
		if c, found, err = tx.ContactByMail(ctx, w.Workspace, w.Mail); err != nil {
			return err
		}
		switch {
		case found && !d.knows(c):
			return fault.Tell(fs.ErrPermission, "%s is a contact of colleagues of yours; ask them for the card.", w.Mail)
		case !found && !d.works():
			return noDesk()
		case !found:
			c = store.Contact{Workspace: w.Workspace, Mail: w.Mail, State: store.NoAccess, Created: s.Clock(), By: by.ID, ByName: by.Name}
		}
		c.Name, c.Organisation, c.Language, c.Notes = w.Name, w.Organisation, w.Language, w.Notes
		if err := tx.PutContact(c); err != nil {
			return err
		}
		return s.did(tx, by, "contact-written", d.top, c.Mail)
	})
	if err != nil {
		return store.Contact{}, fmt.Errorf("sharing: put contact: %w", err)
	}
	c, _ = d.cut(ctx, c)
	return c, nil
}

// clean brings a card to the form that is kept, or tells the first fault in it.
func (w ContactWish) clean() (ContactWish, error) {
	var errs []error
	take := func(to *string, text string, err error) {
		*to = text
		errs = append(errs, err)
	}
	text, err := Address(w.Mail)
	take(&w.Mail, text, err)
	text, err = line(fault.Say("name"), w.Name, maxName)
	take(&w.Name, text, err)
	text, err = line(fault.Say("organisation"), w.Organisation, maxName)
	take(&w.Organisation, text, err)
	text, err = prose(fault.Say("note"), w.Notes, maxNotes)
	take(&w.Notes, text, err)
	if w.Language != "" && !slices.Contains(Languages(), w.Language) {
		errs = append(errs, fault.Tell(fs.ErrInvalid, "There is no language %q; choose one of the list.", short(w.Language)))
	}
	return w, cmp.Or(errs...)
}

// notColleague refuses the address of somebody of the firm: two logins for one
// person would be two sets of rights, one of which nobody looks at.
func (s *Service) notColleague(ctx context.Context, mail string) error {
	who, is, err := s.colleague(ctx, mail)
	switch {
	case err != nil:
		return err
	case is:
		return fault.Tell(fs.ErrExist, "%s belongs to %s, a colleague; share with them as a colleague.", mail, who.Name)
	}
	return nil
}

// desk is a workspace as somebody works at it with contacts.
type desk struct {
	by   By
	tree *files.Tree
	top  vpath.Path
}

// desk opens one. A workspace that the one who asks does not see does not exist,
// and customers have no desk.
func (s *Service) desk(ctx context.Context, by By, workspace string) (*desk, error) {
	top, err := root(workspace)
	if err != nil {
		return nil, err
	}
	if !by.isStaff() {
		return nil, fault.Tell(fs.ErrNotExist, "There is no workspace %s.", short(workspace))
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, err
	}
	if _, err := tree.Stat(ctx, top); err != nil {
		return nil, err
	}
	return &desk{by: by, tree: tree, top: top}, nil
}

// noDesk is for somebody who sees the workspace and shares nothing in it: that there
// are contacts is no secret to them, who they are is.
func noDesk() error {
	return fault.Tell(fs.ErrPermission, "You may share nothing in this workspace, and so need no contacts; ask an administrator for the right to share.")
}

// deals tells whether somebody may let customers in at p.
func (d *desk) deals(p vpath.Path) bool {
	rights := d.tree.Rights(p)
	return slices.Contains(rights, "share") || slices.Contains(rights, "invite")
}

// works tells whether they may do so anywhere in the workspace.
func (d *desk) works() bool { return d.worksIn(d.top) }

// worksIn counts the :own forms too: who may share what they made needs contacts.
func (d *desk) worksIn(p vpath.Path) bool { return d.tree.Somewhere(p, "share", "invite") }

// knows tells whether they may know of a contact: they may share something of what
// the contact may be given.
func (d *desk) knows(c store.Contact) bool {
	return d.by.ID == c.By || d.deals(d.top) || slices.ContainsFunc(c.Folders, d.worksIn) ||
		len(c.Folders) == 0 && d.works() // a card alone
}

// manages tells whether they may change what a contact may have. Nobody is shut
// out who could be let in again by fewer people.
func (d *desk) manages(c store.Contact) bool {
	return d.deals(d.top) || slices.ContainsFunc(c.Folders, d.deals) || len(c.Folders) == 0 && d.knows(c)
}

// cut leaves out the folders that they do not see.
func (d *desk) cut(ctx context.Context, c store.Contact) (seen store.Contact, hidden int) {
	seen = c
	seen.Folders = nil
	for _, f := range c.Folders {
		if _, err := d.tree.Stat(ctx, f); err == nil {
			seen.Folders = append(seen.Folders, f)
		}
	}
	return seen, len(c.Folders) - len(seen.Folders)
}

// knownContact is a contact for who may know of them.
func (s *Service) knownContact(ctx context.Context, by By, workspace, mail string) (*desk, store.Contact, error) {
	d, err := s.desk(ctx, by, workspace)
	if err != nil {
		return nil, store.Contact{}, err
	}
	address, err := Address(mail)
	if err != nil {
		return nil, store.Contact{}, noContact(mail)
	}
	c, found, err := s.State.ContactByMail(ctx, workspace, address)
	switch {
	case err != nil:
		return nil, store.Contact{}, err
	case !found || !d.knows(c):
		return nil, store.Contact{}, noContact(mail)
	}
	return d, c, nil
}

// noContact is the same for a contact that there is not and for one that somebody may
// not know of.
func noContact(mail string) error {
	return fault.Tell(fs.ErrNotExist, "There is no contact %s here.", short(mail))
}

// managed is knownContact for who may change their access.
func (s *Service) managed(ctx context.Context, by By, workspace, mail string) (*desk, store.Contact, error) {
	d, c, err := s.knownContact(ctx, by, workspace, mail)
	if err == nil && !d.manages(c) {
		err = fault.Tell(fs.ErrPermission, "You may share none of %s's folders; ask a colleague who may.", c.Mail)
	}
	return d, c, err
}

// contactSubject names a contact in a grant.
func contactSubject(mail string) string { return "contact:" + mail }

// state is how far a contact's access has come, for people.
func state(s store.ContactState) fault.Sentence {
	switch s {
	case store.Invited:
		return fault.Say("invited")
	case store.Active:
		return fault.Say("active")
	case store.Closed:
		return fault.Say("closed")
	case store.NoAccess:
	}
	return fault.Say("none")
}

// isOpen tells a contact who may be shared something with.
func isOpen(c store.Contact) bool { return c.State == store.Invited || c.State == store.Active }

// tidy sorts folders, and leaves out those that lie in another.
func tidy(folders []vpath.Path) []vpath.Path {
	folders = slices.Clone(folders)
	slices.SortFunc(folders, vpath.Path.Compare)
	var kept []vpath.Path
	for _, f := range folders {
		if len(kept) == 0 || !kept[len(kept)-1].Contains(f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// within tells whether p lies in one of the folders.
func within(folders []vpath.Path, p vpath.Path) bool {
	return slices.ContainsFunc(folders, func(f vpath.Path) bool { return f.Contains(p) })
}

// linksFor are the links that were made for a contact and stand.
func linksFor(ctx context.Context, in store.LinkReader, c store.Contact) ([]store.Link, error) {
	all, err := in.LinksIn(ctx, c.Workspace)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(l store.Link) bool { return l.Contact != c.Mail || !l.Revoked.IsZero() }), nil
}

// isNone tells an error that says that nothing is there.
func isNone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
