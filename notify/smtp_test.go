package notify_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"portico/internal/parts"
	"portico/notify"
)

// relayed is a way out to a mail server, by its name, so that nothing holds for it
// that holds for this machine alone.
func relayed(t *testing.T, s *parts.MailServer, change ...func(*notify.SMTP)) notify.Mailer {
	t.Helper()
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	o := notify.SMTP{
		Address: parts.MailName + ":587", Roots: roots, Hello: "drive.firm.example",
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Address)
		},
	}
	for _, f := range change {
		f(&o)
	}
	m, err := notify.NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func over(m notify.Mailer) func(*notify.Options) { return func(o *notify.Options) { o.Mailer = m } }

func TestSMTPTakesMails(t *testing.T) {
	t.Parallel()
	signIn := func(o *notify.SMTP) { o.Username, o.Password = "portico", "canary-smtp-password" }
	for name, c := range map[string]struct {
		o      parts.MailOptions
		change func(*notify.SMTP)
	}{
		"STARTTLS":              {parts.MailOptions{}, func(*notify.SMTP) {}},
		"STARTTLS and password": {parts.MailOptions{User: "portico", Password: "canary-smtp-password"}, signIn},
		"smtps and password":    {parts.MailOptions{User: "portico", Password: "canary-smtp-password", TLS: true}, func(o *notify.SMTP) { signIn(o); o.TLS = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := parts.Mail(t, c.o)
			w := newWorld(t, nil, over(relayed(t, s, c.change)))
			other := shared()
			other.To, other.Mail = "contact:c2", "dora@client.example"
			w.tell(shared())
			w.clock.add(time.Second)
			w.tell(other) // both go over one connection
			w.round()
			got := s.Mails()
			if len(got) != 2 {
				t.Fatalf("%d mails arrived, want 2; log:\n%s", len(got), w.log)
			}
			m := got[0]
			if !m.TLS || m.To != "carl@client.example" || m.From != "portico@firm.example" || m.User != c.o.User {
				t.Errorf("mail from %q to %q by %q, TLS %v", m.From, m.To, m.User, m.TLS)
			}
			if got[1].To != "dora@client.example" {
				t.Errorf("second mail to %q", got[1].To)
			}
		})
	}
}

// THREATS.md row 91: nothing goes out but to a server that has proved its name.
func TestSMTPSendsNothingWithoutTLSThatIsProved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o      parts.MailOptions
		change func(*notify.SMTP)
		want   string
	}{
		"no STARTTLS":       {parts.MailOptions{Plain: true}, func(*notify.SMTP) {}, "STARTTLS"},
		"unknown authority": {parts.MailOptions{}, func(o *notify.SMTP) { o.Roots = x509.NewCertPool() }, "unknown authority"},
		"another's name":    {parts.MailOptions{}, func(o *notify.SMTP) { o.Address = "mail.other.example:587" }, "not mail.other.example"},
		"smtps, unknown":    {parts.MailOptions{TLS: true}, func(o *notify.SMTP) { o.TLS, o.Roots = true, x509.NewCertPool() }, "unknown authority"},
		"smtps without TLS": {parts.MailOptions{Plain: true}, func(o *notify.SMTP) { o.TLS = true }, "TLS"},
		"password, no TLS":  {parts.MailOptions{Plain: true, User: "portico", Password: "x"}, func(o *notify.SMTP) { o.Username, o.Password = "portico", "canary-smtp-password" }, "STARTTLS"},
		"here, but password": {parts.MailOptions{Plain: true, User: "portico", Password: "x"}, func(o *notify.SMTP) {
			o.Address, o.Username, o.Password = "127.0.0.1:25", "portico", "canary-smtp-password"
		}, "STARTTLS"},
		"wrong password": {parts.MailOptions{User: "portico", Password: "x"}, func(o *notify.SMTP) { o.Username, o.Password = "portico", "canary-smtp-password" }, "AUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := parts.Mail(t, c.o)
			w := newWorld(t, nil, over(relayed(t, s, c.change)))
			w.tell(invited())
			err := w.n.Round(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Round = %v, want an error about %s", err, c.want)
			}
			if n := len(s.Mails()); n != 0 {
				t.Errorf("%d mails went out", n)
			}
			if all := w.waiting("", "carl@client.example"); len(all) != 1 || all[0].Tries != 1 {
				t.Errorf("waiting: %+v", all)
			}
			if text := w.log.String() + err.Error(); strings.Contains(text, "canary") {
				t.Errorf("a secret is told: %s", text)
			}
		})
	}
}

func TestSMTPOnThisMachineNeedsNoTLS(t *testing.T) {
	t.Parallel()
	s := parts.Mail(t, parts.MailOptions{Plain: true})
	w := newWorld(t, nil, over(relayed(t, s, func(o *notify.SMTP) { o.Address = s.Address })))
	w.tell(shared())
	w.round()
	if got := s.Mails(); len(got) != 1 || got[0].TLS {
		t.Errorf("mails %+v", got)
	}
}

