package sharing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"portico/fault"
	"portico/identity"
	"portico/store"
	"portico/vpath"
)

// recipient is somebody whom something is shared with.
type recipient struct {
	subject  string
	id       string // identity.Identity.ID, "" for a contact without an account
	mail     string
	name     string
	language string
	contacts map[string]store.Contact // by workspace, of the items
	fresh    bool                     // they are invited by this sharing
	invited  bool                     // it has sent them an invitation
}

// resolve finds whom somebody means.
func (x *giving) resolve(ctx context.Context, text string) (recipient, error) {
	kind, rest, ok := strings.Cut(text, ":")
	switch {
	case ok && kind == "user":
		who, err := x.s.People.ByLogin(ctx, identity.Login(rest))
		if errors.Is(err, identity.ErrRefused) || err == nil && who.Contact {
			return recipient{}, fault.Tell(fs.ErrInvalid, "There is no colleague %s.", short(rest))
		}
		if err != nil {
			return recipient{}, err
		}
		return x.toColleague(who)
	case ok && kind == "contact":
		text = rest
	}
	mail, err := Address(text)
	if err != nil {
		return recipient{}, err
	}
	who, is, err := x.s.colleague(ctx, mail)
	switch {
	case err != nil:
		return recipient{}, err
	case is:
		return x.toColleague(who)
	}
	return x.toContact(ctx, mail)
}

// colleague finds somebody of the firm by their mail address.
func (s *Service) colleague(ctx context.Context, mail string) (identity.Identity, bool, error) {
	if s.Colleague == nil {
		return identity.Identity{}, false, nil
	}
	who, is, err := s.Colleague(ctx, mail)
	return who, is && !who.Contact, err
}

// toColleague needs no folders and no invitation: a colleague has what the rules say,
// and this.
func (x *giving) toColleague(who identity.Identity) (recipient, error) {
	if who.ID == x.by.ID {
		return recipient{}, fault.Tell(fs.ErrInvalid, "You cannot share with yourself; choose somebody else.")
	}
	return recipient{subject: "user:" + string(who.Login), id: who.ID, mail: who.Email, name: who.Name}, nil
}

// toContact finds what each workspace of the items knows of an address. One that none
// of them knows is invited when all has been judged.
func (x *giving) toContact(ctx context.Context, mail string) (recipient, error) {
	r := recipient{subject: contactSubject(mail), mail: mail, name: mail, contacts: map[string]store.Contact{}}
	for _, n := range x.items {
		c, found, err := x.s.State.ContactByMail(ctx, n.Path.Top(), mail)
		if err != nil {
			return r, err
		}
		if !found {
			c = store.Contact{Workspace: n.Path.Top(), Mail: mail, State: store.NoAccess}
		}
		r.contacts[c.Workspace] = c
		if c.Name != "" {
			r.name = c.Name
		}
		r.language = c.Language
		r.fresh = r.fresh || c.State == store.NoAccess
	}
	a, found, err := x.s.State.AccountByMail(ctx, mail)
	if found {
		r.id = identity.ContactPrefix + a.ID
	}
	return r, err
}

// mayHave judges whether a recipient may be given what lies at p.
func (x *giving) mayHave(ctx context.Context, r recipient, p vpath.Path) error {
	if r.contacts == nil {
		return nil
	}
	c := r.contacts[p.Top()]
	switch {
	case c.State == store.Closed:
		return fault.Tell(fs.ErrPermission, "The access of %s was closed; open it again on the contact's page.", r.name)
	case isOpen(c) && within(c.Folders, p):
		return nil
	case isOpen(c):
		return x.outside(ctx, c, r.name, p)
	}
	folder := x.folderOf(p)
	if !slices.Contains(x.tree.Rights(folder), "invite") {
		return fault.Tell(fs.ErrPermission, "%s is no contact yet, and you may invite nobody to %s; ask a colleague who may.", r.mail, shown(folder))
	}
	return nil
}

// folderOf is the folder that a new contact may be shared, for an item.
func (x *giving) folderOf(p vpath.Path) vpath.Path {
	for _, n := range x.items {
		if n.Path == p && n.Dir {
			return p
		}
	}
	return p.Parent()
}

// shown is a path as people of its workspace write it.
func shown(p vpath.Path) string { return p.Tail().String() }

// outside is the refusal of what lies outside a contact's folders. It names those
// alone that the one who asks sees.
func (x *giving) outside(ctx context.Context, c store.Contact, name string, p vpath.Path) error {
	return outsideOf(ctx, &desk{by: x.by, tree: x.tree}, c, name, x.folderOf(p))
}

