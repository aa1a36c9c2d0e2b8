package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/acl"
	"portico/config"
	"portico/fault"
	"portico/identity"
	"portico/internal/parts"
)

// wire is a proxy in front of a directory that counts connections.
type wire struct {
	url          string
	opened, open atomic.Int64
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l := listener(t)
	w := &wire{url: "ldaps://" + l.Addr().String()}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.carry(ctx, near, to) })
		}
	})
	t.Cleanup(func() {
		cancel()
		l.Close()
		all.Wait()
	})
	return w
}

// carry carries one connection until either side hangs up, or ctx ends.
func (w *wire) carry(ctx context.Context, near net.Conn, to string) {
	defer near.Close()
	far, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return
	}
	w.opened.Add(1)
	w.open.Add(1)
	defer w.open.Add(-1)
	hangUp := func() { near.Close(); far.Close() }
	defer context.AfterFunc(ctx, hangUp)()
	var back sync.WaitGroup
	back.Go(func() {
		defer hangUp()
		_, _ = io.Copy(near, far)
	})
	_, _ = io.Copy(far, near)
	hangUp()
	back.Wait()
}

// yamlUser is the user of the standard config, as pairs replace them.
const yamlUser = "  users:\n    ann: {password: \"HASH\"}\n"

// ldapSection is the directory d, reached at an address.
func ldapSection(d parts.LDAP, at string) string {
	return fmt.Sprintf("  ldap:\n    url: %q\n    ca: %q\n    bind_dn: %q\n    bind_password: %q\n"+
		"    users: {base: %q}\n    groups: {base: %q, nested: true}\n    cache: 61s\n", at, d.CA, d.BindDN, d.BindPassword, d.People, d.Groups)
}

// firmOfOne is a directory with ann in a group, and a tap on its wire.
func firmOfOne(t *testing.T) (parts.LDAP, *wire) {
	t.Helper()
	d := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := d.AddPerson(t, parts.Person{Login: "ann", Name: "Ann Peeters", Email: "ann@firm.example", Password: password})
	d.AddGroup(t, "dept", d.AddGroup(t, "team", ann))
	return d, newWire(t, d.Address)
}

// TestReloadDirectory swaps the settings of the directory while people work.
func TestReloadDirectory(t *testing.T) {
	d, w := firmOfOne(t)
	h := start(t, yamlUser, ldapSection(d, w.url), "user:ann", "group:dept")
	put := func(want int) {
		t.Helper()
		if got, body := h.do("PUT", "/dav/firm/a", "x", password); got != want {
			t.Errorf("PUT: %d, want %d; %s", got, want, body)
		}
	}
	put(201)
	first, opened := h.people.Load().firm, w.opened.Load()
	if opened == 0 {
		t.Fatal("nobody asked the directory")
	}

	// What has nothing to do with the directory leaves its connections alone,
	// while all that was known of ann is asked anew.
	h.edit("group:dept", "group:team")
	put(204)
	if n := w.opened.Load() - opened; h.people.Load().firm != first || n != 1 { // a password is proved on a connection of its own
		t.Errorf("%d new connections after a reload that changed no setting of the directory, want one", n)
	}

	// Another term: a new directory, and the old one hangs up.
	h.edit("cache: 61s", "cache: 62s")
	if h.people.Load().firm == first {
		t.Error("the directory of before is still asked")
	}
	eventually(t, "the old connections are closed", func() bool { return w.open.Load() == 0 })
	put(204)

	// Settings that nobody can use: those of before stay.
	now := h.people.Load()
	h.edit(d.CA, d.CA+".none")
	if h.people.Load() != now || !h.stale.Load() {
		t.Error("a directory that cannot be used is in force")
	}
	put(204)
	h.edit(d.CA+".none", d.CA)

	// People of the config in its place: the directory's are out at once.
	h.edit(ldapSection(d, w.url)[:len("  ldap:\n")], "  users: {bob: {password: \""+hashOf(password)+"\"}}\n  ldap:\n")
	put(204)
	eventually(t, "as many connections as are needed", func() bool { return w.open.Load() > 0 })
	if err := h.stop(); err != nil {
		t.Error(err)
	}
	h.close()
	eventually(t, "no connection is left at the end", func() bool { return w.open.Load() == 0 })
}

