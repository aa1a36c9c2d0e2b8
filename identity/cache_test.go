package identity_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
)

// clock is set by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

func newCache(tb testing.TB, next identity.Provider, size int) (*identity.Cache, *clock) {
	tb.Helper()
	at := new(clock)
	c, err := identity.NewCache(identity.CacheOptions{Next: next, Clock: at.now, Rand: rand.Reader, Size: size})
	if err != nil {
		tb.Fatal(err)
	}
	return c, at
}

func ann() identitytest.Person { return identitytest.People()[0] }
func bob() identitytest.Person { return identitytest.People()[1] }

// try wants a person's login and a password to be taken, or refused.
func try(t *testing.T, c identity.Provider, login identity.Login, password string, good bool) {
	t.Helper()
	who, err := c.Authenticate(t.Context(), login, password)
	if good && (err != nil || who.ID == "") || !good && (!errors.Is(err, identity.ErrRefused) || who.ID != "") {
		t.Errorf("Authenticate(%q) = %q, %v, want proved %t", login, who.ID, err, good)
	}
}

func TestCacheContract(t *testing.T) {
	identitytest.Run(t, func(t *testing.T, people []identitytest.Person) identity.Provider {
		t.Helper()
		c, _ := newCache(t, identitytest.NewFake(people...), 0)
		return c
	})
}

func TestCacheKeeps(t *testing.T) {
	next := identitytest.NewFake(identitytest.People()...)
	c, at := newCache(t, next, 0)
	for range 3 {
		try(t, c, ann().Login, ann().Password, true)
	}
	if got := next.Calls(); got != 1 {
		t.Errorf("%d calls for three requests, want 1", got)
	}
	if got, want := c.Stats(), (identity.CacheStats{Hits: 2, Misses: 1, Size: 1}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
	at.advance(5*time.Minute - 1)
	try(t, c, ann().Login, ann().Password, true)
	if got := next.Calls(); got != 1 {
		t.Errorf("%d calls before the term is over, want 1", got)
	}
	// The term runs from the proof: the uses in between have not moved it.
	at.advance(1)
	try(t, c, ann().Login, ann().Password, true)
	if got := next.Calls(); got != 2 {
		t.Errorf("%d calls after the term, want 2", got)
	}
}

// TestCacheWrong holds the rows 54 and 67 of the known holes: with a warm cache
// for ann, nothing but her own pair passes, and each wrong one is asked about.
func TestCacheWrong(t *testing.T) {
	next := identitytest.NewFake(ann(), bob())
	c, _ := newCache(t, next, 0)
	try(t, c, ann().Login, ann().Password, true)
	for i, pair := range []struct {
		login    identity.Login
		password string
	}{
		{bob().Login, ann().Password},
		{ann().Login, bob().Password},
		{"nobody", ann().Password},
		{ann().Login, ann().Password + "x"},
		{ann().Login, ann().Password[1:]},
		{"an", "n" + ann().Password},
	} {
		for range 2 { // a refusal is not kept either
			try(t, c, pair.login, pair.password, false)
		}
		if got, want := next.Calls(), 1+2*(i+1); got != want {
			t.Errorf("%d calls, want %d: a wrong password did not get through", got, want)
		}
	}
	calls := next.Calls()
	try(t, c, ann().Login, "", false)
	try(t, c, "ann\x00"+identity.Login(ann().Password), "", false)
	try(t, c, ann().Login, strings.Repeat("x", 1<<20), false)
	if next.Calls() != calls {
		t.Error("what can be nobody's reached the directory")
	}
	try(t, c, ann().Login, ann().Password, true)
	if next.Calls() != calls {
		t.Error("wrong tries drove ann's entry out")
	}
}

// TestCacheNever turns wrong into right: a random run against the truth.
func TestCacheNever(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("ab\x00é")), 1, 4, -1)
		people := rapid.MapOfN(word, word, 1, 4).Draw(r, "people")
		next := identitytest.NewFake()
		for login, password := range people {
			next.Set(identitytest.Person{Login: identity.Login(login), Password: password})
		}
		c, at := newCache(t, next, 2)
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			login, password := identity.Login(word.Draw(r, "login")), word.Draw(r, "password")
			want, wantErr := next.Authenticate(t.Context(), login, password)
			got, err := c.Authenticate(t.Context(), login, password)
			if got.ID != want.ID || errors.Is(err, identity.ErrRefused) != errors.Is(wantErr, identity.ErrRefused) {
				r.Fatalf("Authenticate(%q, %q) = %q, %v, want %q, %v", login, password, got.ID, err, want.ID, wantErr)
			}
			at.advance(time.Duration(rapid.IntRange(0, 200).Draw(r, "seconds")) * time.Second)
		}
	})
}

