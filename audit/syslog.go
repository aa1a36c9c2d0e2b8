package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
)

// priority is facility 13, "log audit", with severity 5, "notice" (RFC 5424 §6.2.1).
const priority = 13*8 + 5

// Syslog is a sink that speaks RFC 5424. The standard library's log/syslog
// writes the older form of RFC 3164, without a year and without TLS, and is
// frozen; the libraries that were looked at are unmaintained or a parser with a
// grammar, and the form is one line.
//
// Over UDP nobody knows what has arrived, and over TCP not what was on the way
// when the other side died: syslog has no answer (RFC 6587 §2). The store's
// rows and the file have no such gap.
type Syslog struct {
	name, host  string
	network, to string
	secure      *tls.Config // nil: none
	datagram    bool        // each message is a packet of its own
	dial        net.Dialer

	mu   sync.Mutex
	conn net.Conn      // nil when it must be made
	gone chan struct{} // closed when the other side has ended conn
}

var _ Sink = (*Syslog)(nil)

// NewSyslog makes a Syslog that sends to udp://, tcp:// or tls://HOST[:PORT], or
// unix:///PATH. host is what the messages say they come from. secure is for tls,
// nil for the system's authorities.
func NewSyslog(name, host string, to *url.URL, secure *tls.Config) (*Syslog, error) {
	s := &Syslog{name: name, host: headerField(host), network: to.Scheme}
	port := "514" // RFC 5426 §3.3; the usual one for TCP, too (RFC 6587 §3.2)
	switch to.Scheme {
	case "udp":
		s.datagram = true
	case "tcp":
	case "tls":
		port = "6514" // RFC 5425 §4.1
		s.network, s.secure = "tcp", &tls.Config{MinVersion: tls.VersionTLS12}
		if secure != nil {
			s.secure = secure.Clone()
		}
		s.secure.ServerName = to.Hostname()
	case "unix":
		s.datagram, s.network, s.to = true, "unixgram", to.Path // as /dev/log is
	default:
		return nil, fmt.Errorf("audit: syslog: %q is none of udp, tcp, tls, unix", to.Scheme)
	}
	if s.to == "" {
		if to.Hostname() == "" {
			return nil, fmt.Errorf("audit: syslog: %s names no host", to.Redacted())
		}
		s.to = net.JoinHostPort(to.Hostname(), cmp.Or(to.Port(), port))
	}
	return s, nil
}

// Name is of Sink.
func (s *Syslog) Name() string { return s.name }

// Send is of Sink.
func (s *Syslog) Send(ctx context.Context, items []Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.connect(ctx); err != nil {
		return fmt.Errorf("audit: syslog %s: %w", s.to, err)
	}
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	for _, i := range items {
		if _, err := conn.Write(s.message(i)); err != nil {
			return fmt.Errorf("audit: syslog %s: %w", s.to, errors.Join(err, s.close()))
		}
	}
	if !stop() { // the deadline has been set, perhaps after the last write
		return errors.Join(ctx.Err(), s.close())
	}
	return nil
}

// Close ends the sink. It does not wait for a Send that hangs.
func (s *Syslog) Close() error {
	if !s.mu.TryLock() {
		return fmt.Errorf("audit: syslog %s: a write to it hangs", s.to)
	}
	defer s.mu.Unlock()
	return s.close()
}

func (s *Syslog) close() error {
	if s.conn == nil {
		return nil
	}
	conn := s.conn
	s.conn = nil
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// connect makes the connection, and makes it anew where the other side has ended
// it: what is written to such a one is lost without an error at first.
func (s *Syslog) connect(ctx context.Context) (err error) {
	select {
	case <-s.gone:
	default:
		if s.conn != nil {
			return nil
		}
	}
	if err := s.close(); err != nil {
		return err
	}
	var conn net.Conn
	if s.secure != nil {
		conn, err = (&tls.Dialer{NetDialer: &s.dial, Config: s.secure}).DialContext(ctx, s.network, s.to)
	} else {
		conn, err = s.dial.DialContext(ctx, s.network, s.to)
	}
	if err != nil {
		return err
	}
	s.conn, s.gone = conn, make(chan struct{})
	if !s.datagram {
		go watch(conn, s.gone)
	}
	return nil
}

// watch ends when the connection does. A receiver of syslog never writes: so
// there is nothing to read but the end.
func watch(conn net.Conn, gone chan<- struct{}) {
	defer close(gone)
	_, _ = io.Copy(io.Discard, conn)
}

// message is an item in the form of RFC 5424 §6, with its length in front where
// the transport is a stream (RFC 6587 §3.4.1, RFC 5425 §4.3).
func (s *Syslog) message(i Item) []byte {
	var m bytes.Buffer
	fmt.Fprintf(&m, "<%d>1 %s %s portico - %s - ", priority, i.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), s.host, i.Kind)
	m.Write(i.Line)
	if s.datagram {
		return m.Bytes()
	}
	return fmt.Appendf(nil, "%d %s", m.Len(), m.Bytes())
}

// headerField makes a text one that may stand in the header: printable ASCII,
// up to 255 characters (RFC 5424 §6.2.4).
func headerField(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 33 || r > 126 {
			return '_'
		}
		return r
	}, text)
	return cmp.Or(text[:min(len(text), 255)], "-")
}
