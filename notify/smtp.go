package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// SMTP is a server that takes our mail.
type SMTP struct {
	Address  string         // host:port
	TLS      bool           // TLS from the first byte (smtps, RFC 8314 §3.3); else STARTTLS
	Username string         // "" for none
	Password string         // goes nowhere but over TLS
	Roots    *x509.CertPool // nil: those of the system
	Hello    string         // the name that we give ourselves, of the public address

	// Dial opens connections; nil for the network's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Answer is how long the server may think about a mail; 0 for answerTime.
	Answer time.Duration
}

// The patience with a server. RFC 5321 §4.5.3.2 wants ten minutes for the answer
// to a mail: a shorter wait leaves more mails of which nobody knows. To be greeted
// it grants five minutes; ours are shorter, since nothing is lost by coming again.
const (
	greetTime  = 30 * time.Second
	answerTime = 10 * time.Minute
	// endTime is what a mail on its way still gets when the server is to stop.
	endTime = 5 * time.Second
)

// NewSMTP makes a way out through a server. It does not connect yet.
//
// TLS is not optional: without it, or with a certificate that does not prove the
// server's name, nothing is sent (CVE-2024-41256, CVE-2026-25160). The one
// exception is a server on this machine without a password: what goes there goes
// over no network, and its certificate is usually one that proves nothing.
func NewSMTP(o SMTP) (Mailer, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("notify: smtp: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("notify: smtp: port %q is no number", port)
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Answer == 0 {
		o.Answer = answerTime
	}
	if o.Hello == "" {
		o.Hello = "localhost"
	}
	r := &relay{o: o, host: host, port: number, tls: &tls.Config{ServerName: host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}
	if r.talker, err = r.client(o.Answer); err != nil {
		return nil, err
	}
	return r, nil
}

// relay is an SMTP server.
type relay struct {
	o      SMTP
	host   string
	port   int
	tls    *tls.Config
	talker *gomail.Client // knows how long to wait for answers
}

// client makes a client of go-mail. Its options are checked when it is made.
func (r *relay) client(patience time.Duration, more ...gomail.Option) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(r.port), gomail.WithTimeout(patience), gomail.WithHELO(r.o.Hello), gomail.WithTLSConfig(r.tls),
	}
	switch {
	case r.o.TLS: // Open's dialer sees to it
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case isHere(r.host) && r.o.Username == "":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if r.o.Username != "" {
		options = append(options, gomail.WithUsername(r.o.Username), gomail.WithPassword(r.o.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	c, err := gomail.NewClient(r.host, append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("notify: smtp: %w", err)
	}
	return c, nil
}

// isHere tells this machine's own address.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// Open is of Mailer.
func (r *relay) Open(ctx context.Context) (Session, error) {
	var raw net.Conn
	dialer, err := r.client(greetTime, gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := r.dial(ctx, network, address)
		raw = conn
		return conn, err
	}))
	if err != nil {
		return nil, err
	}
	conn, err := dialer.DialToSMTPClientWithContext(ctx)
	if err != nil {
		if raw != nil {
			_ = raw.Close() // go-mail leaves it open
		}
		return nil, fmt.Errorf("notify: the mail server %s cannot be used: %w", r.o.Address, err)
	}
	s := &talk{with: r.talker, conn: conn}
	// A server that does not answer must not keep Portico from stopping.
	s.release = context.AfterFunc(ctx, func() { time.AfterFunc(endTime, func() { _ = raw.Close() }) })
	return s, nil
}

// dial connects, with TLS at once for smtps.
func (r *relay) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.o.Dial(ctx, network, address)
	if err != nil || !r.o.TLS {
		return conn, err
	}
	secure := tls.Client(conn, r.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// talk is a connection that has been greeted.
type talk struct {
	with    *gomail.Client
	conn    *smtp.Client
	release func() bool
	over    bool
}

// Send is of Session.
func (t *talk) Send(_ context.Context, m *Mail) error {
	msg, err := m.message()
	if err != nil {
		return err
	}
	err = t.with.SendWithSMTPClient(t.conn, msg)
	if err == nil || msg.IsDelivered() { // what fails afterwards is the next mail's trouble
		return nil
	}
	return meaning(err)
}

// meaning is what an error of go-mail says of the mail. Only a refusal of the
// recipient or of the mail itself is for good: a sender, a password or a greeting
// that is refused is a fault of the configuration, which somebody may mend while
// the mail waits.
func meaning(err error) error {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return fmt.Errorf("notify: smtp: %w: %w", ErrBroken, err)
	}
	code, why := e.ErrorCode(), e.Reason
	switch {
	case code == 0 && why == gomail.ErrSMTPDataClose:
		// The dot that ends a mail has gone, and no answer came.
		return fmt.Errorf("notify: smtp: %w: %w", ErrUnclear, err)
	case code == 421: // the server closes (RFC 5321 §3.8)
		return fmt.Errorf("notify: smtp: %w: %w", ErrBroken, err)
	case code >= 500 && (why == gomail.ErrSMTPRcptTo || why == gomail.ErrSMTPDataClose || why == gomail.ErrSMTPData):
		return fmt.Errorf("notify: smtp: %w: %w", ErrRefused, err)
	case code == 0:
		return fmt.Errorf("notify: smtp: %w: %w", ErrBroken, err)
	default:
		return fmt.Errorf("notify: smtp: %w", err)
	}
}

// Close is of Session.
func (t *talk) Close() {
	if t.over {
		return
	}
	t.over = true
	t.release()
	if t.with.CloseWithSMTPClient(t.conn) != nil {
		_ = t.conn.Close() // without a good-bye
	}
}
