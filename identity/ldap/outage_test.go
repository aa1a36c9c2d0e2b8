package ldap

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/internal/parts"
)

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// pair is a firm with two servers, of which each has ann.
func pair(t *testing.T) (first, second parts.LDAP) {
	t.Helper()
	first = parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	second = parts.OwnSlapd(t, parts.SlapdOptions{Empty: true, Like: &first})
	for _, l := range []parts.LDAP{first, second} {
		l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Password: "one", Email: "a@firm.example"})
	}
	return first, second
}

func wantIn(t *testing.T, d *Directory, when string) {
	t.Helper()
	if _, err := d.Authenticate(t.Context(), "ann", "one"); err != nil {
		t.Errorf("%s: Authenticate = %v", when, err)
	}
	if _, err := d.Authenticate(t.Context(), "ann", "two"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("%s: Authenticate with a wrong password = %v, want ErrRefused", when, err)
	}
}

// wantAway wants all to be told the same, whoever they are.
func wantAway(t *testing.T, d *Directory, when string) {
	t.Helper()
	for login, password := range map[identity.Login]string{"ann": "one", "Ann": "two", "nobody": "one"} {
		if _, err := d.Authenticate(t.Context(), login, password); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("%s: Authenticate(%q) = %v, want fault.ErrUnavailable", when, login, err)
		}
	}
	if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("%s: ByLogin = %v, want fault.ErrUnavailable", when, err)
	}
}

// TestFailover kills, freezes and restarts the first of two servers.
func TestFailover(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	o := options(t, first, second)
	now := &clock{now: time.Now()}
	o.DialTimeout, o.Timeout, o.Clock = 500*time.Millisecond, 700*time.Millisecond, now.Now
	d, log := open(t, o)
	wantIn(t, d, "both run")

	first.Kill(t)
	wantIn(t, d, "the first is killed")
	log.wants(t, "a server of the directory is passed over", first.Address, "see that the server runs")
	faults := d.CheckEach(t.Context())
	if faults[0] == nil || faults[1] != nil || d.Check(t.Context()) != nil {
		t.Errorf("CheckEach = %v, want a fault of the first alone", faults)
	}
	first.Start(t)
	now.add(longPause)
	second.Freeze(t)
	wantIn(t, d, "the first is back, the second frozen")
	second.Thaw(t)

	before := strings.Count(log.String(), "passed over")
	first.Freeze(t)
	start := time.Now()
	wantIn(t, d, "the first is frozen")
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v to pass over a frozen server", took)
	}
	lines := strings.Count(log.String(), "passed over")
	if lines != before+1 {
		t.Errorf("%d more lines in the log, want one:\n%s", lines-before, log)
	}
	for range 20 { // the circuit is open: nobody waits for the first again
		wantIn(t, d, "the first is still frozen")
	}
	if more := strings.Count(log.String(), "passed over"); more != lines {
		t.Errorf("the frozen server was asked %d times more in its pause", more-lines)
	}
	second.Stop(t)
	wantAway(t, d, "none answers")
	first.Thaw(t)
	now.add(longPause)
	wantIn(t, d, "the first is thawed")
}

// TestRestart: connections that wait are dead after a restart, which is nobody's
// failure.
func TestRestart(t *testing.T) {
	t.Parallel()
	l, _ := pair(t)
	d, log := open(t, options(t, l))
	wantIn(t, d, "at first")
	for range 3 {
		l.Stop(t)
		l.Start(t)
		wantIn(t, d, "after a restart")
	}
	if strings.Contains(log.String(), "passed over") {
		t.Errorf("a restart counts as a failure:\n%s", log)
	}
}

// TestHangUp: a connection may end under a request, as when a firewall forgets
// it. The request is made again, on a new one.
func TestHangUp(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	d, log := open(t, c.options(t))
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.hangUp = true
	c.mu.Unlock()
	if _, err := d.ByLogin(t.Context(), "ann"); err != nil || log.String() != "" {
		t.Errorf("ByLogin = %v, and the log has %q", err, log)
	}
	if opened, _ := c.connections(); opened != 2 {
		t.Errorf("%d connections were made, want 2", opened)
	}
}

// TestOutage: one server, away. After the first failure the others are told at
// once; one at a time finds out whether it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	o := c.options(t)
	now := &clock{now: time.Now()}
	o.Clock = now.Now
	d, log := open(t, o)
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.search = result{code: 52, text: "unavailable"}
	c.mu.Unlock()
	wantAway(t, d, "it says so")
	opened := len(c.requests())
	for range 50 {
		if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, fault.ErrUnavailable) {
			t.Fatalf("ByLogin = %v", err)
		}
	}
	if asked := c.requests(); len(asked) != 0 {
		t.Errorf("%d requests in the pause, want none (%d before)", len(asked), opened)
	}
	for i, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, longPause, longPause} {
		now.add(pause - time.Millisecond)
		_, _ = d.ByLogin(t.Context(), "ann")
		if asked := c.requests(); len(asked) != 0 {
			t.Errorf("pause %d ended before %v", i, pause)
		}
		now.add(time.Millisecond)
		_, _ = d.ByLogin(t.Context(), "ann")
		_, _ = d.ByLogin(t.Context(), "ann")
		if n := strings.Count(strings.Join(c.requests(), "\n"), "search"); n < 1 || n > 2 {
			t.Errorf("after pause %d it was asked %d times, want once and once more on a new connection", i, n)
		}
	}
	if n := strings.Count(log.String(), "passed over"); n != 6 {
		t.Errorf("the log has %d lines, want 6", n)
	}
	c.mu.Lock()
	c.search = result{}
	c.mu.Unlock()
	now.add(longPause)
	if _, err := d.ByLogin(t.Context(), "ann"); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// TestIdle: a connection that was quiet for long is not trusted, and none is
// left after Close.
func TestIdle(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	o := c.options(t)
	now := &clock{now: time.Now()}
	o.Clock = now.Now
	d, _ := open(t, o)
	for want, pause := range []time.Duration{0, 0, idleLimit / 2, idleLimit + 1} {
		now.add(pause)
		if _, err := d.ByLogin(t.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		if opened, _ := c.connections(); opened != 1+want/3 {
			t.Errorf("after %v: %d connections, want %d", pause, opened, 1+want/3)
		}
	}
	if err := d.Close(); err != nil || len(d.servers[0].idle) != 0 {
		t.Errorf("Close = %v, and %d connections are left", err, len(d.servers[0].idle))
	}
	if _, err := d.ByLogin(t.Context(), "ann"); err != nil || len(d.servers[0].idle) != 0 {
		t.Errorf("what was under way: %v, and %d connections are left", err, len(d.servers[0].idle))
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	l := parts.Slapd(b)
	d, _ := open(b, options(b, l))
	for b.Loop() {
		if _, err := d.Authenticate(b.Context(), "p0500", "password of p0500"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByLogin(b *testing.B) {
	l := parts.Slapd(b)
	d, _ := open(b, options(b, l))
	for b.Loop() {
		if _, err := d.ByLogin(b.Context(), "p0500"); err != nil {
			b.Fatal(err)
		}
	}
}