func TestCacheFailures(t *testing.T) {
	next := identitytest.NewFake(ann())
	c, at := newCache(t, next, 0)
	try(t, c, ann().Login, ann().Password, true)
	next.Fail(fmt.Errorf("directory: %w", fault.ErrUnavailable))
	try(t, c, ann().Login, ann().Password, true) // what is warm outlives an outage
	at.advance(5 * time.Minute)
	for range 2 {
		if _, err := c.Authenticate(t.Context(), ann().Login, ann().Password); !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("Authenticate = %v, want fault.ErrUnavailable", err)
		}
	}
	next.Fail(nil)
	try(t, c, ann().Login, ann().Password, true)
}

func TestCacheSize(t *testing.T) {
	var people []identitytest.Person
	for i := range 4 {
		people = append(people, identitytest.Person{Login: identity.Login(fmt.Sprint("user", i)), Password: "x"})
	}
	next := identitytest.NewFake(people...)
	c, _ := newCache(t, next, 3)
	for _, i := range []int{0, 1, 2, 0, 3, 0, 2} { // 3 drives out 1, which was used longest ago
		try(t, c, people[i].Login, "x", true)
	}
	if got := next.Calls(); got != 4 {
		t.Errorf("%d calls, want 4", got)
	}
	try(t, c, people[1].Login, "x", true)
	if got, want := next.Calls(), 5; got != want || c.Stats().Size != 3 {
		t.Errorf("%d calls, want %d; size %d, want 3", got, want, c.Stats().Size)
	}
}

func TestCacheFlush(t *testing.T) {
	next := identitytest.NewFake(ann())
	c, _ := newCache(t, next, 0)
	try(t, c, ann().Login, ann().Password, true)
	changed := ann()
	changed.Password = "another password"
	next.Set(changed)
	c.Flush()
	try(t, c, ann().Login, ann().Password, false)
	try(t, c, ann().Login, changed.Password, true)
}

// TestCacheFlushUnderway flushes while the old password is being proved: it is
// not kept, and whoever comes after the flush does not share the answer.
func TestCacheFlushUnderway(t *testing.T) {
	next := identitytest.NewFake(ann())
	c, _ := newCache(t, next, 0)
	inside, release := next.Hold()
	var wg sync.WaitGroup
	wg.Go(func() { try(t, c, ann().Login, ann().Password, true) }) // it asked before the change
	<-inside
	changed := ann()
	changed.Password = "another password"
	next.Set(changed)
	c.Flush()
	wg.Go(func() { try(t, c, ann().Login, ann().Password, false) })
	<-inside // and so has a call of its own
	release()
	wg.Wait()
	if got := c.Stats().Size; got != 0 {
		t.Errorf("%d entries, want none", got)
	}
	try(t, c, ann().Login, ann().Password, false)
}