// TestDirectoryAway wants 503 for those whom the directory alone knows, and the
// config's own users let in.
func TestDirectoryAway(t *testing.T) {
	d, w := firmOfOne(t)
	h := start(t, yamlUser, "  users: {bob: {password: \"HASH\"}}\n"+ldapSection(d, w.url), "user:ann\"", "group:dept\": editor, \"user:bob\"")
	d.Stop(t)
	if got, text := h.do("GET", "/dav/firm/a", "", password); got != 503 || !strings.Contains(text, "Passwords cannot be checked") {
		t.Errorf("ann while the directory is away: %d, %s", got, text)
	}
	if got := h.as("bob").basic("PUT", "/dav/firm/a", "x", password); got.status != 201 {
		t.Errorf("bob of the config while the directory is away: %d, %s", got.status, got.text)
	}
	// The files and the config's users are served: no reason to send nobody here.
	if got, text := h.do("GET", "/readyz", "", ""); got != 200 {
		t.Errorf("readyz: %d, %s", got, text)
	}
	d.Start(t)
	eventually(t, "ann is let in again", func() bool {
		got, _ := h.do("GET", "/dav/firm/a", "", password)
		return got == 200
	})
}

// TestRequireAppPassword closes the drive to people's own passwords by a reload,
// and opens it again; the pages and the API take them all the while.
func TestRequireAppPassword(t *testing.T) {
	h := start(t)
	made := appPasswordCommand(t, h.url, password, "create", "--name", "laptop")
	made.want(t, "create", exitOK)
	secret := strings.TrimSpace(made.out)
	drive := func(pass string, want int) {
		t.Helper()
		if got, text := h.do("PROPFIND", "/dav/firm/", "", pass, "Depth", "0"); got != want {
			t.Errorf("the drive answers %d, want %d; %s", got, want, text)
		}
	}
	drive(password, 207)
	h.edit("identity:\n", "identity:\n  require_app_password: true\n")
	drive(password, 401) // and it was proved a moment ago
	drive("wrong horse battery", 401)
	drive(secret, 207)
	if got := h.browser().signIn("ann", password); got.status != 303 {
		t.Errorf("the page: %d", got.status)
	}
	appPasswordCommand(t, h.url, password, "list").want(t, "the API", exitOK, "laptop")
	h.edit("  require_app_password: true\n", "")
	drive(password, 207)
}

// TestFind is the look-up for an admin's questions.
func TestFind(t *testing.T) {
	d, w := firmOfOne(t)
	h := build(t, yamlUser, "  users: {bob: {password: \"HASH\"}}\n"+ldapSection(d, w.url), "user:ann", "group:dept")
	look := func(login string) (identity.Identity, error) {
		return find(t.Context(), h.opened, login, time.Now, h.process.log)
	}
	ann, err := look("Ann@Firm.Example")
	if !errors.As(err, new(unknownError)) {
		t.Errorf("a mail address is no login here: %v, %v", ann, err)
	}
	if ann, err = look("ANN"); err != nil || !strings.HasPrefix(ann.ID, firmPrefix) || ann.Login != "ann" || len(ann.Groups) != 2 {
		t.Errorf("ANN = %+v, %v", ann, err)
	}
	if bob, err := look("bob"); err != nil || bob.ID != "user:bob" {
		t.Errorf("bob = %+v, %v", bob, err)
	}
	if _, err := look("tom"); !errors.As(err, new(unknownError)) || !strings.Contains(err.Error(), "nor the directory") {
		t.Errorf("tom: %v", err)
	}
	eventually(t, "no connection is left", func() bool { return w.open.Load() == 0 })
	d.Stop(t)
	if _, err := look("ann"); !errors.Is(err, fault.ErrUnavailable) || errors.As(err, new(unknownError)) {
		t.Errorf("ann while the directory is away: %v", err)
	}
}

