package s3

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"portico/internal/parts"
)

// spoiler stands between Portico and a store, and spoils what a test asks it to.
type spoiler struct {
	parts.S3
	// rule sees each request by S3's name for it. It may answer itself, and then
	// returns true.
	rule atomic.Pointer[func(action string, w http.ResponseWriter, r *http.Request) bool]
	next *httputil.ReverseProxy
}

// spoil starts a spoiler before a store.
func spoil(t *testing.T, store parts.S3) *spoiler {
	t.Helper()
	u, err := url.Parse(store.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s := &spoiler{S3: store}
	s.next = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host
		r.Out.Host = r.In.Host // it is signed
	}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Endpoint = server.URL
	return s
}

func (s *spoiler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rule := s.rule.Load(); rule != nil {
		_, key, _ := bytes.Cut([]byte(r.URL.Path[1:]), []byte("/"))
		named := r.Clone(r.Context())
		named.URL.Path = "/" + string(key)
		if (*rule)(action(named, "\x00"), w, r) {
			return
		}
	}
	s.next.ServeHTTP(w, r)
}

// on sets the rule for one action, for so many requests; -1 for all.
func (s *spoiler) on(name string, times int64, do func(w http.ResponseWriter, r *http.Request)) {
	var left atomic.Int64
	left.Store(times)
	rule := func(action string, w http.ResponseWriter, r *http.Request) bool {
		if action != name || times >= 0 && left.Add(-1) < 0 {
			return false
		}
		do(w, r)
		return true
	}
	s.rule.Store(&rule)
}

func (s *spoiler) off() { s.rule.Store(nil) }

// fail answers with an S3 error.
func fail(status int, code string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>`+code+`</Code><Message>spoiled</Message></Error>`)
	}
}

// lose lets the store do what is asked, and cuts the connection instead of
// answering.
func (s *spoiler) lose(_ http.ResponseWriter, r *http.Request) {
	s.next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// cut ends the connection at once.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
