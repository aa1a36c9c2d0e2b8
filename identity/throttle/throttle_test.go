package throttle_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/identity"
	"portico/identity/throttle"
	"portico/internal/memstate"
)

const (
	day   = 24 * time.Hour
	atA   = "203.0.113.5" // the attacker's address, as a rule
	atB   = "198.51.100.9"
	atC   = "2001:db8:1:2::7"
	short = 200 * time.Millisecond
)

// bench is a throttle with its clock, store and log at hand.
type bench struct {
	t     *testing.T
	at    atomic.Int64
	state *memstate.State
	log   strings.Builder
	*throttle.Throttle
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, state: memstate.New()}
	b.at.Store(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixNano())
	b.Throttle = b.replica()
	return b
}

// replica is another process over the same store.
func (b *bench) replica() *throttle.Throttle {
	return throttle.New(throttle.Options{Store: b.state, Clock: b.now, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
}

func (b *bench) now() time.Time          { return time.Unix(0, b.at.Load()).UTC() }
func (b *bench) advance(d time.Duration) { b.at.Add(int64(d)) }

// begin wants an attempt to be looked at.
func (b *bench) begin(login identity.Login, from string) *throttle.Try {
	b.t.Helper()
	y, err := b.Begin(b.t.Context(), login, from)
	if err != nil {
		b.t.Fatalf("Begin(%q, %s) = %v, want it looked at", login, from, err)
	}
	return y
}

func (b *bench) fail(login identity.Login, from string) (alarm bool) {
	b.t.Helper()
	alarm, err := b.begin(login, from).Failed(b.t.Context())
	if err != nil {
		b.t.Fatalf("Failed(%q, %s) = %v", login, from, err)
	}
	return alarm
}

func (b *bench) succeed(login identity.Login, from string) {
	b.t.Helper()
	if err := b.begin(login, from).Proved(b.t.Context()); err != nil {
		b.t.Fatalf("Proved(%q, %s) = %v", login, from, err)
	}
}

// waits wants an attempt not to be looked at for so long.
func (b *bench) waits(login identity.Login, from string, want time.Duration) {
	b.t.Helper()
	_, err := b.Begin(b.t.Context(), login, from)
	if got := after(err); got != want {
		b.t.Fatalf("Begin(%q, %s) = %v, want it refused for %v", login, from, err, want)
	}
}

// after is how long a refusal lasts, 0 for what is no refusal.
func after(err error) time.Duration {
	if e, ok := errors.AsType[*identity.ThrottledError](err); ok {
		return e.After
	}
	return 0
}

// TestAccountIsDelayed holds the figures of THREATS.md §4.4.
func TestAccountIsDelayed(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.fail("ann", atA)
	}
	for _, seconds := range []float64{0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30} {
		want := time.Duration(seconds*1000) * time.Millisecond
		for _, from := range []string{atA, atB} { // wherever a stranger is
			b.waits("ann", from, want)
		}
		b.waits("ANN", atA, want) // one account, however it is spelt
		b.advance(want - 1)
		b.waits("ann", atA, 1)
		b.advance(1)
		b.fail("ann", atA)
	}
	b.begin("bob", atA)
}

// TestAttackerElsewhere: the owner's known device is not held up by whatever
// somebody else does anywhere else.
func TestAttackerElsewhere(t *testing.T) {
	b := newBench(t)
	b.succeed("ann", atB)
	b.spend(100)
	b.waits("ann", atA, b.untilTomorrow(t))
	b.succeed("ann", atB)
	b.waits("ann", atC, b.untilTomorrow(t)) // the owner at a new place
	b.advance(29 * day)
	b.spend(100)
	b.succeed("ann", atB) // which also keeps the device known
	b.advance(29 * day)
	b.spend(100)
	b.begin("ann", atB)
	b.advance(30 * day) // since the last sign-in, more
	b.spend(100)
	if _, err := b.Begin(t.Context(), "ann", atB); after(err) == 0 {
		t.Errorf("Begin = %v from a device that has not been used for 30 days, want it refused", err)
	}
}

// spend uses up ann's failures of a day, each from an address of its own.
func (b *bench) spend(n int) {
	b.t.Helper()
	for i := range n {
		from := fmt.Sprintf("100.64.%d.%d", i/250, i%250)
		for {
			y, err := b.Begin(b.t.Context(), "ann", from)
			if err == nil {
				if _, err := y.Failed(b.t.Context()); err != nil {
					b.t.Fatal(err)
				}
				break
			}
			b.advance(after(err))
		}
	}
}

// untilTomorrow is how long an account is refused that has been tried 100 times.
func (b *bench) untilTomorrow(t *testing.T) time.Duration {
	t.Helper()
	_, err := b.Begin(t.Context(), "ann", "192.0.2.200")
	if got := after(err); got > day/2 && got <= day {
		return got
	}
	t.Fatalf("Begin = %v after 100 failures, want it refused for the rest of the day", err)
	return 0
}

// TestHundredADay: the day ends, and somebody is told once.
func TestHundredADay(t *testing.T) {
	b := newBench(t)
	began := b.now()
	alarms := 0
	for i := range 100 {
		from := fmt.Sprintf("100.64.1.%d", i)
		for {
			y, err := b.Begin(t.Context(), "ann", from)
			if err != nil {
				b.advance(after(err))
				continue
			}
			alarm, err := y.Failed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if alarm {
				alarms++
			}
			break
		}
	}
	if alarms != 1 {
		t.Errorf("%d alarms, want 1", alarms)
	}
	left := began.Add(day).Sub(b.now())
	b.waits("ann", atB, left)
	b.advance(left - 1)
	b.waits("ann", atB, 1)
	b.advance(1)
	for range 5 { // a new day begins from nothing
		b.fail("ann", atB)
	}
	b.waits("ann", atB, short)
}

// TestKnownDevice has a counter of its own, which a success clears and which
// nobody elsewhere feels.
func TestKnownDevice(t *testing.T) {
	b := newBench(t)
	b.succeed("ann", atB)
	for range 5 {
		b.fail("ann", atB)
	}
	b.waits("ann", atB, short)
	b.begin("ann", atC) // an attempt counts, but the device's failures do not
	b.advance(short)
	b.fail("ann", atB)
	b.waits("ann", atB, 2*short)
	b.advance(2 * short)
	b.succeed("ann", atB)
	for range 5 {
		b.fail("ann", atB)
	}
	b.waits("ann", atB, short)
	// However often it fails, its owner is never more than half a minute away.
	for range 110 {
		b.advance(30 * time.Second)
		b.fail("ann", atB)
	}
	b.waits("ann", atB, 30*time.Second)
}

// TestSuccessTakesBackItself and no more.
func TestSuccessTakesBackItself(t *testing.T) {
	b := newBench(t)
	for range 4 {
		b.fail("ann", atA)
	}
	for i := range 20 {
		b.succeed("ann", fmt.Sprintf("192.0.2.%d", i))
	}
	b.fail("ann", atA)
	b.waits("ann", atA, short)
}

// TestUnseenCountsNothing, and gives nothing away to who leaves early.
func TestUnseenCountsNothing(t *testing.T) {
	b := newBench(t)
	for range 50 {
		if err := b.begin("ann", atA).Unseen(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		b.fail("ann", atA)
	}
	b.advance(short)
	if err := b.begin("ann", atA).Unseen(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.waits("ann", atA, short)
}

// TestAddress is refused for failures at any account, for longer each time, and
// no success changes that.
func TestAddress(t *testing.T) {
	b := newBench(t)
	b.succeed("owner", atA) // somebody else's known device at the same address
	for _, want := range []time.Duration{30 * time.Minute, 45 * time.Minute, 67*time.Minute + 30*time.Second} {
		for i := range 20 {
			if i == 19 {
				b.succeed("late", atA)
			}
			b.fail(identity.Login(fmt.Sprintf("stranger%d-%v", i, want)), atA)
		}
		b.waits("new", atA, want)
		b.succeed("owner", atA)
		b.fail("owner", atA) // from a known device: looked at, and no longer refusal for it
		b.waits("new", atA, want)
		b.begin("new", atB)
		b.advance(want - 1)
		b.waits("new", atA, 1)
		b.advance(1)
	}
	if log := b.log.String(); strings.Count(log, atA+"/32") != 3 || strings.Contains(log, "stranger") {
		t.Errorf("the log says:\n%s", log)
	}
	b.advance(day + time.Hour) // peace
	for i := range 20 {
		b.fail(identity.Login(fmt.Sprint("again", i)), atA)
	}
	b.waits("new", atA, 30*time.Minute)
}

// TestRefusedAddressIsNotRefusedForLonger, whatever fails there meanwhile: those
// who are known there still try.
func TestRefusedAddressIsNotRefusedForLonger(t *testing.T) {
	b := newBench(t)
	b.succeed("owner", atA)
	for i := range 20 {
		b.fail(identity.Login(fmt.Sprint("stranger", i)), atA)
	}
	end := b.now().Add(30 * time.Minute)
	for range 25 {
		b.fail("owner", atA)
		if _, err := b.Begin(t.Context(), "owner", atA); err != nil {
			b.advance(after(err))
		}
	}
	b.waits("new", atA, end.Sub(b.now()))
}

// TestAddressWindow: 19 in each ten minutes are what people do.
func TestAddressWindow(t *testing.T) {
	b := newBench(t)
	for range 10 {
		for i := range 19 {
			b.fail(identity.Login(fmt.Sprint("user", i, b.now())), atA)
		}
		b.advance(10 * time.Minute)
	}
}

// TestPlaces: what is one place, and what is not.
func TestPlaces(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.5":          "203.0.113.5/32",
		"::ffff:203.0.113.5":   "203.0.113.5/32",
		"2001:db8:1:2::7":      "2001:db8:1:2::/64",
		"2001:db8:1:2:ff::1":   "2001:db8:1:2::/64",
		"2001:db8:1:3::7":      "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
		"":                     "unknown",
		"@":                    "unknown",
		"203.0.113.5:1234":     "unknown",
		"203.0.113.5, 1.2.3.4": "unknown",
	} {
		if got := throttle.Place(address); got != want {
			t.Errorf("Place(%q) = %q, want %q", address, got, want)
		}
	}
}
