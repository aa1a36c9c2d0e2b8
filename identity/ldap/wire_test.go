package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/internal/parts"
)

// TestOnTheWire looks at what reaches the server. A name that means something in
// a filter is one value there, and finds nobody.
func TestOnTheWire(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	d, log := open(t, c.options(t))
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.requests()
	for name, want := range map[string]string{
		"*":                  `(sAMAccountName=\2a)`,
		"a)(uid=*":           `(sAMAccountName=a\29\28uid=\2a)`,
		"*)(|(cn=*":          `(sAMAccountName=\2a\29\28|\28cn=\2a)`,
		`a\00`:               `(sAMAccountName=a\5c00)`,
		"ann)(objectClass=*": `(sAMAccountName=ann\29\28objectClass=\2a)`,
		"zoë":                `(sAMAccountName=zo\c3\ab)`,
		"李小龍":                `(sAMAccountName=\e6\9d\8e\e5\b0\8f\e9\be\8d)`,
		"{dn}":               `(sAMAccountName={dn})`,
	} {
		if _, err := d.Authenticate(t.Context(), identity.Login(name), "password of ann"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%q) = %v, want ErrRefused", name, err)
		}
		asked := c.requests()
		if len(asked) != 2 || !strings.Contains(asked[0], want) || !strings.HasPrefix(asked[1], "bind cn="+escapeDN("nobody of Portico: "+name)+",") {
			t.Errorf("%q sent %q, want a search with %s, and a bind as nobody", name, asked, want)
		}
		if _, err := d.ByLogin(t.Context(), identity.Login(name)); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByLogin(%q) = %v, want ErrRefused", name, err)
		}
		if asked := c.requests(); len(asked) != 1 || !strings.Contains(asked[0], want) {
			t.Errorf("%q sent %q, want a search with %s", name, asked, want)
		}
	}
	if strings.Contains(log.String(), "password of ann") {
		t.Errorf("the log tells a password:\n%s", log)
	}
}

// TestNothingIsSent: what cannot be anybody's costs no packet (CVE-2017-14623,
// CVE-2025-13357: a bind without a password succeeds, as nobody).
func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	d, _ := open(t, c.options(t))
	for _, p := range []string{"", "\x00", "password of ann\x00", "\x00password of ann", strings.Repeat("x", 257), "\xff"} {
		if _, err := d.Authenticate(t.Context(), "ann", p); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%.20q) = %v, want ErrRefused", p, err)
		}
	}
	for _, l := range []identity.Login{"", "\x00", "ann\x00", "a\nb", " ann", identity.Login(strings.Repeat("x", 257)), "\xff"} {
		if _, err := d.Authenticate(t.Context(), l, "password of ann"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%.20q) = %v, want ErrRefused", l, err)
		}
		if _, err := d.ByLogin(t.Context(), l); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByLogin(%.20q) = %v, want ErrRefused", l, err)
		}
	}
	for _, id := range []string{"", "ldap:", "ldap:*", "id-ann", "ldap:00112233-4455-6677-8899-aabbccdd", "ldap:../x"} {
		if _, err := d.ByID(t.Context(), id); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByID(%q) = %v, want ErrRefused", id, err)
		}
	}
	opened, _ := c.connections()
	if asked := c.requests(); len(asked) != 0 || opened != 0 {
		t.Errorf("%d connections and %q were sent, want nothing", opened, asked)
	}
}

// TestSameTrouble: known, unknown, closed and double people cost the same
// requests and get the same answer; the clock is the server's matter.
func TestSameTrouble(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	c.entry(c.person("closed", 20)).attributes["userAccountControl"] = []string{"514"}
	c.person("twin", 21)
	c.add("CN=twin,OU=other,"+dcBase, "x", "objectClass", "user", "objectCategory", "person", "sAMAccountName", "twin")
	d, log := open(t, c.options(t))
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, login := range []identity.Login{"ann", "nobody", "closed", "twin"} {
		c.requests()
		before, _ := c.connections()
		_, err := d.Authenticate(t.Context(), login, "wrong")
		asked := c.requests()
		opened, _ := c.connections()
		if err == nil || err.Error() != identity.ErrRefused.Error() || len(asked) != 2 || opened != before+1 {
			t.Errorf("Authenticate(%q) = %v after %q on %d new connections, want ErrRefused after a search and a bind on a new one", login, err, asked, opened-before)
		}
	}
	log.wants(t, "identity.rejected", "twin", "more than one entry", "narrower")
}

