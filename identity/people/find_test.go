package people_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/identity/static"
)

// finding is a directory that finds people by what is written of them, out of a
// list, and has closed accounts.
type finding struct {
	*identitytest.Fake
	all    []identity.Identity
	closed string // an address
	err    error
}

func newFinding(prefix string, all ...identity.Identity) *finding {
	f := &finding{}
	var known []identitytest.Person
	for _, who := range all {
		known = append(known, identitytest.Person{Login: who.Login, Name: who.Name, Email: who.Email})
		who.ID = prefix + string(who.Login)
		f.all = append(f.all, who)
	}
	f.Fake = identitytest.NewFakeOf(prefix, known...)
	return f
}

func (f *finding) ByMail(_ context.Context, mail string) (identity.Identity, error) {
	if f.err != nil {
		return identity.Identity{}, f.err
	}
	if f.closed != "" && mail == f.closed {
		return identity.Identity{}, identity.ErrTaken
	}
	var all []identity.Identity
	for _, who := range f.all {
		if who.HasMail(mail) {
			all = append(all, who)
		}
	}
	return identity.Only(all)
}

func (f *finding) Search(_ context.Context, text string, limit int) ([]identity.Identity, error) {
	return identity.Found(f.all, text, limit), f.err
}

func (f *finding) fail(err error) {
	f.err = err
	f.Fail(err)
}

// finders is a chain of all four, in which ann is in the config and in the
// directory, and eve is a customer.
func finders(t *testing.T) (c *people.Chain, firm, outside *finding) {
	t.Helper()
	users, err := static.New([]static.User{
		{ID: "user:ann", Login: "ann", Name: "Ann of the config", Email: "ann@config.example", Hash: identitytest.Hash(t, password)},
	}, identity.NewQueue(2, identity.Room))
	if err != nil {
		t.Fatal(err)
	}
	firm = newFinding("ldap:",
		identity.Identity{Login: "Ann", Name: "Ann of the firm", Email: "ann@firm.example"},
		identity.Identity{Login: "bob", Name: "Bob Ann", Email: "bob@firm.example"})
	firm.closed = "gone@firm.example"
	outside = newFinding("oidc:",
		identity.Identity{Login: "BOB", Name: "Bob Ann of outside", Email: "bob@partner.example"},
		identity.Identity{Login: "zoë", Name: "Annabel Zoë", Email: "zoe@partner.example"})
	c, err = people.New(people.Options{
		Users:    people.Source{Directory: users, Prefix: "user:"},
		Firm:     people.Source{Directory: firm, Prefix: "ldap:"},
		Outside:  people.Source{Directory: outside, Prefix: "oidc:"},
		Contacts: people.Source{Directory: identitytest.NewFakeOf("contact:", identitytest.Person{Login: "eve@x.example", Name: "Anneke"}), Prefix: "contact:"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, firm, outside
}

func TestByMail(t *testing.T) {
	t.Parallel()
	c, firm, _ := finders(t)
	for _, m := range []struct {
		mail, id string
		err      error
	}{
		{"ann@config.example", "user:ann", nil},
		{"ann@firm.example", "user:ann", nil}, // the login is the config's
		{"bob@firm.example", "ldap:bob", nil},
		{"bob@partner.example", "ldap:bob", nil}, // the login is the directory's
		{"zoe@partner.example", "oidc:zoë", nil},
		{"gone@firm.example", "", identity.ErrTaken},
		{"eve@x.example", "", identity.ErrRefused}, // a customer is no colleague
		{"nobody@x.example", "", identity.ErrRefused},
		{"", "", identity.ErrRefused},
	} {
		who, err := c.ByMail(t.Context(), m.mail)
		want(t, fmt.Sprintf("ByMail(%q)", m.mail), who, err, m.id, m.err)
		if errors.Is(err, identity.ErrTaken) != errors.Is(m.err, identity.ErrTaken) {
			t.Errorf("ByMail(%q) = %v, want %v", m.mail, err, m.err)
		}
	}
	firm.fail(fmt.Errorf("away: %w", fault.ErrUnavailable))
	for mail, id := range map[string]string{"ann@config.example": "user:ann", "zoe@partner.example": "", "eve@x.example": "", "nobody@x.example": ""} {
		who, err := c.ByMail(t.Context(), mail)
		wantErr := fault.ErrUnavailable
		if id != "" {
			wantErr = nil
		}
		want(t, "away: ByMail of "+mail, who, err, id, wantErr)
	}
}

// TestByMailThatIsALogin: the directory may let people in by an address that it
// does not write down as theirs.
func TestByMailThatIsALogin(t *testing.T) {
	t.Parallel()
	c, firm, _ := finders(t)
	firm.Set(identitytest.Person{ID: "7", Login: "carl@upn.example"})
	who, err := c.ByMail(t.Context(), "Carl@upn.example")
	want(t, "ByMail of a login", who, err, "ldap:7", nil)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	c, firm, outside := finders(t)
	wants := func(what, text string, limit int, want ...string) {
		t.Helper()
		found, err := c.Search(t.Context(), text, limit)
		var got []string
		for _, who := range found {
			got = append(got, who.ID)
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: Search(%q) = %v (-want +got):\n%s", what, text, err, d)
		}
	}
	wants("all", "ann", 10, "user:ann", "oidc:zoë", "ldap:bob")
	wants("some", "ann", 2, "user:ann", "oidc:zoë")
	wants("of the firm", "ann of the firm", 10) // who has the login is called otherwise
	wants("nobody", "xy", 10)
	wants("nothing", "", 10)
	firm.fail(fmt.Errorf("away: %w", fault.ErrUnavailable))
	wants("away", "ann", 10, "user:ann", "oidc:zoë", "oidc:BOB")
	broken := errors.New("broken")
	outside.fail(broken)
	if _, err := c.Search(t.Context(), "ann", 10); !errors.Is(err, broken) {
		t.Errorf("Search with a fault = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Search(ctx, "ann", 10); err == nil {
		t.Error("Search for one who has left gives no error")
	}
}
