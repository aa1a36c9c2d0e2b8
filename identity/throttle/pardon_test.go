package throttle_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/throttle"
	"portico/store"
)

// pardon forgets what is held against an account.
func (b *bench) pardon(login identity.Login) (held throttle.Held) {
	b.t.Helper()
	return b.forgive(func(ctx context.Context, tx store.Tx) (throttle.Held, error) { return b.Pardon(ctx, tx, login) })
}

// free does it for an address.
func (b *bench) free(address string) throttle.Held {
	b.t.Helper()
	return b.forgive(func(ctx context.Context, tx store.Tx) (throttle.Held, error) {
		return b.PardonAddress(ctx, tx, address)
	})
}

func (b *bench) forgive(f func(context.Context, store.Tx) (throttle.Held, error)) (held throttle.Held) {
	b.t.Helper()
	err := b.state.Update(b.t.Context(), func(tx store.Tx) (err error) {
		held, err = f(b.t.Context(), tx)
		return err
	})
	if err != nil {
		b.t.Fatalf("pardon = %v", err)
	}
	return held
}

// TestPardon opens an account that strangers have closed for the day, and at all
// replicas; what the addresses have done stays with them.
func TestPardon(t *testing.T) {
	b := newBench(t)
	other := b.replica()
	b.succeed("ann", atB)
	b.spend(100)
	b.waits("ann", atC, b.untilTomorrow(t))
	until := b.now().Add(b.untilTomorrow(t))
	if got, want := b.pardon("ANN"), (throttle.Held{Failures: 100, Until: until}); got != want { // one account, however it is spelt
		t.Errorf("Pardon = %+v, want %+v", got, want)
	}
	y, err := other.Begin(t.Context(), "ann", atC)
	if err != nil {
		t.Fatalf("another replica: Begin = %v, want the account open", err)
	}
	if err := y.Proved(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.pardon("ann"); !got.None() {
		t.Errorf("a second Pardon = %+v, want nothing held", got)
	}
	for range 4 { // it counts from the beginning
		b.fail("ann", atA)
	}
	b.fail("ann", atA)
	b.waits("ann", atA, short)
}

// TestPardonDevices forgets the failures of each known device, and that it is
// known no less; others' devices keep theirs.
func TestPardonDevices(t *testing.T) {
	b := newBench(t)
	for _, from := range []string{atB, atC} {
		b.succeed("ann", from)
		b.succeed("bob", from)
		for range 5 {
			b.fail("ann", from)
			b.fail("bob", from)
		}
		b.waits("ann", from, short)
	}
	if got := b.pardon("ann"); got.Failures != 10 || got.Until.IsZero() {
		t.Errorf("Pardon = %+v, want 10 failures of two devices", got)
	}
	b.waits("bob", atB, short)
	b.spend(100) // of the account, from elsewhere: a known device does not care
	for _, from := range []string{atB, atC} {
		b.begin("ann", from)
	}
}

// TestPardonUnderWay: a password that is being looked at while its account is
// pardoned must not bring the old count back.
func TestPardonUnderWay(t *testing.T) {
	for name, end := range map[string]func(*throttle.Try) error{
		"proved": func(y *throttle.Try) error { return y.Proved(t.Context()) },
		"unseen": func(y *throttle.Try) error { return y.Unseen(t.Context()) },
		"failed": func(y *throttle.Try) error {
			_, err := y.Failed(t.Context())
			return err
		},
	} {
		b := newBench(t)
		for range 20 {
			b.failAnywhere("ann")
		}
		b.advance(time.Minute)
		y := b.begin("ann", atB)
		b.pardon("ann")
		if err := end(y); err != nil {
			t.Fatal(err)
		}
		if got := b.pardon("ann"); got.Failures != 0 {
			t.Errorf("%s: %+v is held after the pardon", name, got)
		}
	}
}

// failAnywhere is a failure from some place, after whatever the wait is.
func (b *bench) failAnywhere(login identity.Login) {
	b.t.Helper()
	b.advance(31 * time.Second)
	b.fail(login, atC)
}

// TestPardonAddress frees an address of what it did, at sign-ins and with links,
// and no account.
func TestPardonAddress(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.fail("ann", "2001:db8:1:2::8")
	}
	for i := range 15 {
		b.fail(identity.Login(rune('a'+i)), atC)
	}
	for range 30 {
		if err := b.Guess(t.Context(), throttle.LinkTokens, atC); err != nil {
			t.Fatal(err)
		}
	}
	b.waits("zoe", atC, 30*time.Minute)
	if got := b.free(atB); !got.None() {
		t.Errorf("of another address: %+v", got)
	}
	if got, want := b.free(atC), b.now().Add(30*time.Minute); !got.Until.Equal(want) {
		t.Errorf("PardonAddress = %+v, want a refusal until %v", got, want)
	}
	b.begin("zoe", atC)
	if err := b.Blocked(t.Context(), throttle.LinkTokens, atC); err != nil {
		t.Errorf("links: %v", err)
	}
	b.waits("ann", atC, short) // the account is another matter
	for range 20 {
		b.fail(identity.Login(rune('a'+b.now().Second())), atC)
		b.advance(time.Second)
	}
	b.waits("zoe", atC, 30*time.Minute-time.Second) // no longer than the first time
}

// TestPardonExpired tells nothing of what does not hold any more.
func TestPardonExpired(t *testing.T) {
	b := newBench(t)
	b.spend(100)
	b.advance(2 * day)
	if got := b.pardon("ann"); !got.None() {
		t.Errorf("Pardon = %+v two days later", got)
	}
}

func TestPardonErrors(t *testing.T) {
	b := newBench(t)
	err := b.state.Update(t.Context(), func(tx store.Tx) error {
		for _, bad := range []string{"", "unknown", "203.0.113.0/24", "ann"} {
			if _, err := b.PardonAddress(t.Context(), tx, bad); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("PardonAddress(%q) = %v, want fs.ErrInvalid", bad, err)
			}
		}
		broken := brokenTx{tx}
		_, account := b.Pardon(t.Context(), broken, "ann")
		_, address := b.PardonAddress(t.Context(), broken, atA)
		for what, err := range map[string]error{"Pardon": account, "PardonAddress": address} {
			if !errors.Is(err, fault.ErrUnavailable) {
				t.Errorf("%s = %v, want fault.ErrUnavailable", what, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// brokenTx cannot read.
type brokenTx struct{ store.Tx }

func (brokenTx) Attempts(context.Context, ...string) (map[string]store.Attempts, error) {
	return nil, errors.New("disk I/O error")
}

func (brokenTx) AttemptsUnder(context.Context, string) ([]store.Attempts, error) {
	return nil, errors.New("disk I/O error")
}
