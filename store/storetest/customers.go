package storetest

import (
	"errors"
	"time"

	"portico/store"
	"portico/vpath"
)

func folders(paths ...string) []vpath.Path {
	var all []vpath.Path
	for _, p := range paths {
		all = append(all, vpath.Must(p))
	}
	return all
}

func contacts(s *suite) {
	full := store.Contact{
		Workspace: "w", Mail: "zoe@firm.example", Name: "Bé", Organisation: "Firm %", Language: "nl", Notes: "a\nb", State: store.Invited,
		Folders: folders("/w/a", "/w/a b", "/w/c"), Created: at(0), By: "ldap:ann", ByName: "Ann", Invited: at(1),
	}
	second := store.Contact{Workspace: "w", Mail: "bob@firm.example", Name: "A", State: store.NoAccess, Created: at(1)}
	third := store.Contact{Workspace: "w", Mail: "ada@firm.example", Name: "Bé", State: store.Closed, Folders: folders("/w/a")}
	other := store.Contact{Workspace: "a", Mail: full.Mail, Name: "Zoë", Folders: folders("/a")}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutContact(full), tx.PutContact(second), tx.PutContact(third), tx.PutContact(other))
	})
	s.reopen()
	ctx, list := s.Context(), must[[]store.Contact](s)
	is(s, "by mail", full)(s.ContactByMail(ctx, "w", full.Mail))
	is(s, "by mail, no folders", second)(s.ContactByMail(ctx, "w", second.Mail))
	none[store.Contact](s, "in another workspace")(s.ContactByMail(ctx, "a", second.Mail))
	s.equal("in", list(s.ContactsIn(ctx, "w")), []store.Contact{second, third, full})
	s.equal("in nothing", list(s.ContactsIn(ctx, "")), []store.Contact{})
	s.equal("of", list(s.ContactsOf(ctx, full.Mail)), []store.Contact{other, full})
	full.State, full.Folders, full.Invited = store.Active, folders("/w/c", "/w/d"), time.Time{}
	s.update(func(tx store.Tx) error {
		again := full
		again.Folders = folders("/w/d", "/w/c", "/w/d") // what is there twice is there once
		return errors.Join(tx.PutContact(again), tx.DropContact("w", second.Mail), tx.DropContact("w", "none"))
	})
	s.equal("changed", list(s.ContactsIn(ctx, "w")), []store.Contact{third, full})
	// A contact that comes back has none of the folders of before.
	full.Folders = nil
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.DropContact("w", full.Mail), tx.PutContact(full))
	})
	s.equal("back", list(s.ContactsOf(ctx, full.Mail)), []store.Contact{other, full})
}

func contactFolders(s *suite) {
	ann := store.Contact{Workspace: "w", Mail: "ann@x.example", Folders: folders("/w/a", "/w/a/in", "/w/ab", "/w/t")}
	bob := store.Contact{Workspace: "w", Mail: "bob@x.example", Folders: folders("/w/t/old", "/w/t2")}
	s.update(func(tx store.Tx) error { return errors.Join(tx.PutContact(ann), tx.PutContact(bob)) })
	wants := func(when string) {
		s.Helper()
		s.equal(when, must[[]store.Contact](s)(s.ContactsIn(s.Context(), "w")), []store.Contact{ann, bob})
	}
	// Ann has both; what is replaced ends for all.
	s.update(func(tx store.Tx) error { return tx.MoveContactFolders(vpath.Must("/w/a"), vpath.Must("/w/t")) })
	ann.Folders, bob.Folders = folders("/w/ab", "/w/t", "/w/t/in"), folders("/w/t2")
	wants("moved")
	s.update(func(tx store.Tx) error { return tx.DropContactFolders(vpath.Must("/w/t")) })
	ann.Folders = folders("/w/ab")
	wants("dropped")
	s.update(func(tx store.Tx) error { return tx.DropContactFolders(vpath.Path{}) })
	ann.Folders, bob.Folders = nil, nil
	s.reopen()
	wants("all dropped")
}

