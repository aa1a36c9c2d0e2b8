// Package oidc signs people in to the pages through an outside provider, by
// OpenID Connect: the authorization code flow with PKCE, a state and a nonce.
//
// The provider is asked for its addresses and keys at the first sign-in, not at
// the start: one that is away costs its button and nothing else.
//
// Logging out ends our session alone and not the provider's: who leaves the
// firm's files does not mean to leave all else that the firm's account opens.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// patience bounds each question to the provider.
const patience = 10 * time.Second

// Store is what sign-ins need of the state store.
type Store interface {
	store.PersonReader
	store.SessionReader
	Update(ctx context.Context, f func(store.Tx) error) error
}

// Directory finds those whom the firm's own directory knows.
type Directory interface {
	ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error)
}

// Claims are the names under which the provider tells who somebody is. Groups
// may be "".
type Claims struct{ Login, Name, Email, Groups string }

// Options are what a Provider stands on.
type Options struct {
	Issuer       *url.URL
	ClientID     string
	ClientSecret string
	Title        string // on the button
	Scopes       []string
	Claims       Claims
	Callback     *url.URL // where the provider sends people back to

	Directory Directory // without the people of this package

	// Only tells that there is no other way in: who is refused must not be sent to
	// a password.
	Only bool

	// Vouches tells whom of Directory the provider may sign in; nil for all.
	Vouches func(identity.Identity) bool

	State  Store
	Clock  func() time.Time
	Rand   io.Reader
	Log    *slog.Logger // nil for none
	Client *http.Client // nil for one with the system's authorities
}

// Provider is an outside provider.
type Provider struct {
	o      Options
	people *People

	mu    sync.Mutex
	known *gooidc.Provider // nil until it has answered once
}

// New makes a Provider. It does not ask anything.
func New(o Options) *Provider {
	if o.Title == "" {
		o.Title = o.Issuer.Hostname()
	}
	if o.Claims.Login == "" {
		o.Claims.Login = "preferred_username"
	}
	if o.Claims.Name == "" {
		o.Claims.Name = "name"
	}
	if o.Claims.Email == "" {
		o.Claims.Email = "email"
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"profile", "email"}
	}
	if !slices.Contains(o.Scopes, gooidc.ScopeOpenID) {
		o.Scopes = append([]string{gooidc.ScopeOpenID}, o.Scopes...)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Client = bounded(o.Client)
	return &Provider{o: o, people: NewPeople(o.State, o.Issuer, o.Clock)}
}

// Title is what the button says after "Sign in with".
func (p *Provider) Title() string { return p.o.Title }

// Begin starts a sign-in that ends at a page of ours: flow is for the browser's
// cookie, to for its next request.
func (p *Provider) Begin(ctx context.Context, next string) (flow, to string, err error) {
	known, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	f, err := newFlow(p.o.Rand, p.o.Clock(), next)
	if err != nil {
		return "", "", fmt.Errorf("oidc: begin: %w", err)
	}
	return f.String(), p.config(known).AuthCodeURL(f.state(),
		gooidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())), nil
}

// SignedIn is somebody whom the provider vouched for.
type SignedIn struct {
	Who    identity.Identity
	Groups []string // the claim's; for those whom the directory knows they come beside its own
	Next   string   // as Begin had it

	// Keep goes in the transaction that makes the session: it keeps the person,
	// and ends the flow, so that none is used twice.
	Keep func(store.Tx) error
}

// RefusedError is a sign-in that the provider or we refused. It wraps
// identity.ErrRefused.
type RefusedError struct {
	Login  identity.Login // "" where it is not known
	Reason fault.Sentence // for the one who wants to sign in
}

func (e *RefusedError) Error() string { return "oidc: " + e.Reason.String() }

// Unwrap makes it an identity.ErrRefused.
func (e *RefusedError) Unwrap() error { return identity.ErrRefused }

func refused(format string, args ...any) error {
	return &RefusedError{Reason: fault.Say(format, args...)}
}

// Finish takes what the provider sent the browser back with. The errors are
// *RefusedError and those that wrap fault.ErrUnavailable.
func (p *Provider) Finish(ctx context.Context, flow string, q url.Values) (SignedIn, error) {
	f, err := parseFlow(flow, p.o.Clock())
	if err != nil {
		return SignedIn{}, err
	}
	if err := p.checkReturn(ctx, f, q); err != nil {
		return SignedIn{}, err
	}
	known, err := p.discover(ctx)
	if err != nil {
		return SignedIn{}, err
	}
	token, access, err := p.redeem(ctx, known, f, q.Get("code"))
	if err != nil {
		return SignedIn{}, err
	}
	c, err := p.claims(ctx, known, token, access)
	if err != nil {
		return SignedIn{}, err
	}
	return p.person(ctx, f, c)
}

