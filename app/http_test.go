package app

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"portico/config"
)

// serveTLS is h with all limits behind TLS, so that a client may choose HTTP/2.
func serveTLS(t *testing.T, h http.Handler, log *slog.Logger, tell func(seen)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(withID(withRecord(h, witness{log: log, clock: time.Now, tell: tell, address: clientAddress(nil)})))
	own := newServer(server.Config.Handler, log)
	server.Config.HTTP2, server.Config.MaxHeaderBytes, server.Config.ErrorLog = own.HTTP2, own.MaxHeaderBytes, own.ErrorLog
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// TestPanic wants a 500 where nothing has been answered, and else the connection
// cut: an answer in chunks that ended in good order would be taken for whole.
func TestPanic(t *testing.T) {
	log := &syncBuffer{}
	var mu sync.Mutex
	var told []int
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/dav/late":
			fmt.Fprint(w, "<half>")
			_ = http.NewResponseController(w).Flush()
		case "/dav/abort":
			panic(http.ErrAbortHandler)
		}
		panic("a nil map, say")
	})
	server := serveTLS(t, h, newLogger(log, "text", slog.LevelInfo), func(s seen) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, s.status)
	})
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		client := server.Client()
		tr := client.Transport.(*http.Transport).Clone()
		tr.ForceAttemptHTTP2 = proto == "HTTP/2.0"
		if !tr.ForceAttemptHTTP2 {
			tr.TLSClientConfig.NextProtos = []string{"http/1.1"}
		}
		t.Cleanup(tr.CloseIdleConnections)
		client = &http.Client{Transport: tr}
		for _, c := range []struct {
			path string
			want int // 0 for none
			body string
		}{{"/dav/early", 500, "something went wrong here"}, {"/dav/late", 200, "<half>"}, {"/dav/abort", 0, ""}} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+c.path, strings.NewReader("canary-body"))
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("ann", "canary-password")
			resp, err := client.Do(r)
			if err != nil {
				if c.want != 0 {
					t.Errorf("%s %s: %v", proto, c.path, err)
				}
				continue
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.Proto != proto || resp.StatusCode != c.want || !strings.HasPrefix(string(b), c.body) {
				t.Errorf("%s %s: %s, %s, %q", proto, c.path, resp.Proto, resp.Status, b)
			}
			if cut := c.path == "/dav/late"; (err != nil) != cut {
				t.Errorf("%s %s ended with %v, cut should be %t", proto, c.path, err, cut)
			}
			if id := resp.Header.Get("X-Request-Id"); id == "" || !strings.Contains(log.String(), "request_id="+id) {
				t.Errorf("%s %s: the id %q is not in the log", proto, c.path, id)
			}
		}
	}
	server.Close()
	if got := fmt.Sprint(told); got != "[500 499 499 500 499 499]" {
		t.Errorf("the metrics heard of %s", got)
	}
	text := log.String()
	if strings.Contains(text, "canary") || strings.Contains(text, "YW5u") {
		t.Errorf("the log has a header or a body:\n%s", text)
	}
	if !strings.Contains(text, "http_test.go") {
		t.Errorf("the log has no stack:\n%s", text)
	}
}

// TestLogLine wants one line for a request, whatever a client writes into it,
// with the address of the client behind a proxy, and without the query.
func TestLogLine(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var log bytes.Buffer
		trusted := clientAddress(prefixes("192.0.2.0/24"))
		h := withRecord(http.NotFoundHandler(), witness{log: newLogger(&log, format, slog.LevelInfo), clock: time.Now, tell: func(seen) {}, address: trusted})
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/dav/x?token=canary", nil)
		r.URL.Path = "/dav/\n\x1b[31m level=ERROR msg=forged" + strings.Repeat("x", 10_000)
		r.Method = strings.Repeat("M", 1000)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		h.ServeHTTP(httptest.NewRecorder(), r)
		line := log.String()
		if strings.Count(line, "\n") != 1 || strings.Contains(line, "\x1b") || len(line) > 2*maxLogged {
			t.Errorf("%s: the log has %d bytes: %q", format, len(line), line)
		}
		if !strings.Contains(line, "203.0.113.9") || strings.Contains(line, "canary") {
			t.Errorf("%s: %q", format, line)
		}
	}
}

// TestLimits holds each limit from both sides.
func TestLimits(t *testing.T) {
	h := withLimits(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{"PROPFIND", "/" + strings.Repeat("a", maxURL-1), 418},
		{"PROPFIND", "/" + strings.Repeat("a", maxURL), 414},
		{"GET", "/?" + strings.Repeat("a=1&", maxQuery-1) + "a=1", 418},
		{"GET", "/?" + strings.Repeat("a=1&", maxQuery) + "a=1", 400},
		{"GET", "/?" + strings.Repeat("&", maxQuery), 400},
		{"TRACE", "/", 405},
		{"CONNECT", "/", 405},
		{"get", "/", 405},
		{"BREW", "/dav/firm", 405},
		{"SEARCH", "/dav/firm", 418},
		{"POST", "/", 418},
		{"OPTIONS", "/", 418},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", c.target, nil)
		r.Method = c.method
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %.20s… of %d: %d, want %d", c.method, c.target, len(c.target), w.Code, c.want)
		}
		if w.Code == 405 && !strings.Contains(w.Header().Get("Allow"), "PROPFIND") {
			t.Errorf("%s: 405 with Allow: %q", c.method, w.Header().Get("Allow"))
		}
	}
}

