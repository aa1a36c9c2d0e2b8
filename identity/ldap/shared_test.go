package ldap

import (
	"errors"
	"testing"

	"portico/identity"
	"portico/internal/parts"
)

// TestSharedLogin: the rules name people by login. Where two entries have one,
// neither gets what is the other's, by whichever way they come: another value of
// the attribute, their mail, or the ID that a session or an app password has.
func TestSharedLogin(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Password: "one", Email: "a@firm.example"})
	eve := l.AddPerson(t, parts.Person{Login: "eve", Name: "Eve", Password: "two", Email: "e@firm.example"})
	o := options(t, l)
	o.Users.Filter = "(|(uid={login})(mail={login}))"
	d, _ := open(t, o)
	before, err := d.Authenticate(t.Context(), "e@firm.example", "two")
	if err != nil || before.Login != "eve" {
		t.Fatalf("Authenticate = %+v, %v", before, err)
	}
	l.Set(t, eve, "uid", "eve", "ann")
	for _, login := range []identity.Login{"eve", "e@firm.example", "ann"} {
		if got, err := d.Authenticate(t.Context(), login, "two"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%q) = %q, %v, want ErrRefused", login, got.Login, err)
		}
	}
	if got, err := d.ByID(t.Context(), before.ID); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByID = %q, %v, want ErrRefused", got.Login, err)
	}
	l.Set(t, ann, "uid", "ann.peeters")
	if got, err := d.ByID(t.Context(), before.ID); err != nil || got.Login != "ann" {
		t.Errorf("alone with the login: ByID = %q, %v", got.Login, err)
	}
}
