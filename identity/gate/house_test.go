package gate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/throttle"
	"portico/internal/memstate"
	"portico/store"
	"portico/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	atA   = "203.0.113.5" // the attacker's address, as a rule
	atB   = "198.51.100.9"
	atC   = "2001:db8:1:2::7"
	right = "correct horse battery"
	term  = time.Minute
)

// state is what a gate needs of a store.
type state interface {
	throttle.Store
	apppass.Store
}

// over runs a test over a store in memory, and over the real one.
func over(t *testing.T, test func(t *testing.T, s state)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, memstate.New()) })
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
}

func openSQLite(tb testing.TB) state {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// counting counts the transactions that are over.
type counting struct {
	state
	updates atomic.Int64
}

func (c *counting) Update(ctx context.Context, f func(store.Tx) error) error {
	defer c.updates.Add(1)
	return c.state.Update(ctx, f)
}

// house is a gate, or several over one store, with all that they stand on.
type house struct {
	t      testing.TB
	at     atomic.Int64
	people *identitytest.Fake
	state  state
	log    logSink
	failed atomic.Int64 // sign-ins that the gate has told of
	whose  sync.Map     // the logins of these, by their number
	*gate.Gate
	keys *apppass.Keeper
}

type logSink struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logSink) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logSink) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newHouse(tb testing.TB, s state) *house {
	tb.Helper()
	h := &house{
		t: tb, state: s,
		people: identitytest.NewFake(
			identitytest.Person{Login: "ann", Password: right, Groups: []identity.Membership{{Group: "staff"}}},
			identitytest.Person{Login: "bob", Password: "another horse"},
		),
	}
	h.at.Store(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixNano())
	h.Gate = h.replica()
	return h
}

// replica is another process with the same store and directory.
func (h *house) replica() *gate.Gate {
	h.t.Helper()
	log := slog.New(slog.NewTextHandler(&h.log, nil))
	h.keys = apppass.New(apppass.Options{Store: h.state, Clock: h.now, Rand: rand.Reader, Log: log})
	g, err := gate.New(gate.Options{
		Settings:     gate.Settings{People: h.people, Term: func(identity.Identity) time.Duration { return term }},
		Throttle:     throttle.New(throttle.Options{Store: h.state, Clock: h.now, Log: log}),
		AppPasswords: h.keys, Clock: h.now, Rand: rand.Reader, Log: log,
		Failed: func(_ context.Context, in identity.SignIn) { h.whose.Store(h.failed.Add(1), in.Login) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	keys := h.keys
	h.t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return g
}

func (h *house) now() time.Time          { return time.Unix(0, h.at.Load()).UTC() }
func (h *house) advance(d time.Duration) { h.at.Add(int64(d)) }

// outcome is an answer in a word.
func outcome(who identity.Identity, err error) string {
	_, throttled := errors.AsType[*identity.ThrottledError](err)
	switch {
	case err == nil && who.ID != "":
		return "in"
	case who.ID != "":
		return "both in and " + err.Error()
	case throttled:
		return "throttled"
	case errors.Is(err, identity.ErrAppPassword):
		return "app password"
	case errors.Is(err, fault.ErrUnavailable):
		return "away"
	case errors.Is(err, identity.ErrRefused):
		return "refused"
	}
	return fmt.Sprint(err)
}

// try signs in at the drive.
func (h *house) try(g *gate.Gate, login identity.Login, password, from, want string) {
	h.t.Helper()
	who, err := g.SignIn(h.t.Context(), identity.SignIn{Login: login, Password: password, Address: from, Drive: true})
	if got := outcome(who, err); got != want {
		h.t.Fatalf("%s with %q from %s: %s (%v), want %s", login, password, from, got, err, want)
	}
}

// attack guesses at ann's password until the throttle refuses.
func (h *house) attack(from string) {
	h.t.Helper()
	for i := range 20 {
		who, err := h.SignIn(h.t.Context(), identity.SignIn{Login: "ann", Password: fmt.Sprint("guess ", i), Address: from})
		switch outcome(who, err) {
		case "throttled":
			return
		case "refused":
		default:
			h.t.Fatalf("a wrong password = %v", err)
		}
	}
	h.t.Fatalf("20 wrong passwords of ann from %s are not throttled", from)
}

// app makes an app password of ann's.
func (h *house) app(w apppass.Wish) (string, store.AppPassword) {
	h.t.Helper()
	w.Name = "laptop"
	secret, p, err := h.keys.Make(h.t.Context(), identity.Identity{ID: "id-ann", Login: "ann"}, w, func(store.Tx, store.AppPassword) error { return nil })
	if err != nil {
		h.t.Fatal(err)
	}
	return secret, p
}

// failedFor are the logins that the gate has told of.
func (h *house) failedFor() (all []identity.Login) {
	for i := range h.failed.Load() {
		login, _ := h.whose.Load(i + 1)
		l, _ := login.(identity.Login)
		all = append(all, l)
	}
	return all
}