// TestHeaderLimit sends more headers than are taken, in both protocols.
func TestHeaderLimit(t *testing.T) {
	server := serveTLS(t, http.NotFoundHandler(), slog.New(slog.DiscardHandler), func(seen) {})
	for size, want := range map[int]int{maxHeader - 2048: 404, maxHeader + 8192: 431} {
		for _, proto := range []string{"http/1.1", "h2"} {
			tr := server.Client().Transport.(*http.Transport).Clone()
			tr.TLSClientConfig.NextProtos = []string{proto}
			tr.ForceAttemptHTTP2 = proto == "h2"
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Large", strings.Repeat("x", size))
			resp, err := (&http.Client{Transport: tr}).Do(r)
			tr.CloseIdleConnections()
			if err != nil {
				if want == 431 && proto == "h2" { // the client knows the limit, and does not even ask
					continue
				}
				t.Fatalf("%s, %d bytes: %v", proto, size, err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s, %d bytes: %s, want %d", proto, size, resp.Status, want)
			}
		}
	}
}

// TestStreamLimit reads what the server tells an HTTP/2 client.
func TestStreamLimit(t *testing.T) {
	server := serveTLS(t, http.NotFoundHandler(), slog.New(slog.DiscardHandler), func(seen) {})
	cfg := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: cfg}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	frame, err := framer.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	settings, ok := frame.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("the first frame is %T", frame)
	}
	if n, _ := settings.Value(http2.SettingMaxConcurrentStreams); n != maxStreams {
		t.Errorf("%d streams, want %d", n, maxStreams)
	}
}

// spyListener gives connections that tell what they are given to send.
type spyListener struct {
	net.Listener
	from chan string
}

func (l *spyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spyConn{c.(*net.TCPConn), l.from}, nil
}

type spyConn struct {
	*net.TCPConn
	from chan string
}

func (c *spyConn) ReadFrom(r io.Reader) (int64, error) {
	if lr, ok := r.(*io.LimitedReader); ok {
		r = lr.R
	}
	select {
	case c.from <- fmt.Sprintf("%T", r):
	default:
	}
	return c.TCPConn.ReadFrom(r)
}

// TestSendfile downloads a file from disk through the whole program, and wants
// the connection to get the file itself: only then does the kernel send it.
func TestSendfile(t *testing.T) {
	h := build(t)
	l := listener(t)
	h.url = "http://" + l.Addr().String()
	spy := &spyListener{l, make(chan string, 1)}
	server := newServer(h.handler(h.cfg.Load(), publicURL(h.cfg.Load(), l.Addr())), h.process.log)
	go func() { _ = server.Serve(spy) }()
	defer server.Close()
	text := strings.Repeat("0123456789", 30_000)
	if status, body := h.do("PUT", "/dav/firm/f", text, password); status != 201 {
		t.Fatalf("PUT: %d, %s", status, body)
	}
	for _, rg := range []string{"", "bytes=5-250000"} {
		want := text
		headers := []string{}
		if rg != "" {
			want, headers = text[5:250001], []string{"Range", rg}
		}
		if _, got := h.do("GET", "/dav/firm/f", "", password, headers...); got != want {
			t.Errorf("GET %s: %d bytes, want %d", rg, len(got), len(want))
		}
		select {
		case from := <-spy.from:
			if from != "*os.File" {
				t.Errorf("GET %s: the connection was given %s, want *os.File", rg, from)
			}
		default:
			t.Errorf("GET %s: the connection was given nothing to send", rg)
		}
	}
}

// TestServerLog wants the admin to hear that no connection can be accepted, and
// not of each client that breaks off.
func TestServerLog(t *testing.T) {
	var log bytes.Buffer
	server := newServer(nil, newLogger(&log, "text", slog.LevelInfo))
	server.ErrorLog.Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:1")
	server.ErrorLog.Printf("http: Accept error: %v; retrying in %v", errors.New("too many open files"), time.Second)
	if got := log.String(); !strings.Contains(got, "too many open files") || !strings.Contains(got, "level=ERROR") || strings.Contains(got, "handshake") {
		t.Errorf("the log says %q", got)
	}
}

// TestHSTS wants it with TLS of our own, and only then.
func TestHSTS(t *testing.T) {
	h := build(t)
	cfg := *h.cfg.Load()
	for _, own := range []*config.TLS{nil, {}} {
		cfg.Server.TLS = own
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/healthz", nil)
		h.handler(&cfg, publicURL(&cfg, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80})).ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security") != ""; got != (own != nil) {
			t.Errorf("with TLS %t: HSTS %t", own != nil, got)
		}
	}
}
