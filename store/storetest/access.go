package storetest

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	"portico/fault"
	"portico/store"
)

func sum(text string) store.Sum { return sha256.Sum256([]byte(text)) }

func appPasswords(s *suite) {
	first := store.AppPassword{
		ID: "z", Sum: sum("z"), Owner: "ann", Login: "Ann", Name: "laptop 😀", Workspace: "w", ReadOnly: true,
		Created: now(), Expires: now().Add(time.Hour), Used: now().Add(time.Minute), UsedFrom: "::1",
	}
	second := store.AppPassword{ID: "a", Sum: sum("a"), Owner: "ann", Created: now().Add(time.Second)}
	third := store.AppPassword{ID: "m", Sum: sum("m"), Owner: "bob", Created: now()}
	of := func(owner string) []store.AppPassword {
		return must[[]store.AppPassword](s)(s.AppPasswordsOf(s.Context(), owner))
	}
	by := func(text string) store.AppPassword {
		p, found, err := s.AppPasswordBySum(s.Context(), sum(text))
		if err != nil || found != (p.ID == text) {
			s.Fatalf("AppPasswordBySum(%s) = %v, %t, %v", text, p, found, err)
		}
		return p
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutAppPassword(second), tx.PutAppPassword(first), tx.PutAppPassword(third))
	})
	s.equal("of ann", of("ann"), []store.AppPassword{first, second})
	s.equal("of nobody", of("an"), []store.AppPassword{})
	s.equal("by sum", by("z"), first)
	s.equal("by no sum", by("none"), store.AppPassword{})
	if got := by("a"); !got.Expires.IsZero() || !got.Used.IsZero() {
		s.Errorf("times that were never set are %v and %v", got.Expires, got.Used)
	}
	second.Used, second.UsedFrom = now().Add(time.Hour), "192.0.2.1"
	first.Name, first.Sum = "desktop", sum("new")
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.TouchAppPassword("a", second.Used, second.UsedFrom), tx.TouchAppPassword("none", now(), ""),
			tx.PutAppPassword(first), tx.DropAppPassword("m"), tx.DropAppPassword("none"))
	})
	s.reopen()
	s.equal("changed", of("ann"), []store.AppPassword{first, second})
	s.equal("dropped", of("bob"), []store.AppPassword{})
	s.equal("by an old sum", by("z"), store.AppPassword{})
}

func sessions(s *suite) {
	one := func(text, owner string, expires time.Duration) store.Session {
		return store.Session{Sum: sum(text), Owner: owner, Data: []byte(`{"n":"\u0000"}`), Created: now(), Seen: now(), Expires: now().Add(expires)}
	}
	wants := func(when string, want ...store.Session) {
		s.Helper()
		var got []store.Session
		for _, text := range []string{"a", "b", "c", "d"} {
			one, found, err := s.SessionBySum(s.Context(), sum(text))
			if err != nil {
				s.Fatal(err)
			}
			if found {
				got = append(got, one)
			}
		}
		s.equal(when, got, want)
	}
	a, b, c, d := one("a", "ann", time.Hour), one("b", "ann", time.Minute), one("c", "bob", time.Minute+1000), one("d", "bob", time.Hour)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSession(a), tx.PutSession(b), tx.PutSession(c), tx.PutSession(d))
	})
	wants("put", a, b, c, d)
	a.Data, d.Seen = nil, now().Add(time.Second)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSession(a), tx.TouchSession(d.Sum, d.Seen), tx.TouchSession(sum("none"), now()))
	})
	wants("changed", a, b, c, d)
	s.update(func(tx store.Tx) error { return tx.DropExpiredSessions(now().Add(time.Minute)) })
	wants("expired", a, c, d)
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropSession(c.Sum), tx.DropSession(sum("none"))) })
	wants("dropped", a, d)
	s.update(func(tx store.Tx) error { return tx.DropSessionsOf("ann") })
	s.reopen()
	wants("ann is out", d)
}

