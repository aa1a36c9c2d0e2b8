package people_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/identity/static"
)

// firm is a chain of three, with the directories at hand.
type firm struct {
	*people.Chain
	users         *counted
	ldap, outside *identitytest.Fake
	queue         *identity.Queue
}

// counted counts what is asked of a directory.
type counted struct {
	identity.Directory
	proofs int
}

func (c *counted) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	c.proofs++
	return c.Directory.Authenticate(ctx, login, password)
}

const password = "correct horse battery"

func newFirm(t *testing.T) *firm {
	t.Helper()
	f := &firm{
		queue: identity.NewQueue(2, identity.Room),
		ldap: identitytest.NewFakeOf("ldap:", identitytest.Person{Login: "bob", Password: password, Groups: []identity.Membership{{Group: "staff"}}},
			identitytest.Person{Login: "ann", Password: "the directory's ann"}),
		outside: identitytest.NewFakeOf("oidc:", identitytest.Person{Login: "zoë"}, identitytest.Person{ID: "bob2", Login: "bob"}),
	}
	users, err := static.New([]static.User{{ID: "user:ann", Login: "ann", Hash: identitytest.Hash(t, password)}}, f.queue)
	if err != nil {
		t.Fatal(err)
	}
	f.users = &counted{Directory: users}
	f.Chain, err = people.New(people.Options{
		Users:   people.Source{Directory: f.users, Prefix: "user:", Term: 5 * time.Minute},
		Firm:    people.Source{Directory: f.ldap, Prefix: "ldap:", Term: time.Minute},
		Outside: people.Source{Directory: f.outside, Prefix: "oidc:", Term: 30 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// want checks an answer: an ID, or an error with nobody.
func want(t *testing.T, what string, who identity.Identity, err error, id string, wantErr error) {
	t.Helper()
	if who.ID != id || !errors.Is(err, wantErr) {
		t.Errorf("%s = %q, %v, want %q, %v", what, who.ID, err, id, wantErr)
	}
}

func TestContract(t *testing.T) {
	identitytest.Run(t, func(t *testing.T, all []identitytest.Person) identity.Provider {
		t.Helper()
		var users []static.User
		for _, p := range all[:1] {
			users = append(users, static.User{ID: "user:" + string(p.Login), Login: p.Login, Name: p.Name, Email: p.Email, Hash: identitytest.Hash(t, p.Password)})
		}
		first, err := static.New(users, identity.NewQueue(2, identity.Room))
		if err != nil {
			t.Fatal(err)
		}
		c, err := people.New(people.Options{
			Users: people.Source{Directory: first, Prefix: "user:"},
			Firm:  people.Source{Directory: identitytest.NewFakeOf("ldap:", all[1:]...), Prefix: "ldap:"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

func TestAuthenticate(t *testing.T) {
	f := newFirm(t)
	for _, c := range []struct {
		login    identity.Login
		password string
		id       string
		err      error
	}{
		{"ann", password, "user:ann", nil},
		{"ANN", password, "user:ann", nil},
		{"ann", "the directory's ann", "", identity.ErrRefused}, // that ann is nobody here
		{"bob", password, "ldap:bob", nil},
		{"bob", "wrong", "", identity.ErrRefused},
		{"zoë", password, "", identity.ErrRefused}, // has no password
		{"nobody", password, "", identity.ErrRefused},
		{"", password, "", identity.ErrRefused},
		{"bob", "", "", identity.ErrRefused},
	} {
		who, err := f.Authenticate(t.Context(), c.login, c.password)
		want(t, fmt.Sprintf("Authenticate(%q, %q)", c.login, c.password), who, err, c.id, c.err)
	}
}

// TestOwnUsersStayHome: a password for a user of the config is shown to no other
// directory.
func TestOwnUsersStayHome(t *testing.T) {
	f := newFirm(t)
	for _, p := range []string{password, "wrong"} {
		_, _ = f.Authenticate(t.Context(), "Ann", p)
	}
	if n := f.ldap.Calls() + f.outside.Calls(); n != 0 {
		t.Errorf("%d calls of other directories, want none", n)
	}
}

// TestSameWork counts the hashes instead of measuring them (THREATS.md row 59):
// one for each refusal, whoever it was, and none for those whom the firm's
// directory takes.
func TestSameWork(t *testing.T) {
	f := newFirm(t)
	for login, hashes := range map[identity.Login]uint64{"ann": 1, "bob": 1, "zoë": 1, "nobody": 1} {
		before := f.queue.Done()
		_, err := f.Authenticate(t.Context(), login, "wrong")
		if got := f.queue.Done() - before; got != hashes || !errors.Is(err, identity.ErrRefused) || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("%q was refused with %v after %d hashes, want ErrRefused after %d", login, err, got, hashes)
		}
	}
	before := f.queue.Done()
	if _, err := f.Authenticate(t.Context(), "bob", password); err != nil || f.queue.Done() != before {
		t.Errorf("bob's right password = %v after %d hashes, want none", err, f.queue.Done()-before)
	}
}

// TestAway: a directory that is away takes nobody along who is not its own.
func TestAway(t *testing.T) {
	f := newFirm(t)
	f.ldap.Fail(fmt.Errorf("ldap: %w", fault.ErrUnavailable))
	who, err := f.Authenticate(t.Context(), "ann", password)
	want(t, "Authenticate(ann)", who, err, "user:ann", nil)
	who, err = f.ByID(t.Context(), "user:ann")
	want(t, "ByID(user:ann)", who, err, "user:ann", nil)
	who, err = f.ByLogin(t.Context(), "ann")
	want(t, "ByLogin(ann)", who, err, "user:ann", nil)
	for _, login := range []identity.Login{"bob", "zoë", "nobody"} {
		who, err = f.Authenticate(t.Context(), login, password)
		want(t, "Authenticate of "+string(login), who, err, "", fault.ErrUnavailable)
		who, err = f.ByLogin(t.Context(), login)
		want(t, "ByLogin of "+string(login), who, err, "", fault.ErrUnavailable)
	}
	for _, id := range []string{"ldap:bob", "oidc:zoë"} {
		who, err = f.ByID(t.Context(), id)
		want(t, "ByID of "+id, who, err, "", fault.ErrUnavailable)
	}
}

// TestFinds: a login is one person, the first who has it.
func TestFinds(t *testing.T) {
	f := newFirm(t)
	for login, id := range map[identity.Login]string{"ann": "user:ann", "bob": "ldap:bob", "zoë": "oidc:zoë", "ZOË": "oidc:zoë", "nobody": ""} {
		var wantErr error
		if id == "" {
			wantErr = identity.ErrRefused
		}
		who, err := f.ByLogin(t.Context(), login)
		want(t, "ByLogin of "+string(login), who, err, id, wantErr)
	}
	for id, found := range map[string]bool{
		"user:ann": true, "ldap:bob": true, "oidc:zoë": true,
		"ldap:ann": false, "oidc:bob2": false, // whose logins are another's
		"ldap:nobody": false, "other:ann": false, "": false, "user:": false,
	} {
		who, err := f.ByID(t.Context(), id)
		if found {
			want(t, "ByID of "+id, who, err, id, nil)
		} else {
			want(t, "ByID of "+id, who, err, "", identity.ErrRefused)
		}
	}
}

// aliased is a directory that takes a mail address and answers with the login.
type aliased struct{ identity.Directory }

func (a aliased) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if login == "ann@firm.example" {
		login = "ann"
	}
	return a.Directory.Authenticate(ctx, login, password)
}

// TestAliasTakesNoLoginOver: the directory's ann does not become the config's by
// way of her mail address.
func TestAliasTakesNoLoginOver(t *testing.T) {
	f := newFirm(t)
	c, err := people.New(people.Options{
		Users: people.Source{Directory: f.users, Prefix: "user:"},
		Firm:  people.Source{Directory: aliased{f.ldap}, Prefix: "ldap:"},
	})
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.Authenticate(t.Context(), "ann@firm.example", "the directory's ann")
	want(t, "Authenticate by mail", who, err, "", identity.ErrRefused)
}

// TestFewer: not each firm has all three.
func TestFewer(t *testing.T) {
	f := newFirm(t)
	for name, o := range map[string]people.Options{
		"nothing":      {},
		"outside only": {Outside: people.Source{Directory: f.outside, Prefix: "oidc:"}},
		"ldap only":    {Firm: people.Source{Directory: f.ldap, Prefix: "ldap:"}},
		"users only":   {Users: people.Source{Directory: f.users, Prefix: "user:"}},
	} {
		c, err := people.New(o)
		if err != nil {
			t.Fatal(err)
		}
		who, err := c.Authenticate(t.Context(), "nobody", password)
		want(t, name+": Authenticate(nobody)", who, err, "", identity.ErrRefused)
		who, err = c.ByID(t.Context(), "x:nobody")
		want(t, name+": ByID(x:nobody)", who, err, "", identity.ErrRefused)
	}
	if f.users.proofs != 1 {
		t.Errorf("the users of the config were asked %d times, want once", f.users.proofs)
	}
}

func TestTerms(t *testing.T) {
	f := newFirm(t)
	for id, want := range map[string]time.Duration{
		"user:ann": 5 * time.Minute, "ldap:bob": time.Minute, "oidc:zoë": 30 * time.Second, "else": 0,
	} {
		if got := f.Term(identity.Identity{ID: id}); got != want {
			t.Errorf("Term(%q) = %v, want %v", id, got, want)
		}
	}
}

func TestPrefixes(t *testing.T) {
	f := newFirm(t)
	for _, prefix := range []string{"", "u", "user:", "user:x"} {
		_, err := people.New(people.Options{
			Users: people.Source{Directory: f.users, Prefix: "user:"},
			Firm:  people.Source{Directory: f.ldap, Prefix: prefix},
		})
		if err == nil {
			t.Errorf("New with the prefixes user: and %q = nil", prefix)
		}
	}
}
