package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/internal/parts"
	"portico/store"
	"portico/store/sqlite"
)

// browser is somebody at the pages, with their cookies.
type browser struct {
	s *server
	c *http.Client
}

func newBrowser(s *server) *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get asks for a page, post sends a form to one; neither follows a redirect.
func (b *browser) get(at string) answer { return b.send("GET", at, nil) }

func (b *browser) post(at string, form url.Values) answer { return b.send("POST", at, form) }

func (b *browser) send(method, at string, form url.Values) answer {
	b.s.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = b.s.url + at
	}
	r, err := http.NewRequestWithContext(b.s.t.Context(), method, at, strings.NewReader(form.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.s.url)
	}
	resp, err := b.c.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return answer{b.s.t, method + " " + at, resp.StatusCode, resp.Header, string(body)}
}

// oidcConfig is a server whose pages a provider signs people in to.
const oidcConfig = `
server: {listen: %q, public_url: %q}
state: sqlite:%s/portico.db
storage: {main: {type: local, path: %s}}
identity:
%s%s
  oidc:
    issuer: %q
    client_id: portico
    client_secret: client-secret
    title: the firm
    claims: {groups: groups}%s
workspaces:
  firm: {storage: main, folders: {/: {grant: {"group:partners": editor, "user:ann": viewer}}}}
`

// TestSignInThroughProvider: somebody whom only the firm's provider knows comes
// to the pages through it, makes an app password there, and opens the drive with
// it, with the rights of the groups that the provider names.
func TestSignInThroughProvider(t *testing.T) {
	listen := freeAddress(t)
	public := "http://" + listen
	provider := parts.OwnOIDC(t, parts.OIDCOptions{
		ClientID: "portico", ClientSecret: "client-secret", Redirect: public + "/auth/oidc/callback",
		People: map[string]map[string]any{
			"zoe": {"preferred_username": "zoe", "name": "Zoé Claes", "email": "zoe@firm.example", "groups": []string{"partners"}},
			"ann": {"preferred_username": "ann", "name": "Ann P.", "email": "ann@firm.example", "groups": []string{}},
		},
	})
	dir, files := t.TempDir(), t.TempDir()
	launch := func(more string) *server {
		return serve(t, fmt.Sprintf(oidcConfig, listen, public, dir, files, users("ann"), "  require_app_password: true", provider.Issuer, more))
	}
	s := launch("")

	zoe := newBrowser(s)
	zoe.get("/account").want(303) // to the sign-in
	zoe.get("/login?next=/account").want(200).has("the firm").has("/auth/oidc/start")
	away := zoe.get("/auth/oidc/start?next=%2Faccount").want(303).header.Get("Location")
	back := provider.SignIn(t, away, "zoe")
	if got := zoe.get(back.String()).want(303).header.Get("Location"); got != "/account" {
		t.Errorf("after the sign-in: %q", got)
	}
	zoe.get("/account").want(200).has("Zoé Claes").has("partners")
	page := zoe.post("/account/passwords", url.Values{"name": {"phone"}, "workspace": {""}, "expires": {"90d"}})
	page.either(200, 201)
	secret := regexp.MustCompile(`gwp_[0-9a-z]+`).FindString(page.body)
	if secret == "" {
		t.Fatalf("the page shows no app password: %s", page.body)
	}
	if again := zoe.get("/account").want(200); strings.Contains(again.body, secret) {
		t.Error("an app password is shown twice")
	}
	s.doAs("zoe", secret, "PUT", "/dav/firm/z.txt", "x").want(201)
	s.doAs("ann", secret, "GET", "/dav/firm/z.txt", "").want(401)
	newBrowser(s).get(back.String()).either(400, 401, 403) // the answer of the provider serves once, in one browser

	// A user of the config is not the provider's to sign in, unless the config says
	// so: then they are that person.
	annBack := func(s *server) (*browser, string) {
		ann := newBrowser(s)
		return ann, provider.SignIn(t, ann.get("/auth/oidc/start?next=%2Faccount").want(303).header.Get("Location"), "ann").String()
	}
	ann, at := annBack(s)
	ann.get(at).either(401, 403).has("sign in with that")
	s.stop()
	s = launch("\n    vouches_for_users: true")
	zoe.s = s
	ann, at = annBack(s)
	ann.get(at).want(303)
	ann.get("/account").want(200).has("Ann Peeters")

	ann.post("/logout", url.Values{}).want(303)
	ann.get("/account").want(303)
	provider.Stop(t)
	zoe.get("/account").want(200) // her session is ours
	s.doAs("zoe", secret, "GET", "/dav/firm/z.txt", "").want(200)
}

