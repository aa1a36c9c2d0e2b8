package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/parts"
)

// ldapSection is the config of a directory whose answers hold for so long.
func ldapSection(d parts.LDAP, cache time.Duration) string {
	return fmt.Sprintf(`  ldap:
    url: %q
    ca: %q
    bind_dn: %q
    bind_password: %q
    users: {base: %q, filter: "(uid={login})"}
    groups: {base: %q, filter: "(member={dn})", nested: true}
    cache: %s
`, d.URL, d.CA, d.BindDN, d.BindPassword, d.People, d.Groups, cache)
}

// TestLeavingAGroup: somebody who leaves a group of the directory has lost on
// all replicas, within the time that the config gives, what the group opened.
func TestLeavingAGroup(t *testing.T) {
	const cache = 2 * time.Second
	d := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	alice := d.AddPerson(t, parts.Person{Login: "alice", Name: "Alice Peeters", Email: "alice@firm.example", Password: password})
	bob := d.AddPerson(t, parts.Person{Login: "bob", Name: "Bob Maes", Email: "bob@firm.example", Password: password})
	team := d.AddGroup(t, "team", alice, bob)
	d.AddGroup(t, "house", team)
	c := newCluster(t, ldapSection(d, cache), firm(`"group:house": editor`))
	c.front.do("alice", "PUT", "/dav/firm/a.txt", "x").want(201)
	for _, n := range c.nodes {
		n.do("bob", "GET", "/dav/firm/a.txt", "").want(200)
	}
	d.Leave(t, team, bob)
	took := within(t, cache+time.Second, "bob is out on all replicas", func() bool {
		for _, n := range c.nodes {
			if n.do("bob", "GET", "/dav/firm/a.txt", "").status != 404 {
				return false
			}
		}
		return true
	})
	t.Logf("cache %v: out of the group on three replicas after %v", cache, took)
	c.front.do("alice", "GET", "/dav/firm/a.txt", "").want(200)

	// Away, the directory lets in whom it has just let in, and nobody else; and
	// nobody is told that a password is wrong.
	c.front.do("bob", "GET", "/dav/", "").either(200, 405, 404) // bob's password is proved
	d.Stop(t)
	for _, n := range c.nodes {
		eventually(t, "what was known of alice ends", func() bool { return n.do("alice", "GET", "/dav/firm/a.txt", "").status == 503 })
		n.doAs("alice", "wrong", "GET", "/dav/firm/a.txt", "").want(503)
		n.do("nobody", "GET", "/dav/firm/a.txt", "").want(503)
	}
	d.Start(t)
	eventually(t, "alice is back", func() bool { return c.front.do("alice", "GET", "/dav/firm/a.txt", "").status == 200 })
}

// made is what the API says of an app password that it has made.
type made struct {
	ID, Secret string
}

