package storetest

import (
	"errors"
	"io/fs"
	"maps"
	"testing"
	"time"

	"portico/store"
	"portico/vpath"
)

// RunSharing puts a store through what the contract says of sharing, of customers
// and of notices alone. Run holds all of it.
func RunSharing(t *testing.T, open Open) {
	t.Helper()
	run(t, open, sharingTests())
}

func sharingTests() map[string]func(*suite) {
	tests := map[string]func(*suite){
		"grants":              grants,
		"grants/above, below": grantsAround,
		"grants/change":       grantsChange,
		"links":               links,
		"links/downloads":     downloads,
		"deposits":            deposits,
		"deposits/gone":       depositsGone,
		"deposits/waiting":    placeholders,
		"labels":              labels,
		"uploads":             uploads,
		"contacts":            contacts,
		"contacts/folders":    contactFolders,
		"accounts":            accounts,
		"tickets":             tickets,
		"notices":             notices,
		"notices/mails":       mails,
		"notices/drop":        noticesDrop,
		"preferences":         preferences,
		"snapshots":           snapshots,
		"snapshots/drop":      snapshotsDrop,
		"sharing/undone":      sharingUndone,
		"noise":               noiseRoundTrip,
		"noise/emptied":       noiseEmptied,
		"noise/expires":       noiseExpires,
		"noise/follows":       noiseFollows,
	}
	maps.Copy(tests, treeTests())
	return tests
}

// found gives the answer of a read of one thing.
func found[T any](s *suite) func(T, bool, error) (T, bool) {
	s.Helper()
	return func(v T, ok bool, err error) (T, bool) {
		s.Helper()
		if err != nil {
			s.Fatalf("read = %v", err)
		}
		return v, ok
	}
}

// is wants one thing to be there as it was put.
func is[T any](s *suite, what string, want T) func(T, bool, error) {
	s.Helper()
	return func(got T, ok bool, err error) {
		s.Helper()
		if err != nil || !ok {
			s.Fatalf("%s: found %t, %v", what, ok, err)
		}
		s.equal(what, got, want)
	}
}

// none wants nothing to be found.
func none[T any](s *suite, what string) func(T, bool, error) {
	s.Helper()
	return func(got T, ok bool, err error) {
		s.Helper()
		if err != nil || ok {
			s.Errorf("%s: found %t (%+v), %v, want nothing", what, ok, got, err)
		}
	}
}

// at is a moment some minutes after now.
func at(minutes int) time.Time { return now().Add(time.Duration(minutes) * time.Minute) }

func grant(id, subject, giver, path string, created int) store.Grant {
	return store.Grant{ID: id, Subject: subject, Giver: giver, Path: vpath.Must(path), State: store.Accepted, Created: at(created)}
}

func (s *suite) putGrants(all ...store.Grant) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, g := range all {
			if err := tx.PutGrant(g); err != nil {
				return err
			}
		}
		return nil
	})
}

func grants(s *suite) {
	full := store.Grant{
		ID: "g1", Subject: "contact:ann@firm.example", Path: vpath.Must("/w/ä %/_"), Dir: true, Role: "reader", Giver: "ldap:bob", GiverName: "Böb",
		State: store.Offered, Created: at(1), Until: at(60), Opened: at(2), Message: "voilà\n'\"", Labels: true, Batch: "b",
	}
	second, third := grant("g3", full.Subject, "ldap:eve", "/w/x", 2), grant("g2", "user:bob", full.Giver, "/w/x", 2)
	s.putGrants(full, second, third)
	s.reopen()
	ctx := s.Context()
	is(s, "by ID", full)(s.GrantByID(ctx, "g1"))
	is(s, "times that never came", second)(s.GrantByID(ctx, "g3"))
	none[store.Grant](s, "by no ID")(s.GrantByID(ctx, "g"))
	list := must[[]store.Grant](s)
	s.equal("to", list(s.GrantsTo(ctx, full.Subject)), []store.Grant{second, full})
	s.equal("to nobody", list(s.GrantsTo(ctx, "contact:")), []store.Grant{})
	s.equal("by", list(s.GrantsBy(ctx, full.Giver)), []store.Grant{third, full})
	s.equal("accepted", list(s.AcceptedGrants(ctx)), []store.Grant{third, second})

	full.State, full.Path, full.Labels, full.Until = store.Accepted, vpath.Must("/v"), false, time.Time{}
	s.putGrants(full)
	s.equal("accepted now", list(s.AcceptedGrants(ctx)), []store.Grant{full, third, second})
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropGrant("g2"), tx.DropGrant("none")) })
	s.equal("one dropped", list(s.GrantsBelow(ctx, vpath.Path{})), []store.Grant{full, second})
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.DropGrantsTo("contact:ann@firm.exampl"), tx.DropGrantsTo(full.Subject))
	})
	s.equal("all dropped", list(s.GrantsBelow(ctx, vpath.Path{})), []store.Grant{})
}