// TestForeignGroups wants the groups that only the directory can have, each at
// the first line that speaks of it.
func TestForeignGroups(t *testing.T) {
	at := func(line int) acl.Source { return acl.Source{File: "f", Line: line} }
	cfg := &config.Config{Groups: []acl.Group{
		{Name: "staff", Members: []acl.Subject{"user:ann", "group:firm", "group:interns"}, At: at(9)},
		{Name: "interns", At: at(10)},
	}}
	cfg.Spec.Grants = []acl.Grant{
		{Subject: "group:staff", At: at(20)},
		{Subject: "group:firm", At: at(7)},
		{Subject: "user:ann", At: at(21)},
		{Subject: "everyone", At: at(22)},
		{Subject: "group:dept", At: at(24)},
	}
	cfg.Spec.Denies = []acl.Deny{{Subject: "group:dept", At: at(23)}, {Subject: "group:typo", At: at(25)}}
	got := foreignGroups(cfg)
	for name, line := range map[string]int{"firm": 7, "dept": 23, "typo": 25} {
		if got[name].Line != line {
			t.Errorf("%s at line %d, want %d", name, got[name].Line, line)
		}
	}
	if len(got) != 3 {
		t.Errorf("foreign groups are %v", got)
	}
	cfg.Users = map[config.Login]config.User{"zoe": {Login: "zoe"}, "ann": {Login: "ann"}}
	var all []string
	for _, p := range everybody(cfg, &config.Config{}) {
		all = append(all, string(p.Self))
	}
	if text := strings.Join(all, " "); text != "user:ann user:zoe group:dept group:firm group:typo" {
		t.Errorf("everybody is %s", text)
	}
}

// TestPrincipal wants nothing that limits or leads lost on the way to the rules.
func TestPrincipal(t *testing.T) {
	p := principal(identity.Identity{
		ID: "ldap:1", Login: "ann", Groups: []identity.Membership{{Group: "team"}, {Group: "firm", Through: "team"}},
		Limit: identity.Limit{Workspace: "firm", ReadOnly: true},
	})
	if p.ID != "ldap:1" || p.Self != "user:ann" || !p.Staff || p.Limit != (acl.Limit{Workspace: "firm", ReadOnly: true}) {
		t.Errorf("principal = %+v", p)
	}
	if len(p.Groups) != 2 || p.Groups[0] != (acl.Membership{Group: "group:team"}) || p.Groups[1] != (acl.Membership{Group: "group:firm", Through: "group:team"}) {
		t.Errorf("groups = %v", p.Groups)
	}
}

// TestOptions wants each key of the directories to reach them.
func TestOptions(t *testing.T) {
	server := &url.URL{Scheme: "ldap", Host: "dc1.firm.example"}
	c := &config.LDAP{
		Servers: []*url.URL{server}, StartTLS: true, CA: "ca.pem", BindDN: "cn=x", BindPassword: config.NewSecret("secret"),
		Users:  config.LDAPUsers{Base: "ou=people", Filter: "(uid={login})", Login: "uid", Name: "cn", Email: "mail", ID: "entryUUID"},
		Groups: &config.LDAPGroups{Base: "ou=groups", Filter: "(member={dn})", Name: "cn", Nested: true, Only: true, Map: map[string]string{"a": "b"}, ActiveDirectory: true},
	}
	o := ldapOptions(c, time.Now, nil)
	if o.Servers[0] != server || !o.StartTLS || o.CA != "ca.pem" || o.BindDN != "cn=x" || o.BindPassword != "secret" || o.Clock == nil {
		t.Errorf("options = %+v", o)
	}
	if o.Users.ID != "entryUUID" || !o.Groups.Nested || !o.Groups.Only || !o.Groups.ActiveDirectory || o.Groups.Map["a"] != "b" {
		t.Errorf("users %+v, groups %+v", o.Users, o.Groups)
	}
	c.Groups = nil
	if ldapOptions(c, time.Now, nil).Groups != nil {
		t.Error("groups out of nothing")
	}
	public := &url.URL{Scheme: "https", Host: "files.firm.example", Path: "/base/"}
	p := oidcOptions(&config.OIDC{Issuer: server, ClientID: "id", ClientSecret: config.NewSecret("s"), Title: "Firm", Login: "l", Groups: "g"}, public)
	if p.Callback.String() != "https://files.firm.example/base/auth/oidc/callback" || p.Claims.Login != "l" || p.Claims.Groups != "g" || p.ClientSecret != "s" {
		t.Errorf("options = %+v", p)
	}
}
