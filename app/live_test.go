package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
	"portico/config"
	"portico/fault"
	"portico/internal/parts"
)

// TestFinding is the line and what a program reads.
func TestFinding(t *testing.T) {
	for want, f := range map[string]finding{
		"state: ok":              {What: "state", OK: true},
		"state: ok, 15.1":        {What: "state", OK: true, Text: "15.1"},
		"state: NOT OK: refused": {What: "state", Text: "refused"},
	} {
		if f.String() != want {
			t.Errorf("%+v is %q, want %q", f, f, want)
		}
	}
	if !allWell(nil) || !allWell([]finding{{OK: true}}) || allWell([]finding{{OK: true}, {}}) {
		t.Error("one fault is a no, and nothing else")
	}
}

// TestLiveGroups wants a group that nobody has to be a fault, but where the
// sign-in provider may have it; and one that two groups have in any case.
func TestLiveGroups(t *testing.T) {
	cfg := &config.Config{}
	cfg.Spec.Grants = []acl.Grant{
		{Subject: "group:one", At: acl.Source{File: "f", Line: 1}},
		{Subject: "group:none", At: acl.Source{File: "f", Line: 2}},
		{Subject: "group:two", At: acl.Source{File: "f", Line: 3}},
	}
	have := map[string]int{"one": 1, "two": 2, "unused": 2}
	for _, c := range []struct {
		name string
		oidc *config.OIDC
		want []finding
	}{
		{"no provider", nil, []finding{{What: "f:2"}, {What: "f:3"}}},
		{"a provider without groups", &config.OIDC{}, []finding{{What: "f:2"}, {What: "f:3"}}},
		{"a provider with groups", &config.OIDC{Groups: "groups"}, []finding{{What: "f:2", OK: true}, {What: "f:3"}}},
	} {
		cfg.OIDC = c.oidc
		var out bytes.Buffer
		l := &live{cfg: cfg, out: &out}
		l.groups(have, nil)
		for i := range l.found {
			l.found[i].Text = ""
		}
		if d := cmp.Diff(c.want, l.found); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if !strings.Contains(out.String(), `f:3: NOT OK: the directory has 2 groups "two"`) {
			t.Errorf("%s: %s", c.name, &out)
		}
	}
}

// TestCause wants what an admin can do something about.
func TestCause(t *testing.T) {
	away := fmt.Errorf("dial: %w", io.ErrUnexpectedEOF)
	for _, c := range []struct {
		err  error
		want string
	}{
		{away, "dial: unexpected EOF"},
		{fault.Tell(errors.Join(fault.ErrUnavailable, away), "Try again."), "dial: unexpected EOF"},
		{fmt.Errorf("ldap: %w", fmt.Errorf("%w: %w", fault.ErrUnavailable, away)), "ldap: dial: unexpected EOF"},
		{fault.Tell(nil, "Name another."), "Name another."},
		{fault.ErrUnavailable, "storage unavailable"},
	} {
		if got := cause(c.err); got != c.want {
			t.Errorf("cause(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

// TestLiveOutside asks a sign-in provider that is there, one that is away, and
// one whose certificate nobody trusts; none tells the secret.
func TestLiveOutside(t *testing.T) {
	provider := parts.OwnOIDC(t, parts.OIDCOptions{ClientID: "portico", ClientSecret: "canary-secret", Redirect: "http://127.0.0.1:1/back"})
	web := httptest.NewUnstartedServer(nil)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	defer web.Close()
	for at, want := range map[string]string{
		provider.Issuer: ": ok\n", "https://127.0.0.1:1/realms/firm": "connection refused", web.URL: "certificate",
	} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		l := &live{cfg: &config.Config{OIDC: &config.OIDC{Issuer: u, ClientID: "portico", ClientSecret: config.NewSecret("canary-secret")}}, out: &out}
		l.outside(t.Context())
		text := out.String()
		if len(l.found) != 1 || l.found[0].OK != (at == provider.Issuer) || !strings.HasPrefix(text, "sign-in provider "+at+": ") ||
			!strings.Contains(text, want) || strings.Contains(text, "canary") {
			t.Errorf("%s: %s", at, &out)
		}
	}
}