// grantIDs are those of grants, in their order.
func grantIDs(all []store.Grant) []string {
	var ids []string
	for _, g := range all {
		ids = append(ids, g.ID)
	}
	return ids
}

func grantsAround(s *suite) {
	paths := append(hostile(), "/", "/w", "/w/a/x/y", "/w/a/x", "/w/a", "/v")
	for i, p := range paths { // the later, the older
		s.putGrants(grant(p, "user:ann", "bob", p, -i))
	}
	s.putGrants(grant("twice", "user:bob", "bob", "/w/a", 1))
	around := func(p string) (above, below []string) {
		list := must[[]store.Grant](s)
		return grantIDs(list(s.GrantsAbove(s.Context(), vpath.Must(p)))), grantIDs(list(s.GrantsBelow(s.Context(), vpath.Must(p))))
	}
	for _, want := range []struct {
		path         string
		above, below []string
	}{
		{"/w/a/x", []string{"/w/a", "/w/a/x", "/w", "/", "twice"}, []string{"/w/a/x", "/w/a/x/y"}},
		{"/w/a", []string{"/w/a", "/w", "/", "twice"}, []string{"/w/a", "/w/a/x", "/w/a/x/y", "twice"}},
		{"/w/a%", []string{"/w", "/", "/w/a%"}, []string{"/w/a%"}},
		{"/w/ab/x", []string{"/w", "/", "/w/ab"}, nil},
		{"/", []string{"/"}, append([]string{"/v", "/w/a", "/w/a/x", "/w/a/x/y", "/w", "/"}, append(reversed(hostile()), "twice")...)},
	} {
		above, below := around(want.path)
		s.equal("above "+want.path, above, want.above)
		s.equal("below "+want.path, below, want.below)
	}
}

func reversed(all []string) []string {
	var back []string
	for i := range all {
		back = append(back, all[len(all)-1-i])
	}
	return back
}

func grantsChange(s *suite) {
	var last int64
	step := func(what string, raises bool, f func(tx store.Tx) error) {
		s.Helper()
		s.update(func(tx store.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			if n := must[int64](s)(tx.GrantsChange(s.Context())); n > last != raises {
				s.Errorf("%s: %d before, %d in the transaction, want raised = %t", what, last, n, raises)
			}
			return nil
		})
		n := must[int64](s)(s.GrantsChange(s.Context()))
		if n > last != raises || n < last {
			s.Errorf("%s: %d before, %d after, want raised = %t", what, last, n, raises)
		}
		last = n
	}
	a, b := vpath.Must("/w/a"), vpath.Must("/w/b")
	one := grant("g", "user:ann", "bob", "/w/a/x", 0)
	step("nothing yet", false, func(store.Tx) error { return nil })
	step("put", true, func(tx store.Tx) error { return tx.PutGrant(one) })
	step("put again", true, func(tx store.Tx) error { return tx.PutGrant(one) })
	step("move of nothing", false, func(tx store.Tx) error { return tx.MoveGrants(b, vpath.Must("/w/c")) })
	step("move onto itself", false, func(tx store.Tx) error { return tx.MoveGrants(a, a) })
	step("move", true, func(tx store.Tx) error { return tx.MoveGrants(a, b) })
	step("move onto it", true, func(tx store.Tx) error { return tx.MoveGrants(a, b) })
	step("drops of nothing", false, func(tx store.Tx) error {
		return errors.Join(tx.DropGrant("g"), tx.DropGrantsTo(one.Subject), tx.DropGrantsBelow(b))
	})
	for what, drop := range map[string]func(store.Tx) error{
		"drop":       func(tx store.Tx) error { return tx.DropGrant("g") },
		"drop to":    func(tx store.Tx) error { return tx.DropGrantsTo(one.Subject) },
		"drop below": func(tx store.Tx) error { return tx.DropGrantsBelow(a) },
	} {
		step("put before "+what, true, func(tx store.Tx) error { return tx.PutGrant(one) })
		step(what, true, drop)
	}
	if err := s.Update(s.Context(), func(tx store.Tx) error { return errors.Join(tx.PutGrant(one), errNo) }); !errors.Is(err, errNo) {
		s.Errorf("Update = %v, want the error of f", err)
	}
	s.reopen()
	step("undone, and opened again", false, func(store.Tx) error { return nil })
}

