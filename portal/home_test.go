package portal_test

import (
	"net/url"
	"strings"
	"testing"

	"portico/portal"
)

func at(raw string) func(*portal.Options) {
	return func(o *portal.Options) {
		u, err := url.Parse(raw)
		if err != nil {
			panic(err)
		}
		o.Public = u
	}
}

// TestHome wants the page to name the address for each system, and to warn where
// there is no TLS.
func TestHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, at("http://127.0.0.1:8080"))
	plain := h.browser(h.a).get("/")
	plain.want(t, "plain", 200, "net use P: http://127.0.0.1:8080/dav<", "dav://127.0.0.1:8080/dav/", "has no TLS", `href="/login"`)
	h = newHouse(t, at("https://files.firm.example"))
	secure := h.browser(h.a).get("/")
	secure.want(t, "over TLS", 200, "net use P: https://files.firm.example/dav<", "davs://files.firm.example/dav/")
	if strings.Contains(secure.text, "has no TLS") {
		t.Error("the page over TLS says that it has none")
	}
}

// TestHeaders wants every answer guarded, and nothing but our own pages and files.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	for path, want := range map[string]int{
		"/": 200, "/login": 303, "/account": 200, "/assets/style.css": 200, "/assets/portico.js": 200,
		"/api/v1/app-passwords": 200, "/assets/": 404, "/assets/..%2fhome.html": 404, "/brand/1f5fbf.css": 200, "/brand/1f5fbg.css": 404, "/brand/none": 404, "/assets/%2Fetc%2Fpasswd": 404, "/other": 404, "/api/v1": 404, "/api/v1/x": 404,
		"/auth/oidc/start": 404,
	} {
		got := ann.get(path)
		if got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if v := got.header.Get(name); v != value {
				t.Errorf("%s: %s %q, want %q", path, name, v, value)
			}
		}
		csp := got.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, part) || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: Content-Security-Policy %q lacks %q, or is unsafe", path, csp, part)
			}
		}
		if cache := got.header.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(path, "/assets/s") && !strings.HasPrefix(path, "/assets/p") && path != "/brand/1f5fbf.css" {
			t.Errorf("%s: Cache-Control %q, want no-store", path, cache)
		}
	}
	ann.get("/other").want(t, "a page that is not there", 404, "There is nothing here", "Reference request-1")
}

// TestMethods wants a page that is there to say so, and how it is asked for, to
// who asks in another way.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	for path, allow := range map[string]string{
		"/": "GET, HEAD", "/assets/style.css": "GET, HEAD", "/login": "GET, HEAD, POST", "/logout": "POST", "/account": "GET, HEAD",
		"/account/passwords": "POST", "/account/passwords/x/revoke": "POST",
		"/api/v1/app-passwords": "GET, HEAD, POST",
	} {
		got := ann.do("DELETE", path, "")
		says := "does not work that way"
		if strings.HasPrefix(path, "/api/") {
			says = `"detail":"This route takes GET`
		}
		got.want(t, "DELETE "+path, 405, says)
		if got.header.Get("Allow") != allow {
			t.Errorf("DELETE %s: Allow %q, want %q", path, got.header.Get("Allow"), allow)
		}
	}
	ann.do("DELETE", "/nothing", "").want(t, "what is not there", 404, "There is nothing here")
	if got := ann.do("HEAD", "/", ""); got.status != 200 || got.text != "" {
		t.Errorf("HEAD /: %d, %q", got.status, got.text)
	}
}

// TestStyleIsOurs wants pages without a style or a script of their own, which the
// policy would stop, and all of it below 60 KB.
func TestStyleIsOurs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	for _, path := range []string{"/", "/account", "/none"} {
		for _, bad := range []string{" style=", " onclick=", "<style", "<script>", "http-equiv"} {
			if strings.Contains(ann.get(path).text, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
	if n := len(ann.get("/assets/style.css").text) + len(ann.get("/assets/portico.js").text); n > 60<<10 {
		t.Errorf("style and script have %d bytes together, 60 KB are the most", n)
	}
}
