package config

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/acl"
	"portico/vpath"
)

// server is an address as a config gives it.
func server(scheme, host string) *url.URL { return &url.URL{Scheme: scheme, Host: host} }

// TestDesignLoads: the example of DESIGN.md §4 is right as it stands.
func TestDesignLoads(t *testing.T) {
	c := mustLoad(t, "design.yaml")
	same(t, "ldap", *c.LDAP, LDAP{
		Servers: []*url.URL{server("ldaps", "dc1.firm.example")},
		BindDN:  "cn=portico,ou=apps,dc=firm,dc=example", BindPassword: NewSecret("s3cret-value"),
		Users: LDAPUsers{
			Base: "ou=people,dc=firm,dc=example", Filter: "(uid={login})",
			Login: "uid", Name: "cn", Email: "mail", ID: "entryUUID",
		},
		Groups: &LDAPGroups{Base: "ou=groups,dc=firm,dc=example", Filter: "(member={dn})", Name: "cn", Nested: true},
		Cache:  time.Minute,
	})
	same(t, "reads", c.Workspaces[0].AuditReads, ReadsLinks)
	if len(c.Users) != 3 || c.OIDC != nil || c.RequireAppPassword || len(c.Warnings) > 0 {
		t.Errorf("design.yaml gives %+v", c)
	}
	who := acl.Principal{ID: "x", Self: "user:x", Groups: []acl.Membership{{Group: "group:Domain Users"}}, Staff: true}
	d := c.Policy.View(who, time.Time{}).Decide(acl.Read, vpath.Must("/firm/Clients"), "")
	if !d.Allowed() {
		t.Errorf("a group of the directory in one of the file: %v", d)
	}
}

// TestLeastLDAP: what may be left out has the names of the kind.
func TestLeastLDAP(t *testing.T) {
	c := mustLoad(t, "ldap-least.yaml")
	same(t, "ldap", *c.LDAP, LDAP{
		Servers: []*url.URL{server("ldaps", "dc1.firm.example")}, BindDN: "cn=portico,dc=firm", BindPassword: NewSecret("s3cret-value"),
		Users: LDAPUsers{Base: "dc=firm", Filter: "(uid={login})", Login: "uid", Name: "cn", Email: "mail", ID: "entryUUID"},
		Cache: time.Minute,
	})
}

func TestActiveDirectory(t *testing.T) {
	c := mustLoad(t, "active-directory.yaml")
	same(t, "ldap", *c.LDAP, LDAP{
		Servers:  []*url.URL{server("ldaps", "dc1.firm.example"), server("ldap", "dc2.firm.example:389")},
		StartTLS: true, CA: "tls/cert.pem", BindDN: "CN=Portico,OU=Apps,DC=firm,DC=example", BindPassword: NewSecret("s3cret-value"),
		Users: LDAPUsers{
			Base: "dc=firm,dc=example", Filter: "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={login})(userPrincipalName={login})))",
			Login: "sAMAccountName", Name: "displayName", Email: "mail", ID: "sAMAccountName",
		},
		Groups: &LDAPGroups{
			Base: `ou=Peeters \, Maes,dc=firm,dc=example`, Filter: "(&(objectClass=group)(member={dn}))", Name: "sAMAccountName", Nested: true,
			Map:  map[string]string{"Domain Users": "staff", "R&D (Leuven)": "staff", "Board": "board"},
			Only: true, ActiveDirectory: true,
		},
		Cache: 15 * time.Minute,
	})
	if !c.RequireAppPassword {
		t.Error("require_app_password is lost")
	}
}

func TestOIDCValues(t *testing.T) {
	c := mustLoad(t, "oidc.yaml")
	same(t, "oidc", *c.OIDC, OIDC{
		Issuer:   &url.URL{Scheme: "https", Host: "login.firm.example", Path: "/realms/Firm/"},
		ClientID: "portico", ClientSecret: NewSecret("s3cret-value"), Title: "Firm account",
		Scopes: []string{"openid", "groups"},
		Login:  "https://firm.example/login", Name: "name", Email: "email", Groups: "groups",
		VouchesForUsers: true,
	})
}