func links(s *suite) {
	full := store.Link{
		ID: "l1", Sum: sum("l1"), Workspace: "w", Name: "Änn", Contact: "ann@firm.example", Mode: "inbox", Giver: "ldap:bob", GiverName: "Bob",
		Created: at(0), Until: at(1), Revoked: at(2), Password: "$argon2id$", Version: 1 << 40, AskMail: true,
		Allowed: []string{"@firm.example", "eve@x.example, \"\""}, ViewOnly: true, MaxDownloads: 3, Downloads: 2,
		AskName: true, Subfolders: true, MaxFiles: 4, MaxBytes: 1 << 50, MaxFileBytes: 1 << 41, Types: []string{".pdf"}, Files: 5, Bytes: 1 << 42,
	}
	second := store.Link{ID: "l2", Sum: sum("l2"), Workspace: "w", Giver: "ldap:eve", Created: at(1)}
	third := store.Link{ID: "l3", Sum: sum("l3"), Workspace: "v", Giver: full.Giver, Created: at(2)}
	s.update(func(tx store.Tx) error { return errors.Join(tx.PutLink(full), tx.PutLink(second), tx.PutLink(third)) })
	s.reopen()
	ctx, list := s.Context(), must[[]store.Link](s)
	is(s, "by sum", full)(s.LinkBySum(ctx, full.Sum))
	is(s, "by ID", full)(s.LinkByID(ctx, "l1"))
	none[store.Link](s, "by no sum")(s.LinkBySum(ctx, sum("none")))
	none[store.Link](s, "by no ID")(s.LinkByID(ctx, "l"))
	s.equal("by", list(s.LinksBy(ctx, full.Giver)), []store.Link{third, full})
	s.equal("in", list(s.LinksIn(ctx, "w")), []store.Link{second, full})
	s.equal("in another", list(s.LinksIn(ctx, "W")), []store.Link{})
	if l, _ := found[store.Link](s)(s.LinkByID(ctx, "l2")); l.Allowed != nil || l.Types != nil || !l.Until.IsZero() || !l.Revoked.IsZero() {
		s.Errorf("what was never set is %q, %q, %v, %v", l.Allowed, l.Types, l.Until, l.Revoked)
	}
	full.Sum, full.Downloads, full.AskMail, full.Allowed = sum("new"), 3, false, nil
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLink(full), tx.DropLink("l2"), tx.DropLink("none"))
	})
	is(s, "by the new sum", full)(s.LinkBySum(ctx, full.Sum))
	none[store.Link](s, "by the old sum")(s.LinkBySum(ctx, sum("l1")))
	s.equal("left", list(s.LinksIn(ctx, "w")), []store.Link{full})
}

