package parts

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MailName is a name that the certificates of parts prove beside localhost: for
// tests of what holds for servers that are not on this machine.
const MailName = "mail.firm.example"

// ErrCut is what a hook answers to have the connection cut, without a reply.
var ErrCut = errors.New("parts: the connection is cut")

// MailServer is an SMTP server that keeps what it takes.
type MailServer struct {
	Address string // host:port, of 127.0.0.1
	CA      string // a PEM file with the authority of its certificate

	o     MailOptions
	mu    sync.Mutex
	taken []Received
}

// MailOptions are how a MailServer behaves.
type MailOptions struct {
	User, Password string // asked for if there
	TLS            bool   // smtps: TLS from the first byte
	Plain          bool   // no STARTTLS
	// Hook is asked at "mail", "rcpt" and "data"; the last when the whole mail is
	// there. A *smtp.SMTPError is the answer, ErrCut ends the connection.
	Hook func(stage string, m Received) error
}

// Received is a mail as it came.
type Received struct {
	From, To string
	Data     []byte
	TLS      bool
	User     string // who signed in
}

// Mail is an SMTP server for one test.
func Mail(tb testing.TB, o MailOptions) *MailServer {
	tb.Helper()
	dir := tb.TempDir()
	ca, err := newAuthority()
	if err == nil {
		err = ca.issue(dir, "127.0.0.1")
	}
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		tb.Fatal(err)
	}
	s := &MailServer{CA: filepath.Join(dir, "ca.pem"), o: o}
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain, server.ErrorLog, server.EnableSMTPUTF8 = MailName, quiet{}, true
	secure := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if !o.Plain && !o.TLS {
		server.TLSConfig = secure
	}
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.Address = l.Addr().String()
	if o.TLS {
		l = tls.NewListener(l, secure)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // ends when it is closed
	}()
	tb.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return s
}

// quiet is for a server whose clients come with every fault.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Mails are those that it has taken, in turn.
func (s *MailServer) Mails() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func (s *MailServer) session(c *smtp.Conn) (smtp.Session, error) {
	m := &mailSession{s: s, c: c}
	if s.o.User == "" {
		return m, nil
	}
	return &authSession{m}, nil
}

// mailSession is one client.
type mailSession struct {
	s *MailServer
	c *smtp.Conn
	m Received
}

// at asks the hook.
func (m *mailSession) at(stage string) error {
	if m.s.o.Hook == nil {
		return nil
	}
	err := m.s.o.Hook(stage, m.m)
	if errors.Is(err, ErrCut) {
		_ = m.c.Conn().Close()
	}
	return err
}

// Reset is of smtp.Session.
func (m *mailSession) Reset() { m.m = Received{User: m.m.User} }

// Logout is of smtp.Session.
func (m *mailSession) Logout() error { return nil }

// Mail is of smtp.Session.
func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if m.s.o.User != "" && m.m.User == "" {
		return smtp.ErrAuthRequired
	}
	_, m.m.TLS = m.c.TLSConnectionState()
	m.m.From = from
	return m.at("mail")
}

// Rcpt is of smtp.Session.
func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.m.To = to
	return m.at("rcpt")
}

// Data is of smtp.Session.
func (m *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m.m.Data = data
	if err := m.at("data"); err != nil {
		return err
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.taken = append(m.s.taken, m.m)
	return nil
}

// authSession is a client that has to sign in.
type authSession struct{ *mailSession }

// AuthMechanisms is of smtp.AuthSession.
func (*authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth is of smtp.AuthSession.
func (a *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != a.s.o.User || password != a.s.o.Password {
			return smtp.ErrAuthFailed
		}
		a.m.User = user
		return nil
	}), nil
}
