package gate_test

import (
	"slices"
	"testing"
	"time"

	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/internal/memstate"
)

const carol, dan identity.Login = "carol@acme.example", "dan@firm.example"

// onlyProvider is a house whose own people come through a provider alone, with one
// customer; dan is of the firm, under a mail address.
func onlyProvider(t *testing.T) (*house, *identitytest.Fake, gate.Settings) {
	t.Helper()
	h := newHouse(t, memstate.New())
	h.people.Set(identitytest.Person{Login: dan, Password: right})
	h.people.Set(identitytest.Person{Login: carol, Password: right})
	customers := identitytest.NewFake(identitytest.Person{Login: carol, Password: right})
	s := gate.Settings{
		People: h.people, Term: func(identity.Identity) time.Duration { return term },
		NoPasswords: true, Customers: customers,
	}
	h.Apply(s)
	return h, customers, s
}

// TestNoPasswordsButCustomers: a customer signs in with their own password, at the
// drive and elsewhere, and with an app password. The firm's directory sees none.
func TestNoPasswordsButCustomers(t *testing.T) {
	h, customers, s := onlyProvider(t)
	calls := h.people.Calls()
	h.try(h.Gate, carol, right, atB, "in")
	who, err := h.SignIn(t.Context(), identity.SignIn{Login: carol, Password: right, Address: atB})
	if got := outcome(who, err); got != "in" {
		t.Errorf("at a page: %s, want in", got)
	}
	if customers.Calls() != 1 {
		t.Errorf("the customers were asked %d times for what was known, want once", customers.Calls())
	}
	h.advance(term)
	h.try(h.Gate, carol, right, atB, "in") // by the note of her device
	if got := h.people.Calls(); got != calls {
		t.Errorf("the firm's directory was asked %d times, want never", got-calls)
	}
	s.RequireAppPassword = true
	h.Apply(s)
	h.try(h.Gate, carol, right, atB, "app password")
	who, err = h.SignIn(t.Context(), identity.SignIn{Login: carol, Password: right, Address: atB})
	if got := outcome(who, err); got != "in" {
		t.Errorf("at a page of who requires app passwords at drives: %s, want in", got)
	}
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", secret, atB, "in")
}

// TestNobodyTellsCustomers: a customer who mistyped, somebody of the firm and nobody
// hear the same, are looked at as often and count alike.
func TestNobodyTellsCustomers(t *testing.T) {
	for login, password := range map[identity.Login]string{carol: "wrong", dan: right, "nobody@else.example": "wrong"} {
		t.Run(string(login), func(t *testing.T) {
			h, customers, _ := onlyProvider(t)
			var answers []string
			calls := h.people.Calls()
			for range 8 {
				who, err := h.SignIn(t.Context(), identity.SignIn{Login: login, Password: password, Address: atA})
				answers = append(answers, outcome(who, err))
			}
			want := append(slices.Repeat([]string{"app password"}, 5), slices.Repeat([]string{"throttled"}, 3)...)
			if !slices.Equal(answers, want) || customers.Calls() != 5 || h.failed.Load() != 5 {
				t.Errorf("%q after %d look-ups, %d counted; want %q", answers, customers.Calls(), h.failed.Load(), want)
			}
			if got := h.people.Calls(); got != calls {
				t.Errorf("the firm's directory was asked %d times, want never", got-calls)
			}
		})
	}
}

// TestNoPasswordsByReload: who was in by a password of the firm's is out, and a
// customer who was in by the same door is in again.
func TestNoPasswordsByReload(t *testing.T) {
	h, _, s := onlyProvider(t)
	open := s
	open.NoPasswords = false
	h.Apply(open)
	h.try(h.Gate, dan, right, atB, "in")
	h.try(h.Gate, carol, right, atB, "in")
	h.Apply(s)
	h.try(h.Gate, dan, right, atB, "app password")
	h.try(h.Gate, "ann", right, atB, "app password")
	h.try(h.Gate, carol, right, atB, "in")
}
