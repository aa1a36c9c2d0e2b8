package parts

import (
	_ "embed" // of the provider's script
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

//go:embed oidc.mjs
var oidcScript string

// OIDC is an OpenID Connect provider that runs.
type OIDC struct {
	Issuer string

	p *process
}

// OIDCOptions are what it knows.
type OIDCOptions struct {
	ClientID, ClientSecret string
	Redirect               string                    // the only address that it sends people back to
	People                 map[string]map[string]any // claims, by what is typed as the login, which is the subject
	InToken                bool                      // the claims are in the ID token, not at the userinfo endpoint
}

// OwnOIDC is a provider that no other test uses: oidc-provider, the certified
// implementation for Node. Its sign-in pages take any password.
func OwnOIDC(tb testing.TB, o OIDCOptions) OIDC {
	tb.Helper()
	dir, err := toolsDir()
	if err != nil {
		tb.Fatal(err)
	}
	module := filepath.Join(dir, "oidc-provider")
	if _, err := os.Stat(filepath.Join(module, "node_modules")); err != nil {
		tb.Fatalf("%v", &missingError{"oidc-provider", dir})
	}
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	settings, err := json.Marshal(map[string]any{
		"port": port, "people": o.People, "clientID": o.ClientID, "clientSecret": o.ClientSecret, "redirect": o.Redirect, "inToken": o.InToken,
	})
	if err != nil {
		tb.Fatal(err)
	}
	s := OIDC{Issuer: "http://127.0.0.1:" + port}
	s.p = &process{
		path: Tool(tb, "node"), health: s.Issuer + "/ready", env: []string{"NODE_ENV=test", "NODE_NO_WARNINGS=1"},
		args: []string{"--input-type=module", "--eval", oidcScript, "--", module, string(settings)},
	}
	tb.Cleanup(s.p.stop)
	if err := s.p.start(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// Stop takes it away, as Start brings it back.
func (s OIDC) Stop(tb testing.TB) {
	tb.Helper()
	s.p.stop()
}

// Start starts it again, on the same port.
func (s OIDC) Start(tb testing.TB) {
	tb.Helper()
	if err := s.p.start(); err != nil {
		tb.Fatal(err)
	}
}

// SignIn plays somebody in front of the provider's pages, from the address that
// sent them there to the one that the provider sends them back to. They have
// never been there before.
func (s OIDC) SignIn(tb testing.TB, at, login string) (back *url.URL) {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), s.Issuer) {
			return nil
		}
		back = r.URL
		return http.ErrUseLastResponse
	}}
	page := s.visit(tb, browser, at, nil)
	const pages = 5 // name and password, consent
	for range pages {
		form := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(page)
		if back != nil || form == nil {
			break
		}
		fields := url.Values{"login": {login}, "password": {"any"}}
		for _, f := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			fields.Set(f[1], f[2])
		}
		page = s.visit(tb, browser, html.UnescapeString(form[1]), fields)
	}
	if back == nil {
		tb.Fatalf("the provider sends nobody back:\n%s", page)
	}
	return back
}

// visit opens a page, or sends a form.
func (s OIDC) visit(tb testing.TB, browser *http.Client, at string, form url.Values) string {
	tb.Helper()
	if strings.HasPrefix(at, "/") {
		at = s.Issuer + at
	}
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(tb.Context(), method, at, strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}
