package memstate

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

// contactKey is what a contact is known by.
type contactKey struct{ workspace, mail string }

func contacts(c *content) map[contactKey]store.Contact { return c.contacts }

// ContactByMail is of store.ContactReader.
func (r reader) ContactByMail(_ context.Context, workspace, mail string) (store.Contact, bool, error) {
	return get(r, contacts, contactKey{workspace, mail})
}

// ContactsIn is of store.ContactReader.
func (r reader) ContactsIn(_ context.Context, workspace string) ([]store.Contact, error) {
	return pick(r, contacts, func(c store.Contact) bool { return c.Workspace == workspace },
		func(a, b store.Contact) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Mail, b.Mail)) })
}

// ContactsOf is of store.ContactReader.
func (r reader) ContactsOf(_ context.Context, mail string) ([]store.Contact, error) {
	return pick(r, contacts, func(c store.Contact) bool { return c.Mail == mail },
		func(a, b store.Contact) int { return cmp.Compare(a.Workspace, b.Workspace) })
}

// PutContact is of store.ContactWriter.
func (x *tx) PutContact(c store.Contact) error {
	c.Folders = slices.Compact(slices.SortedFunc(slices.Values(c.Folders), vpath.Path.Compare))
	x.contacts[contactKey{c.Workspace, c.Mail}] = c
	return nil
}

// DropContact is of store.ContactWriter.
func (x *tx) DropContact(workspace, mail string) error {
	delete(x.contacts, contactKey{workspace, mail})
	return nil
}

// MoveContactFolders is of store.ContactWriter.
func (x *tx) MoveContactFolders(from, to vpath.Path) error {
	return move(from, to, x.DropContactFolders, func(rename func(*vpath.Path) bool) {
		for k, c := range x.contacts {
			folders := slices.Clone(c.Folders)
			for i := range folders {
				rename(&folders[i])
			}
			slices.SortFunc(folders, vpath.Path.Compare)
			c.Folders = folders
			x.contacts[k] = c
		}
	})
}

// DropContactFolders is of store.ContactWriter.
func (x *tx) DropContactFolders(p vpath.Path) error {
	for k, c := range x.contacts {
		c.Folders = slices.DeleteFunc(slices.Clone(c.Folders), p.Contains)
		x.contacts[k] = c
	}
	return nil
}

func accounts(c *content) map[string]store.Account { return c.accounts }

// AccountByMail is of store.AccountReader.
func (r reader) AccountByMail(_ context.Context, mail string) (store.Account, bool, error) {
	return first(pick(r, accounts, func(a store.Account) bool { return a.Mail == mail },
		func(a, b store.Account) int { return cmp.Compare(a.ID, b.ID) }))
}

// AccountByID is of store.AccountReader.
func (r reader) AccountByID(_ context.Context, id string) (store.Account, bool, error) {
	return get(r, accounts, id)
}

// PutAccount is of store.AccountWriter.
func (x *tx) PutAccount(a store.Account) error {
	x.accounts[a.ID] = a
	return nil
}

// DropAccount is of store.AccountWriter.
func (x *tx) DropAccount(id string) error {
	delete(x.accounts, id)
	return nil
}

func tickets(c *content) map[store.Sum]store.Ticket { return c.tickets }

// TicketBySum is of store.TicketReader.
func (r reader) TicketBySum(_ context.Context, sum store.Sum) (store.Ticket, bool, error) {
	return get(r, tickets, sum)
}

// TicketsOf is of store.TicketReader.
func (r reader) TicketsOf(_ context.Context, kind, subject string) ([]store.Ticket, error) {
	return pick(r, tickets, func(t store.Ticket) bool { return t.Kind == kind && t.Subject == subject },
		func(a, b store.Ticket) int {
			return cmp.Or(a.Created.Compare(b.Created), bytes.Compare(a.Sum[:], b.Sum[:]))
		})
}

// PutTicket is of store.TicketWriter.
func (x *tx) PutTicket(t store.Ticket) error {
	x.tickets[t.Sum] = t
	return nil
}

// DropTicket is of store.TicketWriter.
func (x *tx) DropTicket(sum store.Sum) error {
	delete(x.tickets, sum)
	return nil
}

// DropTicketsOf is of store.TicketWriter.
func (x *tx) DropTicketsOf(kind, subject string) error {
	maps.DeleteFunc(x.tickets, func(_ store.Sum, t store.Ticket) bool { return t.Kind == kind && t.Subject == subject })
	return nil
}

// DropExpiredTickets is of store.TicketWriter.
func (x *tx) DropExpiredTickets(now time.Time) error {
	maps.DeleteFunc(x.tickets, func(_ store.Sum, t store.Ticket) bool { return !t.Expires.After(now) })
	return nil
}

func notices(c *content) map[string]store.Notice { return c.notices }

func noticeAge(n store.Notice) (time.Time, string) { return n.Created, n.ID }

// waits tells whether a notice has a mail that has not gone out.
func waits(n store.Notice) bool { return n.Mail != "" && n.Done.IsZero() }

// NoticesTo is of store.NoticeReader.
func (r reader) NoticesTo(_ context.Context, to string, limit int) ([]store.Notice, error) {
	all, err := pick(r, notices, func(n store.Notice) bool { return n.To == to && !n.Quiet }, newest(noticeAge))
	return most(all, limit), err
}

// UnreadTo is of store.NoticeReader.
func (r reader) UnreadTo(_ context.Context, to string) (int, error) {
	all, err := pick(r, notices, func(n store.Notice) bool { return n.To == to && !n.Quiet && n.Read.IsZero() }, newest(noticeAge))
	return len(all), err
}

// DueMails is of store.NoticeReader.
func (r reader) DueMails(_ context.Context, now time.Time, limit int) ([]store.Notice, error) {
	all, err := pick(r, notices, func(n store.Notice) bool { return waits(n) && !n.Due.After(now) }, oldest(noticeAge))
	return most(all, limit), err
}

// WaitingMails is of store.NoticeReader.
func (r reader) WaitingMails(_ context.Context, batch, mail string) ([]store.Notice, error) {
	return pick(r, notices, func(n store.Notice) bool { return waits(n) && n.Batch == batch && n.Mail == mail }, oldest(noticeAge))
}

// PutNotice is of store.NoticeWriter.
func (x *tx) PutNotice(n store.Notice) error {
	x.notices[n.ID] = n
	return nil
}

// ReadNotices is of store.NoticeWriter.
func (x *tx) ReadNotices(to string, at time.Time) error {
	for id, n := range x.notices {
		if n.To == to && n.Read.IsZero() {
			n.Read = at
			x.notices[id] = n
		}
	}
	return nil
}

// DropNoticesTo is of store.NoticeWriter.
func (x *tx) DropNoticesTo(to string) error {
	maps.DeleteFunc(x.notices, func(_ string, n store.Notice) bool { return n.To == to })
	return nil
}

// DropNoticesBefore is of store.NoticeWriter.
func (x *tx) DropNoticesBefore(created time.Time) error {
	maps.DeleteFunc(x.notices, func(_ string, n store.Notice) bool { return n.Created.Before(created) && !waits(n) })
	return nil
}

// PreferencesOf is of store.PreferencesReader.
func (r reader) PreferencesOf(_ context.Context, owner string) (store.Preferences, error) {
	p, _, err := get(r, func(c *content) map[string]store.Preferences { return c.preferences }, owner)
	p.Owner = owner
	return p, err
}

// PutPreferences is of store.PreferencesWriter.
func (x *tx) PutPreferences(p store.Preferences) error {
	x.preferences[p.Owner] = p
	return nil
}
