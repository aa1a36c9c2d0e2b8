package storetest

import (
	"errors"
	"time"

	"portico/store"
)

// notice is one for ann, with a mail that is due when it was made.
func notice(id string, created int) store.Notice {
	return store.Notice{ID: id, To: "ann", Mail: "ann@x.example", Event: "shared", Created: at(created), Due: at(created)}
}

func (s *suite) putNotices(all ...store.Notice) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, n := range all {
			if err := tx.PutNotice(n); err != nil {
				return err
			}
		}
		return nil
	})
}

// listed wants what ann finds in her list.
func (s *suite) listed(when string, unread int, want ...store.Notice) {
	s.Helper()
	s.equal(when, must[[]store.Notice](s)(s.NoticesTo(s.Context(), "ann", 100)), want)
	s.equal(when+", unread", must[int](s)(s.UnreadTo(s.Context(), "ann")), unread)
}

func notices(s *suite) {
	full := store.Notice{
		ID: "n1", To: "ann", Mail: "ann@x.example", Language: "nl", Event: "deposit", Data: []byte(`{"a":"ü"}`), Batch: "b", Created: at(0),
		Due: at(5), Tries: 3, Done: at(6), Trouble: "550 no such user", Read: at(7),
	}
	b, c, quiet, bob := notice("n2", 1), notice("n3", 1), notice("n4", 2), notice("n5", 3)
	quiet.Quiet, bob.To = true, "bob"
	s.putNotices(c, full, b, quiet, bob)
	s.reopen()
	s.listed("put", 2, b, c, full)
	s.equal("the newest", must[[]store.Notice](s)(s.NoticesTo(s.Context(), "ann", 1)), []store.Notice{b})
	s.equal("no limit below 0", must[[]store.Notice](s)(s.NoticesTo(s.Context(), "ann", -1)), []store.Notice{})
	s.equal("to nobody", must[[]store.Notice](s)(s.NoticesTo(s.Context(), "an", 9)), []store.Notice{})
	s.update(func(tx store.Tx) error { return tx.ReadNotices("ann", at(9)) })
	b.Read, c.Read = at(9), at(9) // and the one that was read keeps its time
	s.listed("read", 0, b, c, full)
	s.equal("bob's are unread", must[int](s)(s.UnreadTo(s.Context(), "bob")), 1)
	full.Read = time.Time{}
	s.putNotices(full)
	s.listed("one is new again", 1, b, c, full)
	s.update(func(tx store.Tx) error { return tx.DropNoticesTo("ann") })
	s.listed("dropped", 0)
	s.equal("bob's stay", must[[]store.Notice](s)(s.NoticesTo(s.Context(), "bob", 9)), []store.Notice{bob})
}

func mails(s *suite) {
	a, b, later, sent, silent := notice("a", 0), notice("b", 1), notice("c", 2), notice("d", 3), notice("e", 4)
	a.Batch, b.Batch, later.Batch, sent.Batch, silent.Batch = "x", "x", "x", "x", "x"
	b.Quiet, later.Due, sent.Done, silent.Mail = true, at(60), at(4), ""
	alone, elsewhere := notice("f", 5), notice("g", 6)
	elsewhere.Batch, elsewhere.Mail = "x", "bob@x.example"
	s.putNotices(silent, sent, later, b, a, elsewhere, alone)
	s.reopen()
	ctx, list := s.Context(), must[[]store.Notice](s)
	s.equal("none is due", list(s.DueMails(ctx, at(0).Add(-time.Microsecond), 9)), []store.Notice{})
	s.equal("due", list(s.DueMails(ctx, at(10), 9)), []store.Notice{a, b, alone, elsewhere})
	s.equal("the oldest", list(s.DueMails(ctx, at(99), 3)), []store.Notice{a, b, later})
	s.equal("no limit below 0", list(s.DueMails(ctx, at(99), -1)), []store.Notice{})
	s.equal("of the batch", list(s.WaitingMails(ctx, "x", a.Mail)), []store.Notice{a, b, later})
	s.equal("of no batch", list(s.WaitingMails(ctx, "", a.Mail)), []store.Notice{alone})
	s.equal("of no address", list(s.WaitingMails(ctx, "x", "")), []store.Notice{})
	// One fails and waits longer, one goes out, one was given up and is tried again.
	a.Tries, a.Trouble, a.Due, b.Done, sent.Done = 1, "451", at(61), at(11), time.Time{}
	s.putNotices(a, b, sent)
	s.equal("due then", list(s.DueMails(ctx, at(60), 9)), []store.Notice{later, sent, alone, elsewhere})
	s.equal("of the batch then", list(s.WaitingMails(ctx, "x", a.Mail)), []store.Notice{a, later, sent})
}

func noticesDrop(s *suite) {
	waits, sent, silent := notice("a", 0), notice("b", 1), notice("c", 2)
	sent.Done, silent.Mail = at(1), ""
	s.putNotices(waits, sent, silent)
	s.update(func(tx store.Tx) error { return tx.DropNoticesBefore(at(1)) })
	s.listed("too young", 3, silent, sent, waits)
	s.update(func(tx store.Tx) error { return tx.DropNoticesBefore(at(2)) })
	s.listed("one is gone", 2, silent, waits)
	s.update(func(tx store.Tx) error { return tx.DropNoticesBefore(at(99)) })
	s.listed("what waits stays", 1, waits)
}

func preferences(s *suite) {
	full := store.Preferences{Owner: "ann", Language: "nl", Theme: "dark", Muted: []string{"shared", "a, \"b\""}}
	of := func(owner string) store.Preferences {
		return must[store.Preferences](s)(s.PreferencesOf(s.Context(), owner))
	}
	s.equal("of who chose none", of("ann"), store.Preferences{Owner: "ann"})
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutPreferences(store.Preferences{Owner: "ann", Theme: "light"}), tx.PutPreferences(full))
	})
	s.reopen()
	s.equal("of ann", of("ann"), full)
	s.equal("of another", of("an"), store.Preferences{Owner: "an"})
	full = store.Preferences{Owner: "ann"}
	s.update(func(tx store.Tx) error { return tx.PutPreferences(full) })
	s.equal("chosen back", of("ann"), full)
}