func downloads(s *suite) {
	one := func(id, link string, began, seen int) store.Download {
		return store.Download{ID: id, Link: link, Began: at(began), Seen: at(seen)}
	}
	a, b, c := one("a", "l", 1, 5), one("b", "l", 0, 6), one("c", "m", 0, 7)
	a.Visitor, a.What, a.Size, a.Sent = "cookie", "/x ü", 1<<40, []byte{0, 0xff, 1}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutDownload(a), tx.PutDownload(b), tx.PutDownload(c))
	})
	wants := func(when string, want ...store.Download) {
		s.Helper()
		list := must[[]store.Download](s)
		s.equal(when, append(list(s.DownloadsOf(s.Context(), "l")), list(s.DownloadsOf(s.Context(), "m"))...), want)
	}
	wants("put", b, a, c)
	b.Sent, b.Seen = []byte("x"), at(9)
	s.update(func(tx store.Tx) error { return errors.Join(tx.PutDownload(b), tx.DropDownloadsBefore(at(5))) })
	wants("nothing too old", b, a, c)
	s.update(func(tx store.Tx) error { return tx.DropDownloadsBefore(at(6)) })
	wants("one too old", b, c)
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropDownload("b"), tx.DropDownload("none")) })
	s.reopen()
	wants("dropped", c)
}

// sharingUndone ends an Update with an error after it has changed something of
// each role.
func sharingUndone(s *suite) {
	p := vpath.Must("/w/a")
	err := s.Update(s.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutGrant(store.Grant{ID: "x", Path: p}), tx.PutLink(store.Link{ID: "x"}), tx.PutDownload(store.Download{ID: "x"}),
			tx.PutDeposit(store.Deposit{ID: "x", Path: p}), tx.PutLabel(store.Label{Owner: "x", Path: p}), tx.PutUpload(store.Upload{ID: "x"}),
			tx.PutContact(store.Contact{Mail: "x", Folders: []vpath.Path{p}}), tx.PutAccount(store.Account{ID: "x"}), tx.PutTicket(store.Ticket{Sum: sum("x")}),
			tx.PutNotice(store.Notice{ID: "x", To: "x"}), tx.PutPreferences(store.Preferences{Owner: "x", Theme: "dark"}), errNo)
	})
	if !errors.Is(err, errNo) {
		s.Fatalf("Update = %v, want the error of f", err)
	}
	ctx := s.Context()
	none[store.Grant](s, "grant")(s.GrantByID(ctx, "x"))
	none[store.Link](s, "link")(s.LinkByID(ctx, "x"))
	none[store.Deposit](s, "deposit")(s.DepositByID(ctx, "x"))
	none[store.Upload](s, "upload")(s.UploadByID(ctx, "x"))
	none[store.Contact](s, "contact")(s.ContactByMail(ctx, "", "x"))
	none[store.Account](s, "account")(s.AccountByID(ctx, "x"))
	none[store.Ticket](s, "ticket")(s.TicketBySum(ctx, sum("x")))
	s.equal("downloads", must[[]store.Download](s)(s.DownloadsOf(ctx, "")), []store.Download{})
	s.equal("labels", must[[]store.Label](s)(s.LabelsIn(ctx, "x", p)), []store.Label{})
	s.equal("notices", must[[]store.Notice](s)(s.NoticesTo(ctx, "x", 9)), []store.Notice{})
	s.equal("preferences", must[store.Preferences](s)(s.PreferencesOf(ctx, "x")), store.Preferences{Owner: "x"})
}

// sharingBadText is badText for what people outside may write.
func sharingBadText(s *suite) {
	const bad = "a\x00b"
	for what, f := range map[string]func(store.Tx) error{
		"message": func(tx store.Tx) error { return tx.PutGrant(store.Grant{ID: "x", Message: bad}) },
		"name":    func(tx store.Tx) error { return tx.PutDeposit(store.Deposit{ID: "x", Name: bad}) },
		"allowed": func(tx store.Tx) error { return tx.PutLink(store.Link{ID: "x", Allowed: []string{bad}}) },
		"mail":    func(tx store.Tx) error { return tx.PutNotice(store.Notice{ID: "x", Mail: bad}) },
	} {
		if err := s.Update(s.Context(), f); !errors.Is(err, fs.ErrInvalid) {
			s.Errorf("a bad %s = %v, want fs.ErrInvalid", what, err)
		}
	}
	s.equal("no change", must[int64](s)(s.GrantsChange(s.Context())), int64(0))
}
