package ldap

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
)

func dcServers(tb testing.TB, all ...*dc) []*url.URL {
	tb.Helper()
	list := make([]*url.URL, 0, len(all))
	for _, d := range all {
		list = append(list, address(tb, "ldaps://"+d.address))
	}
	return list
}

// domain is a small firm: ann is in team, team in dept, dept in firm; everyone is
// in Domain Users by number, and Domain Users in guests; two groups hold each other.
func domain(tb testing.TB) (d *dc, ann string) {
	tb.Helper()
	d = newDC(tb)
	ann = d.person("ann", 1)
	team := d.group("team, EMEA", 200, ann)
	dept := d.group("dept", 201, team)
	d.group("firm", 202, dept)
	users := d.group("Domain Users", 513)
	d.group("guests", 204, users)
	left := d.group("left", 205, ann)
	right := d.group("right", 206, left)
	d.join(left, right)
	d.group("others", 207)
	return d, ann
}

func TestActiveDirectory(t *testing.T) {
	t.Parallel()
	want := identity.Identity{
		ID: "ldap:00112233-4455-6677-8899-aabbccdd0001", Login: "ann", Name: "The ann", Email: "ann@firm.example",
		Groups: []identity.Membership{
			{Group: "Domain Users"},
			{Group: "left"},
			{Group: "team, EMEA"},
			{Group: "guests", Through: "Domain Users"},
			{Group: "right", Through: "left"},
			{Group: "dept", Through: "team, EMEA"},
			{Group: "firm", Through: "dept"},
		},
	}
	for name, set := range map[string]func(*dc, *Options){
		"memberOf tells the way": func(*dc, *Options) {},
		"memberOf in pieces":     func(d *dc, _ *Options) { d.piece = 1 },
		"memberOf is not read":   func(d *dc, _ *Options) { d.noUp = true },
		"the rule in the filter": func(_ *dc, o *Options) {
			o.Groups.ActiveDirectory, o.Groups.Filter = false, "(member:"+inChain+":={dn})"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := domain(t)
			o := c.options(t)
			set(c, &o)
			d, _ := open(t, o)
			for _, login := range []identity.Login{"ann", "ANN", "Ann@Firm.Example"} {
				got, err := d.Authenticate(t.Context(), login, "password of ann")
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("Authenticate(%q) = %v (-want +got):\n%s", login, err, diff)
				}
			}
			got, err := d.ByID(t.Context(), want.ID)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("ByID(%q) = %v (-want +got):\n%s", want.ID, err, diff)
			}
		})
	}
}

// TestActiveDirectoryIsQuick: one search for the person, one for the primary
// group and one for all groups, however deep they lie.
func TestActiveDirectoryIsQuick(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	d, _ := open(t, c.options(t))
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.requests()
	if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); err != nil {
		t.Fatal(err)
	}
	if asked := c.requests(); len(asked) != 4 {
		t.Errorf("it took %d requests, want 4:\n%s", len(asked), strings.Join(asked, "\n"))
	}
}

