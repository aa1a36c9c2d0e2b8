package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/backends"
	"portico/backends/mem"
	"portico/config"
	"portico/vpath"
)

const benchConfig = `
server: {listen: "127.0.0.1:0"}
state: sqlite:DIR/portico.db
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

// inMemory is the whole program behind its listener, over a backend in memory,
// which answers in a microsecond: what is measured is all but the backend.
func inMemory(tb testing.TB) http.Handler {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(benchConfig, "DIR", dir)), 0o600); err != nil {
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
	s.apply(cfg)
	return s.handler(cfg, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"})
}

// BenchmarkWarmRequest is a request whose password has been proved before. The
// target is 50 µs outside the backend.
func BenchmarkWarmRequest(b *testing.B) {
	h := inMemory(b)
	const props = `<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/></D:prop></D:propfind>`
	for name, body := range map[string]string{"GET": "", "HEAD": "", "PROPFIND": props} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), name, "http://127.0.0.1:8080/dav/firm/Clients/Acme/a.txt", strings.NewReader(body))
				r.SetBasicAuth("ann", "correct-horse-battery")
				r.Header.Set("Depth", "0")
				w := &discard{header: http.Header{}}
				h.ServeHTTP(w, r)
				if w.status != http.StatusOK && w.status != http.StatusMultiStatus {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	}
}

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