// TestCacheTogether: many of one pair share one call, also if the first leaves.
func TestCacheTogether(t *testing.T) {
	next := identitytest.NewFake(ann())
	c, _ := newCache(t, next, 0)
	inside, release := next.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := c.Authenticate(ctx, ann().Login, ann().Password)
		first <- err
	}()
	<-inside
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { try(t, c, ann().Login, ann().Password, true) })
	}
	for c.Stats().Misses < 21 { // all have joined
		runtime.Gosched()
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) || errors.Is(err, identity.ErrRefused) {
		t.Errorf("Authenticate = %v, want context.Canceled", err)
	}
	release()
	wg.Wait()
	if got := next.Calls(); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

// TestCacheAllLeave: a call that nobody waits for is ended, and the next one
// who asks begins anew.
func TestCacheAllLeave(t *testing.T) {
	next := identitytest.NewFake(ann())
	c, _ := newCache(t, next, 0)
	inside, release := next.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := c.Authenticate(ctx, ann().Login, ann().Password)
		left <- err
	}()
	<-inside
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("Authenticate = %v, want context.Canceled", err)
	}
	release()
	try(t, c, ann().Login, ann().Password, true)
	if got := next.Calls(); got != 2 {
		t.Errorf("%d calls, want 2", got)
	}
}

// waits is a provider that answers only when its context ends.
type waits struct{ inside, ended chan struct{} }

func (w waits) Authenticate(ctx context.Context, _ identity.Login, _ string) (identity.Identity, error) {
	close(w.inside)
	<-ctx.Done()
	close(w.ended)
	return identity.Identity{}, ctx.Err()
}

// TestCacheEndsCall: the directory is not kept busy for nobody.
func TestCacheEndsCall(t *testing.T) {
	next := waits{make(chan struct{}), make(chan struct{})}
	c, _ := newCache(t, next, 0)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = c.Authenticate(ctx, "ann", "x")
	}()
	<-next.inside
	cancel()
	<-left
	select {
	case <-next.ended:
	case <-time.After(10 * time.Second):
		t.Error("the call goes on although nobody waits for it")
	}
}

// odd is a provider with a fault.
type odd func() (identity.Identity, error)

func (o odd) Authenticate(context.Context, identity.Login, string) (identity.Identity, error) {
	return o()
}

func TestCacheOddProvider(t *testing.T) {
	for name, next := range map[string]odd{
		"panics":       func() (identity.Identity, error) { panic("boom") },
		"gives nobody": func() (identity.Identity, error) { return identity.Identity{}, nil },
	} {
		c, _ := newCache(t, next, 0)
		for range 2 {
			if who, err := c.Authenticate(t.Context(), "ann", "x"); !errors.Is(err, fault.ErrUnavailable) {
				t.Errorf("of one that %s: Authenticate = %v, %v, want fault.ErrUnavailable", name, who, err)
			}
		}
		if got := c.Stats().Size; got != 0 {
			t.Errorf("of one that %s %d entries are kept", name, got)
		}
	}
	if _, err := identity.NewCache(identity.CacheOptions{Rand: iotest.ErrReader(errors.New("no"))}); err == nil {
		t.Error("NewCache without a random source = nil")
	}
}

// TestCacheWarmAllocates none: each request of each drive passes here.
func TestCacheWarmAllocates(t *testing.T) {
	c, _ := newCache(t, identitytest.NewFake(ann()), 0)
	try(t, c, ann().Login, ann().Password, true)
	ctx, login, password := t.Context(), ann().Login, ann().Password
	got := testing.AllocsPerRun(1000, func() {
		if _, err := c.Authenticate(ctx, login, password); err != nil {
			t.Error(err)
		}
	})
	if got > 4 { // none, but under the race detector a sync.Pool forgets now and then
		t.Errorf("a warm request allocates %v times", got)
	}
}

func BenchmarkCacheWarm(b *testing.B) {
	c, _ := newCache(b, identitytest.NewFake(ann()), 0)
	login, password := ann().Login, ann().Password
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Authenticate(b.Context(), login, password); err != nil {
			b.Fatal(err)
		}
	}
}
