package gateway

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"portico/identity"
)

func testHandler() *Handler {
	return New(Options{PublicURLs: []*url.URL{{Scheme: "https", Host: "Files.Firm.example:443"}}})
}

func TestDestination(t *testing.T) {
	good := map[string]string{
		"https://files.firm.example/dav/firm/a":     "/firm/a",
		"http://files.firm.example/dav/firm/a":      "/firm/a", // TLS ends at a proxy
		"https://FILES.firm.example:443/dav/firm/a": "/firm/a",
		"http://files.firm.example:80/dav/firm/a/":  "/firm/a",
		"http://inner.example:8080/dav/firm/a":      "/firm/a", // the request's own Host
		"/dav/firm/a":                               "/firm/a",
		"/dav/firm/a%20b":                           "/firm/a b",
		"/dav/firm/a b":                             "/firm/a b",
		"/dav/firm/%C3%A9":                          "/firm/é",
		"/dav/firm/e%CC%81":                         "/firm/é",
		"/dav/firm/é":                               "/firm/é",
		"/dav/firm/100%25":                          "/firm/100%",
		"/dav/firm/a%3Fb%23c":                       "/firm/a?b#c",
		"/dav":                                      "/",
		"/dav/":                                     "/",
		"http://ann:x@files.firm.example/dav/firm":  "/firm",
	}
	h := testHandler()
	for in, want := range good {
		got, err := h.destination(withHeader("MOVE", "Destination", in))
		if err != nil || got.String() != want {
			t.Errorf("destination(%q) = %s, %v, want %s", in, got, err, want)
		}
	}
	bad := map[string]int{
		"":                                     400,
		"https://elsewhere.example/dav/firm/a": 502,
		"https://files.firm.example:8443/dav/firm/a":    502,
		"https://files.firm.example/davx/firm/a":        502,
		"https://files.firm.example.evil.example/dav/a": 502,
		"ftp://files.firm.example/dav/firm/a":           502,
		"/davpub/a":                                     502,
		"/":                                             502,
		"/dav%2Ffirm/a":                                 502,
		"/%64av/firm/a":                                 502,
		"//dav/firm/a":                                  400,
		"firm/a":                                        400,
		"mailto:ann@firm.example":                       400,
		"/dav/firm/%zz":                                 400,
		"/dav/firm/a%2fb":                               400,
		"/dav/firm/a%5Cb":                               400,
		`/dav/firm/a\b`:                                 400,
		"/dav/firm/%00":                                 400,
		"/dav/firm//a":                                  400,
		"/dav//firm/a":                                  400,
		"/dav/firm/../lab":                              400,
		"/dav/firm/%2e%2e/lab":                          400,
		"/dav/firm/.":                                   400,
		"/dav/firm/a?b":                                 400,
		"/dav/firm/a?":                                  400,
		"/dav/firm/a#b":                                 400,
		"/dav/firm/%c0%af":                              400,
		"/dav/firm/" + strings.Repeat("x", 300):         400,
	}
	for in, want := range bad {
		p, err := h.destination(withHeader("MOVE", "Destination", in))
		if got := judge("MOVE", err).status; err == nil || got != want {
			t.Errorf("destination(%.60q) = %s, %v (%d), want %d", in, p, err, got, want)
		}
	}
}

// withHeader is a request with one header, as it reaches the handler.
func withHeader(method, name, value string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, "/dav/firm/x", nil)
	r.Host = "inner.example:8080"
	r.Header.Set(name, value)
	return r
}

func TestStrip(t *testing.T) {
	h := testHandler()
	for in, want := range map[string]string{"/dav": "/", "/dav/": "/", "/dav/a": "/a", "/dav//a": "//a", "/dav/a%2fb/": "/a%2fb/"} {
		if got, ok := h.strip(in); got != want || !ok {
			t.Errorf("strip(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "/", "/da", "/davx", "/davsecret/a", "/Dav/a", "/x/dav/a", "dav/a", "*"} {
		if got, ok := h.strip(in); ok {
			t.Errorf("strip(%q) = %q, want none", in, got)
		}
	}
}

func TestBasic(t *testing.T) {
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	long := strings.Repeat("x", maxCredential)
	good := map[string][2]string{
		basic("ann:secret"):                        {"ann", "secret"},
		basic("ann:with:colons:"):                  {"ann", "with:colons:"},
		"bAsIc  " + basic("ann:x")[len("Basic "):]: {"ann", "x"},
		basic("zoë:pässwörd"):                      {"zoë", "pässwörd"},
		basic(long + ":" + long):                   {long, long},
		basic("*)(uid=*:x"):                        {"*)(uid=*", "x"}, // the directory's matter
	}
	for in, want := range good {
		login, pass, ok := parseBasic([]string{in})
		if !ok || login != identity.Login(want[0]) || pass != want[1] {
			t.Errorf("parseBasic(%q) = %q, %q, %v, want %q", in, login, pass, ok, want)
		}
	}
	bad := []string{
		"", "Basic", "Basic ", "Bearer", "Bearer ", "Bearer " + basic("ann:x")[6:], "Negotiate abc", "Basic !!!!",
		basic("ann:"), basic(":x"), basic(":"), basic("ann"), basic(""), basic("ann:\x00"), basic("a\x00nn:x"),
		basic("ann:a\nb"), basic("ann:" + long + "x"), basic(long + "x:y"), basic("ann:\xff\xfe"),
		"Basic " + strings.Repeat("A", 1<<20), basic("ann:x") + "=",
	}
	for _, in := range bad {
		if login, _, ok := parseBasic([]string{in}); ok {
			t.Errorf("parseBasic(%.60q) = %q, want none", in, login)
		}
	}
	if _, _, ok := parseBasic([]string{basic("ann:x"), basic("bob:x")}); ok {
		t.Error("parseBasic takes one of two headers")
	}
	if _, _, ok := parseBasic(nil); ok {
		t.Error("parseBasic takes no header for a login")
	}
}