func TestLeastOIDC(t *testing.T) {
	c := mustLoad(t, "oidc-least.yaml")
	same(t, "oidc", *c.OIDC, OIDC{
		Issuer:   &url.URL{Scheme: "http", Host: "127.0.0.1:5556", Path: "/dex"},
		ClientID: "portico", ClientSecret: NewSecret("s3cret-value"), Title: "127.0.0.1",
		Scopes: []string{"openid", "profile", "email"}, Login: "preferred_username", Name: "name", Email: "email",
	})
}

// TestOIDCOnly: what closes the pages to passwords closes the drives, too.
func TestOIDCOnly(t *testing.T) {
	if c := mustLoad(t, "oidc-only.yaml"); !c.OIDC.Only || c.RequireAppPassword {
		t.Errorf("only = %t, RequireAppPassword = %t; want true, and false for the customers' sake", c.OIDC.Only, c.RequireAppPassword)
	}
}

func TestReplicaValues(t *testing.T) {
	for name, want := range map[string]struct {
		state   string
		replica string
		drain   time.Duration
		audit   Audit
	}{
		"postgres.yaml": {
			"postgres://portico:s3cret%2Fdb@db.firm.example:5433/portico?sslmode=verify-full&sslrootcert=tls/cert.pem",
			"gw-1.firm_example", 5 * time.Second,
			Audit{
				File: "log/audit.jsonl", Syslog: server("tls", "log.firm.example:6514"), Checkpoints: "/mnt/anchor/heads", Keep: 732 * 24 * time.Hour,
				Addresses: 90 * 24 * time.Hour,
			},
		},
		"postgres-local.yaml": {
			"postgresql://portico@localhost/portico", "", 0,
			Audit{Syslog: &url.URL{Scheme: "unix", Path: "/dev/log"}, Keep: 30 * 24 * time.Hour, Plain: true},
		},
		"postgres-socket.yaml": {
			"postgres:///portico?host=/run/postgresql&application_name=portico", "", 5 * time.Minute,
			Audit{Syslog: server("udp", "log.firm.example:514")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, name)
			want.audit.Key = NewSecret("s3cret-of-more-than-32-bytes-as-it-is")
			same(t, "state", c.State, State{Postgres: NewSecret(want.state)})
			same(t, "replica", c.Server.Replica, want.replica)
			same(t, "drain", c.Server.Drain, want.drain)
			same(t, "audit", c.Audit, want.audit)
		})
	}
}

func TestDurations(t *testing.T) {
	reader := func(v value) time.Duration { return v.duration(time.Second, maxAuditKeep, "1s to 100y") }
	for text, want := range map[string]time.Duration{
		"60s": time.Minute, "1m30s": 90 * time.Second, "12h": 12 * time.Hour, "1d": 24 * time.Hour, "30d": 720 * time.Hour,
		"1y": 366 * 24 * time.Hour, "100y": maxAuditKeep,
	} {
		if got, faults := read(t, text, reader); got != want || len(faults) > 0 {
			t.Errorf("duration %s = %v (%v), want %v", text, got, faults, want)
		}
	}
	for _, text := range []string{"60", "1 d", "d", "-1d", "1.5d", "1d12h", "999ms", "101y", "99999y", "292y", "999999d", "''", "[1d]", "1w", "0"} {
		if got, faults := read(t, text, reader); got != 0 || len(faults) != 1 {
			t.Errorf("duration %s = %v (%v), want one fault", text, got, faults)
		}
	}
}

