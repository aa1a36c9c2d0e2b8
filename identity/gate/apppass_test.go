package gate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/identitytest"
	"portico/internal/memstate"
	"portico/store"
)

func TestAppPassword(t *testing.T) { over(t, appPassword) }

func appPassword(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	secret, p := h.app(apppass.Wish{Limit: identity.Limit{Workspace: "firm", ReadOnly: true}})
	got, err := h.SignIn(t.Context(), identity.SignIn{Login: "Ann", Password: secret, Address: atB, Drive: true})
	want := identity.Identity{
		ID: "id-ann", Login: "ann", Groups: []identity.Membership{{Group: "staff"}},
		Limit: identity.Limit{Workspace: "firm", ReadOnly: true}, Key: p.ID,
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("SignIn = %v (-want +got):\n%s", err, d)
	}
	// Another of the same person's is not limited by the first.
	whole, _ := h.app(apppass.Wish{})
	if got, err = h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: whole, Address: atB}); err != nil || got.Limit != (identity.Limit{}) {
		t.Errorf("SignIn = %+v, %v", got, err)
	}
	if err := h.keys.Close(); err != nil {
		t.Fatal(err)
	}
	list, err := h.keys.List(t.Context(), "id-ann")
	if err != nil || list[0].UsedFrom != atB || !list[0].Used.Equal(h.now()) {
		t.Errorf("its use is noted as %+v, %v", list, err)
	}
}

// TestRevokedAtOnce on all replicas, whatever they have seen.
func TestRevokedAtOnce(t *testing.T) { over(t, revokedAtOnce) }

func revokedAtOnce(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	secret, p := h.app(apppass.Wish{})
	other := h.replica()
	h.try(h.Gate, "ann", secret, atB, "in")
	h.try(other, "ann", secret, atB, "in")
	if err := h.keys.Revoke(t.Context(), "id-ann", p.ID, func(store.Tx, store.AppPassword) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.try(h.Gate, "ann", secret, atB, "refused")
	h.try(other, "ann", secret, atB, "refused")
}

// TestAppPasswordPasses whatever the throttle says: no attacker shuts it out.
func TestAppPasswordPasses(t *testing.T) { over(t, appPasswordPasses) }

func appPasswordPasses(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	secret, _ := h.app(apppass.Wish{})
	for i := range 25 {
		_, _ = h.SignIn(t.Context(), identity.SignIn{Login: identity.Login(fmt.Sprint("user", i)), Password: "x", Address: atA})
	}
	h.attack(atB)
	h.try(h.Gate, "new", right, atA, "throttled")
	h.try(h.Gate, "ann", right, atB, "throttled")
	h.try(h.Gate, "ann", secret, atA, "in")
	h.try(h.Gate, "ann", secret, atB, "in")
}

// TestWrongAppPasswordCounts as a wrong password does; one that was mistyped or
// has expired is no guess.
func TestWrongAppPasswordCounts(t *testing.T) { over(t, wrongAppPasswordCounts) }

func wrongAppPasswordCounts(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	secret, p := h.app(apppass.Wish{})
	expiring, _ := h.app(apppass.Wish{Expires: h.now().Add(time.Hour)})
	h.advance(time.Hour)
	for range 30 {
		h.try(h.Gate, "ann", expiring, atB, "refused")
		h.try(h.Gate, "ann", secret[:20]+"0"+secret[21:]+"0", atB, "refused")
		h.try(h.Gate, "ann", "gwp_", atB, "refused")
	}
	if h.people.Calls() != 0 {
		t.Errorf("%d calls of the directory for what has the form of an app password, want none", h.people.Calls())
	}
	for range 5 { // another's login
		h.try(h.Gate, "bob", secret, atC, "refused")
	}
	h.try(h.Gate, "bob", secret, atC, "throttled")
	h.try(h.Gate, "bob", "another horse", atC, "throttled")
	if err := h.keys.Revoke(t.Context(), "id-ann", p.ID, func(store.Tx, store.AppPassword) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		h.try(h.Gate, "ann", secret, atB, "refused")
	}
	h.try(h.Gate, "ann", secret, atB, "throttled")
}

// TestOwnerLeaves (THREATS.md row 68): who leaves, or a group, has left with all
// app passwords within the term.
func TestOwnerLeaves(t *testing.T) { over(t, ownerLeaves) }

func ownerLeaves(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", secret, atB, "in")
	h.people.Set(identitytest.Person{Login: "ann", Password: right})
	h.advance(term)
	who, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: secret, Address: atB})
	if err != nil || len(who.Groups) != 0 {
		t.Errorf("SignIn = %v, %v, want no group any more", who.Groups, err)
	}
	h.people.Drop("ann")
	h.try(h.Gate, "ann", secret, atB, "in")
	h.advance(term)
	for range 30 { // which is no guess either
		h.try(h.Gate, "ann", secret, atB, "refused")
	}
	h.people.Set(identitytest.Person{ID: "ann", Login: "ann.peeters", Password: right}) // back, renamed
	h.advance(term)
	h.try(h.Gate, "ann.peeters", secret, atB, "in")
	h.try(h.Gate, "ann", secret, atB, "refused")
}

// TestOwnersDirectoryAway: what has not expired is let in, else 503, never 401.
func TestOwnersDirectoryAway(t *testing.T) {
	s := memstate.New()
	h := newHouse(t, s)
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", secret, atB, "in")
	h.people.Fail(fmt.Errorf("ldap: %w", fault.ErrUnavailable))
	h.try(h.Gate, "ann", secret, atB, "in")
	h.advance(term)
	h.try(h.Gate, "ann", secret, atB, "away")
	h.people.Fail(nil)
	h.try(h.Gate, "ann", secret, atB, "in")
	s.Fail(errors.New("disk I/O error")) // what only the store may know is not answered from memory
	h.try(h.Gate, "ann", secret, atB, "away")
}

// TestSecretsStayOut of the log and of errors.
func TestSecretsStayOut(t *testing.T) {
	s := memstate.New()
	h := newHouse(t, s)
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", secret, atB, "in")
	s.Fail(fault.ErrUnavailable)
	for _, password := range []string{secret, right} {
		_, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: password, Address: atA})
		if err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("SignIn = %v", err)
		}
	}
	if log := h.log.String(); strings.Contains(log, "gwp_") || strings.Contains(log, right) {
		t.Errorf("the log says:\n%s", log)
	}
}
