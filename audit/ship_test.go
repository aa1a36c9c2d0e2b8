package audit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"portico/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bin is a sink that keeps all, and fails or hangs when it is told to.
type bin struct {
	name string

	mu    sync.Mutex
	lines [][]byte
	fail  error
	hang  chan struct{} // Send waits for it, whatever its context says
	slow  bool          // Send waits for its context
}

func (b *bin) Name() string { return b.name }

func (b *bin) Send(ctx context.Context, items []Item) error {
	b.mu.Lock()
	fail, hang, slow := b.fail, b.hang, b.slow
	b.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if slow {
		<-ctx.Done()
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range items {
		b.lines = append(b.lines, i.Line)
	}
	return fail // it may have taken them all the same
}

// mend makes it one that takes all.
func (b *bin) mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail, b.hang, b.slow = nil, nil, false
}

func (b *bin) file() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(bytes.Join(b.lines, []byte("\n")), '\n')
}

func (b *bin) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.lines)
}

// started is a Log whose Run is under way, in a bubble of synctest.
type started struct {
	*Log
	t    *testing.T
	tick chan time.Time
	out  *bytes.Buffer
	lag  map[string]int64
}

// start runs a Log until the test's end.
func start(t *testing.T, m *memory, c *clock, o Options) *started {
	t.Helper()
	s := &started{t: t, tick: make(chan time.Time), out: &bytes.Buffer{}, lag: map[string]int64{}}
	o.Log = slog.New(slog.NewTextHandler(s.out, nil))
	o.Lag = func(sink string, n int64) { s.lag[sink] = n }
	s.Log = newLog(t, m, c, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, s.tick)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return s
}

// ticks lets some time of the clock go by, in ticks, and waits for their work.
func (s *started) ticks(c *clock, d time.Duration, n int) {
	s.t.Helper()
	for range n {
		c.add(d)
		s.tick <- time.Time{}
		synctest.Wait()
	}
}

func TestRunSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		file, marks := &bin{name: "file"}, &bin{name: "marks"}
		s := start(t, m, c, Options{Sinks: []Sink{file}, Checkpoints: []Sink{marks}})
		write(t, s.Log, c, 1200)
		synctest.Wait() // woken by the rows: no tick has come
		if n := file.count(); n != 1200 {
			t.Errorf("the sink has %d rows, want 1200", n)
		}
		s.ticks(c, time.Second, 1)
		if marks.count() < 2 || m.sinks[[2]string{"checkpoint:marks", "gw-1"}] < 1000 {
			t.Errorf("checkpoints after 1200 rows: %s", marks.file())
		}
		s.ticks(c, time.Minute, 1) // the rest of the rows has its own, too
		before := marks.count()
		write(t, s.Log, c, 1)
		s.ticks(c, time.Second, 3)
		s.ticks(c, time.Minute, 5)
		if n := marks.count(); n != before+1 {
			t.Errorf("%d checkpoints in minutes with one new row, want 1", n-before)
		}
		r := verifyLines(t, file.file(), testKeys(t), marks.file())
		if !r.OK() || r.Spans[0].Rows != 1201 || r.Spans[0].Checkpoints != marks.count() {
			t.Errorf("%+v", r)
		}
		if s.lag["file"] != 0 || s.lag["checkpoint:marks"] != 0 {
			t.Errorf("lag = %v", s.lag)
		}
	})
}

// TestRunSinkHangs has one sink that hangs for 30 seconds and does not listen.
func TestRunSinkHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		release := make(chan struct{})
		hung, other := &bin{name: "hung", hang: release}, &bin{name: "other"}
		s := start(t, m, c, Options{Sinks: []Sink{hung, other}})
		write(t, s.Log, c, 10)
		synctest.Wait()
		s.ticks(c, 31*time.Second, 2)
		write(t, s.Log, c, 10) // nobody waits for a sink
		s.ticks(c, time.Second, 2)
		if hung.count() != 0 || other.count() != 20 || s.lag["hung"] != 20 || s.lag["other"] != 0 {
			t.Errorf("rows: hung %d, other %d; lag %v", hung.count(), other.count(), s.lag)
		}
		if n := strings.Count(s.out.String(), "the audit sink hangs"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, s.out)
		}
		close(release)
		hung.mend()
		synctest.Wait()
		s.ticks(c, time.Second, 2)
		if !bytes.Equal(hung.file(), other.file()) || s.lag["hung"] != 0 {
			t.Errorf("the hung sink has %d rows, lag %v", hung.count(), s.lag)
		}
	})
}

// TestRunSinkSlow has one that gives up with its context, after 30 seconds of
// synctest's own clock.
func TestRunSinkSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		slow := &bin{name: "slow", slow: true}
		s := start(t, m, c, Options{Sinks: []Sink{slow}, Linger: time.Second})
		write(t, s.Log, c, 10)
		begin := time.Now()
		time.Sleep(sendWithin + 2*time.Second)
		synctest.Wait()
		if !strings.Contains(s.out.String(), "the audit sink takes nothing") || time.Since(begin) < sendWithin {
			t.Errorf("log = %s", s.out)
		}
		slow.mend()
		time.Sleep(sendWithin) // a second try is under way
		s.ticks(c, time.Second, 1)
		if slow.count() != 10 || !strings.Contains(s.out.String(), "takes rows again") {
			t.Errorf("%d rows; log = %s", slow.count(), s.out)
		}
	})
}