// outsideOf is outside for whoever has a desk. The folder that it tells to add is the
// smallest that would do.
func outsideOf(ctx context.Context, d *desk, c store.Contact, name string, want vpath.Path) error {
	if len(c.Folders) == 0 {
		return fault.Tell(fs.ErrPermission, "%s may be shared nothing yet; add %s on the contact's page.", name, shown(want))
	}
	seen, hidden := d.cut(ctx, c)
	var list []string
	for _, f := range seen.Folders {
		list = append(list, shown(f))
	}
	if hidden > 0 {
		list = append(list, "folders that you do not see")
	}
	return fault.Tell(fs.ErrPermission, "%s may be shared what lies in %s; add %s on the contact's page.",
		name, strings.Join(list, ", "), shown(want))
}

// MayHave judges whether a contact may be given what lies at p, by a link too. The
// error says how to widen what they may have.
func (s *Service) MayHave(ctx context.Context, by By, mail string, p vpath.Path) error {
	d, c, err := s.knownContact(ctx, by, p.Top(), mail)
	if err != nil {
		return fmt.Errorf("sharing: may have: %w", err)
	}
	if !isOpen(c) {
		return fault.Tell(fs.ErrPermission, "%s has no access; open it on the contact's page.", c.Mail)
	}
	if !within(c.Folders, p) {
		return outsideOf(ctx, d, c, c.Mail, p)
	}
	return nil
}

// admit judges a recipient once more, in the transaction of what they get: their
// access may have been closed meanwhile. Who was let in by nobody is invited.
func (x *giving) admit(ctx context.Context, tx store.Tx, r *recipient) error {
	for workspace := range r.contacts {
		c, _, err := tx.ContactByMail(ctx, workspace, r.mail)
		if err != nil {
			return err
		}
		if !isOpen(c) && c.State != store.Closed && r.fresh {
			if c, err = x.invite(ctx, tx, r, workspace); err != nil {
				return err
			}
		}
		for _, n := range x.items {
			if n.Path.Top() == workspace && (!isOpen(c) || !within(c.Folders, n.Path)) {
				return fault.Tell(fault.ErrConflict, "What %s may have was changed just now; look at the contact's page.", r.name)
			}
		}
	}
	return nil
}

// invite lets a recipient in, to the folders of the items.
func (x *giving) invite(ctx context.Context, tx store.Tx, r *recipient, workspace string) (store.Contact, error) {
	top, err := root(workspace)
	if err != nil {
		return store.Contact{}, err
	}
	var folders []vpath.Path
	for _, n := range x.items {
		if n.Path.Top() == workspace {
			folders = append(folders, x.folderOf(n.Path))
		}
	}
	d := &desk{by: x.by, tree: x.tree, top: top}
	c, err := x.s.open(ctx, tx, d, store.Contact{Workspace: workspace, Mail: r.mail}, tidy(folders), x.wish.Message)
	if err != nil {
		return c, err
	}
	a, _, err := tx.AccountByMail(ctx, r.mail)
	r.id, r.invited = identity.ContactPrefix+a.ID, true
	return c, err
}

// maxSuggestions are those of one look-up.
const maxSuggestions = 10

// Recipient is somebody whom something may be shared with.
type Recipient struct {
	Subject      string // for ShareWish.To
	Name         string
	Mail         string
	Organisation string
	Contact      bool
	State        store.ContactState // of a contact
}

// Suggest finds contacts and colleagues by the first letters of a word of their
// name, of their organisation or of their address.
func (s *Service) Suggest(ctx context.Context, by By, workspace, text string) ([]Recipient, error) {
	text = strings.TrimSpace(text)
	if text == "" || !by.isStaff() {
		return nil, nil
	}
	var found []Recipient
	contacts, err := s.Contacts(ctx, by, workspace)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("sharing: suggest: %w", err)
	}
	for _, c := range contacts {
		local, _, _ := strings.Cut(c.Mail, "@")
		if c.State != store.Closed && (begins(text, c.Name, c.Organisation, local) || strings.HasPrefix(c.Mail, strings.ToLower(text))) {
			found = append(found, Recipient{contactSubject(c.Mail), c.Name, c.Mail, c.Organisation, true, c.State})
		}
	}
	if s.Staff != nil {
		staff, err := s.Staff(ctx, text, maxSuggestions)
		if err != nil {
			return nil, fmt.Errorf("sharing: suggest: %w", err)
		}
		for _, who := range staff {
			if who.ID != by.ID && !who.Contact {
				found = append(found, Recipient{Subject: "user:" + string(who.Login), Name: who.Name, Mail: who.Email})
			}
		}
	}
	return found[:min(len(found), maxSuggestions)], nil
}

// begins tells whether text begins one of the texts, or a word of it.
func begins(text string, in ...string) bool {
	text = vpath.Fold(text)
	for _, one := range in {
		one = vpath.Fold(one)
		if strings.HasPrefix(one, text) {
			return true
		}
		for _, word := range strings.FieldsFunc(one, func(r rune) bool { return strings.ContainsRune(" -.@_&'", r) }) {
			if strings.HasPrefix(word, text) {
				return true
			}
		}
	}
	return false
}
