package notify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/memstate"
	"portico/lang"
	"portico/notify"
	"portico/store"
)

// world is a Notifier over a store in memory, a clock that stands still, and a mail
// server that does as it is told.
type world struct {
	*testing.T
	state  store.State
	n      *notify.Notifier
	clock  *clock
	server *server
	log    *bytes.Buffer
	texts  *lang.Catalog
}

func (w *world) words(tag string) *lang.Text { return w.texts.For(tag) }

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

// server is a Mailer. Its answers come in turn, and then are all good.
type server struct {
	mu      sync.Mutex
	away    error
	answers []error
	sent    []*notify.Mail // taken
	tried   int
	during  func(*notify.Mail) // while a mail is on its way
}

func (s *server) Open(context.Context) (notify.Session, error) { return s, s.away }
func (s *server) Close()                                       {}

func (s *server) Send(_ context.Context, m *notify.Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried++
	if s.during != nil {
		s.during(m)
	}
	if len(s.answers) > 0 {
		err := s.answers[0]
		s.answers = s.answers[1:]
		if err != nil {
			return err
		}
	}
	s.sent = append(s.sent, m)
	return nil
}

func newWorld(t *testing.T, state store.State, change ...func(*notify.Options)) *world {
	t.Helper()
	catalog, err := lang.New()
	if err != nil {
		t.Fatal(err)
	}
	if state == nil {
		state = memstate.New()
	}
	w := &world{T: t, texts: catalog, state: state, server: &server{}, log: &bytes.Buffer{}, clock: &clock{now: time.Date(2027, 3, 12, 9, 30, 0, 0, time.UTC)}}
	o := notify.Options{
		State: state, Clock: w.clock.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Catalog: catalog, Mailer: w.server, From: "portico@firm.example",
		Public:   func() *url.URL { return &url.URL{Scheme: "https", Host: "drive.firm.example"} },
		Brand:    func(string) notify.Brand { return notify.Brand{Name: "Firm & Co", Colour: "#0b6b3a"} },
		Language: func() string { return "en" },
	}
	for _, f := range change {
		f(&o)
	}
	w.n = notify.New(o)
	return w
}

func (w *world) tell(all ...notify.Notice) {
	w.Helper()
	for _, x := range all {
		if err := w.state.Update(w.Context(), func(tx store.Tx) error { return w.n.Tell(tx, x) }); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) round() {
	w.Helper()
	if err := w.n.Round(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// wantSent holds how many mails were taken so far.
func (w *world) wantSent(n int) {
	w.Helper()
	if got := len(w.server.sent); got != n {
		w.Errorf("%d mails were sent, want %d", got, n)
	}
}

// waiting are the mails of a batch that wait.
func (w *world) waiting(batch, mail string) []store.Notice {
	w.Helper()
	all, err := w.state.WaitingMails(w.Context(), batch, mail)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func (w *world) list(to string) []store.Notice {
	w.Helper()
	all, err := w.n.List(w.Context(), to, 100)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// shared is a notice to a customer.
func shared() notify.Notice {
	return notify.Notice{
		To: "contact:c1", Mail: "carl@client.example", Name: "Carl Client", From: "yaml:ann", Event: notify.Shared,
		Data: map[string]string{"by": "Ann", "item": "Annual accounts 2026", "message": "Please read this.\nAnn", "until": "2027-06-30T00:00:00Z", "link": "/portal/Annual%20accounts"},
	}
}

func invited() notify.Notice {
	return notify.Notice{
		Mail: "carl@client.example", From: "yaml:ann", Event: notify.Invited, Always: true, Quiet: true,
		Data: map[string]string{"by": "Ann", "firm": "Firm & Co", "until": "2027-03-19T09:30:00Z", "link": "/invite/canary-secret-4711"},
	}
}

func deposited(i int) notify.Notice {
	return notify.Notice{
		To: "yaml:ann", Mail: "ann@firm.example", Event: notify.Deposited, Batch: "deposits:g1", Delay: 10 * time.Minute,
		Data: map[string]string{"by": "Carl Client", "item": fmt.Sprintf("scan %d.pdf", i), "folder": "Inbox", "size": "1400000", "link": "/files/firm/Inbox/"},
	}
}

func TestANoticeIsInTheListAndGoesOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(shared())
	w.round()
	w.round()
	w.clock.add(24 * time.Hour)
	w.round()
	w.wantSent(1)
	m := w.server.sent[0]
	if m.Subject != "Ann shared “Annual accounts 2026” with you" || m.To != "carl@client.example" {
		t.Errorf("mail %q to %q", m.Subject, m.To)
	}
	if all := w.list("contact:c1"); len(all) != 1 || all[0].Trouble != "" || all[0].Done.IsZero() {
		t.Errorf("list %+v", all)
	}
	if n, err := w.n.Unread(t.Context(), "contact:c1"); n != 1 || err != nil {
		t.Errorf("Unread = %d, %v, want 1", n, err)
	}
	if err := w.n.MarkRead(t.Context(), "contact:c1"); err != nil {
		t.Fatal(err)
	}
	if n, err := w.n.Unread(t.Context(), "contact:c1"); n != 0 || err != nil {
		t.Errorf("Unread = %d, %v, want 0", n, err)
	}
}

func TestDepositsOfTenMinutesAreOneMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for i := range 3 {
		w.tell(deposited(i))
		w.clock.add(4 * time.Minute)
		w.round()
	}
	w.wantSent(1)
	m := w.server.sent[0]
	if m.Subject != "3 documents were sent" || strings.Count(m.Text, "\n- “scan ") != 3 {
		t.Errorf("mail %q:\n%s", m.Subject, m.Text)
	}
	w.tell(deposited(9))
	w.clock.add(9 * time.Minute)
	w.round()
	w.wantSent(1)
	w.clock.add(time.Minute)
	w.round()
	w.wantSent(2)
	if got, want := w.server.sent[1].Subject, "Carl Client sent “scan 9.pdf”"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
}

func TestLaterIsTriedAgainWithLongerPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(shared())
	busy := errors.New("451 4.7.1 come back later")
	w.server.answers = []error{busy, busy, busy}
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		w.round()
		w.wantSent(0)
		w.clock.add(pause - time.Second)
		tried := w.server.tried
		w.round()
		if w.server.tried != tried {
			t.Errorf("tried again before %v were over", pause)
		}
		w.clock.add(time.Second)
	}
	w.round()
	w.wantSent(1)
}
