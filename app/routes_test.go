package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"portico/backends"
	"portico/config"
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// TestClientAddress is the table of who a request is from.
func TestClientAddress(t *testing.T) {
	trusted := prefixes("10.0.0.0/8", "fd00::/8", "fe80::/10")
	for _, c := range []struct {
		peer    string
		headers []string
		want    string
	}{
		{"203.0.113.7:1234", nil, "203.0.113.7"},
		{"203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"}, // not a proxy of ours
		{"10.0.0.1:1234", nil, "10.0.0.1"},
		{"10.0.0.1:1234", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"8.8.8.8, 198.51.100.1"}, "198.51.100.1"}, // the left one is the client's own word
		{"10.0.0.1:1234", []string{"8.8.8.8", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1, 10.2.3.4"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"10.9.9.9,10.2.3.4"}, "10.9.9.9"},
		{"10.0.0.1:1234", []string{"198.51.100.1, nonsense"}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1, nonsense, 10.2.3.4"}, "10.2.3.4"},
		{"10.0.0.1:1234", []string{strings.Repeat("10.1.1.1,", 3000)}, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[fe80::1%eth0]:1234", []string{"2001:db8::7"}, "2001:db8::7"}, // a proxy on the link
		{"10.0.0.1:1234", []string{"2001:db8::7%\x1b[31mann"}, "2001:db8::7"},
		{"@", []string{"198.51.100.1"}, "@"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.headers
		if got := clientAddress(trusted)(r); got != c.want {
			t.Errorf("peer %s, X-Forwarded-For %.60q: %q, want %q", c.peer, c.headers, got, c.want)
		}
	}
}

// TestHosts is the table of names that the server goes by.
func TestHosts(t *testing.T) {
	for _, c := range []struct {
		listen, public string
		hosts          []string
		yes, no        []string
	}{
		{
			listen: "127.0.0.1:8080", public: "http://127.0.0.1:8080",
			yes: []string{"127.0.0.1:8080", "127.0.0.1", "localhost", "LOCALHOST:99", "[::1]:8080", "[::1]"},
			no:  []string{"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "::1:8080", "[evil.example]:80:80"},
		},
		{
			listen: "0.0.0.0:443", public: "https://files.firm.example", hosts: []string{"nas.firm.example", "2001:db8::5"},
			yes: []string{"files.firm.example", "Files.Firm.Example:443", "nas.firm.example", "[2001:db8::5]:443"},
			no:  []string{"localhost", "127.0.0.1", "firm.example", "xfiles.firm.example", "files.firm.example.evil.example"},
		},
		{
			listen: "127.0.0.1:8080", public: "https://files.firm.example", // behind a proxy
			yes: []string{"files.firm.example", "127.0.0.1:8080"}, no: []string{"evil.example"},
		},
	} {
		public, err := url.Parse(c.public)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &config.Config{Server: config.Server{Listen: c.listen, Hosts: c.hosts}}
		h := withHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), knownHosts(cfg, public))
		for want, list := range map[int][]string{200: c.yes, 421: c.no} {
			for _, host := range list {
				r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
				r.Host = host
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != want {
					t.Errorf("on %s as %s, Host %q: %d, want %d", c.listen, c.public, host, w.Code, want)
				}
			}
		}
	}
}

// TestOrigins wants a Destination to be ours under each of our names.
func TestOrigins(t *testing.T) {
	public := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	var got []string
	for _, u := range origins(&config.Config{Server: config.Server{Listen: "127.0.0.1:8080", Hosts: []string{"nas"}}}, public) {
		got = append(got, u.String())
	}
	for _, want := range []string{"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "http://nas:8080", "http://nas"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not ours; ours are %v", want, got)
		}
	}
}

// TestRoutes asks for what lies beside the drive, and for the drive as a page of
// another site would.
func TestRoutes(t *testing.T) {
	h := start(t)
	for _, c := range []struct {
		method, path string
		want         int
		headers      []string
	}{
		{"GET", "/", 200, nil},
		{"OPTIONS", "/", 200, nil},
		{"POST", "/", 405, nil},
		{"GET", "/assets/style.css", 200, nil},
		{"GET", "/davx", 404, nil},
		{"GET", "/nothing", 404, nil},
		{"TRACE", "/", 405, nil},
		{"GET", "/healthz", 200, nil},
		{"HEAD", "/readyz", 200, nil},
		{"POST", "/readyz", 405, nil},
		{"PUT", "/dav/firm/a", 201, nil},
		{"GET", "/dav/firm/a", 200, []string{"Sec-Fetch-Site", "cross-site"}}, // a link that somebody follows
		{"PUT", "/dav/firm/a", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"DELETE", "/dav/firm/a", 403, []string{"Origin", "https://evil.example"}},
		{"PROPFIND", "/dav/firm/a", 403, []string{"Origin", "null"}},
		{"PROPFIND", "/dav/firm/a", 207, []string{"Sec-Fetch-Site", "same-origin"}},
		{"PROPFIND", "/dav/firm/a", 207, []string{"Origin", h.url}},
		{"DELETE", "/dav/firm/a", 204, nil}, // a drive sends neither
	} {
		if got, body := h.do(c.method, c.path, "", password, c.headers...); got != c.want {
			t.Errorf("%s %s %v: %d, want %d; %s", c.method, c.path, c.headers, got, c.want, body)
		}
	}
}

// TestRefusals: what never reaches a page is kept, framed and run by no browser
// either, not even what is refused for its address, method or name.
func TestRefusals(t *testing.T) {
	h := start(t)
	for _, c := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/files//firm", "", 404},
		{"GET", "/files/../dav", "", 404},
		{"GET", "/files/%2e%2e/dav", "", 404},
		{"TRACE", "/", "", 405},
		{"POST", "/readyz", "", 405},
		{"GET", "/?" + strings.Repeat("a&", maxQuery), "", 400},
		{"GET", "/login", "evil.example", 421},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, h.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		head := resp.Header
		if resp.StatusCode != c.want || head.Get("Cache-Control") != "no-store" || head.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(head.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s %.20s as %q: %d, want %d; %v", c.method, c.path, c.host, resp.StatusCode, c.want, head)
		}
		if strings.Contains(string(body), "evil") {
			t.Errorf("%s %.20s repeats what was sent: %s", c.method, c.path, body)
		}
	}
}

// ward is a storage whose Check does what a test wants.
type ward struct {
	backends.Storage
	check func(context.Context) error
}

func (w ward) Check(ctx context.Context) error { return w.check(ctx) }
func (ward) Close() error                      { return nil }

// probe asks the server how it is, without a listener.
func (h *house) probe(ctx context.Context, path string) (int, string) {
	w := httptest.NewRecorder()
	h.withHealth(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", path, nil))
	return w.Code, w.Body.String()
}

// TestReady wants each part judged by itself, no reasons told, and a server that
// stops to say so.
func TestReady(t *testing.T) {
	t.Parallel() // one storage is waited for
	h := build(t)
	if status, text := h.probe(t.Context(), "/readyz"); status != 200 || text != "config: ok\nstate: ok\nstorage disk: ok\n" {
		t.Errorf("readyz: %d, %q", status, text)
	}
	h.storages["away"] = ward{check: func(context.Context) error { return errors.New("dial 10.0.0.7: secret reason") }}
	h.storages["hangs"] = ward{check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	status, text := h.probe(t.Context(), "/readyz")
	if status != 503 || text != "config: ok\nstate: ok\nstorage away: unavailable\nstorage disk: ok\nstorage hangs: unavailable\n" {
		t.Errorf("readyz: %d, %q", status, text)
	}
	if !strings.Contains(h.log.String(), "secret reason") {
		t.Errorf("the log does not say why:\n%s", h.log)
	}
	delete(h.storages, "away")
	delete(h.storages, "hangs")
	h.draining.Store(true)
	if status, text := h.probe(t.Context(), "/readyz"); status != 503 || !strings.Contains(text, "server: stopping") {
		t.Errorf("readyz while stopping: %d, %q", status, text)
	}
	if status, _ := h.probe(t.Context(), "/healthz"); status != 200 {
		t.Errorf("healthz while stopping: %d", status)
	}
}

// TestReadyAtOnce asks many times at once: the storage is asked once, also when
// the one who asked first has left.
func TestReadyAtOnce(t *testing.T) {
	h := build(t)
	var calls atomic.Int64
	inside, release := make(chan bool, 100), make(chan bool)
	h.storages["slow"] = ward{check: func(ctx context.Context) error {
		calls.Add(1)
		inside <- true
		<-release
		return ctx.Err()
	}}
	first, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { h.probe(first, "/readyz") })
	<-inside
	leave()
	var waiting atomic.Int64
	for range 20 {
		all.Go(func() {
			waiting.Add(1)
			if status, _ := h.probe(t.Context(), "/readyz"); status != 200 {
				t.Errorf("readyz: %d", status)
			}
		})
	}
	eventually(t, "all have asked", func() bool { return waiting.Load() == 20 })
	close(release)
	all.Wait()
	if n := calls.Load(); n > 10 { // one, and those who came after the answer
		t.Errorf("%d checks for 21 probes at once", n)
	}
}