func accounts(s *suite) {
	full := store.Account{ID: "a1", Mail: "ann@x.example", Name: "Änn", Password: "$argon2id$", Changed: at(1), Created: at(0), Closed: true}
	second := store.Account{ID: "a2", Mail: "bob@x.example", Created: at(2)}
	s.update(func(tx store.Tx) error { return errors.Join(tx.PutAccount(full), tx.PutAccount(second)) })
	s.reopen()
	ctx := s.Context()
	is(s, "by mail", full)(s.AccountByMail(ctx, full.Mail))
	is(s, "by ID", second)(s.AccountByID(ctx, "a2"))
	none[store.Account](s, "by no mail")(s.AccountByMail(ctx, "Ann@x.example"))
	none[store.Account](s, "by no ID")(s.AccountByID(ctx, "a"))
	full.Mail, full.Password, full.Changed, full.Closed = "new@x.example", "", time.Time{}, false
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutAccount(full), tx.DropAccount("a2"), tx.DropAccount("none"))
	})
	is(s, "changed", full)(s.AccountByMail(ctx, "new@x.example"))
	none[store.Account](s, "by the old mail")(s.AccountByMail(ctx, "ann@x.example"))
	none[store.Account](s, "dropped")(s.AccountByID(ctx, "a2"))
}

func tickets(s *suite) {
	one := func(text, kind, subject string, created, expires int) store.Ticket {
		return store.Ticket{Sum: sum(text), Kind: kind, Subject: subject, Created: at(created), Expires: at(expires)}
	}
	a, b := one("a", "invite", "ann@x.example", 1, 10), one("b", "invite", "ann@x.example", 0, 20)
	c, d := one("c", "reset", "ann@x.example", 0, 5), one("d", "invite", "ann@x.exampl", 0, 30)
	a.Data = []byte(`{"n":"\u0000"}`)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(a), tx.PutTicket(b), tx.PutTicket(c), tx.PutTicket(d))
	})
	s.reopen()
	ctx := s.Context()
	of := func(kind, subject string) []store.Ticket {
		return must[[]store.Ticket](s)(s.TicketsOf(ctx, kind, subject))
	}
	is(s, "by sum", a)(s.TicketBySum(ctx, a.Sum))
	none[store.Ticket](s, "by no sum")(s.TicketBySum(ctx, sum("none")))
	s.equal("of", of("invite", "ann@x.example"), []store.Ticket{b, a})
	s.equal("of another kind", of("code", "ann@x.example"), []store.Ticket{})
	s.equal("of another subject", of("invite", "ann"), []store.Ticket{})
	// The same few digits as before, for another time.
	b.Data, b.Expires = []byte("2"), at(25)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(b), tx.DropExpiredTickets(at(10).Add(-time.Microsecond)))
	})
	none[store.Ticket](s, "expired")(s.TicketBySum(ctx, c.Sum))
	s.equal("not yet expired", of("invite", "ann@x.example"), []store.Ticket{b, a})
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.DropExpiredTickets(at(10)), tx.DropTicket(sum("none")))
	})
	s.equal("expired", of("invite", "ann@x.example"), []store.Ticket{b})
	// Used in the transaction of what it is good for: a second use finds nothing.
	s.update(func(tx store.Tx) error {
		if err := tx.DropTicket(b.Sum); err != nil {
			return err
		}
		none[store.Ticket](s, "used")(tx.TicketBySum(ctx, b.Sum))
		return nil
	})
	e := one("e", "reset", "ann@x.exampl", 0, 30)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(b), tx.PutTicket(e), tx.DropTicketsOf("invite", "ann@x.exampl"))
	})
	is(s, "of another subject", b)(s.TicketBySum(ctx, b.Sum))
	is(s, "of another kind", e)(s.TicketBySum(ctx, e.Sum))
	none[store.Ticket](s, "all of one")(s.TicketBySum(ctx, d.Sum))
}
