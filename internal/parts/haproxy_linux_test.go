package parts_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"portico/internal/parts"
)

// dummy is a gateway that says its name and remembers what it was asked.
type dummy struct {
	name string
	http *httptest.Server
	red  atomic.Bool // what /readyz says

	mu   sync.Mutex
	seen []*http.Request
}

func newDummy(t *testing.T, name string) *dummy {
	t.Helper()
	d := &dummy{name: name}
	d.http = &httptest.Server{Listener: keptPort(t), Config: &http.Server{Handler: d, ReadHeaderTimeout: time.Minute}}
	d.http.Start()
	t.Cleanup(d.http.Close)
	return d
}

// keptPort listens on a port that refuses connections once the listener is
// closed: a second socket stays bound to it until the test ends, so that no
// other test gets the port and answers in a dead gateway's place.
func keptPort(t *testing.T) net.Listener {
	t.Helper()
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return errors.Join(err, failed)
	}}
	keeper, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(keeper) })
	if err := unix.SetsockoptInt(keeper, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(keeper, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(keeper)
	if err != nil {
		t.Fatal(err)
	}
	l, err := share.Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(at.(*unix.SockaddrInet4).Port)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (d *dummy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/readyz" {
		if d.red.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	d.mu.Lock()
	d.seen = append(d.seen, r)
	d.mu.Unlock()
	if r.Header.Get("Die") == d.name || r.Header.Get("Die") == "all" {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	_, _ = io.WriteString(w, d.name)
}

// requests are those that came, probes left out.
func (d *dummy) requests() []*http.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen
}

func (d *dummy) addr() string { return d.http.Listener.Addr().String() }

// behindHAProxy is a balancer in front of three dummies.
func behindHAProxy(t *testing.T) (parts.Balancer, []*dummy) {
	t.Helper()
	all := []*dummy{newDummy(t, "one"), newDummy(t, "two"), newDummy(t, "three")}
	return parts.HAProxy(t, all[0].addr(), all[1].addr(), all[2].addr()), all
}

// ask sends a request over a connection of its own and returns the answer.
func ask(t *testing.T, method, url, body string, header ...string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

func TestHAProxySpreadsRequests(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	for range 9 {
		ask(t, http.MethodGet, h.URL()+"/a", "")
	}
	for _, d := range all {
		if n := len(d.requests()); n != 3 {
			t.Errorf("gateway %s got %d of 9 requests, want 3", d.name, n)
		}
	}
}

// The gateways believe X-Forwarded-For from the balancer, so it must be the
// balancer's own.
func TestHAProxyTellsWhoTheClientIs(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	ask(t, http.MethodGet, h.URL()+"/a", "",
		"X-Forwarded-For", "192.0.2.1", "Forwarded", "for=192.0.2.2", "X-Real-Ip", "192.0.2.3", "Host", "files.firm.example")
	for _, d := range all {
		for _, r := range d.requests() {
			if got := r.Header.Values("X-Forwarded-For"); len(got) != 1 || got[0] != "127.0.0.1" {
				t.Errorf("X-Forwarded-For = %q, want 127.0.0.1 alone", got)
			}
			if r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != "" {
				t.Errorf("the client's own headers came through: %v", r.Header)
			}
		}
	}
}

func TestHAProxySpeaksTLS(t *testing.T) {
	t.Parallel()
	h, _ := behindHAProxy(t)
	for _, wantProto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.Roots()}, ForceAttemptHTTP2: wantProto == "HTTP/2.0"}
		if !transport.ForceAttemptHTTP2 {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.SecureURL()+"/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
		if resp.StatusCode != http.StatusOK || resp.Proto != wantProto {
			t.Errorf("GET = %s over %s, want 200 over %s", resp.Status, resp.Proto, wantProto)
		}
	}
}

// A gateway that says that it ends gets no more requests after two seconds, and
// gets some again when it is back.
func TestHAProxyLeavesOutWhoIsNotReady(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	red := all[1]
	red.red.Store(true)
	for began, others := time.Now(), 0; others < 9; { // they come in turn: nine in a row show that it is out
		before := len(red.requests())
		ask(t, http.MethodPut, h.URL()+"/a", "body")
		if others++; len(red.requests()) > before {
			others = 0
		}
		if time.Since(began) > 2*time.Second {
			t.Fatal("after 2 s the gateway that is not ready still gets requests")
		}
	}

	before := len(red.requests())
	red.red.Store(false)
	for deadline := time.Now().Add(20 * time.Second); len(red.requests()) == before; {
		if time.Now().After(deadline) {
			t.Fatal("the gateway that is ready again gets no request within 20 s")
		}
		ask(t, http.MethodGet, h.URL()+"/a", "")
	}
}

func TestHAProxyAnswers503WhenNobodyIsReady(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	for _, d := range all {
		d.http.Close()
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL()+"/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("GET = %s, Retry-After %q, want 503 with one", resp.Status, resp.Header.Get("Retry-After"))
	}
}

// Before a health check has seen that a gateway is gone, its requests are
// refused; each goes to another, with its body.
func TestHAProxySendsElsewhereWhatWasRefused(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	all[0].http.Close()
	for _, method := range []string{http.MethodPut, http.MethodGet, "MOVE", "PROPFIND", http.MethodDelete, "LOCK", "MKCOL", http.MethodPut, http.MethodPut} {
		if status, text := ask(t, method, h.URL()+"/a", "body"); status != http.StatusOK || text == all[0].name {
			t.Errorf("%s = %d %q, want 200 from another gateway", method, status, text)
		}
	}
}

// A gateway that dies after it took a request may have done what was asked.
func TestHAProxySendsNothingTwiceThatChangesSomething(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	for _, method := range []string{http.MethodPut, "MOVE", "COPY", http.MethodDelete, "LOCK", "UNLOCK", "MKCOL", "PROPPATCH", http.MethodPost, http.MethodPatch} {
		before := total(all)
		if status, _ := ask(t, method, h.URL()+"/a", "body", "Die", "all"); status != http.StatusBadGateway {
			t.Errorf("%s to a gateway that dies = %d, want 502", method, status)
		}
		if n := total(all) - before; n != 1 {
			t.Errorf("%s was sent %d times, want once", method, n)
		}
	}
}

func TestHAProxyAsksAgainWhatChangesNothing(t *testing.T) {
	t.Parallel()
	h, all := behindHAProxy(t)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND"} {
		for range 3 { // so that each gateway has its turn
			if status, _ := ask(t, method, h.URL()+"/a", "", "Die", "two"); status != http.StatusOK {
				t.Errorf("%s = %d, want 200 from a gateway that lives", method, status)
			}
		}
	}
	if len(all[1].requests()) == 0 {
		t.Error("the gateway that dies was never asked: the test shows nothing")
	}
}

