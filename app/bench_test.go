package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/mem"
	"portico/config"
	"portico/internal/parts"
	"portico/vpath"
)

const benchConfig = `
server: {listen: "127.0.0.1:0", replica: bench}
state: STATE
audit: {key: "an audit key of thirty-two bytes or more"}
storage: {disk: {type: local, path: DIR/files}}
identity:
  users:
    ann: {password: "$argon2id$v=19$m=19456,t=2,p=1$yeqPjmiFkbmmll7UkmYhng$/Fn5+aA4gGgA0PahxI1SAcg3yqf4aOhJyTsqVbaAX/Y"}
workspaces:
  firm:
    storage: disk
    folders:
      /: {grant: {"user:ann": editor}}
`

// program is the whole of it, and the configuration that it runs by.
func program(tb testing.TB, state string) (*process, *config.Config) {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	text := strings.NewReplacer("STATE", state, "DIR", dir).Replace(benchConfig)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600); err != nil {
		tb.Fatal(err)
	}
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := newServerProcess(tb.Context(), cfg, os.LookupEnv, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.close)
	follow(tb, s)
	return s, cfg
}

// inMemory is the whole program behind its listener, over a backend in memory,
// which answers in a microsecond: what is measured is all but the backend.
func inMemory(tb testing.TB, state string) http.Handler {
	tb.Helper()
	s, cfg := program(tb, state)
	tree, err := mem.New().At(vpath.Path{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range []string{"/Clients", "/Clients/Acme"} {
		if _, err := tree.Mkdir(tb.Context(), vpath.Must(p), backends.Meta{}); err != nil {
			tb.Fatal(err)
		}
	}
	body := strings.NewReader(strings.Repeat("x", 4096))
	if _, err := tree.Put(tb.Context(), vpath.Must("/Clients/Acme/a.txt"), body, backends.PutOptions{Size: 4096}); err != nil {
		tb.Fatal(err)
	}
	s.trees["firm"] = tree
	s.applyRules(cfg)
	return s.handler(cfg, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"})
}

// follow keeps s in step with a state that it shares, as run does.
func follow(tb testing.TB, s *process) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	var all sync.WaitGroup
	all.Go(func() { s.files.Follow(ctx) })
	tb.Cleanup(func() {
		cancel()
		all.Wait()
	})
	eventually(tb, "it knows what others do", func() bool { return s.files.Stale() == nil })
}

// warm sends one request and gives its status and its body.
func warm(ctx context.Context, h http.Handler, method, path, body, password string, w *discard) {
	r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.SetBasicAuth("ann", password)
	r.Header.Set("Depth", "0")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	*w = discard{header: http.Header{}, keep: w.keep}
	h.ServeHTTP(w, r)
}

// benchAppPassword makes one for ann.
func benchAppPassword(tb testing.TB, h http.Handler) string {
	tb.Helper()
	var made struct{ Secret string }
	w := &discard{keep: true}
	warm(tb.Context(), h, "POST", "/api/v1/app-passwords", `{"name": "laptop"}`, password, w)
	if err := json.Unmarshal(w.body, &made); err != nil || made.Secret == "" {
		tb.Fatalf("no app password: %d, %s", w.status, w.body)
	}
	return made.Secret
}

// BenchmarkWarmRequest is a request whose password has been proved before. The
// targets for the median, outside the backend: 50 µs where the state is SQLite,
// 1 ms where it is PostgreSQL.
func BenchmarkWarmRequest(b *testing.B) {
	const props = `<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/></D:prop></D:propfind>`
	for _, state := range []string{"SQLite", "PostgreSQL"} {
		b.Run(state, func(b *testing.B) {
			at := "sqlite:DIR/portico.db"
			if state == "PostgreSQL" {
				at = fmt.Sprintf("%q", parts.Postgres(b).DSN)
			}
			h := inMemory(b, at)
			secrets := map[string]string{"own": password, "app": benchAppPassword(b, h)}
			for _, by := range []string{"own", "app"} {
				for _, c := range []struct{ name, method, body string }{
					{"GET", "GET", ""},
					{"HEAD", "HEAD", ""},
					{"PROPFIND", "PROPFIND", props},
					{"PROPFIND-all", "PROPFIND", ""}, // with dead properties and locks, which the state has
				} {
					b.Run(by+"/"+c.name, func(b *testing.B) { benchWarm(b, h, c.method, c.body, secrets[by]) })
				}
			}
		})
	}
}

func benchWarm(b *testing.B, h http.Handler, method, body, password string) {
	b.Helper()
	w := &discard{}
	warm(b.Context(), h, method, "/dav/firm/Clients/Acme/a.txt", body, password, w) // the one that proves it
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		warm(b.Context(), h, method, "/dav/firm/Clients/Acme/a.txt", body, password, w)
		took = append(took, time.Since(began))
		if w.status != http.StatusOK && w.status != http.StatusMultiStatus {
			b.Fatalf("status %d", w.status)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
}

// discard is a ResponseWriter that keeps the status alone, and the body where
// somebody wants it.
type discard struct {
	header http.Header
	status int
	keep   bool
	body   []byte
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(p []byte) (int, error) {
	if d.keep {
		d.body = append(d.body, p...)
	}
	return io.Discard.Write(p)
}