func people(s *suite) {
	p := store.Person{ID: "oidc:1", Login: "ann", Name: "Änn", Email: "ann@firm.example", Groups: []string{"b", "a, \"x\""}, Seen: now()}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutPerson(store.Person{ID: "oidc:1", Login: "old"}), tx.PutPerson(p), tx.PutPerson(store.Person{ID: "oidc:2"}))
	})
	for _, want := range []store.Person{p, {ID: "oidc:2"}, {}} {
		got, found, err := s.PersonByID(s.Context(), want.ID)
		if err != nil || found != (want.ID != "") {
			s.Errorf("PersonByID(%q) = found %t, %v", want.ID, found, err)
		}
		s.equal("person", got, want)
	}
	for prefix, want := range map[string][]store.Person{
		"oidc:": {p}, "oidc:1": {p}, "oidc:2": nil, "o": {p}, "O": nil, "%": nil, "oidc_": nil, "": {p},
	} {
		s.equal("under "+prefix, must[[]store.Person](s)(s.PeopleUnder(s.Context(), prefix, p.Seen)), want)
	}
	s.equal("seen later", must[[]store.Person](s)(s.PeopleUnder(s.Context(), "oidc:", p.Seen.Add(time.Microsecond))), []store.Person(nil))
	s.equal("of all times", must[[]store.Person](s)(s.PeopleUnder(s.Context(), "oidc:", time.Time{})), []store.Person{p, {ID: "oidc:2"}})
}

func attempts(s *suite) {
	a := store.Attempts{Key: "account:ann", Count: 3, First: now().Add(-time.Hour), Last: now(), Until: now().Add(time.Minute), Strikes: 2}
	b := store.Attempts{Key: `address:"['1`, Count: 1, First: now(), Last: now()}
	c := store.Attempts{Key: "c", Last: now().Add(time.Second)}
	all := func() map[string]store.Attempts {
		return must[map[string]store.Attempts](s)(s.Attempts(s.Context(), a.Key, b.Key, c.Key, "none", a.Key))
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutAttempts(store.Attempts{Key: a.Key}), tx.PutAttempts(a), tx.PutAttempts(b), tx.PutAttempts(c))
	})
	s.equal("all", all(), map[string]store.Attempts{a.Key: a, b.Key: b, c.Key: c})
	s.equal("one", must[map[string]store.Attempts](s)(s.Attempts(s.Context(), b.Key)), map[string]store.Attempts{b.Key: b})
	s.equal("of no keys", must[map[string]store.Attempts](s)(s.Attempts(s.Context())), map[string]store.Attempts{})
	for prefix, want := range map[string][]store.Attempts{
		"account:": {a}, "account:ann": {a}, "account:anna": nil, "a": {a, b}, "A": nil, `address:"['`: {b}, "%": nil, "_": nil, "": {a, b, c},
	} {
		s.equal("under "+prefix, must[[]store.Attempts](s)(s.AttemptsUnder(s.Context(), prefix)), want)
	}
	for _, step := range []struct {
		before time.Time
		want   map[string]store.Attempts
	}{
		{now(), map[string]store.Attempts{a.Key: a, b.Key: b, c.Key: c}},
		{now().Add(time.Microsecond), map[string]store.Attempts{a.Key: a, c.Key: c}}, // a is still kept out
		{now().Add(time.Minute), map[string]store.Attempts{a.Key: a}},
		{now().Add(time.Hour), map[string]store.Attempts{}},
	} {
		s.update(func(tx store.Tx) error { return tx.DropAttemptsBefore(step.before) })
		s.equal("left", all(), step.want)
	}
}

// badText offers what not every database can keep as text: all must refuse it
// alike, as a bad argument and not as a failure of the store.
func badText(s *suite) {
	for _, bad := range []string{"a\x00b", "a\xff"} {
		wants := func(what string, err error) {
			s.Helper()
			if !errors.Is(err, fs.ErrInvalid) || errors.Is(err, fault.ErrUnavailable) {
				s.Errorf("%s of %q = %v, want fs.ErrInvalid", what, bad, err)
			}
		}
		wants("PutPerson", s.Update(s.Context(), func(tx store.Tx) error { return tx.PutPerson(store.Person{ID: bad}) }))
		_, _, err := s.PersonByID(s.Context(), bad)
		wants("PersonByID", err)
		_, err = s.PeopleUnder(s.Context(), bad, now())
		wants("PeopleUnder", err)
		wants("PutPerson, groups", s.Update(s.Context(), func(tx store.Tx) error {
			return tx.PutPerson(store.Person{ID: "x", Groups: []string{bad}})
		}))
		_, err = s.Attempts(s.Context(), "a", bad)
		wants("Attempts", err)
		_, err = s.AttemptsUnder(s.Context(), bad)
		wants("AttemptsUnder", err)
		s.update(func(tx store.Tx) error {
			_, err := tx.Attempts(s.Context(), bad)
			wants("Attempts inside", err)
			return tx.PutPerson(store.Person{ID: "good"}) // the transaction goes on
		})
	}
}