// checkReturn judges the address that the browser came back to.
func (p *Provider) checkReturn(ctx context.Context, f flow, q url.Values) error {
	switch {
	case !same(q.Get("state"), f.state()):
		return refused("This sign-in was begun in another window or has been answered before. Begin again.")
	case q.Has("iss") && q.Get("iss") != p.o.Issuer.String(): // RFC 9207
		return refused("The answer came from another provider than the one that was asked. Begin again.")
	case q.Has("error"):
		p.o.Log.WarnContext(ctx, "oidc: the provider refused a sign-in", "error", short(q.Get("error")), "description", short(q.Get("error_description")))
		return refused("%s did not sign you in. Begin again, or ask your administrator.", p.o.Title)
	case q.Get("code") == "":
		return refused("The answer of %s is incomplete. Begin again.", p.o.Title)
	}
	return nil
}

// redeem trades the code for an ID token, and verifies that.
func (p *Provider) redeem(ctx context.Context, known *gooidc.Provider, f flow, code string) (*gooidc.IDToken, *oauth2.Token, error) {
	ctx = gooidc.ClientContext(ctx, p.o.Client)
	got, err := p.config(known).Exchange(ctx, code, oauth2.VerifierOption(f.verifier()))
	if bad, ok := errors.AsType[*oauth2.RetrieveError](err); ok && bad.Response.StatusCode < http.StatusInternalServerError {
		p.o.Log.WarnContext(ctx, "oidc: the provider did not take a code", "error", short(bad.ErrorCode), "description", short(bad.ErrorDescription))
		return nil, nil, refused("%s did not confirm the sign-in. Begin again.", p.o.Title)
	}
	if err != nil {
		return nil, nil, p.away(ctx, "token", err)
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		p.o.Log.ErrorContext(ctx, "oidc: the provider gives no ID token; its client must have the scope openid")
		return nil, nil, refused("%s did not say who you are. Ask your administrator.", p.o.Title)
	}
	// The verifier takes the algorithms that the provider announced, of those with a public key: never "none", nor our secret as a key.
	token, err := known.Verifier(&gooidc.Config{ClientID: p.o.ClientID, Now: p.o.Clock}).Verify(ctx, raw)
	if err == nil && !same(token.Nonce, f.nonce()) {
		err = errors.New("the nonce is another's")
	}
	if err == nil {
		err = p.checkParty(token)
	}
	if err != nil {
		p.o.Log.WarnContext(ctx, "oidc: an ID token was refused", "err", err)
		return nil, nil, refused("The answer of %s could not be verified. Begin again, or ask your administrator.", p.o.Title)
	}
	return token, got, nil
}

// checkParty wants a token that was made for us alone, or for several with us as
// the one who asked (OpenID Connect Core §3.1.3.7, steps 4 and 5).
func (p *Provider) checkParty(token *gooidc.IDToken) error {
	var c struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&c); err != nil {
		return err
	}
	if c.Party != "" && c.Party != p.o.ClientID || c.Party == "" && len(token.Audience) > 1 {
		return errors.New("the token was made for another client")
	}
	return nil
}

func (p *Provider) config(known *gooidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret,
		Endpoint: known.Endpoint(), RedirectURL: p.o.Callback.String(), Scopes: p.o.Scopes,
	}
}

// discover finds the provider's addresses, once it answers; until then each
// sign-in asks anew.
func (p *Provider) discover(ctx context.Context) (*gooidc.Provider, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	known, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.o.Client), p.o.Issuer.String())
	if err == nil {
		err = p.checkAddresses(known)
	}
	if err != nil {
		return nil, p.away(ctx, "discovery", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = known
	return known, nil
}

// Check asks the provider for its addresses, for an admin who wants to know whether
// it answers.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// checkAddresses refuses a provider behind TLS that sends people, codes, tokens or
// our secret elsewhere without it, or that has its keys there.
func (p *Provider) checkAddresses(known *gooidc.Provider) error {
	var also struct {
		Keys     string `json:"jwks_uri"` // who could answer there could sign anybody's ID token
		UserInfo string `json:"userinfo_endpoint"`
	}
	if err := known.Claims(&also); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	at := known.Endpoint()
	for i, raw := range []string{at.AuthURL, at.TokenURL, also.Keys, also.UserInfo} {
		if i == 3 && raw == "" { // a provider may have none
			continue
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || p.o.Issuer.Scheme == "https" && u.Scheme != "https" {
			return fmt.Errorf("oidc: the provider names an address that cannot be trusted: %q", raw)
		}
	}
	return nil
}

// away is a provider that does not answer, or not as one does.
func (p *Provider) away(ctx context.Context, what string, err error) error {
	p.o.Log.ErrorContext(ctx, "oidc: the provider does not answer", "step", what, "issuer", p.o.Issuer.Redacted(), "err", err)
	return fault.Tell(errors.Join(fault.ErrUnavailable, fmt.Errorf("oidc: %s: %w", what, err)),
		"%s does not answer at the moment. Try again in a little while.", p.o.Title)
}
