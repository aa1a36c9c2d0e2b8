package ldap

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func good() Options {
	return Options{
		Servers: []*url.URL{{Scheme: "ldaps", Host: "dc1.firm.example"}},
		BindDN:  "cn=portico,dc=firm,dc=example", BindPassword: "the-secret",
		Users:  Users{Base: "ou=people,dc=firm,dc=example"},
		Groups: &Groups{Base: "ou=groups,dc=firm,dc=example"},
		Clock:  time.Now,
	}
}

// TestNewRefuses: what cannot be safe, or cannot work, is refused at the start
// with a sentence that tells the mend.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Options){
		"write the address of one":        func(o *Options) { o.Servers = nil },
		"unencrypted; write ldaps://dc1":  func(o *Options) { o.Servers[0].Scheme = "ldap" },
		`"http://dc1.firm.example" is no`: func(o *Options) { o.Servers[0].Scheme = "http" },
		`"ldapi:///x" is no`:              func(o *Options) { o.Servers[0] = &url.URL{Scheme: "ldapi", Path: "/x"} },
		"put them into bind_dn":           func(o *Options) { o.Servers[0].User = url.UserPassword("x", "y") },
		"has no DN or no password":        func(o *Options) { o.BindPassword = "" },
		"give both":                       func(o *Options) { o.BindDN = "" },
		`bind_dn "portico" is no DN`:      func(o *Options) { o.BindDN = "portico" },
		"base \"\" of the users":          func(o *Options) { o.Users.Base = "" },
		"base \"people\" of the users":    func(o *Options) { o.Users.Base = "people" },
		"base \"x\" of the groups":        func(o *Options) { o.Groups.Base = "x" },
		`"uid={login}" is no filter`:      func(o *Options) { o.Users.Filter = "uid={login}" },
		`"(uid={login}" is no filter`:     func(o *Options) { o.Users.Filter = "(uid={login}" },
		`"(uid={dn})" is no filter`:       func(o *Options) { o.Users.Filter = "(uid={dn})" },
		`"(uid=x)" must compare`:          func(o *Options) { o.Users.Filter = "(uid=x)" },
		`"(uid={login}*)" must compare`:   func(o *Options) { o.Users.Filter = "(uid={login}*)" },
		`"(member=x)" is no filter`:       func(o *Options) { o.Groups.Filter = "(member=x)" },
		`"(member={dn}" is no filter`:     func(o *Options) { o.Groups.Filter = "(member={dn}" },
		"cannot be read; name a PEM file": func(o *Options) { o.CA = filepath.Join(t.TempDir(), "none") },
		"holds no certificate":            func(o *Options) { o.CA = empty },
	} {
		o := good()
		spoil(&o)
		d, err := New(o)
		if err == nil || d != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "the-secret") {
			t.Errorf("New = %v, want %q", err, want)
		}
	}
}

func TestNewTellsAllAtOnce(t *testing.T) {
	t.Parallel()
	o := good()
	o.BindDN, o.Users.Base, o.Groups.Filter = "", "", "x"
	_, err := New(o)
	for _, want := range []string{"give both", "of the users", "no filter for groups"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want %q in it", err, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o := good()
	o.Pool = 99
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if d.o.Users.ID != "entryUUID" || d.o.Users.Filter != "(uid={login})" || d.o.Groups.Filter != "(member={dn})" || d.o.Pool != 16 || d.o.DialTimeout != 3*time.Second || d.o.Timeout != 5*time.Second {
		t.Errorf("defaults = %+v", d.o)
	}
	if o.Groups.Filter != "" {
		t.Error("New changed the caller's groups")
	}
	o.Groups.ActiveDirectory, o.Pool, o.Users.Name = true, 1, "cn"
	if d, err = New(o); err != nil {
		t.Fatal(err)
	}
	if d.o.Users.ID != "objectGUID" || !strings.Contains(d.o.Users.Filter, "userPrincipalName={login}") || d.o.Users.Name != "cn" || d.o.Pool != 4 {
		t.Errorf("defaults = %+v", d.o)
	}
	if d.servers[0].address != "dc1.firm.example:636" || d.servers[0].tls.ServerName != "dc1.firm.example" || d.servers[0].tls.InsecureSkipVerify {
		t.Errorf("the server is %s, by the name %s", d.servers[0].address, d.servers[0].tls.ServerName)
	}
}
