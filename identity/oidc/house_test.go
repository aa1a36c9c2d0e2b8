package oidc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"golang.org/x/oauth2"

	"portico/fault"
	"portico/identity"
	"portico/identity/oidc"
	"portico/internal/memstate"
)

// The client that is registered at the providers of these tests.
const (
	clientID     = "portico"
	clientSecret = "the secret of the client"
	callback     = "http://127.0.0.1:8080/auth/oidc/callback"
)

// directory is the firm's, by key of the login.
type directory map[string]identity.Identity

func (d directory) ByLogin(_ context.Context, l identity.Login) (identity.Identity, error) {
	who, ok := d[l.Key()]
	switch {
	case l == "away":
		return who, fmt.Errorf("directory: %w", fault.ErrUnavailable)
	case !ok:
		return who, identity.ErrRefused
	}
	return who, nil
}

// house is Portico's side of a sign-in.
type house struct {
	*oidc.Provider
	t      *testing.T
	state  *memstate.State
	issuer *url.URL
	now    time.Time
	log    *bytes.Buffer
}

func newHouse(t *testing.T, issuer string, change ...func(*oidc.Options)) *house {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, state: memstate.New(), issuer: u, now: time.Now(), log: &bytes.Buffer{}}
	o := oidc.Options{
		Issuer: u, ClientID: clientID, ClientSecret: clientSecret, Title: "Firm", Callback: back,
		Claims: oidc.Claims{Groups: "groups"}, Rand: rand.Reader, State: h.state,
		Directory: directory{identity.Login("ann").Key(): {ID: "ldap:1", Login: "ann", Name: "Ann Peeters", Groups: []identity.Membership{{Group: "staff"}}}},
		Clock:     func() time.Time { return h.now },
		Log:       slog.New(slog.NewTextHandler(h.log, nil)),
		Client:    &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for _, f := range change {
		f(&o)
	}
	h.Provider = oidc.New(o)
	return h
}

// begin starts a sign-in.
func (h *house) begin() (flow string, to *url.URL) {
	h.t.Helper()
	flow, at, err := h.Begin(h.t.Context(), "/account")
	if err != nil {
		h.t.Fatalf("Begin = %v\n%s", err, h.log)
	}
	to, err = url.Parse(at)
	if err != nil {
		h.t.Fatal(err)
	}
	return flow, to
}

// people are the directory of those whom only the provider knows.
func (h *house) people() *oidc.People {
	return oidc.NewPeople(h.state, h.issuer, func() time.Time { return h.now })
}

// evil is a provider over go-oidc's test kit that says what a test wants.
type evil struct {
	t      *testing.T
	url    string
	key    *ecdsa.PrivateKey
	claims map[string]any // of the ID token, over the right ones
	sign   func(claims string) string
	info   map[string]any // of the userinfo endpoint; nil for none
	broken int            // a status for the token endpoint
	sent   url.Values     // to the token endpoint, last
	asked  string         // the nonce
}

func newEvil(t *testing.T) *evil {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := &evil{t: t, key: key}
	e.sign = func(claims string) string { return oidctest.SignIDToken(key, "k", gooidc.ES256, claims) }
	kit := &oidctest.Server{
		PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: gooidc.ES256}},
		Algorithms: []string{gooidc.ES256, "HS256", "none"},
	}
	mux := http.NewServeMux()
	mux.Handle("/", kit)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if e.info == nil {
			kit.ServeHTTP(w, r)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%[1]s/auth","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/keys",
			"userinfo_endpoint":"%[1]s/userinfo","id_token_signing_alg_values_supported":["ES256"]}`, e.url)
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(e.info)
	})
	mux.HandleFunc("/token", e.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	e.url = server.URL
	kit.SetIssuer(e.url)
	return e
}

func (e *evil) token(w http.ResponseWriter, r *http.Request) {
	if e.broken != 0 {
		http.Error(w, `{"error":"server_error"}`, e.broken)
		return
	}
	if err := r.ParseForm(); err != nil {
		e.t.Error(err)
	}
	e.sent = r.PostForm
	all := map[string]any{
		"iss": e.url, "aud": clientID, "sub": "s-1", "exp": time.Now().Add(time.Hour).Unix(), "nonce": e.asked,
		"preferred_username": "eva", "name": "Eva", "email": "eva@firm.example", "groups": []string{},
	}
	for name, v := range e.claims {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		e.t.Error(err)
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer"}
	if raw := e.sign(string(b)); raw != "" {
		answer["id_token"] = raw
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// finish plays the sign-in of whoever the provider names.
func (e *evil) finish(h *house) (oidc.SignedIn, error) {
	e.t.Helper()
	flow, to := h.begin()
	e.asked = to.Query().Get("nonce")
	in, err := h.Finish(e.t.Context(), flow, url.Values{"code": {"c"}, "state": {to.Query().Get("state")}})
	if err == nil && oauth2.S256ChallengeFromVerifier(e.sent.Get("code_verifier")) != to.Query().Get("code_challenge") {
		e.t.Error("the verifier does not fit the challenge")
	}
	return in, err
}

// wantRefused wants a refusal whose sentence has no word of the log's.
func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	no, ok := errors.AsType[*oidc.RefusedError](err)
	if !ok || !errors.Is(err, identity.ErrRefused) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("%s: Finish = %v, want a *RefusedError", what, err)
		return
	}
	if said := no.Reason.String(); said == "" || strings.Contains(said, "jose") || strings.Contains(said, "claim") {
		t.Errorf("%s: the sentence for the person is %q", what, no.Reason)
	}
}
