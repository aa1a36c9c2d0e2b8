package contacts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/internal/memstate"
	"portico/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open gives a directory over accounts. The suite's people come with their logins
// for mail addresses.
func open(t *testing.T, people []identitytest.Person) *Directory {
	t.Helper()
	state := memstate.New()
	for i, p := range people {
		a := store.Account{
			ID: "a" + string(rune('0'+i)), Mail: strings.ToLower(string(p.Login)), Name: p.Name,
			Password: phc(t, p.Password), Created: time.Unix(1, 0),
		}
		put(t, state, a)
	}
	return New(Options{State: state, Queue: identity.NewQueue(4, identity.Room)})
}

func put(t *testing.T, state *memstate.State, a store.Account) {
	t.Helper()
	if err := state.Update(t.Context(), func(tx store.Tx) error { return tx.PutAccount(a) }); err != nil {
		t.Fatal(err)
	}
}

func account(t *testing.T) (*memstate.State, *Directory, store.Account) {
	t.Helper()
	state := memstate.New()
	a := store.Account{ID: "a1", Mail: "carol@acme.example", Name: "Carol", Password: phc(t, "seven green boats")}
	put(t, state, a)
	return state, New(Options{State: state, Queue: identity.NewQueue(4, identity.Room)}), a
}

func TestSignIn(t *testing.T) {
	_, d, _ := account(t)
	want := identity.Identity{ID: "contact:a1", Login: "carol@acme.example", Name: "Carol", Email: "carol@acme.example", Contact: true}
	for _, login := range []identity.Login{"carol@acme.example", "CAROL@Acme.Example"} {
		got, err := d.Authenticate(t.Context(), login, "seven green boats")
		if err != nil || got.ID != want.ID || !got.Contact || got.Login != want.Login || got.Email != want.Email {
			t.Errorf("Authenticate(%q) = %+v, %v", login, got, err)
		}
	}
	_, err := d.Authenticate(t.Context(), "carol@acme.example", "wrong")
	var wrong *identity.WrongError
	if !errors.As(err, &wrong) || wrong.Whose != "carol@acme.example" {
		t.Errorf("a wrong password: %v", err)
	}
}

// Who may not come in costs one hash and is told the same, whyever.
func TestWhoMayNotComeIn(t *testing.T) {
	state, d, a := account(t)
	hashes := 0
	d.verify = func(h identity.Hash, p string) bool { hashes++; return h.Verify(p) }
	refused := func(name string, login identity.Login) {
		t.Helper()
		hashes = 0
		_, err := d.Authenticate(t.Context(), login, "seven green boats")
		if !errors.Is(err, identity.ErrRefused) || err.Error() != identity.ErrRefused.Error() || hashes != 1 {
			t.Errorf("%s: %v, with %d hashes", name, err, hashes)
		}
		for _, f := range []func() (identity.Identity, error){
			func() (identity.Identity, error) { return d.ByLogin(t.Context(), login) },
			func() (identity.Identity, error) { return d.ByID(t.Context(), "contact:a1") },
		} {
			if name == "nobody" {
				continue
			}
			if _, err := f(); !errors.Is(err, identity.ErrRefused) {
				t.Errorf("%s is found: %v", name, err)
			}
		}
	}
	refused("nobody", "nobody@acme.example")
	closed := a
	closed.Closed = true
	put(t, state, closed)
	refused("closed", "carol@acme.example")
	invited := a
	invited.Password = ""
	put(t, state, invited)
	refused("invited", "carol@acme.example")
	damaged := a
	damaged.Password = "$argon2id$damaged"
	put(t, state, damaged)
	hashes = 0
	if _, err := d.Authenticate(t.Context(), "carol@acme.example", "seven green boats"); !errors.Is(err, identity.ErrRefused) || hashes != 1 {
		t.Errorf("damaged: %v, with %d hashes", err, hashes)
	}
}

func TestAStoreThatIsAwayIsNoRefusal(t *testing.T) {
	state, d, _ := account(t)
	state.Fail(fault.ErrUnavailable)
	_, one := d.Authenticate(t.Context(), "carol@acme.example", "seven green boats")
	_, two := d.ByID(t.Context(), "contact:a1")
	_, three := d.ByLogin(t.Context(), "carol@acme.example")
	for _, err := range []error{one, two, three} {
		if !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("error %v, want unavailable", err)
		}
	}
}

// A session ends with the password that it began with: package session goes by
// PasswordSet.
func TestPasswordSet(t *testing.T) {
	state, d, a := account(t)
	for _, at := range []time.Time{time.Unix(100, 0), time.Unix(200, 0)} {
		a.Changed = at
		put(t, state, a)
		if who, err := d.ByID(t.Context(), "contact:a1"); err != nil || !who.PasswordSet.Equal(at) {
			t.Errorf("PasswordSet = %v, %v, want %v", who.PasswordSet, err, at)
		}
	}
}
