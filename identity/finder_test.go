package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
)

func TestFits(t *testing.T) {
	t.Parallel()
	who := identity.Identity{Login: "apeeters", Name: "Ann-Marie Van den Zoë", Email: "a.peeters@firm.example"}
	for text, want := range map[string]bool{
		"ap": true, "AP": true, "a.p": true, "a.peeters@firm.example": true, "ann": true, "Ann-m": true, "marie v": true, "van den z": true, "DEN": true,
		"zoë": true, "zoe\u0308": true, "ZOË": true, " zo ": true,
		"": false, " ": false, "nn": false, "peeters": false, "firm": false, "*": false, "%": false, "-m": false, "a.peeters@firm.example.org": false,
	} {
		if got := who.Fits(text); got != want {
			t.Errorf("Fits(%q) = %t, want %t", text, got, want)
		}
	}
	if (identity.Identity{}).Fits("") || (identity.Identity{}).HasMail("") {
		t.Error("nothing fits nobody")
	}
}

// TestFitsEachPrefix: whatever somebody is called, the beginning of it finds them.
func TestFitsEachPrefix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[\pL\pN]{1,8}`)
		first, last := word.Draw(t, "first"), word.Draw(t, "last")
		who := identity.Identity{Name: first + rapid.SampledFrom([]string{" ", "-", "'", " ("}).Draw(t, "between") + last}
		for _, part := range []string{first, last} {
			for at := range part {
				if at > 0 && !who.Fits(part[:at]) {
					t.Fatalf("%q does not fit %q", part[:at], who.Name)
				}
			}
		}
	})
}

func TestFound(t *testing.T) {
	t.Parallel()
	all := []identity.Identity{
		{ID: "3", Login: "ann3", Name: "ann b"},
		{ID: "1", Login: "ann", Name: "Ann C"},
		{ID: "2", Login: "ANN", Name: "Ann A"}, // has the login of another
		{ID: "4", Login: "bob", Name: "Bob"},
	}
	ids := func(limit int) (list []string) {
		for _, who := range identity.Found(all, "ann", limit) {
			list = append(list, who.ID)
		}
		return list
	}
	for limit, want := range map[int][]string{10: {"3", "1"}, 2: {"3", "1"}, 1: {"3"}, 0: nil, -1: nil} {
		if d := cmp.Diff(want, ids(limit)); d != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, d)
		}
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	who := identity.Identity{ID: "1"}
	if got, err := identity.Only([]identity.Identity{who}); err != nil || got.ID != "1" {
		t.Errorf("Only of one = %q, %v", got.ID, err)
	}
	if _, err := identity.Only(nil); !errors.Is(err, identity.ErrRefused) || errors.Is(err, identity.ErrTaken) {
		t.Errorf("Only of none = %v", err)
	}
	if _, err := identity.Only([]identity.Identity{who, who}); !errors.Is(err, identity.ErrTaken) {
		t.Errorf("Only of two = %v", err)
	}
}

// TestRecall keeps a yes and a no for the term, and an outage not at all.
func TestRecall(t *testing.T) {
	t.Parallel()
	next := identitytest.NewFake(ann())
	at := new(clock)
	r := identity.NewRecall(identity.RecallOptions{Clock: at.now, Term: time.Minute, Ask: func(ctx context.Context, text string) (identity.Identity, error) {
		return next.ByLogin(ctx, identity.Login(text))
	}})
	wants := func(what, text, id string, want error, calls int) {
		t.Helper()
		who, err := r.Find(t.Context(), text)
		if who.ID != id || !errors.Is(err, want) || next.Calls() != calls {
			t.Errorf("%s: Find = %q, %v after %d calls, want %q, %v after %d", what, who.ID, err, next.Calls(), id, want, calls)
		}
	}
	wants("first", "ann", "id-ann", nil, 1)
	wants("nobody", string(bob().Login), "", identity.ErrRefused, 2)
	next.Set(bob())
	next.Drop("ann")
	wants("again", "ann", "id-ann", nil, 2)
	wants("nobody again", string(bob().Login), "", identity.ErrRefused, 2)
	at.advance(time.Minute)
	wants("later", "ann", "", identity.ErrRefused, 3)
	wants("later", string(bob().Login), "id-"+string(bob().Login), nil, 4)
	r.Flush()
	next.Fail(fault.ErrUnavailable)
	wants("away", string(bob().Login), "", fault.ErrUnavailable, 5)
	next.Fail(nil)
	wants("back", string(bob().Login), "id-"+string(bob().Login), nil, 6)
}
