package oidc_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/identity/oidc"
	"portico/internal/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// registered are the people of the real provider.
func registered() map[string]map[string]any {
	return map[string]map[string]any{
		"ann": {"preferred_username": "Ann", "name": "A. Peeters", "email": "ann@idp.example", "groups": []string{"partners"}},
		"zoe": {"preferred_username": "zoë", "name": "Zoë Claes", "email": "zoe@firm.example", "groups": []string{"guests", "lawyers"}},
	}
}

func realProvider(t *testing.T, inToken bool) parts.OIDC {
	t.Helper()
	return parts.OwnOIDC(t, parts.OIDCOptions{
		ClientID: clientID, ClientSecret: clientSecret, Redirect: callback, People: registered(), InToken: inToken,
	})
}

// TestSignIn goes through a real provider, whose claims are in the ID token or at
// the userinfo endpoint.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, inToken := range map[string]bool{"claims in the token": true, "claims at userinfo": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := realProvider(t, inToken)
			h := newHouse(t, s.Issuer)

			flow, to := h.begin()
			ann, err := h.Finish(t.Context(), flow, s.SignIn(t, to.String(), "ann").Query())
			if err != nil {
				t.Fatalf("Finish for ann = %v\n%s", err, h.log)
			}
			// The directory knows her: she is who it says.
			if ann.Who.ID != "ldap:1" || ann.Who.Name != "Ann Peeters" || ann.Next != "/account" {
				t.Errorf("ann is %+v, who goes to %q", ann.Who, ann.Next)
			}
			if d := cmp.Diff([]string{"partners"}, ann.Groups); d != "" {
				t.Errorf("ann's groups of the provider (-want +got):\n%s", d)
			}

			flow, to = h.begin()
			zoe, err := h.Finish(t.Context(), flow, s.SignIn(t, to.String(), "zoe").Query())
			if err != nil {
				t.Fatalf("Finish for zoë = %v\n%s", err, h.log)
			}
			if err := h.state.Update(t.Context(), zoe.Keep); err != nil {
				t.Fatal(err)
			}
			want := identity.Identity{
				ID: zoe.Who.ID, Login: "zoë", Name: "Zoë Claes", Email: "zoe@firm.example",
				Groups: []identity.Membership{{Group: "guests"}, {Group: "lawyers"}},
			}
			if !strings.HasPrefix(want.ID, "oidc:") || !strings.HasSuffix(want.ID, ":zoe") {
				t.Errorf("zoë's ID is %q, want oidc:…:zoe", want.ID)
			}
			byID, err := h.people().ByID(t.Context(), want.ID)
			if d := cmp.Diff(want, byID); d != "" || err != nil {
				t.Errorf("ByID = %v (-want +got):\n%s", err, d)
			}
			byLogin, err := h.people().ByLogin(t.Context(), "ZOË")
			if d := cmp.Diff(want, byLogin); d != "" || err != nil {
				t.Errorf("ByLogin = %v (-want +got):\n%s", err, d)
			}
		})
	}
}

// TestOnce wants a sign-in to be good once: at the provider, and in the store.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := realProvider(t, true)
	h := newHouse(t, s.Issuer)
	flow, to := h.begin()
	back := s.SignIn(t, to.String(), "zoe").Query()
	in, err := h.Finish(t.Context(), flow, back)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.state.Update(t.Context(), in.Keep); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "kept twice", h.state.Update(t.Context(), in.Keep))
	_, err = h.Finish(t.Context(), flow, back)
	wantRefused(t, "the same code again", err)
}

// TestProviderIsAway wants the start to need no provider, a sentence while it is
// away, and no restart when it comes.
func TestProviderIsAway(t *testing.T) {
	t.Parallel()
	s := realProvider(t, true)
	s.Stop(t)
	h := newHouse(t, s.Issuer)
	_, _, err := h.Begin(t.Context(), "/")
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.Told(err), "Firm does not answer") {
		t.Errorf("Begin without a provider = %v, told %q", err, fault.Told(err))
	}
	if err := h.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check without a provider = %v", err)
	}
	s.Start(t)
	if err := h.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	flow, to := h.begin()
	back := s.SignIn(t, to.String(), "zoe").Query()
	s.Stop(t)
	if _, err := h.Finish(t.Context(), flow, back); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
		t.Errorf("Finish without a provider = %v, want ErrUnavailable", err)
	}
}

