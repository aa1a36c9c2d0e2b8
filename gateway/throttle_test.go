package gateway_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/throttle"
	"portico/store"
)

// guarded is a house behind the real gate.
type guarded struct {
	*house
	gate *gate.Gate
	keys *apppass.Keeper
	from atomic.Pointer[string] // the address of all requests
	at   atomic.Int64
}

func newGuarded(t *testing.T, required bool) *guarded {
	t.Helper()
	g := &guarded{}
	g.at.Store(time.Now().UnixNano())
	clock := func() time.Time { return time.Unix(0, g.at.Load()) }
	g.move("198.51.100.9")
	log := slog.New(slog.DiscardHandler)
	ann := identitytest.Person{Login: "ann", Name: "Ann Peeters", Password: password}
	g.house = newHouse(t, func(s *settings) {
		s.gateway.Address = func(*http.Request) string { return *g.from.Load() }
		s.gate = func(h *house) identity.Gate {
			g.keys = apppass.New(apppass.Options{Store: h.state, Clock: clock, Rand: rand.Reader, Log: log})
			var err error
			g.gate, err = gate.New(gate.Options{
				Settings: gate.Settings{
					People: identitytest.NewFake(ann), RequireAppPassword: required,
					Term: func(identity.Identity) time.Duration { return time.Minute },
				},
				Throttle: throttle.New(throttle.Options{Store: h.state, Clock: clock, Log: log}), AppPasswords: g.keys,
				Clock: clock, Rand: rand.Reader, Log: log,
			})
			if err != nil {
				t.Fatal(err)
			}
			return g.gate
		}
	})
	t.Cleanup(func() {
		if err := g.keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func (g *guarded) move(address string) { g.from.Store(&address) }

// TestTwentyWrongPasswords (THREATS.md row 57): 429 with Retry-After, also for a
// login that does not exist, and never for the owner's own device.
func TestTwentyWrongPasswords(t *testing.T) {
	g := newGuarded(t, false)
	g.as("ann").Get("/firm/").Want(200)
	for _, login := range []string{"ann", "nobody"} {
		g.move("203.0.113." + strconv.Itoa(len(login)))
		counts := map[int]int{}
		for i := range 20 {
			r := g.with(login, fmt.Sprint("guess ", i)).Get("/firm/")
			counts[r.StatusCode]++
			if r.StatusCode == http.StatusTooManyRequests {
				r.WantHeader("Retry-After", "1").WantIn("too many wrong passwords")
			}
		}
		if counts[401] != 5 || counts[429] != 15 {
			t.Errorf("20 wrong passwords of %s are answered with %v, want 5 times 401 and then 429", login, counts)
		}
	}
	g.as("ann").Get("/firm/").Want(429) // right, but from where the account is attacked
	g.move("198.51.100.9")
	g.as("ann").Get("/firm/").Want(200)
	g.at.Add(int64(time.Minute))
	g.as("ann").Get("/firm/").Want(200)
}

// TestDriveForAppPasswords (THREATS.md row 63): the account's own password is
// refused with the mend, an app password opens what it may, and a revoked one
// nothing.
func TestDriveForAppPasswords(t *testing.T) {
	g := newGuarded(t, true)
	secret, p, err := g.keys.Make(t.Context(), identity.Identity{ID: "id-ann", Login: "ann"},
		apppass.Wish{Name: "laptop", Limit: identity.Limit{Workspace: "firm", ReadOnly: true}},
		func(store.Tx, store.AppPassword) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		g.as("ann").Get("/firm/").Want(401).WantIn("app passwords alone")
	}
	drive := g.with("ann", secret)
	drive.Get("/firm/").Want(200)
	drive.Put("/firm/x.txt", "x").Want(403)
	drive.Get("/lab/").Want(404)
	if got := g.audit.last.Load().Actor; got.Key != p.ID || got.ID != "id-ann" {
		t.Errorf("the audit names %+v, want the app password %s", got, p.ID)
	}
	if err := g.keys.Revoke(t.Context(), "id-ann", p.ID, func(store.Tx, store.AppPassword) error { return nil }); err != nil {
		t.Fatal(err)
	}
	drive.Get("/firm/").Want(401)
}
