package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
)

// terms are a minute for those of the directory, five for all others.
func terms(who identity.Identity) time.Duration {
	if strings.HasPrefix(who.ID, "id-"+string(bob().Login)) {
		return time.Minute
	}
	return 5 * time.Minute
}

func newLookup(t *testing.T, next identity.Directory, size int) (*identity.Lookup, *clock) {
	t.Helper()
	at := new(clock)
	return identity.NewLookup(identity.LookupOptions{Next: next, Clock: at.now, Term: terms, Size: size}), at
}

func TestLookupContract(t *testing.T) {
	identitytest.Run(t, func(t *testing.T, people []identitytest.Person) identity.Provider {
		t.Helper()
		l, _ := newLookup(t, identitytest.NewFake(people...), 0)
		return l
	})
}

// TestLookupTerms: each for the term of their directory, from when it was asked.
func TestLookupTerms(t *testing.T) {
	next := identitytest.NewFake(ann(), bob())
	l, at := newLookup(t, next, 0)
	ask := func(want int) {
		t.Helper()
		for _, p := range []identitytest.Person{ann(), bob()} {
			who, err := l.ByID(t.Context(), "id-"+string(p.Login))
			if err != nil || who.Login != p.Login {
				t.Errorf("ByID = %q, %v, want %q", who.Login, err, p.Login)
			}
			if who, err = l.ByLogin(t.Context(), identity.Login(strings.ToUpper(string(p.Login)))); err != nil || who.Login != p.Login {
				t.Errorf("ByLogin = %q, %v, want %q", who.Login, err, p.Login)
			}
		}
		if got := next.Calls(); got != want {
			t.Errorf("%d calls, want %d", got, want)
		}
	}
	ask(4)
	at.advance(time.Minute - 1)
	ask(4)
	at.advance(1)
	ask(6) // bob's
	at.advance(4*time.Minute - 1)
	ask(8)
	at.advance(1)
	ask(10) // ann's
	l.Flush()
	ask(14)
	if s := l.Stats(); s.Size != 4 || s.Misses != 14 || s.Hits != 10 {
		t.Errorf("Stats = %+v", s)
	}
}

// TestLookupAway (THREATS.md row 68): what has not expired is answered, what has
// is not.
func TestLookupAway(t *testing.T) {
	next := identitytest.NewFake(ann())
	l, at := newLookup(t, next, 0)
	if _, err := l.ByID(t.Context(), "id-ann"); err != nil {
		t.Fatal(err)
	}
	next.Fail(fmt.Errorf("ldap: %w", fault.ErrUnavailable))
	if who, err := l.ByID(t.Context(), "id-ann"); err != nil || who.Login != "ann" {
		t.Errorf("ByID = %q, %v while the directory is away, want ann", who.Login, err)
	}
	at.advance(5 * time.Minute)
	for range 2 {
		if who, err := l.ByID(t.Context(), "id-ann"); !errors.Is(err, fault.ErrUnavailable) || who.ID != "" {
			t.Errorf("ByID = %q, %v after the term, want fault.ErrUnavailable", who.ID, err)
		}
	}
	next.Fail(nil)
	if _, err := l.ByID(t.Context(), "id-ann"); err != nil {
		t.Errorf("ByID = %v after the directory is back", err)
	}
}

// TestLookupRefusal spares the directory those who have left, for a second.
func TestLookupRefusal(t *testing.T) {
	next := identitytest.NewFake()
	l, at := newLookup(t, next, 0)
	for range 10 {
		if _, err := l.ByID(t.Context(), "id-ann"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByID = %v, want ErrRefused", err)
		}
	}
	if got := next.Calls(); got != 1 {
		t.Errorf("%d calls for somebody who is not there, want 1", got)
	}
	next.Set(ann())
	at.advance(time.Second)
	if who, err := l.ByID(t.Context(), "id-ann"); err != nil || who.Login != "ann" {
		t.Errorf("ByID = %q, %v for one who has come, want ann", who.Login, err)
	}
	for _, login := range []identity.Login{"", " ann", "ann\x00", identity.Login(strings.Repeat("x", 300))} {
		if _, err := l.ByLogin(t.Context(), login); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByLogin(%.10q) = %v, want ErrRefused", login, err)
		}
	}
	if _, err := l.ByID(t.Context(), ""); !errors.Is(err, identity.ErrRefused) {
		t.Errorf(`ByID("") = %v, want ErrRefused`, err)
	}
	if got := next.Calls(); got != 2 {
		t.Errorf("%d calls, want 2: what can be nobody reached the directory", got)
	}
}

