package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"portico/fault"
	"portico/identity"
	"portico/vpath"
)

// Limits of what a provider may say.
const (
	maxText   = 256  // bytes of a name, an address, a subject, a group
	maxGroups = 1000 // the size limit of LDAP here
)

// claimed is what an ID token says about its subject.
type claimed struct {
	subject     string
	login       identity.Login
	name, email string
	groups      []string
}

// claims reads a token that was verified. What it lacks may be at the userinfo
// endpoint, which is where the standard puts the claims of scopes (OpenID Connect
// Core §5.4); many providers put them in both.
func (p *Provider) claims(ctx context.Context, known *gooidc.Provider, token *gooidc.IDToken, access *oauth2.Token) (claimed, error) {
	all := make(map[string]json.RawMessage)
	if err := token.Claims(&all); err != nil {
		return claimed{}, p.unusable(ctx, claimed{subject: token.Subject}, err)
	}
	if p.lacks(all) && known.UserInfoEndpoint() != "" {
		more, err := p.userInfo(ctx, known, token.Subject, access)
		if err != nil {
			return claimed{}, err
		}
		for name, value := range more {
			if _, ok := all[name]; !ok { // what was signed stands
				all[name] = value
			}
		}
	}
	c, err := readClaims(token.Subject, all, p.o.Claims)
	if err != nil {
		return claimed{}, p.unusable(ctx, c, err)
	}
	return c, nil
}

// lacks tells whether a claim is missing.
func (p *Provider) lacks(all map[string]json.RawMessage) bool {
	for _, name := range []string{p.o.Claims.Login, p.o.Claims.Name, p.o.Claims.Email, p.o.Claims.Groups} {
		if _, ok := all[name]; !ok && name != "" {
			return true
		}
	}
	return false
}

// userInfo asks for the rest. Another subject's answer is refused (OpenID Connect
// Core §5.3.2): a token may have been put in the place of another.
func (p *Provider) userInfo(ctx context.Context, known *gooidc.Provider, subject string, access *oauth2.Token) (map[string]json.RawMessage, error) {
	info, err := known.UserInfo(gooidc.ClientContext(ctx, p.o.Client), oauth2.StaticTokenSource(access))
	if err != nil {
		return nil, p.away(ctx, "userinfo", err)
	}
	if info.Subject != subject {
		return nil, p.unusable(ctx, claimed{subject: subject}, errors.New("the userinfo endpoint tells of another subject"))
	}
	all := make(map[string]json.RawMessage)
	if err := info.Claims(&all); err != nil {
		return nil, p.unusable(ctx, claimed{subject: subject}, err)
	}
	return all, nil
}

// unusable tells the admin why, and the person that there is something.
func (p *Provider) unusable(ctx context.Context, c claimed, err error) error {
	p.o.Log.ErrorContext(ctx, "oidc: a sign-in was refused", "err", err, "login", short(string(c.login)), "subject", short(c.subject))
	return &RefusedError{identity.Login(short(string(c.login))), fault.Say("What %s says about you cannot be used here. Ask your administrator, whose log says why.", p.o.Title)}
}

// readClaims gives errors that are for the admin's log.
func readClaims(subject string, all map[string]json.RawMessage, names Claims) (claimed, error) {
	c := claimed{subject: subject}
	login, err := text(all, names.Login)
	c.login = identity.Login(login)
	if err != nil {
		return c, err
	}
	if c.name, err = text(all, names.Name); err != nil {
		return c, err
	}
	if c.email, err = text(all, names.Email); err != nil {
		return c, err
	}
	if c.groups, err = groups(all, names.Groups); err != nil {
		return c, err
	}
	return c, errors.Join(checkSubject(c.subject), checkLogin(c.login), checkVerified(all, names.Login))
}

// text is a claim that is a string, "" where it is missing.
func text(all map[string]json.RawMessage, name string) (string, error) {
	raw, ok := all[name]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", fmt.Errorf("the claim %q is not a string", name)
	}
	if !plain(s) {
		return "", fmt.Errorf("the claim %q is longer than %d bytes or has a control character", name, maxText)
	}
	return s, nil
}

// groups is a claim that is a list of strings, or one string. Any other shape
// ends the sign-in: a rule that denies a group something must not fail because
// the groups could not be read. Nor may groups that the provider only refers to
// (OpenID Connect Core §5.6.2; Entra ID does so above 200 groups).
func groups(all map[string]json.RawMessage, name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	var elsewhere map[string]json.RawMessage
	if raw, ok := all["_claim_names"]; ok {
		if json.Unmarshal(raw, &elsewhere) != nil || elsewhere[name] != nil {
			return nil, fmt.Errorf("the claim %q is not in the ID token, which only says where it could be found; let the provider send fewer groups", name)
		}
	}
	raw, ok := all[name]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var list []string
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		list = []string{one}
	case json.Unmarshal(raw, &list) != nil:
		return nil, fmt.Errorf("the claim %q is neither a list of strings nor a string", name)
	}
	if len(list) > maxGroups {
		return nil, fmt.Errorf("the claim %q has %d groups, and %d are the most", name, len(list), maxGroups)
	}
	for _, g := range list {
		if g == "" || !plain(g) {
			return nil, fmt.Errorf("the claim %q has a group that is empty, longer than %d bytes or has a control character", name, maxText)
		}
	}
	return list, nil
}

// plain is what may stand in the store, in a log and on a page.
func plain(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkSubject(s string) error {
	if s == "" || !plain(s) {
		return errors.New("the subject (sub) is empty, too long or has a control character")
	}
	return nil
}

// checkLogin wants a login that can be typed, and that stays one piece wherever
// it becomes part of a path, a rule or Basic credentials (CVE-2026-30915).
func checkLogin(l identity.Login) error {
	p, err := vpath.Parse("/" + string(l))
	switch {
	case l == "":
		return errors.New("the claim for the login is missing or empty; set identity.oidc.claims.login to one that the provider sends, or let it send that one")
	case !identity.Presentable(l, "any") || strings.ContainsAny(string(l), `/\:`) || err != nil || p.Depth() != 1:
		return errors.New("the login is none that could be typed, or is a piece of a path")
	}
	return p.CheckNew()
}

// checkVerified refuses an address as a login where the provider says that it
// has not checked whose it is: anybody could claim it.
func checkVerified(all map[string]json.RawMessage, login string) error {
	raw, ok := all["email_verified"]
	if login != "email" || !ok {
		return nil
	}
	if v := strings.Trim(string(raw), `"`); v != "true" { // some send a string
		return errors.New("the provider has not verified the address that is the login")
	}
	return nil
}

// short is a text of somebody else's for the log.
func short(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
