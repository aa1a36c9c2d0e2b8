package postgres

import (
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/parts"
	"portico/vpath"
)

// dial is a clock that a test sets.
type dial struct{ at atomic.Int64 }

func (d *dial) uptime() time.Duration         { return time.Duration(d.at.Load()) }
func (d *dial) advance(by time.Duration)      { d.at.Add(int64(by)) }
func (t times) mute() times                   { t.beat = time.Hour; return t }
func (t times) patient(p time.Duration) times { t.patience, t.silence = p, p*3/2; return t }

// TestHeldGoesByTheClock: no timer has run yet and no connection has broken, and
// the claim is known to be gone all the same.
func TestHeldGoesByTheClock(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	var clock dial
	clock.advance(time.Hour)
	long := brisk().mute().patient(time.Hour) // no timer of it ends in the test
	s := openWith(t, p.DSN, Options{Replica: "a", times: long, uptime: clock.uptime})
	c, err := s.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour - 1)
	if !c.Held() {
		t.Error("a claim is gone before its time")
	}
	select {
	case <-c.Lost():
		t.Error("Lost is closed while it is held")
	default:
	}
	clock.advance(1)
	if c.Held() {
		t.Error("a claim is held when nothing was heard for the session's patience")
	}
	<-c.Lost() // it stays so
	clock.advance(-time.Hour)
	if c.Held() {
		t.Error("a claim that was gone is held again")
	}
	c.Release()
	eventually(t, "it can claim again, in a new session", func() bool {
		c, err := s.Claim(t.Context(), vpath.Must("/w"))
		if err != nil {
			return false
		}
		defer c.Release()
		return c.Held()
	})
}

// TestHeldIsRenewed: each answer renews the claims, from the moment when it was
// asked for.
func TestHeldIsRenewed(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	var clock dial
	s := openWith(t, p.DSN, Options{Replica: "a", times: brisk().mute().patient(time.Hour), uptime: clock.uptime})
	c, err := s.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.lease.current()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		clock.advance(40 * time.Minute)
		if err := held.sign(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !c.Held() {
			t.Fatal("a claim is gone though the server has answered")
		}
	}
	// Halted between question and answer: the answer proves no more than its question.
	<-held.turn
	answered := make(chan error, 1)
	asked := make(chan struct{})
	held.uptime = func() time.Duration {
		defer func() {
			if asked != nil {
				close(asked)
				asked = nil
			}
		}()
		return clock.uptime()
	}
	wait := asked
	go func() { answered <- held.sign(t.Context()) }()
	<-wait
	clock.advance(time.Hour)
	held.turn <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if c.Held() {
		t.Error("an answer that had lain about for an hour renews a claim")
	}
}

// TestStandardTimes hold the arithmetic of held against what the server is told.
func TestStandardTimes(t *testing.T) {
	t.Parallel()
	std := times{}.orStandard()
	config, err := connConfig("postgres://u:p@localhost/d", Options{Replica: "a"})
	if err != nil {
		t.Fatal(err)
	}
	second := func(name string) time.Duration {
		t.Helper()
		text := config.RuntimeParams[name]
		d, err := time.ParseDuration(text)
		if err != nil {
			if d, err = time.ParseDuration(text + "s"); err != nil {
				t.Fatalf("%s = %q", name, text)
			}
		}
		return d
	}
	probes := second("tcp_keepalives_count").Seconds()
	keepalive := second("tcp_keepalives_idle") + time.Duration(probes*float64(second("tcp_keepalives_interval")))
	for name, ends := range map[string]time.Duration{
		"idle_session_timeout": std.silence, "tcp_user_timeout": second("tcp_user_timeout"), "keepalives": keepalive,
	} {
		if margin := ends - std.patience; margin < 4*time.Second {
			t.Errorf("%s ends a session after %v, %v after its claims count as lost, want 4s or more", name, ends, margin)
		}
	}
	if 2*std.beat >= std.patience {
		t.Errorf("one lost beat of %v ends claims that are good for %v", std.beat, std.patience)
	}
}

// TestSinceBoot holds the real clock against Go's.
func TestSinceBoot(t *testing.T) {
	t.Parallel()
	began, at := time.Now(), sinceBoot()
	if at <= 0 || at == 1<<63-1 {
		t.Fatalf("sinceBoot() = %v", at)
	}
	<-time.After(20 * time.Millisecond) // what is measured
	if got, most := sinceBoot()-at, time.Since(began)+time.Millisecond; got < 20*time.Millisecond || got > most {
		t.Errorf("sinceBoot() went on by %v, Go's clock by %v", got, most)
	}
}
