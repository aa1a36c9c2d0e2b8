package people_test

import (
	"errors"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/people"
)

// Customers come last, and whom the firm knows is none of them.
func TestContactsComeLast(t *testing.T) {
	const carol, bob = "carol@acme.example", "bob@firm.example"
	f := newFirm(t)
	customers := identitytest.NewFakeOf("contact:", identitytest.Person{Login: carol, Password: password},
		identitytest.Person{Login: bob, Password: "bob as a customer"}, identitytest.Person{Login: "plain", Password: password})
	f.ldap.Set(identitytest.Person{Login: bob, Password: password})
	proofs := &counted{Directory: customers}
	c, err := people.New(people.Options{
		Users:    people.Source{Directory: f.users, Prefix: "user:"},
		Firm:     people.Source{Directory: f.ldap, Prefix: "ldap:"},
		Outside:  people.Source{Directory: f.outside, Prefix: "oidc:"},
		Contacts: people.Source{Directory: proofs, Prefix: "contact:", Term: 10 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		login    identity.Login
		password string
		id       string // "" for refused
		hashes   int    // of users and customers together
	}{
		{"ann", password, "user:ann", 1},
		{"ann", "wrong", "", 1},
		{bob, password, "ldap:" + bob, 0},
		{bob, "bob as a customer", "", 1},
		{bob, "wrong", "", 1},
		{carol, password, "contact:" + carol, 1},
		{carol, "wrong", "", 1},
		{"nobody@acme.example", "wrong", "", 1},
		{"nobody", "wrong", "", 1},
		{"plain", password, "", 1},
	} {
		f.users.proofs, proofs.proofs = 0, 0
		who, err := c.Authenticate(t.Context(), x.login, x.password)
		if who.ID != x.id || (x.id == "") != errors.Is(err, identity.ErrRefused) || f.users.proofs+proofs.proofs != x.hashes {
			t.Errorf("%s with %q: %q, %v, after %d hashes", x.login, x.password, who.ID, err, f.users.proofs+proofs.proofs)
		}
	}
	if who, err := c.ByID(t.Context(), "contact:"+carol); err != nil || c.Term(who) != 10*time.Second {
		t.Errorf("ByID = %+v, %v", who, err)
	}
	if _, err := c.ByID(t.Context(), "contact:"+bob); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("a colleague who was a customer: %v", err)
	}
	for _, x := range []struct {
		login    identity.Login
		password string
		id       string
	}{
		{carol, password, "contact:" + carol},
		{carol, "wrong", ""},
		{bob, password, ""},
		{bob, "bob as a customer", ""},
		{"ann", password, ""},
		{"nobody@acme.example", "wrong", ""},
	} {
		f.users.proofs, proofs.proofs = 0, 0
		who, err := c.Customers().Authenticate(t.Context(), x.login, x.password)
		if who.ID != x.id || (x.id == "") != errors.Is(err, identity.ErrRefused) || f.users.proofs != 0 || proofs.proofs != 1 {
			t.Errorf("among customers, %s with %q: %q, %v, after %d hashes", x.login, x.password, who.ID, err, proofs.proofs)
		}
	}
	f.ldap.Fail(fault.ErrUnavailable)
	if _, err := c.Customers().Authenticate(t.Context(), carol, password); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("one of the customers, while nobody knows whether the firm has them: %v", err)
	}
	if _, err := c.Authenticate(t.Context(), carol, password); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a customer, while nobody knows whether the firm has them: %v", err)
	}
}