// TestReturn wants an answer bound to the browser that asked, and to its time.
func TestReturn(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	h := newHouse(t, e.url)
	flow, to := h.begin()
	good := func(pairs ...string) url.Values {
		q := url.Values{"code": {"c"}, "state": {to.Query().Get("state")}}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return q
	}
	other, _ := h.begin()
	pieces := strings.Split(flow, ".")
	for what, c := range map[string]struct {
		flow string
		q    url.Values
	}{
		"another browser":         {other, good()},
		"no cookie":               {"", good()},
		"a cookie of rubbish":     {"a.b.c", good()},
		"a longer time":           {pieces[0] + ".99999999999." + pieces[2], good()},
		"a later beginning":       {pieces[0] + "." + "1" + pieces[1] + "." + pieces[2], good()},
		"another goal":            {pieces[0] + "." + pieces[1] + ".Lw", good()},
		"no state":                {flow, url.Values{"code": {"c"}}},
		"another state":           {flow, good("state", "x")},
		"an empty state":          {flow, good("state", "")},
		"no code":                 {flow, url.Values{"state": {to.Query().Get("state")}}},
		"refused by the provider": {flow, good("error", "access_denied", "error_description", "<b>no</b>\n")},
		"another issuer":          {flow, good("iss", "https://evil.example")},
	} {
		e.sent = nil
		_, err := h.Finish(t.Context(), c.flow, c.q)
		wantRefused(t, what, err)
		if e.sent != nil {
			t.Errorf("%s: the code went to the provider", what)
		}
	}
	h.now = h.now.Add(oidc.Life + time.Second)
	_, err := h.Finish(t.Context(), flow, good())
	wantRefused(t, "too late", err)
}

// TestAsks wants the request to have all that protects it.
func TestAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newEvil(t).url)
	flow, to := h.begin()
	q := to.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": callback, "code_challenge_method": "S256", "scope": "openid profile email",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	seen := map[string]bool{}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		v := q.Get(name)
		if len(v) != 43 || seen[v] || strings.Contains(flow, v) {
			t.Errorf("%s = %q: short, twice, or in the cookie as it is", name, v)
		}
		seen[v] = true
	}
	if again, _ := h.begin(); again == flow {
		t.Error("two sign-ins have one secret")
	}
}

// TestRow63BadTokens wants only tokens of the provider, for us, for this sign-in
// and for now.
func TestRow63BadTokens(t *testing.T) {
	t.Parallel()
	stranger := newEvil(t).key
	for what, change := range map[string]func(e *evil){
		"another issuer":    func(e *evil) { e.claims = map[string]any{"iss": "https://evil.example"} },
		"another audience":  func(e *evil) { e.claims = map[string]any{"aud": "other"} },
		"no audience":       func(e *evil) { e.claims = map[string]any{"aud": nil} },
		"for two, by whom":  func(e *evil) { e.claims = map[string]any{"aud": []string{clientID, "other"}} },
		"for another party": func(e *evil) { e.claims = map[string]any{"aud": []string{clientID, "other"}, "azp": "other"} },
		"expired":           func(e *evil) { e.claims = map[string]any{"exp": time.Now().Add(-time.Minute).Unix()} },
		"no expiry":         func(e *evil) { e.claims = map[string]any{"exp": nil} },
		"not yet":           func(e *evil) { e.claims = map[string]any{"nbf": time.Now().Add(time.Hour).Unix()} },
		"another nonce":     func(e *evil) { e.claims = map[string]any{"nonce": "x"} },
		"no nonce":          func(e *evil) { e.claims = map[string]any{"nonce": nil} },
		"no token":          func(e *evil) { e.sign = func(string) string { return "" } },
		"rubbish":           func(e *evil) { e.sign = func(string) string { return "a.b.c" } },
		"another key": func(e *evil) {
			e.sign = func(c string) string { return oidctest.SignIDToken(stranger, "k", gooidc.ES256, c) }
		},
		"our secret as key": func(e *evil) {
			e.sign = func(c string) string {
				return oidctest.SignIDToken([]byte(strings.Repeat(clientSecret, 2)), "k", "HS256", c)
			}
		},
		"no signature": func(e *evil) {
			e.sign = func(c string) string { return "eyJhbGciOiJub25lIn0." + unpadded(c) + "." }
		},
		"code refused": func(e *evil) { e.broken = http.StatusBadRequest },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e := newEvil(t)
			change(e)
			h := newHouse(t, e.url)
			_, err := e.finish(h)
			wantRefused(t, what, err)
			if h.log.Len() == 0 {
				t.Error("the admin's log says nothing")
			}
			if strings.Contains(h.log.String(), clientSecret) {
				t.Error("the admin's log has the client's secret")
			}
		})
	}
	e := newEvil(t)
	e.broken = http.StatusBadGateway
	if _, err := e.finish(newHouse(t, e.url)); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a provider that is broken: Finish = %v, want ErrUnavailable", err)
	}
}

// TestTwoAudiences wants a token for several taken where we are the party.
func TestTwoAudiences(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	e.claims = map[string]any{"aud": []string{"other", clientID}, "azp": clientID}
	if _, err := e.finish(newHouse(t, e.url)); err != nil {
		t.Errorf("Finish = %v", err)
	}
}