func (s *server) makeAppPassword(user, wish string) made {
	s.t.Helper()
	var m made
	a := s.do(user, "POST", "/api/v1/app-passwords", wish, "Content-Type", "application/json").want(201)
	if err := json.Unmarshal([]byte(a.body), &m); err != nil || m.Secret == "" {
		s.t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

// TestAppPasswords: each device has one, with its own limits, and one that is
// revoked is dead on all replicas within a second, an open drive included.
func TestAppPasswords(t *testing.T) {
	c := newCluster(t, users("alice", "bob")+"  require_app_password: true\n", firm(`"user:alice": editor`)+
		"  lab: {storage: main, folders: {/: {grant: {\"user:alice\": editor}}}}\n")
	one := c.nodes[0]
	one.do("alice", "GET", "/dav/firm/", "").want(401).has("app password")
	laptop := one.makeAppPassword("alice", `{"name": "laptop"}`)
	reader := one.makeAppPassword("alice", `{"name": "scanner", "workspace": "firm", "read_only": true}`)
	for _, n := range c.nodes {
		n.doAs("alice", laptop.Secret, "PUT", "/dav/firm/a.txt", "x").either(201, 204)
		n.doAs("alice", laptop.Secret, "PUT", "/dav/lab/a.txt", "x").either(201, 204)
		n.doAs("alice", reader.Secret, "GET", "/dav/firm/a.txt", "").want(200)
		n.doAs("alice", reader.Secret, "PUT", "/dav/firm/a.txt", "y").want(403).has("app password only lets read")
		n.doAs("alice", reader.Secret, "GET", "/dav/lab/a.txt", "").want(404)
		n.doAs("bob", laptop.Secret, "GET", "/dav/firm/a.txt", "").want(401) // it is alice's
		n.doAs("alice", laptop.Secret, "GET", "/api/v1/app-passwords", "").want(403)
	}
	list := c.nodes[1].do("alice", "GET", "/api/v1/app-passwords", "").want(200).has("laptop").has("scanner")
	if strings.Contains(list.body, laptop.Secret[:12]) {
		t.Error("the list tells a secret")
	}
	c.nodes[1].do("bob", "DELETE", "/api/v1/app-passwords/"+laptop.ID, "").want(404)
	c.nodes[1].do("alice", "DELETE", "/api/v1/app-passwords/"+laptop.ID, "").want(204)
	took := within(t, time.Second, "the laptop is out on all replicas", func() bool {
		for _, n := range c.nodes {
			if n.doAs("alice", laptop.Secret, "GET", "/dav/firm/a.txt", "").status != 401 {
				return false
			}
		}
		return true
	})
	t.Logf("revoked on three replicas after %v", took)
	c.nodes[2].doAs("alice", reader.Secret, "GET", "/dav/firm/a.txt", "").want(200)
}

// door is one way to present a password.
type door struct {
	name string
	try  func(n *node, from, login, password string) answer
}

// doors are all routes that look at passwords.
func doors() []door {
	basic := func(method, path string) func(*node, string, string, string) answer {
		return func(n *node, from, login, pass string) answer {
			return n.doAs(login, pass, method, path, "", "X-Forwarded-For", from)
		}
	}
	return []door{
		{"drive", basic("PROPFIND", "/dav/firm/")},
		{"drive's file", basic("GET", "/dav/firm/a.txt")},
		{"API", basic("GET", "/api/v1/app-passwords")},
		{"page", func(n *node, from, login, pass string) answer {
			form := url.Values{"name": {login}, "password": {pass}}
			return n.do("", "POST", "/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", from)
		}},
	}
}

// TestThrottleIsShared: wrong passwords count together over all replicas and all
// doors. Who guesses is told to wait, at every door; the owner's own device gets
// in all the while, and so does their app password.
func TestThrottleIsShared(t *testing.T) {
	const attacker, home, cafe = "203.0.113.7", "198.51.100.4", "192.0.2.99"
	c := newCluster(t, users("alice", "bob"), firm(`everyone: editor`))
	from := func(address string) []string { return []string{"X-Forwarded-For", address} }
	c.nodes[0].do("alice", "PUT", "/dav/firm/a.txt", "x", from(home)...).want(201)
	device := c.nodes[0].makeAppPassword("alice", `{"name": "phone"}`)
	all := doors()
	// Accounts that nobody has count like those that there are.
	for i := range 20 {
		d := all[i%len(all)]
		a := d.try(c.nodes[i%3], attacker, fmt.Sprintf("guess%d", i), "wrong password")
		if a.status != 401 {
			t.Errorf("attempt %d at the %s: %d, want a refusal", i, d.name, a.status)
		}
	}
	for _, n := range c.nodes {
		for _, d := range all {
			for _, pass := range []string{"wrong password", password} { // from there, the right one too
				a := d.try(n, attacker, "bob", pass).want(429)
				if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 || s > 30*60 {
					t.Errorf("%s: Retry-After is %q", d.name, a.header.Get("Retry-After"))
				}
			}
		}
	}
	// One account, guessed at from many places: strangers wait, the owner does not.
	refused := 0
	for i := range 40 {
		if c.nodes[i%3].doAs("alice", "wrong password", "GET", "/dav/firm/a.txt", "", from(fmt.Sprintf("203.0.113.%d", 100+i))...).status == 429 {
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("of 40 guesses at alice from 40 places %d had to wait, want all but a few", refused)
	}
	c.nodes[1].do("alice", "GET", "/dav/firm/a.txt", "", from(cafe)...).want(429) // her password at a new place waits
	for _, n := range c.nodes {
		n.do("alice", "GET", "/dav/firm/a.txt", "", from(home)...).want(200)
		n.doAs("alice", device.Secret, "GET", "/dav/firm/a.txt", "", from(cafe)...).want(200)
		n.doAs("alice", device.Secret, "GET", "/dav/firm/a.txt", "", from(attacker)...).want(200)
	}
	// An admin opens the account on one machine, and it is open on the others. The
	// addresses stay as they are.
	c.nodes[0].portico("unlock", "alice").has("failed attempts").has("still must")
	c.nodes[2].do("alice", "GET", "/dav/firm/a.txt", "", from(cafe)...).want(200)
	c.nodes[1].do("bob", "GET", "/dav/firm/a.txt", "", from(attacker)...).want(429)
	c.nodes[1].portico("unlock", "--address", attacker).has(attacker + "/32").has("a refusal until")
	c.nodes[0].do("bob", "GET", "/dav/firm/a.txt", "", from(attacker)...).want(200)
	c.nodes[2].portico("audit", "verify").has(`stream "portico command": 2 rows`).has("no fault was found")
}

// portico runs a command with the server's config, beside it.
func (s *server) portico(args ...string) answer {
	s.t.Helper()
	exe, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := exec.CommandContext(s.t.Context(), exe, append(args, "--config", s.config)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("portico %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return answer{t: s.t, what: "portico " + strings.Join(args, " "), body: string(out)}
}

// TestForwardedForIsNotBelieved: who is no trusted proxy cannot say who they are,
// and so cannot guess from a thousand addresses.
func TestForwardedForIsNotBelieved(t *testing.T) {
	s := start(t, storages()[0])
	last := 0
	for i := range 25 {
		last = s.doAs(fmt.Sprintf("nobody%d", i), "wrong password", http.MethodGet, "/dav/firm/", "", "X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i)).status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 25th wrong password from one address: %d, want 429", last)
	}
}
