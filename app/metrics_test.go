package app

import (
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/backends"
)

// scrape is what /metrics shows.
func (h *house) scrape() string {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.metrics.handler().ServeHTTP(w, httptest.NewRequestWithContext(h.t.Context(), "GET", "/metrics", nil))
	if w.Code != 200 {
		h.t.Fatalf("GET /metrics: %d, %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// wantMetrics wants lines, and tells of those that have another value.
func (h *house) wantMetrics(lines ...string) {
	h.t.Helper()
	all := strings.Split(h.scrape(), "\n")
	for _, want := range lines {
		if !slices.Contains(all, want) {
			name, _, _ := strings.Cut(want, " ")
			i := slices.IndexFunc(all, func(l string) bool { return strings.HasPrefix(l, name+" ") })
			if i < 0 {
				h.t.Errorf("the metrics lack %s", want)
			} else {
				h.t.Errorf("the metrics have %s, want %s", all[i], want)
			}
		}
	}
}

// TestMetrics does a little of everything and wants it counted.
func TestMetrics(t *testing.T) {
	h := start(t)
	const lockinfo = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/dav/firm/a", "content", 201},
		{"GET", "/dav/firm/a", "", 200},
		{"GET", "/dav/firm/b", "", 404},
		{"LOCK", "/dav/firm/a", lockinfo, 200},
		{"BREW", "/dav/firm/a", "", 405},
	} {
		if got, body := h.do(c.method, c.path, c.body, password); got != c.want {
			t.Fatalf("%s %s: %d, want %d; %s", c.method, c.path, got, c.want, body)
		}
	}
	h.edit("editor", "emperor")
	h.wantMetrics(
		`portico_requests_total{code="201",method="PUT"} 1`,
		`portico_requests_total{code="404",method="GET"} 1`,
		`portico_requests_total{code="405",method="other"} 1`,
		`portico_request_seconds_count{method="GET"} 2`,
		`portico_bytes_in_total `+strconv.Itoa(len("content")+len(lockinfo)),
		`portico_locks 1`, `portico_uploads_in_flight 0`, `portico_move_journal 0`,
		`portico_credential_cache_total{result="miss"} 1`, `portico_credential_cache_total{result="hit"} 3`, `portico_credential_cache_size 1`,
		`portico_config_reloads_total{result="refused"} 1`, `portico_config_stale 1`,
	)
	h.edit("emperor", "editor")
	h.wantMetrics(`portico_config_reloads_total{result="ok"} 1`, `portico_config_stale 0`)
	h.metrics.call("disk")(backends.Call{Name: "flood", Err: errors.New("full"), Took: time.Second})
	h.metrics.decided(false)
	text := h.scrape()
	for _, want := range []string{
		`portico_backend_calls_total{call="flood",result="error",storage="disk"} 1`, `portico_acl_decisions_total{result="denied"}`,
		`portico_acl_decisions_total{result="allowed"}`, `portico_bytes_out_total`, `go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(text, "BREW") {
		t.Error("a client's own word is in the metrics")
	}
}

// TestMetricsWithoutState wants a scrape to say that it does not know, and the
// rest to be there.
func TestMetricsWithoutState(t *testing.T) {
	h := build(t)
	if err := h.state.Close(); err != nil {
		t.Fatal(err)
	}
	h.wantMetrics("portico_locks -1", "portico_uploads_in_flight 0")
}

// TestDashboard wants each metric that the dashboard draws to exist.
func TestDashboard(t *testing.T) {
	h := start(t)
	h.do("PUT", "/dav/firm/a", "x", password)
	h.do("GET", "/dav/firm/a", "", password)
	h.edit("editor", "viewer")
	h.metrics.lag("file", 0) // as the audit does where there is a sink
	text := h.scrape()
	b, err := os.ReadFile("../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`\b(portico|go|process)_[a-z_]+\b`).FindAllString(string(b), -1))))
	if len(names) < 12 {
		t.Errorf("the dashboard draws only %d metrics", len(names))
	}
	for _, name := range names {
		if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("the dashboard draws %s, which /metrics does not have", name)
		}
	}
}
