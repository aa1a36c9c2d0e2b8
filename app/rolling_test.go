package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pipes is a listener whose connections live in a test's own time.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	end   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.end:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.end) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

// client is one that speaks the protocol by hand.
type client struct {
	net.Conn
	t *testing.T
}

// send writes as much as the server takes.
func (c *client) send(format string, args ...any) error {
	_, err := fmt.Fprintf(c.Conn, format, args...)
	return err
}

// inOwnTime serves h with all limits to a client that speaks the protocol by
// hand, in a time that passes as soon as everybody waits.
func inOwnTime(t *testing.T, h http.HandlerFunc, act func(c *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), end: make(chan struct{})}
		server := newServer(recorded(h, func(seen) {}), slog.New(slog.DiscardHandler))
		go func() { _ = server.Serve(l) }()
		near, far := net.Pipe()
		l.conns <- far
		act(&client{near, t})
		near.Close()
		server.Close()
	})
}

// recorded is h as the program serves it.
func recorded(h http.Handler, tell func(seen)) http.Handler {
	return withID(withRecord(h, witness{
		log: slog.New(slog.DiscardHandler), clock: time.Now, tell: tell, address: clientAddress(nil),
	}))
}

// wantOK reads an answer, which must be 200.
func (c *client) wantOK() {
	c.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.t.Errorf("answer %s, want 200", resp.Status)
	}
}

// untilClosed reads all that the server still sends, and tells when it hung up.
func (c *client) untilClosed() (text string, took time.Duration) {
	start := time.Now()
	b, _ := io.ReadAll(c)
	return string(b), time.Since(start).Round(time.Second)
}

// TestSilentClients wants everybody cut off who keeps a connection and says
// nothing, whether or not anything reads what they would say.
func TestSilentClients(t *testing.T) {
	answers := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	reads := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}
	const head = " HTTP/1.1\r\nHost: h\r\n"
	for _, c := range []struct { // net/http reads a short body before it answers, whether the handler does or not
		name    string
		handler http.HandlerFunc
		send    string
		after   time.Duration
		answer  string
	}{
		{"no request", answers, "", headerTimeout, ""},
		{"half a head", answers, "GET /dav/" + head, headerTimeout, ""},
		{"idle", answers, "GET /dav/" + head + "\r\n", idleTimeout, "401"},
		{"body that nobody reads", answers, "PUT /dav/firm/x" + head + "Content-Length: 1000\r\n\r\nabc", drainTimeout, "401"},
		{"body in chunks that nobody reads", answers, "PUT /dav/firm/x" + head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", drainTimeout, "401"},
		{"no answer in words", func(http.ResponseWriter, *http.Request) {}, "PUT /dav/firm/x" + head + "Content-Length: 1000\r\n\r\nabc", drainTimeout, "200"},
		{"body", reads, "PUT /dav/firm/x" + head + "Content-Length: 1000\r\n\r\nabc", stallTimeout, "408"},
		{"part of a file", reads, "PATCH /portal/uploads/x" + head + "Content-Length: 1000\r\n\r\nabc", stallTimeout, "408"},
		{"form with a file", reads, "POST /s/x/put" + head + "Content-Type: Multipart/Form-Data; boundary=b\r\nContent-Length: 1000\r\n\r\nabc", stallTimeout, "408"},
		{"JSON of a file", reads, "PUT /api/v1/content/firm/x" + head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\nabc", stallTimeout, "408"},
		{"body of a page", reads, "POST /" + head + "Content-Length: 1000\r\n\r\nabc", documentTimeout, "408"},
		{"XML", reads, "PROPFIND /dav/firm/" + head + "Content-Length: 1000\r\n\r\n<a>", documentTimeout, "408"},
		{"XML in chunks", reads, "LOCK /dav/firm/" + head + "Transfer-Encoding: chunked\r\n\r\n5\r\n<a>", documentTimeout, "408"},
		{"XML, in the trailers", reads, "LOCK /dav/firm/" + head + "Transfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n0\r\nT", documentTimeout, "408"},
		{"JSON", reads, "PUT /api/v1/preferences" + head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", documentTimeout, "408"},
		{"form", reads, "POST /files/firm/" + head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na=", documentTimeout, "408"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inOwnTime(t, c.handler, func(cl *client) {
				go func() { _ = cl.send("%s", c.send) }()
				text, took := cl.untilClosed()
				if took < c.after || took > c.after+2*time.Second || !strings.Contains(text, c.answer) {
					t.Errorf("cut off after %v with %q, want %v and %q", took, text, c.after, c.answer)
				}
			})
		})
	}
}

