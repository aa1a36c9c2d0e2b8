package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/fault"
	"portico/internal/memstate"
	"portico/internal/parts"
	"portico/notify"
	"portico/store"
	"portico/store/postgres"
	"portico/store/sqlite"
)

// under runs the tests with the servers that parts shares among them.
type under struct{ m *testing.M }

func (u under) Run() int { return parts.Main(u.m) }

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(under{m}, goleak.IgnoreAnyFunction("portico/internal/parts.startPinned.func1"))
}

// Two replicas over one database, which tell and send all at once: each mail goes
// out once.
func TestTwoReplicasSendEachMailOnce(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	var out server // both send there
	var all []*world
	for _, name := range []string{"a", "b"} {
		s, err := postgres.Open(t.Context(), p.DSN, postgres.Options{Replica: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		w := newWorld(t, s, func(o *notify.Options) { o.Mailer = &out })
		all = append(all, w)
	}
	const each = 15
	var g sync.WaitGroup
	for _, w := range all {
		g.Go(func() {
			for i := range each {
				x := shared()
				x.Mail = fmt.Sprintf("carl%d@client.example", i)
				if err := w.state.Update(t.Context(), func(tx store.Tx) error { return w.n.Tell(tx, x) }); err != nil {
					t.Error(err)
				}
				// A serialization failure is the store's to try again; the next round may.
				_ = w.n.Round(t.Context())
			}
		})
	}
	g.Wait()
	for range 5 {
		for _, w := range all {
			w.clock.add(10 * time.Minute)
			w.round()
		}
	}
	times := map[string]int{}
	for _, m := range out.sent {
		times[m.ID]++
	}
	if len(times) != 2*each {
		t.Errorf("%d notices went out, want %d", len(times), 2*each)
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("the mail of %s went out %d times", id, n)
		}
	}
}

// While one replica sends, the other does not even look.
func TestOneReplicaAtATime(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	open := func(name string) *postgres.Store {
		s, err := postgres.Open(t.Context(), p.DSN, postgres.Options{Replica: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	a, b := newWorld(t, open("a")), newWorld(t, open("b"))
	a.server.during = func(*notify.Mail) {
		b.round() // the mark is there; without the claim it would be judged a crash
	}
	a.tell(shared())
	a.round()
	a.wantSent(1)
	b.wantSent(0)
	if all := a.list("contact:c1"); len(all) != 1 || all[0].Trouble != "" {
		t.Errorf("list %+v", all)
	}
}

// crash is a process that ends while the mail server has its mail: the store hears
// nothing of the answer.
func crash(t *testing.T) (w *world, state *memstate.State) {
	t.Helper()
	state = memstate.New()
	w = newWorld(t, state)
	w.tell(invited())
	w.server.during = func(*notify.Mail) { state.Fail(fault.ErrUnavailable) }
	if err := w.n.Round(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Fatalf("Round = %v, want that the store is away", err)
	}
	state.Fail(nil)
	w.server.during = nil
	w.wantSent(1)
	return w, state
}

func TestACrashWhileSendingSendsNothingTwiceAndIsTold(t *testing.T) {
	t.Parallel()
	_, state := crash(t)
	next := newWorld(t, state) // the process that comes after
	next.round()
	next.round()
	next.wantSent(0)
	told := next.list("yaml:ann")
	if len(told) != 1 {
		t.Fatalf("the sender's list: %+v", told)
	}
	title, body, _ := next.n.Words(next.words("en"), told[0])
	if title != "The mail to carl@client.example may not have been delivered" || !strings.Contains(body, "stopped while it sent") {
		t.Errorf("the sender reads %q, %q", title, body)
	}
	if !strings.Contains(next.log.String(), "mail given up") || strings.Contains(next.log.String(), "canary") {
		t.Errorf("log %s", next.log)
	}
	for _, x := range state.Notices() {
		if strings.Contains(string(x.Data), "canary") {
			t.Errorf("the secret of a mail that is over is still kept: %s", x.Data)
		}
	}
}

// The store that was away for a moment is told later what became of the mail.
func TestAStoreThatWasAwayHearsLater(t *testing.T) {
	t.Parallel()
	w, state := crash(t)
	w.round()
	w.wantSent(1)
	if all := w.list("yaml:ann"); len(all) != 0 {
		t.Errorf("the sender is told of trouble that there is not: %+v", all)
	}
	if all := state.Notices(); len(all) != 1 || all[0].Done.IsZero() || all[0].Trouble != "" {
		t.Errorf("notices %+v", all)
	}
}

// A commit whose answer was lost may have marked the mail: it was not sent, and is.
func TestAMarkThatWasMadeForNothing(t *testing.T) {
	t.Parallel()
	for _, committed := range []bool{false, true} {
		t.Run(strconv.FormatBool(committed), func(t *testing.T) {
			t.Parallel()
			state := &forgetful{State: memstate.New()}
			w := newWorld(t, state)
			w.tell(invited())
			state.lose, state.commit = 1, committed
			if err := w.n.Round(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
				t.Fatalf("Round = %v, want that the store is away", err)
			}
			w.wantSent(0)
			w.round()
			w.wantSent(1)
			if all := w.list("yaml:ann"); len(all) != 0 {
				t.Errorf("the sender is told of trouble that there is not: %+v", all)
			}
		})
	}
}

// forgetful is a store whose answers get lost.
type forgetful struct {
	*memstate.State
	lose   int // answers that are lost, after the sweep's
	commit bool
}

func (f *forgetful) Update(ctx context.Context, do func(store.Tx) error) error {
	marks := false
	spy := func(tx store.Tx) error {
		err := do(tx)
		all, _ := tx.WaitingMails(ctx, "", "carl@client.example")
		for _, x := range all {
			marks = marks || strings.HasPrefix(x.Trouble, "being sent")
		}
		if marks && f.lose > 0 && !f.commit {
			return fault.ErrUnavailable
		}
		return err
	}
	err := f.State.Update(ctx, spy)
	if marks && f.lose > 0 {
		f.lose--
		return fault.ErrUnavailable
	}
	return err
}

func TestGivenUpAfterFiveDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		notice notify.Notice
		lasts  time.Duration
		secret string
	}{
		"invitation": {invited(), 5 * 24 * time.Hour, "canary-secret-4711"},
		"code": {notify.Notice{
			Mail: "carl@client.example", From: "yaml:ann", Event: notify.Code, Data: map[string]string{"code": "canary-482913"},
		}, time.Hour, "canary-482913"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.tell(c.notice)
			began := w.clock.Now()
			for range 40 {
				w.server.answers = []error{errors.New("451 later " + c.secret)}
				w.round()
				if len(w.waiting("", "carl@client.example")) == 0 {
					break
				}
				w.clock.add(6 * time.Hour / 24)
				if c.lasts > time.Hour {
					w.clock.add(6 * time.Hour * 23 / 24)
				}
			}
			if took := w.clock.Now().Sub(began); took < c.lasts || took > c.lasts+7*time.Hour {
				t.Errorf("given up after %v, want %v", took, c.lasts)
			}
			w.wantSent(0)
			if told := w.list("yaml:ann"); len(told) != 1 {
				t.Errorf("the sender's list: %+v", told)
			}
			if strings.Contains(w.log.String(), "canary") {
				t.Errorf("a secret is in the log: %s", w.log)
			}
		})
	}
}

// What waited while no mails could be sent at all is not sent weeks later.
func TestOldMailsAreNotSentByANewServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(invited())
	w.clock.add(21 * 24 * time.Hour)
	w.round()
	w.wantSent(0)
	if told := w.list("yaml:ann"); len(told) != 1 {
		t.Errorf("the sender's list: %+v", told)
	}
}

func TestMutedEventsSendNoMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	always := shared()
	always.Always, always.Event = true, notify.Closed
	w.tell(shared(), deposited(1), always)
	w.prefer(store.Preferences{Owner: "contact:c1", Muted: []string{"shared", "closed"}, Language: "fr"})
	w.round()
	w.wantSent(1)
	if m := w.server.sent[0]; m.Language != "fr" || !strings.Contains(m.Text, "a fermé votre accès") {
		t.Errorf("mail in %q: %s", m.Language, m.Text)
	}
	if n := len(w.list("contact:c1")); n != 2 {
		t.Errorf("%d in the list, want both", n)
	}
	if all := w.waiting("", "carl@client.example"); len(all) != 0 {
		t.Errorf("a muted mail waits: %+v", all)
	}
}

func (w *world) prefer(p store.Preferences) {
	w.Helper()
	if err := w.state.Update(w.Context(), func(tx store.Tx) error { return tx.PutPreferences(p) }); err != nil {
		w.Fatal(err)
	}
}

func TestLanguageOfAMail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ chosen, notice, server, want string }{
		{"sv", "de", "nl", "sv"}, {"", "de", "nl", "de"}, {"", "", "nl", "nl"}, {"", "", "", "en"}, {"xx", "de", "nl", "de"},
	} {
		w := newWorld(t, nil, func(o *notify.Options) { o.Language = func() string { return c.server } })
		w.prefer(store.Preferences{Owner: "contact:c1", Language: c.chosen})
		x := shared()
		x.Language = c.notice
		w.tell(x)
		w.round()
		if got := w.server.sent[0].Language; got != c.want {
			t.Errorf("chosen %q, notice %q, server %q: mail in %q, want %q", c.chosen, c.notice, c.server, got, c.want)
		}
	}
}

