package gate_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/internal/memstate"
)

func TestSignIn(t *testing.T) { over(t, signIn) }

func signIn(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	got, err := h.SignIn(t.Context(), identity.SignIn{Login: "ANN", Password: right, Address: atB, Drive: true})
	want := identity.Identity{ID: "id-ann", Login: "ann", Groups: []identity.Membership{{Group: "staff"}}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("SignIn = %v (-want +got):\n%s", err, d)
	}
	h.try(h.Gate, "ann", "wrong", atB, "refused")
	h.try(h.Gate, "nobody", right, atB, "refused")
	h.try(h.Gate, "bob", right, atB, "refused") // ann's password: THREATS.md row 67
	h.try(h.Gate, "ann", right, atB, "in")
}

// TestAttackerElsewhere: attacker at A, owner's drive at B.
func TestAttackerElsewhere(t *testing.T) { over(t, attackerElsewhere) }

func attackerElsewhere(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	h.try(h.Gate, "ann", right, atB, "in")
	for range 10 {
		h.attack(atA)
		h.try(h.Gate, "ann", right, atB, "in")
		h.advance(term) // the cache has forgotten: the throttle is asked
		h.try(h.Gate, "ann", right, atB, "in")
		h.try(h.replica(), "ann", right, atB, "in") // which has never seen her
	}
	h.attack(atA)
	h.try(h.Gate, "ann", right, atA, "throttled") // the right password, where it is not looked at
}

// TestAttackerAtTheSameAddress: both at A, with the owner's drive open.
func TestAttackerAtTheSameAddress(t *testing.T) { over(t, attackerAtTheSameAddress) }

func attackerAtTheSameAddress(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	h.try(h.Gate, "ann", right, atA, "in")
	for range 10 {
		h.attack(atA)
		h.try(h.Gate, "ann", right, atA, "in")
		h.advance(term)
		h.attack(atA)
		h.try(h.Gate, "ann", right, atA, "in") // though the cache has forgotten
	}
	// One who was there before, and whose address is refused for the failures of
	// others.
	h.try(h.Gate, "bob", "another horse", atB, "in")
	for i := range 25 {
		_, _ = h.SignIn(t.Context(), identity.SignIn{Login: identity.Login(fmt.Sprint("user", i)), Password: "x", Address: atB})
	}
	h.try(h.Gate, "ann", right, atB, "throttled")
	h.try(h.replica(), "bob", "another horse", atB, "in")
}

// TestOwnerAtANewPlace: who is not known there has to wait while the account is
// attacked, and is told how long.
func TestOwnerAtANewPlace(t *testing.T) { over(t, ownerAtANewPlace) }

func ownerAtANewPlace(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	h.try(h.Gate, "ann", right, atB, "in")
	h.attack(atA)
	_, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: right, Address: atC})
	e, ok := errors.AsType[*identity.ThrottledError](err)
	if !ok || e.After <= 0 || e.After > 30*time.Second {
		t.Fatalf("SignIn = %v, want a wait", err)
	}
	h.advance(e.After)
	h.try(h.Gate, "ann", right, atC, "in")
	h.attack(atA)
	h.try(h.Gate, "ann", right, atC, "in")
}

// TestMemoryIsNoOracle: nobody elsewhere can find the password by trying it
// against the memory of an open drive.
func TestMemoryIsNoOracle(t *testing.T) {
	h := newHouse(t, memstate.New())
	h.try(h.Gate, "ann", right, atB, "in")
	h.attack(atA)
	for range 10 {
		h.try(h.Gate, "ann", right, atA, "throttled")
		h.try(h.Gate, "ann", "wrong", atA, "throttled")
	}
}

