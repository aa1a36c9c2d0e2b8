package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"portico/portal"
)

// get is a page's status, its headers and its text.
func get(t *testing.T, public, path string) (int, http.Header, string) {
	t.Helper()
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	portal.Home(u).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w.Code, w.Header(), w.Body.String()
}

// TestHome wants the page to name the address for each system, and to warn where
// there is no TLS.
func TestHome(t *testing.T) {
	_, _, plain := get(t, "http://127.0.0.1:8080", "/")
	_, _, secure := get(t, "https://files.firm.example", "/")
	for _, want := range []string{"net use P: http://127.0.0.1:8080/dav<", "dav://127.0.0.1:8080/dav/", "has no TLS"} {
		if !strings.Contains(plain, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, want := range []string{"net use P: https://files.firm.example/dav<", "davs://files.firm.example/dav/"} {
		if !strings.Contains(secure, want) {
			t.Errorf("the page over TLS lacks %q", want)
		}
	}
	if strings.Contains(secure, "has no TLS") {
		t.Error("the page over TLS says that it has none")
	}
}

// TestHeaders wants every answer guarded, and nothing but the page and its style.
func TestHeaders(t *testing.T) {
	for path, want := range map[string]int{"/": 200, "/assets/style.css": 200, "/assets/": 404, "/assets/..%2fhome.html": 404, "/other": 404} {
		status, header, _ := get(t, "http://127.0.0.1:8080", path)
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
		if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
	}
}
