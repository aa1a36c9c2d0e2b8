package portal_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/identity/oidc"
	"portico/internal/parts"
	"portico/portal"
)

// outside is a house whose pages have a button for a real provider.
func outside(t *testing.T, change ...func(*portal.Options)) (*house, parts.OIDC) {
	t.Helper()
	h := newHouse(t)
	back := h.a.URL + "/auth/oidc/callback"
	s := parts.OwnOIDC(t, parts.OIDCOptions{
		ClientID: "portico", ClientSecret: "s", Redirect: back, InToken: true, People: map[string]map[string]any{
			"ann": {"preferred_username": "ann", "name": "Ann", "email": "a@b", "groups": []string{"partners"}},
			"bad": {"preferred_username": "../bad", "name": "Bad", "email": "a@b"},
		},
	})
	callback, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := url.Parse(s.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	h.a = h.replica(func(o *portal.Options) {
		o.Outside = oidc.New(oidc.Options{
			Issuer: issuer, ClientID: "portico", ClientSecret: "s", Title: "Firm & Co", Callback: callback, Claims: oidc.Claims{Groups: "groups"},
			Directory: h.people(everybody(t)...), State: h.state, Clock: h.clock, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		})
		for _, f := range change {
			f(o)
		}
	})
	return h, s
}

// TestOutside: through the provider's pages into the account.
func TestOutside(t *testing.T) {
	t.Parallel()
	h, s := outside(t)
	ann := h.browser(h.a)
	ann.get("/login?next=/account").want(t, "the form", 200, `href="/auth/oidc/start?next=%2Faccount"`, "Firm & Co")
	start := ann.get("/auth/oidc/start?next=%2Faccount%3Fx%3D1")
	start.want(t, "start", 303)
	if !strings.HasPrefix(start.header.Get("Location"), s.Issuer+"/") || !strings.Contains(start.header.Get("Set-Cookie"), "Max-Age=600") {
		t.Errorf("start goes to %q with %q", start.header.Get("Location"), start.header.Get("Set-Cookie"))
	}
	back := s.SignIn(t, start.header.Get("Location"), "ann")
	got := ann.do("GET", back.RequestURI(), "", "Sec-Fetch-Site", "cross-site")
	got.want(t, "back", 303)
	if at := got.header.Get("Location"); at != "/account?x=1" || ann.cookie() == "" {
		t.Errorf("back goes to %q with the session %q", at, ann.cookie())
	}
	h.wantEvents("page sign-in ann allowed=true why=by Firm & Co")
	ann.get("/account").want(t, "account", 200, "Ann Peeters", "partners")

	thief := h.browser(h.a)
	thief.get(back.RequestURI()).want(t, "the address in another browser", 403, "Begin again.")
	ann.get(back.RequestURI()).want(t, "the address once more", 403, "Begin again.")
	if thief.cookie() != "" {
		t.Error("the other browser has a session")
	}
	thief.do("GET", "/auth/oidc/start", "", "Sec-Fetch-Site", "cross-site").want(t, "begun by another site", 403)
}

func TestOutsideRefused(t *testing.T) {
	t.Parallel()
	h, s := outside(t)
	bad := h.browser(h.a)
	back := s.SignIn(t, bad.get("/auth/oidc/start").header.Get("Location"), "bad")
	bad.get(back.RequestURI()).want(t, "an unsafe login", http.StatusForbidden, "Ask your administrator")
	h.wantEvents("page sign-in ../bad allowed=false why=What Firm & Co says about you cannot be used here. Ask your administrator, whose log says why.")
}

// TestOutsideAway wants the button to say that the provider is away.
func TestOutsideAway(t *testing.T) {
	t.Parallel()
	h, s := outside(t)
	s.Stop(t)
	got := h.browser(h.a).get("/auth/oidc/start")
	got.want(t, "start", 503, "Firm & Co does not answer at the moment.", `name="password"`)
	if got.header.Get("Retry-After") == "" {
		t.Error("503 has no Retry-After")
	}
}