// TestUnknownLikeKnown: logins that do not exist get the same answers
// (THREATS.md row 59).
func TestUnknownLikeKnown(t *testing.T) {
	answers := func(login identity.Login, password string) (list []string) {
		h := newHouse(t, memstate.New())
		for i := range 40 {
			who, err := h.SignIn(t.Context(), identity.SignIn{Login: login, Password: password, Address: atA})
			list = append(list, outcome(who, err)+fmt.Sprint(err))
			h.advance(time.Duration(i) * time.Second)
		}
		return list
	}
	if d := cmp.Diff(answers("ann", "wrong"), answers("made-up", "wrong")); d != "" {
		t.Errorf("an unknown login is told from a known one:\n%s", d)
	}
	fake := "gwp_" + strings.Repeat("0", 34)
	if d := cmp.Diff(answers("ann", fake), answers("made-up", fake)); d != "" {
		t.Errorf("with an app password, an unknown login is told from a known one:\n%s", d)
	}
}

// TestOneCounter: three replicas and all doors count together (rows 51 and 57).
func TestOneCounter(t *testing.T) { over(t, oneCounter) }

func oneCounter(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	gates := []*gate.Gate{h.Gate, h.replica(), h.replica()}
	for i := range 5 {
		who, err := gates[i%3].SignIn(t.Context(), identity.SignIn{Login: "ann", Password: "wrong", Address: atA, Drive: i%2 == 0})
		if got := outcome(who, err); got != "refused" {
			t.Fatalf("attempt %d: %s", i, got)
		}
	}
	for _, g := range gates {
		h.try(g, "ann", right, atA, "throttled")
	}
}

// TestAtOnce: the ten connections of a drive that starts are one attempt, and a
// thousand guesses at once no more than five.
func TestAtOnce(t *testing.T) { over(t, atOnce) }

func atOnce(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	inside, release := h.people.Hold()
	var wg sync.WaitGroup
	var in atomic.Int64
	for range 20 {
		wg.Go(func() {
			who, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: right, Address: atB})
			if outcome(who, err) == "in" {
				in.Add(1)
			}
		})
	}
	<-inside
	release()
	wg.Wait()
	if in.Load() != 20 || h.people.Calls() > 2 {
		t.Errorf("%d of 20 were let in after %d calls of the directory", in.Load(), h.people.Calls())
	}
	before := h.people.Calls()
	for i := range 200 {
		wg.Go(func() {
			who, err := h.SignIn(t.Context(), identity.SignIn{Login: "bob", Password: fmt.Sprint("guess", i), Address: atA})
			if got := outcome(who, err); got != "refused" && got != "throttled" {
				t.Error(got)
			}
		})
	}
	wg.Wait()
	if got := h.people.Calls() - before; got != 5 {
		t.Errorf("the directory was asked about %d of 200 guesses, want 5", got)
	}
}

// TestAway: a directory that cannot say leaves no trace, a store that cannot
// count lets nobody in.
func TestAway(t *testing.T) {
	s := memstate.New()
	h := newHouse(t, s)
	h.try(h.Gate, "ann", right, atB, "in")
	h.people.Fail(fmt.Errorf("ldap: %w", fault.ErrUnavailable))
	h.try(h.Gate, "ann", right, atB, "in") // what has not expired
	h.advance(term)
	for range 30 {
		h.try(h.Gate, "ann", right, atB, "away")
		h.try(h.Gate, "bob", "another horse", atC, "away")
	}
	h.people.Fail(nil)
	h.try(h.Gate, "ann", right, atB, "in")
	h.try(h.Gate, "bob", "another horse", atC, "in")

	s.Fail(fmt.Errorf("sqlite: %w", fault.ErrUnavailable))
	h.try(h.Gate, "ann", right, atB, "in")
	for _, p := range []string{right, "wrong", "another horse"} {
		h.try(h.Gate, "bob", p, atA, "away")
	}
}

// TestLeftEarly: who leaves while the directory is being asked neither counts nor
// gets more tries than who stays.
func TestLeftEarly(t *testing.T) { over(t, leftEarly) }

func leftEarly(t *testing.T, s state) {
	t.Helper()
	counted := &counting{state: s}
	h := newHouse(t, counted)
	inside, release := h.people.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := h.SignIn(ctx, identity.SignIn{Login: "ann", Password: "wrong", Address: atA})
		left <- err
	}()
	<-inside
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("SignIn = %v, want context.Canceled", err)
	}
	for counted.updates.Load() < 2 { // until the attempt has been taken back
		runtime.Gosched()
	}
	release()
	for range 5 {
		h.try(h.Gate, "ann", "wrong", atA, "refused")
	}
	h.try(h.Gate, "ann", right, atA, "throttled")
}