// TestRunSinkFails sends again what a sink may have taken, in order.
func TestRunSinkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		file := &bin{name: "file", fail: errors.New("away")}
		s := start(t, m, c, Options{Sinks: []Sink{file}})
		write(t, s.Log, c, 10)
		synctest.Wait()
		s.ticks(c, time.Second, 3)
		if strings.Count(s.out.String(), "level=ERROR") != 1 {
			t.Errorf("log = %s", s.out)
		}
		file.mend()
		write(t, s.Log, c, 10)
		s.ticks(c, time.Second, 1)
		r := verifyLines(t, file.file(), testKeys(t), nil)
		if !r.OK() || r.Spans[0].Last != 20 {
			t.Errorf("%+v", r)
		}
	})
}

// TestRunStoreAway goes on when the store is back.
func TestRunStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		file := &bin{name: "file"}
		s := start(t, m, c, Options{Sinks: []Sink{file}})
		write(t, s.Log, c, 1)
		synctest.Wait()
		if _, err := s.Intend(t.Context(), change()); err != nil {
			t.Error(err)
		}
		m.set(errors.New("away"))
		if err := s.Record(t.Context(), change()); err == nil {
			t.Error("Record = nil")
		}
		s.doubt(m.intents[0].ID)
		s.ticks(c, time.Second, 2)
		m.set(nil)
		write(t, s.Log, c, 1)
		s.ticks(c, time.Second, 1)
		if file.count() != 2 || len(m.intents) != 0 {
			t.Errorf("%d rows, intents %v", file.count(), m.intents)
		}
	})
}

// TestRunRowsRemoved tells at once of rows that a sink has taken and that are no
// longer there, and sends those that come in their place.
func TestRunRowsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		file := &bin{name: "file"}
		s := start(t, m, c, Options{Sinks: []Sink{file}})
		write(t, s.Log, c, 10)
		synctest.Wait()
		m.mu.Lock()
		m.rows["gw-1"] = m.rows["gw-1"][:7]
		m.heads["gw-1"] = store.AuditStream{Name: "gw-1", First: 1, Last: 7, Head: m.rows["gw-1"][6].Hash}
		m.mu.Unlock()
		s.ticks(c, time.Second, 2)
		write(t, s.Log, c, 1)
		s.ticks(c, time.Second, 2)
		if n := strings.Count(s.out.String(), "rows of the audit log are gone"); n != 1 || file.count() != 11 {
			t.Errorf("%d rows; told %d times: %s", file.count(), n, s.out)
		}
		wantFault(t, verifyLines(t, file.file(), testKeys(t), nil), "row 8: stands behind row 10", 1)
	})
}

// TestRunDeadReplica sends what a dead replica could not, and gives its stream
// back when it is there again.
func TestRunDeadReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-2"), newClock()
		m.shared = true
		dead := newLog(t, m, c, Options{})
		write(t, dead, c, 5)
		intend(t, dead)
		m.name = "gw-1"
		m.alive = []string{"gw-2"}
		file, marks := &bin{name: "file"}, &bin{name: "marks"}
		s := start(t, m, c, Options{Sinks: []Sink{file}, Checkpoints: []Sink{marks}, Rand: &counter{n: 100}})
		s.ticks(c, 2*time.Minute, 1)
		if file.count() != 0 || len(m.intents) != 1 {
			t.Errorf("%d rows and %d intents of one who is alive", file.count(), len(m.intents))
		}
		m.mu.Lock()
		m.alive = nil
		m.mu.Unlock()
		s.ticks(c, 2*time.Minute, 2)
		r := verifyLines(t, file.file(), testKeys(t), marks.file())
		if !r.OK() || len(r.Spans) != 2 || r.Spans[1].Rows != 5 || r.Spans[1].Checkpoints != 1 || len(m.intents) != 0 {
			t.Errorf("%+v, intents %v", r, m.intents)
		}
		if !slices.Equal(s.streams(), []string{"gw-1", "gw-2"}) || len(m.claims) != 1 {
			t.Errorf("streams %v, claims %v", s.streams(), m.claims)
		}
		m.mu.Lock()
		m.alive = []string{"gw-2"}
		m.mu.Unlock()
		s.ticks(c, 2*time.Minute, 1)
		if !slices.Equal(s.streams(), []string{"gw-1"}) || len(m.claims) != 0 {
			t.Errorf("streams %v, claims %v", s.streams(), m.claims)
		}
	})
}

// TestRunAdoptedElsewhere leaves a stream that another replica has taken, and
// gives up one that it may have lost.
func TestRunAdoptedElsewhere(t *testing.T) {
	m, c := newMemory("gw-2"), newClock()
	write(t, newLog(t, m, c, Options{}), c, 1)
	m.name = "gw-1"
	l := newLog(t, m, c, Options{})
	claim, _, _ := m.ClaimName(t.Context(), "audit-stream", "gw-2")
	if err := l.adopt(t.Context(), []string{"gw-1"}); err != nil || len(l.streams()) != 1 {
		t.Errorf("adopt = %v, %v", err, l.streams())
	}
	claim.Release()
	if err := l.adopt(t.Context(), []string{"gw-1"}); err != nil || len(l.streams()) != 2 {
		t.Errorf("adopt = %v, %v", err, l.streams())
	}
	close(m.claims["audit-stream/gw-2"].lost)
	l.abandon([]string{"gw-1"})
	if len(l.streams()) != 1 {
		t.Errorf("streams = %v", l.streams())
	}
}

func TestNewRefuses(t *testing.T) {
	m, c := newMemory("x"), newClock()
	for _, o := range []Options{
		{},
		{Store: m, Clock: c.now, Rand: &counter{}, Key: testSecret[1:]},
		{Store: m, Clock: c.now, Rand: strings.NewReader(""), Key: testSecret},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) = nil", o)
		}
	}
}