func TestActiveDirectoryFlat(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	o := c.options(t)
	o.Groups.Nested = false
	d, _ := open(t, o)
	got, err := d.ByLogin(t.Context(), "ann")
	want := []identity.Membership{{Group: "Domain Users"}, {Group: "left"}, {Group: "team, EMEA"}}
	if diff := cmp.Diff(want, got.Groups); diff != "" || err != nil {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
}

// TestActiveDirectoryDepth: what lies deeper than eight does not count, whichever
// way the groups were found.
func TestActiveDirectoryDepth(t *testing.T) {
	t.Parallel()
	for _, hidden := range []bool{false, true} {
		c := newDC(t)
		below := c.person("ann", 1)
		for i := range 12 {
			below = c.group(fmt.Sprintf("level %02d", i+1), 300+i, below)
		}
		c.noUp = hidden
		d, _ := open(t, c.options(t))
		got, err := d.ByLogin(t.Context(), "ann")
		if err != nil || len(got.Groups) != maxDepth || got.Groups[7] != (identity.Membership{Group: "level 08", Through: "level 07"}) {
			t.Errorf("memberOf hidden %t: ByLogin = %v, %v, want 8 groups", hidden, got.Groups, err)
		}
	}
}

// TestActiveDirectoryBetween: a group counts also where the one between it and
// the person lies outside the base.
func TestActiveDirectoryBetween(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	ann := c.person("ann", 1)
	c.add("CN=between,CN=elsewhere,"+dcBase, "", "objectClass", "group", "cn", "between")
	c.join("CN=between,CN=elsewhere,"+dcBase, ann)
	c.group("above", 300, "CN=between,CN=elsewhere,"+dcBase)
	o := c.options(t)
	o.Groups.Base = "OU=groups," + dcBase
	d, _ := open(t, o)
	got, err := d.ByLogin(t.Context(), "ann")
	if diff := cmp.Diff([]identity.Membership{{Group: "above"}}, got.Groups); diff != "" || err != nil {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
}

// TestPieces: a list of 4,000 comes in three pieces.
func TestPieces(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	group := c.group("everybody", 300)
	for i := range 4000 {
		c.join(group, fmt.Sprintf("CN=p%d,%s", i, dcBase))
	}
	d, _ := open(t, c.options(t))
	found, err := d.search(t.Context(), d.request(group, "(objectClass=group)", 1, []string{"member"}))
	if err != nil {
		t.Fatal(err)
	}
	c.requests()
	all, err := d.every(t.Context(), found[0], "member")
	if err != nil || len(all) != 4000 || all[3999] != "CN=p3999,"+dcBase {
		t.Errorf("every = %d members, %v, want 4,000", len(all), err)
	}
	if asked := c.requests(); len(asked) != 2 {
		t.Errorf("it asked %d times, want 2", len(asked))
	}
}

// TestAccountStates: what a directory says of an account is a refusal, what it
// says of itself is not.
func TestAccountStates(t *testing.T) {
	t.Parallel()
	c, ann := domain(t)
	d, _ := open(t, c.options(t))
	const ad = "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data %s, v3839"
	for _, r := range []result{
		{code: 49, text: fmt.Sprintf(ad, "52e")},
		{code: 49, text: fmt.Sprintf(ad, "533")},
		{code: 49, text: fmt.Sprintf(ad, "701")},
		{code: 49, text: fmt.Sprintf(ad, "775")},
		{code: 53, text: "Account inactivated. Contact system administrator."},
		{code: 19, text: "Exceed password retry limit"},
		{code: 48},
		{code: 32},
		{state: []byte("\x30\x03\x81\x01\x02")}, // yes, but it must be changed first (changeAfterReset)
		{code: 49, state: []byte("\x30\x03\x81\x01\x01")},
	} {
		c.mu.Lock()
		c.binds[ann] = r
		c.mu.Unlock()
		if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); err == nil || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("Authenticate after %v = %v, want ErrRefused and no more", r, err)
		}
	}
	c.binds[ann] = result{state: []byte("\x30\x05\xa0\x03\x80\x01\x3c")} // it ends in a minute: until then it is right
	if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); err != nil {
		t.Errorf("Authenticate with a password that will expire = %v", err)
	}
	for _, code := range []int{1, 3, 8, 10, 11, 13, 50, 51, 52, 80} {
		own, ann := domain(t)
		own.binds[ann] = result{code: code, text: "not now"}
		d, _ := open(t, own.options(t))
		if _, err := d.Authenticate(t.Context(), "ann", "password of ann"); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate after code %d = %v, want fault.ErrUnavailable", code, err)
		}
		own.search = result{code: code, text: "not now"}
		if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByLogin after code %d = %v, want fault.ErrUnavailable", code, err)
		}
	}
}

// TestClosed: an account that is closed is so for those too who do not bind.
func TestClosed(t *testing.T) {
	t.Parallel()
	c := newDC(t)
	for i, state := range [][2]string{
		{"userAccountControl", "514"},
		{"accountExpires", "132000000000000000"},
		{"pwdAccountLockedTime", "000001010000Z"},
		{"nsAccountLock", "true"},
		{"loginDisabled", "TRUE"},
		{"shadowExpire", "1"},
	} {
		login := fmt.Sprintf("closed%d", i)
		dn := c.person(login, 10+i)
		c.entry(dn).attributes[state[0]] = []string{state[1]}
	}
	for i, state := range [][2]string{
		{"accountExpires", "0"},
		{"accountExpires", "9223372036854775807"},
		{"pwdAccountLockedTime", "20260101000000Z"},
		{"nsAccountLock", "FALSE"},
		{"shadowExpire", "-1"},
		{"shadowExpire", "99999"},
		{"userAccountControl", "66048"},
	} {
		dn := c.person(fmt.Sprintf("open%d", i), 30+i)
		c.entry(dn).attributes[state[0]] = []string{state[1]}
	}
	d, _ := open(t, c.options(t))
	for login, want := range map[string]error{
		"closed0": identity.ErrRefused, "closed1": identity.ErrRefused, "closed2": identity.ErrRefused, "closed3": identity.ErrRefused,
		"closed4": identity.ErrRefused, "closed5": identity.ErrRefused,
		"open0": nil, "open1": nil, "open2": nil, "open3": nil, "open4": nil, "open5": nil, "open6": nil,
	} {
		if _, err := d.ByLogin(t.Context(), identity.Login(login)); !errors.Is(err, want) {
			t.Errorf("ByLogin(%q) = %v, want %v", login, err, want)
		}
		if _, err := d.Authenticate(t.Context(), identity.Login(login), "password of "+login); !errors.Is(err, want) {
			t.Errorf("Authenticate(%q) = %v, want %v", login, err, want)
		}
	}
}

func TestGroupNamesOfActiveDirectory(t *testing.T) {
	t.Parallel()
	c, _ := domain(t)
	d, _ := open(t, c.options(t))
	names, err := d.GroupNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Domain Users", "others", "team, EMEA"} { // of which the first two list nobody
		if names[want] != 1 {
			t.Errorf("GroupNames lacks %q: %v", want, names)
		}
	}
	users, groups, err := d.Count(t.Context())
	if users != 1 || groups != 9-1 || err != nil {
		t.Errorf("Count = %d, %d, %v, want 1 user and 8 groups", users, groups, err)
	}
	if asked := c.requests(); !slices.ContainsFunc(asked, func(s string) bool { return strings.Contains(s, "(sAMAccountName=*)") }) {
		t.Errorf("Count asked %q", asked)
	}
}