func total(all []*dummy) int {
	n := 0
	for _, d := range all {
		n += len(d.requests())
	}
	return n
}

// The gateway gets the first byte of an upload before the client has sent the
// last: nothing is kept back, and the whole comes through.
func TestHAProxyStreamsUploads(t *testing.T) {
	t.Parallel()
	arrived := make(chan int64, 1)
	first := make(chan struct{})
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		var one [1]byte
		_, _ = io.ReadFull(r.Body, one[:])
		close(first) // the body is not kept back until it is whole
		n, _ := io.Copy(io.Discard, r.Body)
		arrived <- n + 1
	}))
	t.Cleanup(gateway.Close)
	h := parts.HAProxy(t, gateway.Listener.Addr().String())
	const size = 8 << 20
	body, send := io.Pipe()
	go func() {
		_, _ = send.Write([]byte("a"))
		<-first
		_, _ = io.Copy(send, bytes.NewReader(make([]byte, size-1)))
		_ = send.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, h.URL()+"/a", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("PUT = %s, want 200", resp.Status)
	}
	if n := <-arrived; n != size {
		t.Errorf("%d bytes came to the gateway, want %d", n, size)
	}
}

func TestHAProxyStopsAndStarts(t *testing.T) {
	t.Parallel()
	h, _ := behindHAProxy(t)
	h.Stop(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.URL(), "http://"))
	if err == nil {
		_ = conn.Close()
		t.Error("the stopped balancer takes connections")
	}
	if h.PID() != 0 {
		t.Errorf("PID after Stop = %d, want 0", h.PID())
	}
	h.Start(t)
	if status, _ := ask(t, http.MethodGet, h.URL()+"/a", ""); status != http.StatusOK {
		t.Errorf("GET after a new start = %d, want 200", status)
	}
}
