package people_test

import (
	"context"
	"errors"
	"testing"

	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/people"
)

// closing is a directory in which some accounts are closed.
type closing struct {
	identity.Directory
	closed map[string]bool // by key of the login
}

func (c closing) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	if c.closed[login.Key()] {
		return identity.Identity{}, identity.ErrTaken
	}
	return c.Directory.ByLogin(ctx, login)
}

// TestClosedKeepsItsLogin: somebody whom the firm has shut out does not come back
// through the outside provider, nor anybody else under their login, to whom the
// rules would give what was theirs.
func TestClosedKeepsItsLogin(t *testing.T) {
	firm := closing{identitytest.NewFakeOf("ldap:"), map[string]bool{identity.Login("zoë").Key(): true}}
	c, err := people.New(people.Options{
		Firm:    people.Source{Directory: firm, Prefix: "ldap:"},
		Outside: people.Source{Directory: identitytest.NewFakeOf("oidc:", identitytest.Person{ID: "1", Login: "Zoë"}, identitytest.Person{ID: "2", Login: "yan"}), Prefix: "oidc:"},
	})
	if err != nil {
		t.Fatal(err)
	}
	who, err := c.ByLogin(t.Context(), "zoë")
	want(t, "ByLogin of a closed account", who, err, "", identity.ErrRefused)
	if !errors.Is(err, identity.ErrTaken) || err.Error() != identity.ErrRefused.Error() {
		t.Errorf("ByLogin of a closed account = %v, want ErrTaken, in the words of ErrRefused", err)
	}
	who, err = c.ByID(t.Context(), "oidc:1")
	want(t, "ByID of one with the login of a closed account", who, err, "", identity.ErrRefused)
	who, err = c.ByID(t.Context(), "oidc:2")
	want(t, "ByID of another", who, err, "oidc:2", nil)
}