// TestProviderAlone (THREATS.md row 63): with identity.oidc.only a password alone,
// which is right, opens no door and makes no app password. Who signed in through
// the provider makes one, and it opens the drive.
func TestProviderAlone(t *testing.T) {
	listen := freeAddress(t)
	public := "http://" + listen
	provider := parts.OwnOIDC(t, parts.OIDCOptions{
		ClientID: "portico", ClientSecret: "client-secret", Redirect: public + "/auth/oidc/callback",
		People: map[string]map[string]any{"ann": {"preferred_username": "ann", "name": "Ann P.", "email": "ann@firm.example", "groups": []string{"partners"}}},
	})
	dir := t.TempDir()
	s := serve(t, fmt.Sprintf(oidcConfig, listen, public, dir, t.TempDir(), users("ann"), "", provider.Issuer,
		"\n    vouches_for_users: true\n    only: true"))
	putCustomer(t, dir, customer)
	s.doAs(customer, password, "PROPFIND", "/dav/shared/", "", "Depth", "1").want(207)
	s.doAs(customer, "wrong", "PROPFIND", "/dav/shared/", "", "Depth", "1").want(401)
	if at := newBrowser(s).post("/login", url.Values{"name": {customer}, "password": {password}}).want(303).header.Get("Location"); at != "/portal/" {
		t.Errorf("a customer who signs in goes to %q", at)
	}

	const wish = `{"name": "phone", "expires": "90d"}`
	for range 30 { // nothing is looked at, so that nothing counts
		s.do("ann", "GET", "/dav/firm/", "").want(401).has("app password")
	}
	s.do("ann", "POST", "/api/v1/app-passwords", wish, "Content-Type", "application/json").want(401).has("takes no passwords here")
	ann := newBrowser(s)
	ann.post("/login", url.Values{"name": {"ann"}, "password": {password}}).want(403).has("takes no passwords here")
	ann.get("/account").want(303)
	page := ann.get("/login").want(200).has("/auth/oidc/start").has("Customers sign in here")
	if strings.Index(page.body, "/auth/oidc/start") > strings.Index(page.body, `type="password"`) {
		t.Error("the sign-in page asks for a password before it shows the way in")
	}
	ann.post("/login", url.Values{"name": {"ann@firm.example"}, "password": {password}}).want(401).has("If you work here")
	s.doAs("ann@firm.example", password, "PROPFIND", "/dav/shared/", "").want(401).has("app password")
	halfway := ann.get("/auth/oidc/start?next=%2Faccount").want(303)
	for _, c := range halfway.header.Values("Set-Cookie") { // of a sign-in that is not over
		_, value, _ := strings.Cut(strings.SplitN(c, ";", 2)[0], "=")
		s.do("", "GET", "/api/v1/app-passwords", "", "Authorization", "Bearer "+value).want(401)
		s.do("", "GET", "/dav/firm/", "", "Authorization", "Bearer "+value).want(401)
	}
	ann.get(provider.SignIn(t, halfway.header.Get("Location"), "ann").String()).want(303)
	page = ann.post("/account/passwords", url.Values{"name": {"phone"}, "workspace": {""}, "expires": {"90d"}})
	secret := regexp.MustCompile(`gwp_[0-9a-z]+`).FindString(page.either(200, 201).body)
	s.doAs("ann", secret, "PROPFIND", "/dav/firm/", "", "Depth", "0").want(207)
	s.doAs("ann", secret, "POST", "/api/v1/app-passwords", wish, "Content-Type", "application/json").want(403)
}

// putCustomer writes an account beside the server, which reads it from the state.
func putCustomer(t *testing.T, dir, mail string) {
	t.Helper()
	state, err := sqlite.OpenBeside(t.Context(), filepath.Join(dir, "portico.db"), "test", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutAccount(store.Account{ID: "a1", Mail: mail, Name: "Claire", Password: hash(), Changed: time.Now()})
	})
	if err = errors.Join(err, state.Close()); err != nil {
		t.Fatal(err)
	}
}
