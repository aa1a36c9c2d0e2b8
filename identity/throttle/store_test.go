package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/throttle"
)

// TestParallel: of a thousand at once no more are looked at than one by one, and
// none of those that are looked at is lost.
func TestParallel(t *testing.T) {
	b := newBench(t)
	var looked, failed atomic.Int64
	var wg sync.WaitGroup
	replicas := []*throttle.Throttle{b.Throttle, b.replica(), b.replica()}
	for i := range 60 {
		wg.Go(func() {
			y, err := replicas[i%3].Begin(t.Context(), "ann", fmt.Sprintf("192.0.2.%d", i))
			if err != nil {
				return
			}
			looked.Add(1)
			if _, err := y.Failed(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := looked.Load(); got != 5 {
		t.Errorf("%d attempts on one account were looked at, want 5", got)
	}
	for i := range 20 {
		wg.Go(func() {
			y, err := replicas[i%3].Begin(t.Context(), identity.Login(fmt.Sprint("user", i)), atA)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := y.Failed(t.Context()); err != nil {
				t.Error(err)
			}
			failed.Add(1)
		})
	}
	wg.Wait()
	if got := failed.Load(); got != 20 {
		t.Errorf("%d failures, want 20", got)
	}
	b.waits("one-more", atA, 30*time.Minute)
}

// TestRefusedCostsNoTransaction: a flood must not stand in the way of writers.
func TestRefusedCostsNoTransaction(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.fail("ann", atA)
	}
	before := b.state.Updates()
	for range 100 {
		b.waits("ann", atA, short)
	}
	if got := b.state.Updates(); got != before {
		t.Errorf("%d transactions for 100 refusals, want none", got-before)
	}
}

// TestStoreAway: nobody gets past a throttle that cannot count.
func TestStoreAway(t *testing.T) {
	for name, broken := range map[string]error{
		"away": fmt.Errorf("sqlite: %w", fault.ErrUnavailable),
		"odd":  errors.New("disk I/O error"),
	} {
		b := newBench(t)
		tries := []*throttle.Try{b.begin("ann", atA), b.begin("bob", atA), b.begin("ida", atA)}
		b.state.Fail(broken)
		_, beginErr := b.Begin(t.Context(), "ann", atA)
		_, failedErr := tries[0].Failed(t.Context())
		for what, err := range map[string]error{
			"Begin": beginErr, "Failed": failedErr,
			"Proved": tries[1].Proved(t.Context()), "Unseen": tries[2].Unseen(t.Context()),
			"Remember": b.Remember(t.Context(), "ann", atA),
			"Guess":    b.Guess(t.Context(), throttle.LinkTokens, atA), "Blocked": b.Blocked(t.Context(), throttle.LinkTokens, atA),
		} {
			if !errors.Is(err, fault.ErrUnavailable) {
				t.Errorf("%s: %s = %v, want fault.ErrUnavailable", name, what, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newBench(t).Begin(ctx, "ann", atA); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin = %v for a request that has ended, want context.Canceled", err)
	}
}

// TestRemember makes a device known without an attempt.
func TestRemember(t *testing.T) {
	b := newBench(t)
	b.spend(20)
	if err := b.Remember(t.Context(), "ann", atB); err != nil {
		t.Fatal(err)
	}
	b.begin("ann", atB)
	if _, err := b.Begin(t.Context(), "ann", atA); after(err) == 0 {
		t.Error("another place is not held up any more")
	}
}

// TestGuesses holds the limits of later doors.
func TestGuesses(t *testing.T) {
	for _, c := range []struct {
		kind    throttle.Kind
		subject string
		free    int
		term    time.Duration
	}{
		{throttle.LinkTokens, atA, 30, time.Minute},
		{throttle.LinkPassword, "link-17", 10, 10 * time.Minute},
	} {
		b := newBench(t)
		for i := range c.free {
			if err := b.Blocked(t.Context(), c.kind, c.subject); err != nil {
				t.Fatalf("%s: Blocked = %v after %d guesses", c.kind, err, i)
			}
			if err := b.Guess(t.Context(), c.kind, c.subject); err != nil {
				t.Fatal(err)
			}
		}
		if got := after(b.Blocked(t.Context(), c.kind, c.subject)); got != c.term {
			t.Errorf("%s: blocked for %v, want %v", c.kind, got, c.term)
		}
		if err := b.Blocked(t.Context(), c.kind, "198.51.100.1"); err != nil {
			t.Errorf("%s: another is blocked too: %v", c.kind, err)
		}
		b.begin("ann", atA) // a sign-in is another matter
		b.advance(c.term)
		if err := b.Blocked(t.Context(), c.kind, c.subject); err != nil {
			t.Errorf("%s: Blocked = %v after the term", c.kind, err)
		}
	}
}

// TestKeysTellNothing: a password typed into the field of the login is not to be
// read from the store, nor found by trying.
func TestKeysTellNothing(t *testing.T) {
	b := newBench(t)
	b.fail("correct horse battery", atA)
	b.succeed("ann", atB)
	for key := range b.state.AllAttempts() {
		if strings.Contains(key, "horse") || strings.Contains(key, "ann") {
			t.Errorf("a key of the store is %q", key)
		}
		if short, ok := strings.CutPrefix(key, "account:"); ok && len(short) != 5 {
			t.Errorf("the key of an account is %q, want 20 bits of it", key)
		}
	}
}

// TestSweep: the table does not grow for ever.
func TestSweep(t *testing.T) {
	b := newBench(t)
	b.succeed("ann", atB)
	for i := range 200 {
		b.fail(identity.Login(fmt.Sprint("made-up", i)), fmt.Sprintf("100.64.0.%d", i))
	}
	if n := len(b.state.AllAttempts()); n < 300 {
		t.Fatalf("%d rows, want them of 200 accounts and addresses", n)
	}
	b.advance(25 * time.Hour)
	b.fail("ida", atA)
	if n := len(b.state.AllAttempts()); n > 4 { // ann's device, and what ida has just left
		t.Errorf("%d rows a day later: %v", n, b.state.AllAttempts())
	}
	b.spend(20)
	b.begin("ann", atB)
}
