package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

var errFence = errors.New("the fence is down")

// counting is a store that counts what reaches it.
type counting struct {
	*httptest.Server
	bytes    atomic.Int64 // on its sockets, of TLS without the handshake's
	begun    atomic.Int64 // requests of which it has read the head
	complete atomic.Int64 // requests of which it has read all
	client   *tracer
}

type countedListener struct {
	net.Listener
	n *atomic.Int64
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, l.n}, err
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func startCounting(t *testing.T, secure bool) *counting {
	t.Helper()
	c := &counting{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.begun.Add(1)
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			c.complete.Add(1)
		}
	}))
	c.Listener = countedListener{c.Listener, &c.bytes}
	transport, err := newTransport("")
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		c.StartTLS()
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		transport.TLSClientConfig.RootCAs.AddCert(c.Certificate())
	} else {
		c.Start()
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		c.Close()
	})
	c.client = &tracer{next: transport, bucket: "b", clock: time.Now}
	return c
}

// send sends one request, whose fence answers ask.
func (c *counting) send(ctx context.Context, method, url, body string, ask func() error) error {
	ctx = backends.WithFence(ctx, ask)
	req, err := http.NewRequestWithContext(ctx, method, c.URL+"/b/"+url, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.client.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// falls is a fence that stands for so many questions.
func falls(after int64) (ask func() error, asked *atomic.Int64) {
	asked = &atomic.Int64{}
	return func() error {
		if asked.Add(1) > after {
			return errFence
		}
		return nil
	}, asked
}

func stands() error { return nil }

// TestFenceIsAskedAtTheSocket: a process is halted when a request has passed every
// check and has its connection. Not a byte of it is written.
func TestFenceIsAskedAtTheSocket(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"plain": false, "tls": true} {
		for what, warm := range map[string]int{"new connection": 0, "kept connection": 1} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				c := startCounting(t, secure)
				for range warm {
					if err := c.send(t.Context(), http.MethodPut, "warm", "x", stands); err != nil {
						t.Fatal(err)
					}
				}
				for method, url := range map[string]string{
					http.MethodPut: "file", http.MethodDelete: "file?versionId=1", http.MethodPost: "file?uploadId=1",
				} {
					begun := c.begun.Load()
					ask, asked := falls(1) // the one in RoundTrip
					if err := c.send(t.Context(), method, url, "body", ask); err == nil {
						t.Errorf("%s went through a fence that was down", method)
					}
					if asked.Load() < 2 || c.begun.Load() != begun {
						t.Errorf("%s: asked %d times, %d requests reached the store", method, asked.Load(), c.begun.Load()-begun)
					}
				}
				if !secure && warm == 0 && c.bytes.Load() != 0 {
					t.Errorf("%d bytes reached the store", c.bytes.Load())
				}
			})
		}
	}
}

// TestFenceCutsABody: halted in the middle of a body. The store never has all of it.
func TestFenceCutsABody(t *testing.T) {
	t.Parallel()
	c := startCounting(t, false)
	body := strings.Repeat("x", 16<<20)
	for after := int64(2); after <= 5; after++ {
		ask, asked := falls(after)
		if err := c.send(t.Context(), http.MethodPut, "file", body, ask); err == nil {
			t.Errorf("a body went through a fence that fell at the question %d", after+1)
		}
		if asked.Load() <= after {
			t.Errorf("asked %d times", asked.Load())
		}
	}
	if err := c.send(t.Context(), http.MethodPut, "file", body, stands); err != nil {
		t.Errorf("the next upload = %v", err)
	}
	if c.complete.Load() != 1 || c.begun.Load() < 2 {
		t.Errorf("the store had %d bodies, %d whole; want one whole and some cut", c.begun.Load(), c.complete.Load())
	}
}

// TestFenceLetsReadsAndClearingUpThrough, also over a connection that a fenced
// request had before.
func TestFenceLetsReadsAndClearingUpThrough(t *testing.T) {
	t.Parallel()
	c := startCounting(t, false)
	down := func() error { return errFence }
	if err := c.send(t.Context(), http.MethodPut, "file", "x", stands); err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{
		{http.MethodGet, "file"}, {http.MethodHead, "file"}, {http.MethodGet, "?list-type=2"}, {http.MethodDelete, "file?uploadId=1"},
	} {
		err := c.send(t.Context(), r[0], r[1], "", down)
		if err != nil && !strings.Contains(err.Error(), "a listing came as") { // the store is none
			t.Errorf("%s %s = %v", r[0], r[1], err)
		}
	}
	if got := c.begun.Load(); got != 5 {
		t.Errorf("%d requests reached the store, want 5", got)
	}
}

// TestHaltBeforeThePublication halts an upload when the last answer before it is
// on its way: what is there is another's when it goes on.
func TestHaltBeforeThePublication(t *testing.T) {
	t.Parallel()
	front := spoil(t, parts.MinIO(t))
	b, calls := workspace(t, front.S3, Options{MinIO: true})
	p := vpath.Must("/file")
	for _, size := range []int64{3, 9 << 20} { // in one request, and in parts
		if _, err := b.Put(t.Context(), p, strings.NewReader("well"), backends.PutOptions{Size: 4}); err != nil {
			t.Fatal(err)
		}
		var agreed, down atomic.Bool
		ctx := backends.WithFence(t.Context(), func() error {
			if down.Load() {
				return errFence
			}
			return nil
		})
		rule := func(string, http.ResponseWriter, *http.Request) bool {
			down.Store(agreed.Load()) // while it looks at the place, after Commit
			return false
		}
		front.rule.Store(&rule)
		calls.take()
		commit := func() error { agreed.Store(true); return nil }
		_, err := b.Put(ctx, p, newNoise(size, nil), backends.PutOptions{Size: size, Commit: commit})
		front.off()
		if !errors.Is(err, fault.ErrUnavailable) || !down.Load() {
			t.Errorf("Put of %d bytes = %v, halted %t, want ErrUnavailable (%q)", size, err, down.Load(), calls.take())
		}
		if got := read(t, b, "/file", backends.Range{}); got != "well" {
			t.Errorf("the other's file has %d bytes, %.10q", len(got), got)
		}
	}
}