// TestRequireAppPassword (THREATS.md row 63): at a drive's door a person's own
// password is not looked at, right or wrong; pages still take it.
func TestRequireAppPassword(t *testing.T) {
	h := newHouse(t, memstate.New())
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", right, atB, "in")
	h.Apply(gate.Settings{People: h.people, Term: func(identity.Identity) time.Duration { return term }, RequireAppPassword: true})
	calls := h.people.Calls()
	for range 30 {
		for _, login := range []identity.Login{"ann", "nobody"} {
			for _, password := range []string{right, "wrong"} {
				h.try(h.Gate, login, password, atB, "app password")
			}
		}
	}
	if got := h.people.Calls(); got != calls {
		t.Errorf("the directory was asked %d times, want never", got-calls)
	}
	h.try(h.Gate, "ann", secret, atB, "in")
	who, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: right, Address: atB})
	if got := outcome(who, err); got != "in" {
		t.Errorf("at a page: %s, want in: nothing was counted", got)
	}
	h.try(h.Gate, "ann", right, atB, "app password") // though it is known by now
}

// TestNoPasswords (THREATS.md row 63): a password alone opens no door at all, so
// that none makes an app password; those that there are go on.
func TestNoPasswords(t *testing.T) {
	h := newHouse(t, memstate.New())
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", right, atB, "in")
	h.Apply(gate.Settings{People: h.people, Term: func(identity.Identity) time.Duration { return term }, NoPasswords: true})
	calls := h.people.Calls()
	for _, drive := range []bool{true, false} {
		for _, password := range []string{right, "wrong"} {
			who, err := h.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: password, Address: atB, Drive: drive})
			if got := outcome(who, err); got != "app password" {
				t.Errorf("%q, drive %t: %s, want app password", password, drive, got)
			}
		}
	}
	if got := h.people.Calls(); got != calls {
		t.Errorf("the directory was asked %d times, want never", got-calls)
	}
	h.try(h.Gate, "ann", secret, atB, "in")
}

// TestApply: people and their passwords change with a reload, also those that
// are being asked about.
func TestApply(t *testing.T) {
	h := newHouse(t, memstate.New())
	secret, _ := h.app(apppass.Wish{})
	h.try(h.Gate, "ann", right, atB, "in")
	h.try(h.Gate, "ann", secret, atB, "in")
	inside, release := h.people.Hold()
	var wg sync.WaitGroup
	wg.Go(func() { h.try(h.Gate, "bob", "another horse", atB, "in") })
	<-inside
	other := identitytest.NewFake(identitytest.Person{Login: "ida", Password: right})
	h.Apply(gate.Settings{People: other, Term: func(identity.Identity) time.Duration { return term }})
	release()
	wg.Wait()
	h.try(h.Gate, "ann", right, atB, "refused")
	h.try(h.Gate, "bob", "another horse", atB, "refused")
	h.try(h.Gate, "ann", secret, atB, "refused")
	h.try(h.Gate, "ida", right, atB, "in")
	if who, err := h.People().ByLogin(t.Context(), "ida"); err != nil || who.ID != "id-ida" {
		t.Errorf("ByLogin = %q, %v", who.ID, err)
	}
	if who, err := h.People().Authenticate(t.Context(), "ida", right); err != nil || who.ID != "id-ida" {
		t.Errorf("Authenticate = %q, %v", who.ID, err)
	}
	if proofs, lookups := h.Stats(); proofs.Size != 1 || lookups.Size == 0 {
		t.Errorf("Stats = %+v, %+v", proofs, lookups)
	}
}

// TestPasswordChanges: the old one ends with the term, and counts from then on.
func TestPasswordChanges(t *testing.T) {
	h := newHouse(t, memstate.New())
	h.try(h.Gate, "ann", right, atB, "in")
	h.people.Set(identitytest.Person{Login: "ann", Password: "a new horse"})
	h.try(h.Gate, "ann", "a new horse", atB, "in")
	h.advance(term)
	h.try(h.Gate, "ann", right, atB, "refused")
	h.attack(atB)
	calls := h.people.Calls()
	h.try(h.Gate, "ann", right, atB, "throttled")
	if got := h.people.Calls(); got != calls {
		t.Errorf("the directory was asked about an old password that is throttled")
	}
	h.try(h.Gate, "ann", "a new horse", atB, "in")
}