// TestTwoEntries: nobody chooses between two people of one login, whatever the
// password.
func TestTwoEntries(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3, 5} {
		c := newDC(t)
		for i := range n {
			c.add(fmt.Sprintf("CN=%d,%s", i, dcBase), "password of ann", "objectClass", "user", "objectCategory", "person", "sAMAccountName", "ann", "objectGUID", guid(i))
		}
		d, log := open(t, c.options(t))
		if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); err == nil || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("with %d entries Authenticate = %v, want ErrRefused", n, err)
		}
		if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("with %d entries ByLogin = %v, want ErrRefused", n, err)
		}
		log.wants(t, "identity.rejected", "more than one entry")
	}
}

// TestRejected: logins that would mean something elsewhere let nobody in
// (CVE-2026-30915), and the admin hears of it.
func TestRejected(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	for i, login := range []string{"..", ".", "a/b", "a/../b", `FIRM\ann`, "a:b", "ann\x01", "ann\u202e", "ann\u200d", " ann", strings.Repeat("x", 257)} {
		typed := fmt.Sprintf("user%d", i)
		dn := c.person(typed, 10+i)
		c.entry(dn).attributes["sAMAccountName"] = []string{login}
		d, log := open(t, c.options(t))
		if _, err := d.Authenticate(t.Context(), identity.Login(typed+"@firm.example"), "password of "+typed); err == nil || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("Authenticate of %.20q = %v, want ErrRefused", login, err)
		}
		log.wants(t, "identity.rejected", dn, "cannot be a login here")
		if _, err := d.ByLogin(t.Context(), identity.Login(typed+"@firm.example")); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByLogin of %.20q = %v, want ErrRefused", login, err)
		}
	}
	c.entry(c.person("noid", 40)).attributes["objectGUID"] = nil
	d, log := open(t, c.options(t))
	if _, err := d.Authenticate(t.Context(), "noid", "password of noid"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("Authenticate without an ID = %v, want ErrRefused", err)
	}
	log.wants(t, "identity.rejected", "objectGUID")
}

// TestLooseMatch: a directory that finds more than what was typed gives no
// second name to anybody.
func TestLooseMatch(t *testing.T) {
	t.Parallel()
	c, ann := domain(t)
	c.entry(ann).attributes["userPrincipalName"] = []string{"annie"}
	c.entry(ann).attributes["sAMAccountName"] = append(c.entry(ann).attributes["sAMAccountName"], "ann2")
	c.entries = slices.DeleteFunc(c.entries, func(e *dcEntry) bool { return e.dn == "CN=portico,"+dcBase })
	c.binds["CN=portico,"+dcBase] = result{}
	o := c.options(t)
	o.Users.Filter = "(|(sAMAccountName={login})(objectClass=user)(mail={login}))" // as a server that compares loosely
	d, _ := open(t, o)
	for login, want := range map[identity.Login]error{
		"ann": nil, "ann2": nil, "ann@firm.example": nil, "annie": identity.ErrRefused, "a": identity.ErrRefused,
	} {
		got, err := d.Authenticate(t.Context(), login, "password of ann")
		if !errors.Is(err, want) || err == nil && got.Login != "ann" {
			t.Errorf("Authenticate(%q) = %q, %v, want %v", login, got.Login, err, want)
		}
	}
}

