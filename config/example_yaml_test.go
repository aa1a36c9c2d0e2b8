package config

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/acl"
	"portico/identity"
	"portico/vpath"
)

// TestExample loads the example that newcomers run, and asks of its rules what
// its comments say.
func TestExample(t *testing.T) {
	file, err := filepath.Abs("../example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // a fresh clone has no data folder yet
	c, err := Load(file, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	if !isLoopback(c.Server.Listen) || !isLoopback(c.Server.MetricsListen) || c.State.SQLite != "data/portico.db" ||
		c.Storage["disk"].Local.Path != "data/files" || c.Workspaces[0].Root != "firm" || c.Workspaces[0].Quota != 10<<30 {
		t.Errorf("the example has other values than README says: %+v", c)
	}
	for _, login := range []Login{"ann", "bob", "ida"} {
		h, err := identity.ParseHash(c.Users[login].Password.Reveal())
		if err != nil || !h.Verify(DemoPassword) || h.String() != "argon2id m=19456,t=2,p=1" {
			t.Errorf("%s: the password is not %s with m=19456,t=2,p=1 (%v)", login, DemoPassword, err)
		}
	}
	for _, test := range []struct {
		login Login
		right acl.Right
		path  string
		want  bool
	}{
		{"ann", acl.Transfer, "/firm", true},
		{"ann", acl.Read, "/firm/HR", true},
		{"bob", acl.Read, "/firm/HR/pay", true},
		{"bob", acl.Write, "/firm", false},
		{"bob", acl.Write, "/firm/Clients/Acme", true},
		{"ida", acl.Read, "/firm/Clients/Acme", true},
		{"ida", acl.Write, "/firm/Clients/Acme", false},
		{"ida", acl.Write, "/firm/Clients/Beta", true},
		{"ida", acl.List, "/firm/HR", false},
		{"ida", acl.Create, "/firm/Interns", true},
	} {
		who := anybody(acl.User(string(test.login)))
		d := c.Policy.View(who, time.Time{}).Decide(test.right, vpath.Must(test.path), "")
		if d.Allowed() != test.want {
			t.Errorf("%s %s %s: %v, want %v", test.login, test.right, test.path, d, test.want)
		}
	}
	if ida := c.Policy.View(anybody("user:ida"), time.Time{}); ida.SeesFolder(vpath.Must("/firm/HR")) {
		t.Error("ida sees /firm/HR")
	}
}

// TestExampleLeavesTheMachine: opened to others, the example is refused for the
// plain HTTP and for each of the three demo passwords.
func TestExampleLeavesTheMachine(t *testing.T) {
	data, _, err := readBounded("../example.yaml", maxFile)
	if err != nil {
		t.Fatal(err)
	}
	open := replaceOnce(t, string(data), "  listen: 127.0.0.1:8080", "  listen: 0.0.0.0:8080")
	_, err = parse("example.yaml", []byte(open), testEnv)
	faults, _ := err.(Faults) //nolint:errorlint // it must be this type itself
	if len(faults) != 4 {
		t.Errorf("got %d faults, want 4:\n%v", len(faults), err)
	}
}

// uncomment takes the "# " from the line of a key and from those below it that
// belong to it, and puts in secrets that the test has.
func uncomment(t *testing.T, text, key string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^( *)# ` + regexp.QuoteMeta(key) + `:.*\n(?: *#   .*\n)*`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("the example has no comment that shows %s", key)
	}
	block := regexp.MustCompile(`(?m)^( *)# `).ReplaceAllString(m[0], "$1")
	block = regexp.MustCompile(`\$\{file:[^}]*\}`).ReplaceAllString(block, "$${AUDIT_KEY}")
	return strings.Replace(text, m[0], block, 1)
}

// TestExampleComments: what the example shows in comments is right as well, each
// by itself and all together.
func TestExampleComments(t *testing.T) {
	data, _, err := readBounded("../example.yaml", maxFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	all := string(data)
	for _, key := range []string{"replica", "drain", "audit", "ldap", "oidc", "require_app_password"} {
		if _, err := parse("example.yaml", []byte(uncomment(t, string(data), key)), testEnv); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		all = uncomment(t, all, key)
	}
	all = uncomment(t, replaceOnce(t, all, "\nstate: sqlite:data/portico.db", ""), "state")
	c, err := parse("example.yaml", []byte(all), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.State.Postgres.IsZero() || c.Audit.Keep == 0 || c.LDAP.Groups.Map == nil || c.OIDC.Groups == "" || !c.RequireAppPassword || c.Server.Replica == "" {
		t.Errorf("the comments of the example give %+v", c)
	}
	least, err := parse("example.yaml", []byte(regexp.MustCompile(`users: \{base: ("[^"]*"), .*`).ReplaceAllString(uncomment(t, string(data), "ldap"), "users: {base: $1}")), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what is left out is as shown", least.LDAP.Users, c.LDAP.Users)
}