// TestDeviceStaysKnown as long as it is used, though its drive never passes the
// throttle again.
func TestDeviceStaysKnown(t *testing.T) { over(t, deviceStaysKnown) }

func deviceStaysKnown(t *testing.T, s state) {
	t.Helper()
	h := newHouse(t, s)
	for range 70 {
		h.try(h.Gate, "ann", right, atB, "in")
		h.advance(24 * time.Hour)
	}
	h.attack(atA)
	h.try(h.replica(), "ann", right, atB, "in")
}

// TestFailedTells of what was looked at, and of nothing else.
func TestFailedTells(t *testing.T) {
	h := newHouse(t, memstate.New())
	h.try(h.Gate, "ann", right, atB, "in")
	h.attack(atA)
	h.attack(atA)
	h.try(h.Gate, "ann", right, atB, "in")
	if got := h.failed.Load(); got != 5 {
		t.Errorf("told of %d failures, want 5", got)
	}
}

// TestRow59FailedLooksNobodyUp: whose login it was, the directory has said already.
// Another question would take longer for some than for others.
func TestRow59FailedLooksNobodyUp(t *testing.T) {
	h := newHouse(t, memstate.New())
	before := h.people.Calls()
	for _, login := range []identity.Login{"ANN", "hunter2hunter2"} {
		h.try(h.Gate, login, "wrong", atA, "refused")
	}
	if got := h.people.Calls() - before; got != 2 {
		t.Errorf("two wrong passwords cost %d calls of the directory", got)
	}
	if got, want := h.failedFor(), []identity.Login{"ann", ""}; !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
}

// TestAlarm tells the admin whose account is attacked, and never what was typed
// where nobody has such a login.
func TestAlarm(t *testing.T) {
	h := newHouse(t, memstate.New())
	for _, login := range []identity.Login{"ANN", "hunter2hunter2"} {
		for i := 0; i < 100; {
			from := fmt.Sprintf("100.64.%d.%d", len(login), i)
			who, err := h.SignIn(t.Context(), identity.SignIn{Login: login, Password: "x", Address: from})
			if e, ok := errors.AsType[*identity.ThrottledError](err); ok {
				h.advance(e.After)
				continue
			}
			if got := outcome(who, err); got != "refused" {
				t.Fatal(got)
			}
			i++
		}
	}
	log := h.log.String()
	if strings.Count(log, "100 wrong passwords") != 2 || !strings.Contains(log, "login=ann") || strings.Contains(log, "hunter2") {
		t.Errorf("the log says:\n%s", log)
	}
}

// TestNothingPresented costs and counts nothing (THREATS.md rows 54 and 60).
func TestNothingPresented(t *testing.T) {
	s := memstate.New()
	h := newHouse(t, s)
	for range 30 {
		for _, in := range []identity.SignIn{
			{Login: "ann"},
			{Password: right},
			{Login: "ann", Password: "\x00"},
			{Login: "ann\x00", Password: right},
			{Login: "ann", Password: strings.Repeat("x", 1<<20)},
			{Login: "ann", Password: "gwp_\x00"},
		} {
			in.Address = atA
			if who, err := h.SignIn(t.Context(), in); outcome(who, err) != "refused" {
				t.Errorf("SignIn(%.20q, %.20q) = %v", in.Login, in.Password, err)
			}
		}
	}
	if s.Updates() != 0 || h.people.Calls() != 0 {
		t.Errorf("%d transactions and %d calls of the directory, want none", s.Updates(), h.people.Calls())
	}
}

func TestNewFails(t *testing.T) {
	if _, err := gate.New(gate.Options{Rand: iotest.ErrReader(errors.New("no entropy"))}); err == nil {
		t.Error("New without a random source = nil")
	}
}