// TestNames: names are mapped, and those that cannot be ours are left out.
func TestNames(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	ann := c.person("ann", 1)
	middle := c.group("x", 300, ann)
	c.entry(middle).attributes["cn"] = []string{"line\nbreak"}
	c.group("Staff", 301, middle)
	c.entry(c.group("long", 302, ann)).attributes["cn"] = []string{strings.Repeat("x", 257)}
	c.entry(c.group("none", 303, ann)).attributes["cn"] = []string{"  "}
	c.group("GS-Sales", 304, ann)
	other := c.group("unmapped", 305, ann)
	deep := c.group("Deep", 306, other)
	c.group("Top", 307, c.group("between", 308, deep))
	o := c.options(t)
	o.Groups.Map = map[string]string{"gs-sales": "sales", "deep": "deep", "STAFF": "sales", "top": "top"}
	d, log := open(t, o)
	got, err := d.ByLogin(t.Context(), "ann")
	want := []identity.Membership{{Group: "sales"}, {Group: "unmapped"}, {Group: "deep", Through: "unmapped"}, {Group: "between", Through: "deep"}, {Group: "top", Through: "between"}}
	if err != nil || !slices.Equal(got.Groups, want) {
		t.Errorf("ByLogin = %v, %v, want %v", got.Groups, err, want)
	}
	log.wants(t, "left out", middle, "give it another name")
	before := log.String()
	if _, err := d.ByLogin(t.Context(), "ann"); err != nil || log.String() != before {
		t.Errorf("ByLogin = %v, and the log is told again", err)
	}
	o.Groups.Only = true
	d, _ = open(t, o)
	got, err = d.ByLogin(t.Context(), "ann")
	want = []identity.Membership{{Group: "sales"}, {Group: "deep"}, {Group: "top", Through: "deep"}}
	if err != nil || !slices.Equal(got.Groups, want) {
		t.Errorf("with only: ByLogin = %v, %v, want %v", got.Groups, err, want)
	}
	names, err := d.GroupNames(t.Context())
	if err != nil || len(names) != 3 || names["sales"] != 2 || names["deep"] != 1 {
		t.Errorf("GroupNames = %v, %v", names, err)
	}
}

// TestTooManyGroups: a part of the groups would leave out a rule that denies.
func TestTooManyGroups(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	ann := c.person("ann", 1)
	for i := range sizeLimit + 1 {
		c.group(fmt.Sprintf("g%d", i), 2000+i, ann)
	}
	d, _ := open(t, c.options(t))
	if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "more than 1000 groups") {
		t.Errorf("ByLogin = %v, want fault.ErrUnavailable", err)
	}
}

// TestAccountRefused: an account of ours that does not work is our trouble.
func TestAccountRefused(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	o := c.options(t)
	o.BindPassword = "expired-secret"
	d, log := open(t, o)
	_, err := d.Authenticate(t.Context(), "ann", "password of ann")
	if !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
		t.Errorf("Authenticate = %v, want fault.ErrUnavailable", err)
	}
	log.wants(t, "level=ERROR", "put bind_dn and bind_password right")
	if strings.Contains(log.String()+err.Error(), "expired-secret") {
		t.Errorf("the secret is told:\n%s\n%v", log, err)
	}
}

// TestWrongCA: a certificate of somebody else's authority, or the name of
// somebody else's server, is an outage with a clear word in the log.
func TestWrongCA(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	for name, spoil := range map[string]func(*Options){
		"another's authority": func(o *Options) { o.CA = otherCA(t) },
		"the system's":        func(o *Options) { o.CA = "" },
		"another name":        func(o *Options) { o.Servers[0].Host = strings.Replace(o.Servers[0].Host, "127.0.0.1", "localhost", 1) },
	} {
		o := c.options(t)
		spoil(&o)
		d, log := open(t, o)
		if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s: Authenticate = %v, want fault.ErrUnavailable", name, err)
		}
		log.wants(t, "level=ERROR", "certificate is not trusted")
		if err := d.CheckEach(t.Context())[0]; !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "not trusted") {
			t.Errorf("%s: CheckEach = %v", name, err)
		}
	}
	if asked := c.requests(); len(asked) != 0 {
		t.Errorf("it sent %q, want nothing", asked)
	}
}

// otherCA is the authority of a slapd.
func otherCA(t *testing.T) string {
	t.Helper()
	return parts.Slapd(t).CA
}

// TestPool: searches of many wait for the few connections there are, and whoever
// waits too long hears that it is not their password.
func TestPool(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	o := c.options(t)
	o.Pool = 4
	d, _ := open(t, o)
	c.mu.Lock()
	c.hold, c.inside = make(chan struct{}), make(chan struct{}, 100)
	c.mu.Unlock()
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := d.ByLogin(t.Context(), "ann"); err != nil {
				t.Errorf("ByLogin = %v", err)
			}
		})
	}
	for range 4 { // all are in use
		<-c.inside
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.ByLogin(ctx, "ann"); !errors.Is(err, fault.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the one who waits too long: %v, want fault.ErrUnavailable", err)
	}
	close(c.hold)
	wg.Wait()
	if opened, most := c.connections(); most != 4 || opened != 4 {
		t.Errorf("%d connections at once, %d in all, want 4", most, opened)
	}
	for range 3 {
		if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); err != nil {
			t.Fatal(err)
		}
	}
	if opened, _ := c.connections(); opened != 7 {
		t.Errorf("%d connections in all, want 3 more for 3 binds", opened)
	}
}