// TestTimesOfAMail wants them in the firm's zone, with its name.
func TestTimesOfAMail(t *testing.T) {
	t.Parallel()
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	for want, zone := range map[string]func() *time.Location{"12 March 2027, 10:00 UTC": nil, "12 March 2027, 11:00 CET": func() *time.Location { return brussels }} {
		w := newWorld(t, nil, func(o *notify.Options) { o.Zone = zone })
		w.tell(notify.Notice{
			Mail: "carl@client.example", Event: notify.Reset, Always: true, Quiet: true,
			Data: map[string]string{"until": "2027-03-12T10:00:00Z", "link": "/reset/SECRET"},
		})
		w.round()
		if text := w.server.sent[0].Text; !strings.Contains(text, want) {
			t.Errorf("%q is not in the mail:\n%s", want, text)
		}
	}
}

// A batch that waits for a busy server keeps its pause, and what comes meanwhile
// goes out with it.
func TestBatchThatIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(deposited(1))
	w.clock.add(10 * time.Minute)
	w.server.answers = []error{errors.New("451 later"), errors.New("451 later"), errors.New("451 later")}
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute} {
		w.round()
		w.clock.add(pause)
	}
	w.tell(deposited(2))
	w.clock.add(time.Minute)
	w.round()
	w.wantSent(1)
	if n := strings.Count(w.server.sent[0].Text, "“scan "); n != 2 {
		t.Errorf("%d documents in the mail, want 2:\n%s", n, w.server.sent[0].Text)
	}
	if all := w.waiting("deposits:g1", "ann@firm.example"); len(all) != 0 {
		t.Errorf("waiting: %+v", all)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(shared())
	ctx, stop := context.WithCancel(t.Context())
	tick, ended := make(chan time.Time), make(chan struct{})
	go func() { defer close(ended); w.n.Run(ctx, tick) }()
	tick <- time.Time{}
	tick <- time.Time{} // taken when the first round is over
	stop()
	<-ended
	w.wantSent(1)
}

func TestRunTellsOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.server.away = errors.New("connection refused")
	w.tell(shared())
	ctx, stop := context.WithCancel(t.Context())
	tick, ended := make(chan time.Time), make(chan struct{})
	go func() { defer close(ended); w.n.Run(ctx, tick) }()
	tick <- time.Time{}
	tick <- time.Time{}
	stop()
	<-ended
	if !strings.Contains(w.log.String(), "connection refused") {
		t.Errorf("log %s", w.log)
	}
}

// What is old leaves the lists; a mail that waits stays.
func TestOldNoticesAreDropped(t *testing.T) {
	t.Parallel()
	state, err := sqlite.Open(t.Context(), t.TempDir()+"/state.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	w := newWorld(t, state)
	w.tell(shared())
	w.round()
	w.clock.add(89 * 24 * time.Hour)
	w.round()
	if n := len(w.list("contact:c1")); n != 1 {
		t.Errorf("%d in the list after 89 days, want 1", n)
	}
	w.clock.add(2 * 24 * time.Hour)
	w.round()
	if n := len(w.list("contact:c1")); n != 0 {
		t.Errorf("%d in the list after 91 days, want 0", n)
	}
}