func TestDN(t *testing.T) {
	for _, s := range []string{
		"dc=firm", "cn=portico, ou=apps, dc=firm", `CN=Maes\, Bob,OU=Staff`, "2.5.4.3=x", "cn=a+uid=b,dc=c", "o=a=b", `cn=\23x`, "cn=Zoë,dc=b",
	} {
		if !isDN(s) {
			t.Errorf("isDN(%q) = false", s)
		}
	}
	for _, s := range []string{"", "firm", "=firm", "cn=", "cn=a,", ",cn=a", "cn=a,b", "cn=a\x00", "u id=a", "cn=a+b", `cn=a\`, `cn=a\b`, `cn="a"`, "cn=#04", "ou=R;D", "cn;lang-nl=a", "cn=" + strings.Repeat("a", maxFilter)} {
		if isDN(s) {
			t.Errorf("isDN(%q) = true", s)
		}
	}
}

// isFilter tells whether all of s is one filter.
func isFilter(s string) bool {
	rest, ok := cutFilter(s)
	return ok && rest == ""
}

func TestFilters(t *testing.T) {
	for _, s := range []string{
		"(uid={login})", "(&(a=b)(c=d))", "(|(a=b)(!(c=*))(d>=1)(e<=2)(f~=g))", "(member:1.2.840.113556.1.4.1941:={dn})", "(cn:dn:caseExactMatch:=x)", "(:caseExactMatch:=x)",
		"(a=)", `(a=\28x\29)`, "(a;lang-nl=b)", "(cn=a*b*)", "(cn=Zoë)", "(!(!(a=b)))", "(1.2.3=x)",
	} {
		if !isFilter(s) {
			t.Errorf("cutFilter(%q) refuses", s)
		}
	}
	for _, s := range []string{
		"", "()", "(", ")", "a=b", "(a=b", "a=b)", "(a=b))", "(a=b)(c=d)", "(&)", "(|)", "(!)", "(!a=b)", "(!(a=b)(c=d))", "(&(a=b)", "(&(a=b)x)", "(& (a=b))",
		"(a)", "(a=(b))", "({login}=x)", "(a{login}=x)", "(a=b\x00)", `(a=\2)`, `(a=\zz)`, "( a=b)", "(a=b) ", "(&(a=b)c=d)",
	} {
		if isFilter(s) {
			t.Errorf("cutFilter(%q) takes it", s)
		}
	}
}

// TestFiltersThatAreMade: what follows the grammar is a filter, and is none
// without one of its brackets.
func TestFiltersThatAreMade(t *testing.T) {
	var draw func(t *rapid.T, depth int) string
	draw = func(t *rapid.T, depth int) string {
		kind := "="
		if depth > 0 {
			kind = rapid.SampledFrom([]string{"=", "!", "&", "|"}).Draw(t, "kind")
		}
		switch kind {
		case "=":
			return "(" + rapid.StringMatching(`[a-z]{1,3}=([a-z*]|\{login\}|\\2[89]){0,3}`).Draw(t, "item") + ")"
		case "!":
			return "(!" + draw(t, depth-1) + ")"
		}
		var parts strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			parts.WriteString(draw(t, depth-1))
		}
		return "(" + kind + parts.String() + ")"
	}
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, 3)
		if !isFilter(s) {
			t.Fatalf("cutFilter(%q) refuses", s)
		}
		for i, c := range s {
			if broken := s[:i] + s[i+1:]; strings.ContainsRune("()", c) && isFilter(broken) {
				t.Fatalf("cutFilter(%q) takes it", broken)
			}
		}
	})
}

// TestPostgresShowsNothing: whatever is wrong with the address, no fault repeats
// the password in it.
func TestPostgresShowsNothing(t *testing.T) {
	const secret = "hunter2hunter2"
	rapid.Check(t, func(t *rapid.T) {
		odd := func(name string) string { return rapid.StringMatching(`[a:/?#@%=& .\[\]"]{0,3}`).Draw(t, name) }
		s := "postgres://portico:" + odd("before") + secret + odd("after") + "@" + odd("host") + "db/portico" + odd("path") + "?" + odd("query")
		l := newLoader("t.yaml", testEnv)
		v := value{l, scalarNode(s), "state"}
		l.postgres(v, s)
		for _, f := range append(l.faults, l.warnings...) {
			if strings.Contains(f.String(), secret) {
				t.Fatalf("%q is shown: %v", s, f)
			}
		}
	})
}

// TestForeignNames: a directory's names are taken as they are, but for those
// that cannot be told apart by who reads them.
func TestForeignNames(t *testing.T) {
	for name, want := range map[string]bool{
		"Domain Users": true, "R&D (Leuven)": true, "a:b": true, "Zoë": true, "": false, " a": false, "a ": false, "a\x00": false, "a\u202eb": false,
		strings.Repeat("a", 256): true, strings.Repeat("a", 257): false,
	} {
		if got := isForeignName(name); got != want {
			t.Errorf("isForeignName(%q) = %v, want %v", name, got, want)
		}
	}
}
