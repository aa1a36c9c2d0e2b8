package ldap

import (
	"errors"
	"testing"

	"portico/identity"
	"portico/internal/parts"
)

// TestTaken: a login that the directory has and lets nobody in with is told from
// one that it does not have.
func TestTaken(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Password: "one", Email: "a@firm.example"})
	l.Set(t, ann, "pwdAccountLockedTime", "000001010000Z")
	bob := l.AddPerson(t, parts.Person{Login: "bob", Name: "Bob", Password: "one", Email: "b@firm.example"})
	l.AddPerson(t, parts.Person{Login: "eve", Name: "Eve", Password: "two", Email: "e@firm.example"})
	l.Set(t, bob, "uid", "bob", "eve")
	d, _ := open(t, options(t, l))
	for login, want := range map[identity.Login]error{"ann": identity.ErrTaken, "eve": identity.ErrTaken, "nobody": identity.ErrRefused} {
		_, err := d.ByLogin(t.Context(), login)
		if !errors.Is(err, want) || errors.Is(err, identity.ErrTaken) != errors.Is(want, identity.ErrTaken) || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("ByLogin(%q) = %v, want %v", login, err, want)
		}
		if _, err := d.Authenticate(t.Context(), login, "one"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%q) = %v, want ErrRefused", login, err)
		}
	}
}