// TestTrickle sends a byte now and then: never silent for long, and still cut off.
func TestTrickle(t *testing.T) {
	var got error
	inOwnTime(t, func(_ http.ResponseWriter, r *http.Request) { _, got = io.Copy(io.Discard, r.Body) }, func(c *client) {
		go c.untilClosed()
		err := c.send("PUT /dav/firm/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
		start := time.Now()
		for ; err == nil; err = c.send("x") {
			time.Sleep(20 * time.Second)
		}
		if took := time.Since(start); took > rateWindow+time.Minute {
			t.Errorf("a byte each 20 s kept the connection for %v", took)
		}
	})
	if !errors.Is(got, os.ErrDeadlineExceeded) {
		t.Errorf("the handler read %v, want a deadline", got)
	}
}

// TestSlowButSteady lets a client with little bandwidth come to its end, both ways.
func TestSlowButSteady(t *testing.T) {
	const size = 2 << 20
	inOwnTime(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if n != size || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		if n, err := w.Write(make([]byte, size)); n != size || err != nil {
			t.Errorf("wrote %d bytes, %v", n, err)
		}
	}, func(c *client) {
		_ = c.send("PUT /dav/firm/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
		chunk := make([]byte, 20<<10)
		for sent := 0; sent < size; sent += len(chunk) {
			_ = c.send("%s", chunk[:min(len(chunk), size-sent)])
			time.Sleep(10 * time.Second)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			c.t.Fatal(err)
		}
		defer resp.Body.Close()
		for got := 0; got < size; time.Sleep(10 * time.Second) {
			n, err := io.ReadFull(resp.Body, chunk)
			if got += n; err != nil && got < size {
				t.Fatalf("cut off after %d bytes: %v", got, err)
			}
		}
	})
}

// TestReaderThatStalls cuts off a client that asks for much and takes nothing.
func TestReaderThatStalls(t *testing.T) {
	var took time.Duration
	inOwnTime(t, func(w http.ResponseWriter, _ *http.Request) {
		start := time.Now()
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		took = time.Since(start)
		if err == nil {
			t.Error("a gigabyte went to a client that takes nothing")
		}
	}, func(c *client) {
		_ = c.send("GET /dav/firm/x HTTP/1.1\r\nHost: h\r\n\r\n")
		time.Sleep(10 * time.Minute)
	})
	if took != stallTimeout {
		t.Errorf("cut off after %v, want %v", took, stallTimeout)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestLongerThanItsBody wants a request that takes its time after its body has
// ended, to commit or to list, not cancelled by the body's last deadline.
func TestLongerThanItsBody(t *testing.T) {
	for _, length := range []int{0, 7} {
		t.Run(strconv.Itoa(length), func(t *testing.T) {
			inOwnTime(t, func(w http.ResponseWriter, r *http.Request) {
				for range 2 { // a driver that fills a part asks once more
					if _, err := io.ReadFull(r.Body, make([]byte, max(length, 1))); err == nil && length == 0 {
						t.Error("a body from nowhere")
					}
				}
				select {
				case <-r.Context().Done():
					t.Errorf("cancelled: %v", context.Cause(r.Context()))
				case <-time.After(10 * stallTimeout):
				}
				w.WriteHeader(http.StatusCreated)
			}, func(c *client) {
				for range 2 { // and the next request on the connection fares no worse
					_ = c.send("PUT /dav/firm/x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", length, "content"[:length])
					resp, err := http.ReadResponse(bufio.NewReader(c), nil)
					if err != nil || resp.StatusCode != http.StatusCreated {
						c.t.Fatalf("answer %v, %v", resp, err)
					}
					resp.Body.Close()
					time.Sleep(idleTimeout - time.Second)
				}
			})
		})
	}
}

// spyWriter sees what it is given to send.
type spyWriter struct {
	http.ResponseWriter
	deadlines int
	from      []string
}

func (s *spyWriter) SetWriteDeadline(time.Time) error { s.deadlines++; return nil }

func (s *spyWriter) ReadFrom(src io.Reader) (int64, error) {
	if lr, ok := src.(*io.LimitedReader); ok {
		s.from = append(s.from, fmt.Sprintf("%d of %T", lr.N, lr.R))
	} else {
		s.from = append(s.from, fmt.Sprintf("%T", src))
	}
	return io.Copy(io.Discard, src)
}

// TestReadFrom wants files handed on in pieces that the kernel can send, each
// under a deadline of its own, and the limit of the caller kept.
func TestReadFrom(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, make([]byte, 2*piece+5), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		limit int64 // -1 for none
		want  []string
		sum   int64
	}{
		{"a file", -1, []string{"65536 of *os.File", "65536 of *os.File", "65536 of *os.File"}, 2*piece + 5},
		{"more than a piece", piece + 7, []string{"65536 of *os.File", "7 of *os.File"}, piece + 7},
		{"just a piece", piece, []string{"65536 of *os.File"}, piece},
		{"nothing", 0, []string{"0 of *os.File"}, 0},
		{"more than there is", 3 * piece, []string{"65536 of *os.File", "65536 of *os.File", "65536 of *os.File"}, 2*piece + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			spy := &spyWriter{ResponseWriter: httptest.NewRecorder()}
			w, _ := rolling(spy, httptest.NewRequestWithContext(t.Context(), "GET", "/dav/f", nil), time.Now, copyBuffers())
			var src io.Reader = f
			lr := &io.LimitedReader{R: f, N: c.limit}
			if c.limit >= 0 {
				src = lr
			}
			n, err := w.ReadFrom(src)
			if n != c.sum || w.n != c.sum || err != nil {
				t.Errorf("ReadFrom = %d, %v, counted %d, want %d", n, err, w.n, c.sum)
			}
			if d := cmp.Diff(c.want, spy.from); d != "" {
				t.Errorf("pieces (-want +got):\n%s", d)
			}
			if spy.deadlines != len(c.want) {
				t.Errorf("%d deadlines for %d pieces", spy.deadlines, len(c.want))
			}
			if c.limit >= 0 && lr.N != c.limit-c.sum {
				t.Errorf("the caller's limit is %d, want %d", lr.N, c.limit-c.sum)
			}
		})
	}
}

// TestWritePieces wants a large answer not held to one deadline.
func TestWritePieces(t *testing.T) {
	spy := &spyWriter{ResponseWriter: httptest.NewRecorder()}
	w, _ := rolling(spy, httptest.NewRequestWithContext(t.Context(), "GET", "/dav/f", nil), time.Now, copyBuffers())
	if n, err := w.Write(make([]byte, 2*piece+5)); n != 2*piece+5 || err != nil || w.n != 2*piece+5 || spy.deadlines != 3 {
		t.Errorf("Write = %d, %v, counted %d, %d deadlines", n, err, w.n, spy.deadlines)
	}
	if n, err := w.Write(nil); n != 0 || err != nil {
		t.Errorf("Write(nil) = %d, %v", n, err)
	}
	w.WriteHeader(http.StatusTeapot)
	if w.status != http.StatusOK {
		t.Errorf("status %d after a head that came too late, want 200", w.status)
	}
}

// TestLift wants a deadline of HTTP/2 to stand only while the client is waited
// for: it acts when it passes, also while a store is busy with what came.
func TestLift(t *testing.T) {
	for proto, want := range map[int][]bool{1: {true, true, true}, 2: {true, false, true}} {
		var standing []bool
		r := httptest.NewRequestWithContext(t.Context(), "PUT", "/dav/f", nil)
		r.ProtoMajor = proto
		r.Body = io.NopCloser(strings.NewReader("x"))
		b := &rollingBody{
			ReadCloser: r.Body, clock: time.Now, until: time.Now,
			set: func(at time.Time) { standing = append(standing, !at.IsZero()) },
		}
		b.begin(r)
		for range 3 { // the byte, the end, and beyond it
			_, _ = b.Read(make([]byte, 1))
		}
		if d := cmp.Diff(want, standing); d != "" {
			t.Errorf("HTTP/%d, deadlines (-want +got):\n%s", proto, d)
		}
	}
}