// What an answer of the server at each step means.
func TestSMTPAnswers(t *testing.T) {
	t.Parallel()
	answer := func(code int, text string) error { return &smtp.SMTPError{Code: code, Message: text} }
	for name, c := range map[string]struct {
		stage  string
		err    error
		sent   int  // after a day
		done   bool // at once
		doubt  bool
		reason string
	}{
		"sender refused: ours to mend":      {"mail", answer(550, "no such sender"), 1, false, false, "no such sender"},
		"busy at sender":                    {"mail", answer(450, "busy"), 1, false, false, "busy"},
		"grey list":                         {"rcpt", answer(451, "come back later"), 1, false, false, "come back later"},
		"no such mailbox":                   {"rcpt", answer(550, "no such mailbox"), 0, true, false, "no such mailbox"},
		"full at the end":                   {"data", answer(452, "disk full"), 1, false, false, "disk full"},
		"spam":                              {"data", answer(554, "refused as spam http://drive.firm.example/invite/canary-secret-4711"), 0, true, false, "refused as spam …"},
		"gone before the mail":              {"rcpt", parts.ErrCut, 1, false, false, "ended"},
		"gone after the mail: nobody knows": {"data", parts.ErrCut, 0, true, true, "nobody knows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			s := parts.Mail(t, parts.MailOptions{Hook: func(stage string, _ parts.Received) error {
				if stage != c.stage {
					return nil
				}
				if asked++; asked > 1 {
					return nil
				}
				return c.err
			}})
			w := newWorld(t, nil, over(relayed(t, s)))
			w.tell(invited())
			w.round()
			waiting := w.waiting("", "carl@client.example")
			if done := len(waiting) == 0; done != c.done {
				t.Errorf("done = %v, want %v", done, c.done)
			}
			told := w.list("yaml:ann")
			if (len(told) == 1) != c.done {
				t.Fatalf("the sender's list: %+v", told)
			}
			var trouble string
			if c.done {
				title, body, _ := w.n.Words(w.words("en"), told[0])
				trouble = body
				want := "The mail to carl@client.example was not delivered"
				if c.doubt {
					want = "The mail to carl@client.example may not have been delivered"
				}
				if title != want {
					t.Errorf("the sender reads %q, want %q", title, want)
				}
			} else {
				trouble = waiting[0].Trouble
			}
			if !strings.Contains(trouble, c.reason) || strings.Contains(trouble+w.log.String(), "canary") {
				t.Errorf("trouble %q, want %q without a secret; log %s", trouble, c.reason, w.log)
			}
			w.clock.add(24 * time.Hour)
			w.round()
			if n := len(s.Mails()); n != c.sent {
				t.Errorf("%d mails arrived, want %d", n, c.sent)
			}
		})
	}
}

// A server that takes a mail and never answers: the wait ends, and nobody knows.
func TestSMTPThatNeverAnswers(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	s := parts.Mail(t, parts.MailOptions{Hook: func(stage string, _ parts.Received) error {
		if stage == "data" {
			<-hang
			return parts.ErrCut
		}
		return nil
	}})
	t.Cleanup(func() { close(hang) })
	w := newWorld(t, nil, over(relayed(t, s, func(o *notify.SMTP) { o.Answer = 300 * time.Millisecond })))
	w.tell(invited())
	w.round()
	if told := w.list("yaml:ann"); len(told) != 1 {
		t.Errorf("the sender's list: %+v", told)
	}
	if all := w.waiting("", "carl@client.example"); len(all) != 0 {
		t.Errorf("waiting: %+v", all)
	}
}

// A server that is to stop does not wait for a mail server that is silent.
func TestSMTPLetsPorticoStop(t *testing.T) {
	t.Parallel()
	hang, reached := make(chan struct{}), make(chan struct{})
	s := parts.Mail(t, parts.MailOptions{Hook: func(stage string, _ parts.Received) error {
		if stage == "data" {
			close(reached)
			<-hang
		}
		return nil
	}})
	t.Cleanup(func() { close(hang) })
	w := newWorld(t, nil, over(relayed(t, s)))
	w.tell(invited())
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-reached; stop() }()
	if err := w.n.Round(ctx); err != nil { // returns, long before ten minutes
		t.Error(err)
	}
	if told := w.list("yaml:ann"); len(told) != 1 {
		t.Errorf("the sender's list: %+v", told)
	}
}

func TestServerThatIsDownIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := parts.Mail(t, parts.MailOptions{})
	down := true
	w := newWorld(t, nil, over(relayed(t, s, func(o *notify.SMTP) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if down {
				return nil, errors.New("connection refused")
			}
			return dial(ctx, network, address)
		}
	})))
	w.tell(shared(), invited())
	for range 20 {
		if err := w.n.Round(t.Context()); err == nil {
			t.Fatal("Round = nil while the server is down")
		}
		w.clock.add(15 * time.Minute) // the longest pause for a server that is away
	}
	down = false
	w.round()
	if n := len(s.Mails()); n != 2 {
		t.Errorf("%d mails arrived, want 2", n)
	}
}
