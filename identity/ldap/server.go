package ldap

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

const (
	firstPause = time.Second     // after a server failed for the first time in a row
	longPause  = 8 * time.Second // at most

	// idleLimit is how long a connection is kept without use. Firewalls forget
	// quiet connections after a few minutes, without telling either side.
	idleLimit = time.Minute
)

// server is one of the directory's, with the connections to it that wait for use.
type server struct {
	url     *url.URL
	address string
	tls     *tls.Config
	o       *Options

	mu       sync.Mutex
	idle     []*link // the one used last at the end
	closed   bool
	failures int       // in a row
	until    time.Time // it is passed over before this
}

// link is one connection. Closing raw is what ends a request that hangs: goldap
// hears no context.
type link struct {
	conn  *goldap.Conn
	raw   net.Conn
	since time.Time // when it was last used
}

func newServer(u *url.URL, base *tls.Config, o *Options) *server {
	port := map[string]string{"ldaps": goldap.DefaultLdapsPort, "ldap": goldap.DefaultLdapPort}[u.Scheme]
	config := base.Clone()
	config.ServerName = u.Hostname()
	return &server{url: u, address: net.JoinHostPort(u.Hostname(), or(u.Port(), port)), tls: config, o: o}
}

// admit tells whether the server may be asked. After a failure it is left alone
// for a while; then one request, the probe, finds out for all whether it is back.
func (s *server) admit() (probe, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures == 0 {
		return false, true
	}
	now := s.o.Clock()
	if now.Before(s.until) {
		return false, false
	}
	s.until = now.Add(s.pause())
	return true, true
}

// pause doubles with each failure.
func (s *server) pause() time.Duration {
	return min(firstPause<<min(s.failures-1, 10), longPause)
}

func (s *server) worked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures, s.until = 0, time.Time{}
}

// failed begins a pause, and tells the admin why. Of many requests that fail
// together one counts.
func (s *server) failed(ctx context.Context, err error, probe bool) {
	s.mu.Lock()
	now := s.o.Clock()
	counts := probe || !now.Before(s.until)
	if counts {
		s.failures++
		s.until = now.Add(s.pause())
	}
	s.mu.Unlock()
	if counts {
		s.o.Log.ErrorContext(ctx, "a server of the directory is passed over", "server", s.url.Host, "error", err, "mend", mend(err))
	}
}

// take gives a connection that waits, or nil.
func (s *server) take() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if len(s.idle) == 0 {
		return nil
	}
	l := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return l
}

// put keeps a connection for the next.
func (s *server) put(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || l.conn.IsClosing() {
		l.close()
		return
	}
	l.since = s.o.Clock()
	s.idle = append(s.idle, l)
	s.sweep()
}

// sweep closes what has waited too long, or was hung up by the server. It needs mu.
func (s *server) sweep() {
	limit := s.o.Clock().Add(-idleLimit)
	kept := s.idle[:0]
	for _, l := range s.idle {
		if l.since.Before(limit) || l.conn.IsClosing() {
			l.close()
			continue
		}
		kept = append(kept, l)
	}
	clear(s.idle[len(kept):])
	s.idle = kept
}

// drop closes all connections that wait; for good, where the end has come.
func (s *server) drop(forGood bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.idle {
		l.close()
	}
	s.idle, s.closed = nil, s.closed || forGood
}

// dial opens a connection that is encrypted and verified, and nobody's yet.
func (s *server) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.DialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("ldap: dial: %w", err)
	}
	l := &link{raw: raw}
	if s.url.Scheme == "ldaps" {
		secure := tls.Client(raw, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("ldap: dial: %w", err)
		}
		l.conn = goldap.NewConn(secure, true)
		l.conn.Start()
	} else {
		l.conn = goldap.NewConn(raw, false)
		l.conn.Start()
		if err := l.run(ctx, func(c *goldap.Conn) error { return c.StartTLS(s.tls) }); err != nil {
			l.close()
			return nil, fmt.Errorf("ldap: dial: StartTLS: %w", err)
		}
	}
	l.conn.SetTimeout(s.o.Timeout)
	return l, nil
}

// run makes requests that end with ctx.
func (l *link) run(ctx context.Context, f func(*goldap.Conn) error) error {
	stop := context.AfterFunc(ctx, func() { _ = l.raw.Close() })
	err := f(l.conn)
	if !stop() && err != nil {
		return fmt.Errorf("ldap: %w: %w", ctx.Err(), err)
	}
	return err
}

// close hangs up. The socket goes first: goldap would wait for a write that a
// frozen server does not take.
func (l *link) close() {
	_ = l.raw.Close()
	_ = l.conn.Close()
}