// TestLookupFlushUnderway: what was asked before a change is not kept after it.
func TestLookupFlushUnderway(t *testing.T) {
	next := identitytest.NewFake(ann())
	l, _ := newLookup(t, next, 0)
	inside, release := next.Hold()
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { _, _ = l.ByID(t.Context(), "id-ann") })
	}
	<-inside
	next.Drop("ann")
	l.Flush()
	release()
	wg.Wait()
	if who, err := l.ByID(t.Context(), "id-ann"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByID = %q, %v for one who was taken out, want ErrRefused", who.ID, err)
	}
}

// TestLookupSize: whoever is looked up, the memory is bounded.
func TestLookupSize(t *testing.T) {
	l, _ := newLookup(t, identitytest.NewFake(), 10)
	for i := range 100 {
		_, _ = l.ByLogin(t.Context(), identity.Login(fmt.Sprint("made-up", i)))
	}
	if got := l.Stats().Size; got != 10 {
		t.Errorf("%d entries, want 10", got)
	}
}

// TestCachePlaces: a proof counts where it was made, and nowhere else.
func TestCachePlaces(t *testing.T) {
	c, at := newCache(t, identitytest.NewFake(ann()), 0)
	proofs := 0
	prove := func(context.Context) (identity.Identity, error) {
		proofs++
		return identity.Identity{ID: "id-ann"}, nil
	}
	login, password := ann().Login, ann().Password
	for range 2 {
		if _, err := c.Prove(t.Context(), "here", login, password, prove); err != nil {
			t.Fatal(err)
		}
	}
	if who, ok := c.Known("here", login, password); !ok || who.ID != "id-ann" || proofs != 1 {
		t.Errorf("Known = %q, %t after %d proofs", who.ID, ok, proofs)
	}
	for _, other := range []struct {
		place, password string
		login           identity.Login
	}{
		{"there", password, login},
		{"", password, login},
		{"here", password + "x", login},
		{"here", password, "bob"},
		{"her", password, "e\x00ann"},
		{"here\x00ann", "", login},
		{"here", "", login},
	} {
		if who, ok := c.Known(other.place, other.login, other.password); ok {
			t.Errorf("Known(%q, %q) = %q", other.place, other.login, who.ID)
		}
	}
	at.advance(5 * time.Minute)
	if _, ok := c.Known("here", login, password); ok {
		t.Error("Known after the term")
	}
	if _, err := c.Prove(t.Context(), "here", login, "", prove); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("Prove without a password = %v, want ErrRefused", err)
	}
}

// TestCacheTerm: each person for the term of their directory.
func TestCacheTerm(t *testing.T) {
	at := new(clock)
	c, err := identity.NewCache(identity.CacheOptions{Next: identitytest.NewFake(ann(), bob()), Clock: at.now, Rand: zeros{}, Term: terms})
	if err != nil {
		t.Fatal(err)
	}
	try(t, c, ann().Login, ann().Password, true)
	try(t, c, bob().Login, bob().Password, true)
	at.advance(time.Minute)
	if _, ok := c.Known("", ann().Login, ann().Password); !ok {
		t.Error("ann is forgotten after a minute")
	}
	if _, ok := c.Known("", bob().Login, bob().Password); ok {
		t.Error("bob is known after his minute")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestVouch: the note of a proof outlives it, and lets nobody in.
func TestVouch(t *testing.T) {
	c, at := newCache(t, identitytest.NewFake(ann()), 2)
	login, password := ann().Login, ann().Password
	c.Vouch("here", login, password, at.now())
	c.Flush()
	at.advance(time.Hour)
	if got, ok := c.Vouched("here", login, password); !ok || !got.Equal(time.Unix(0, 0)) {
		t.Errorf("Vouched = %v, %t", got, ok)
	}
	if who, ok := c.Known("here", login, password); ok {
		t.Errorf("a note let %q in", who.ID)
	}
	for _, place := range []string{"there", ""} {
		if _, ok := c.Vouched(place, login, password); ok {
			t.Errorf("vouched for at %q", place)
		}
	}
	if _, ok := c.Vouched("here", login, "another"); ok {
		t.Error("another password is vouched for")
	}
	c.Disown("here", login, password)
	if _, ok := c.Vouched("here", login, password); ok {
		t.Error("vouched for after Disown")
	}
	for i := range 3 { // the oldest is let go of
		c.Vouch(strconv.Itoa(i), login, password, at.now())
	}
	if _, ok := c.Vouched("0", login, password); ok {
		t.Error("more notes than the size are kept")
	}
}
