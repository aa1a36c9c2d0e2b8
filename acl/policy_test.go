package acl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/acl"
	"portico/vpath"
)

// line is a source for rules of these tests.
func line(n int) acl.Source { return acl.Source{File: "portico.yaml", Line: n} }

func role(t *testing.T, name string) acl.Role {
	t.Helper()
	r, ok := acl.RoleNamed(name)
	if !ok {
		t.Fatalf("no role %s", name)
	}
	return r
}

func staff(login string) acl.Principal {
	return acl.Principal{ID: "id-user:" + login, Self: acl.User(login), Staff: true}
}

// firm is the policy of DESIGN.md §4, with lines as in that config.
func firm(t *testing.T) acl.Spec {
	t.Helper()
	clients, acme, hr := vpath.Must("/firm/Clients"), vpath.Must("/firm/Clients/Acme"), vpath.Must("/firm/HR")
	return acl.Spec{
		Groups: []acl.Group{
			{Name: "staff", Members: []acl.Subject{"user:ann", "user:bob", "group:interns"}},
			{Name: "interns", Members: []acl.Subject{"user:ida"}},
		},
		Folders: []acl.Folder{
			{Path: vpath.Must("/firm"), Inherit: true, At: line(37)},
			{Path: clients, Inherit: true, At: line(38)},
			{Path: acme, Inherit: true, At: line(39)},
			{Path: hr, At: line(41)},
		},
		Grants: []acl.Grant{
			{Path: vpath.Must("/firm"), Subject: "group:staff", Role: role(t, "viewer"), At: line(37)},
			{Path: vpath.Must("/firm"), Subject: "user:ann", Role: role(t, "owner"), At: line(37)},
			{Path: clients, Subject: "group:staff", Role: role(t, "editor"), At: line(38)},
			{Path: hr, Subject: "user:bob", Role: role(t, "admin"), At: line(41)},
		},
		Denies: []acl.Deny{{Path: acme, Subject: "group:interns", Rights: rightsOf(t, "write", "delete"), At: line(39)}},
	}
}

func must(t *testing.T, spec acl.Spec) *acl.Policy {
	t.Helper()
	p, err := acl.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	root, firm := vpath.Path{}, vpath.Must("/firm")
	_, err := acl.Compile(acl.Spec{
		Folders: []acl.Folder{{Path: root, At: line(1)}},
		Grants: []acl.Grant{
			{Path: root, Subject: acl.Everyone, Role: role(t, "viewer"), At: line(2)},
			{Path: firm, Role: role(t, "viewer")},
			{Path: firm, Subject: acl.Everyone, Role: acl.Role{Name: "owner", Rights: rightsOf(t, "read")}, At: line(3)},
		},
		Denies: []acl.Deny{{Path: firm, Subject: acl.Everyone, Rights: rightsOf(t, "read:own"), At: line(4)}},
	})
	want := `acl: compile: portico.yaml:1: a rule on / would hold in no workspace; name a folder in one, such as /firm
portico.yaml:2: a rule on / would hold in no workspace; name a folder in one, such as /firm
the rule on /firm names nobody; write user:LOGIN, group:NAME or everyone
portico.yaml:3: the role owner on /firm does not hold all rights; use the built-in one
portico.yaml:4: the deny on /firm names read:own; a deny takes a right as a whole, so leave :own out`
	if err == nil {
		t.Fatal("Compile took it")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A policy must not change with the spec that it came from.
func TestCompileKeepsNothingOfTheSpec(t *testing.T) {
	t.Parallel()
	spec := firm(t)
	p := must(t, spec)
	clear(spec.Grants)
	clear(spec.Denies)
	clear(spec.Groups)
	clear(spec.Folders)
	v := p.View(staff("ida"), time.Time{})
	if !v.Decide(acl.Read, vpath.Must("/firm/x"), "").Allowed() || v.Decide(acl.Write, vpath.Must("/firm/Clients/Acme/x"), "").Allowed() {
		t.Error("the policy changed with the spec")
	}
}

func TestPinned(t *testing.T) {
	t.Parallel()
	spec := firm(t)
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/x/y/z"), Inherit: true, At: line(50)})
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/x"), Inherit: true, At: line(51)})
	spec.Grants = append(spec.Grants, acl.Grant{Path: vpath.Must("/firm/space"), Subject: "user:bob", Role: role(t, "admin")})
	p := must(t, spec)
	for _, c := range []struct {
		path, folder string
		line         int
		want         bool
	}{
		{"/", "/firm", 37, true},
		{"/firm", "/firm", 37, true},
		{"/firm/Clients", "/firm/Clients", 38, true},
		{"/firm/Clients/Acme", "/firm/Clients/Acme", 39, true},
		{"/firm/Clients/Acme/x", "/firm/Clients/Acme/x", 0, false},
		{"/firm/Client", "/firm/Client", 0, false},
		{"/firm/HR", "/firm/HR", 41, true},
		{"/firm/x", "/firm/x", 51, true},
		{"/firm/x/y", "/firm/x/y/z", 50, true},
		{"/firm/x/yy", "/firm/x/yy", 0, false},
		{"/firm/space", "/firm/space", 0, false}, // what the state store grants moves with its folder
		{"/other", "/other", 0, true},            // a workspace's root without a rule
		{"/other/x", "/other/x", 0, false},
	} {
		at, folder, got := p.Pinned(vpath.Must(c.path))
		if got != c.want || folder.String() != c.folder || at.Line != c.line {
			t.Errorf("Pinned(%s) = %v, %s, %v, want line %d, %s, %v", c.path, at, folder, got, c.line, c.folder, c.want)
		}
	}
}

func TestTwin(t *testing.T) {
	t.Parallel()
	spec := firm(t)
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/Été"), Inherit: true, At: line(50)})
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/été"), Inherit: true, At: line(51)})
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/CLIENTS/z"), Inherit: true, At: line(52)})
	p := must(t, spec)
	for path, want := range map[string]string{
		"/firm/CLIENTS":      "/firm/Clients", // a rule beneath it is none of its own
		"/firm/hr":           "/firm/HR",
		"/firm/Hr":           "/firm/HR",
		"/firm/HR":           "",
		"/firm/HR2":          "",
		"/FIRM/hr":           "/firm/HR",
		"/firm/clients/ACME": "/firm/Clients/Acme",
		"/firm/clients/x":    "",
		"/firm/Été":          "", // both have rules of their own: the admin meant it
		"/firm/été":          "",
		"/firm/ÉTÉ":          "/firm/été",
		"/":                  "",
	} {
		twin, got := p.Twin(vpath.Must(path))
		if got != (want != "") || got && twin.String() != want {
			t.Errorf("Twin(%s) = %s, %v, want %q", path, twin, got, want)
		}
	}
}

func TestChains(t *testing.T) {
	t.Parallel()
	p := must(t, acl.Spec{Groups: []acl.Group{
		{Name: "a", Members: []acl.Subject{"user:ann", "group:c"}},
		{Name: "b", Members: []acl.Subject{"group:a"}},
		{Name: "c", Members: []acl.Subject{"group:b", "group:sales"}},
		{Name: "d", Members: []acl.Subject{"group:c", "user:bob"}},
	}})
	texts := func(who acl.Principal) []string {
		var list []string
		for _, c := range p.Chains(who) {
			list = append(list, c.String())
		}
		return list
	}
	ann := staff("ann")
	want := []string{
		"ann is in everyone", "ann is in group:a", "ann is in group:b through group:a",
		"ann is in group:c through group:a, group:b", "ann is in group:d through group:a, group:b, group:c",
	}
	if diff := cmp.Diff(want, texts(ann)); diff != "" {
		t.Errorf("ann (-want +got):\n%s", diff)
	}
	eve := acl.Principal{Self: "contact:eve@client.example", Groups: []acl.Membership{{Group: "group:sales"}}}
	want = []string{
		"eve@client.example is in group:sales", "eve@client.example is in group:c through group:sales",
		"eve@client.example is in group:a through group:sales, group:c", "eve@client.example is in group:d through group:sales, group:c",
		"eve@client.example is in group:b through group:sales, group:c, group:a",
	}
	if diff := cmp.Diff(want, texts(eve)); diff != "" {
		t.Errorf("eve (-want +got):\n%s", diff)
	}
	if text := (acl.Chain{"user:ann"}).String(); text != "" {
		t.Errorf("a chain of one is %q", text)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before, spec := firm(t), firm(t)
	spec.Grants[2].Role = role(t, "contributor")
	spec.Denies = nil
	folders := []vpath.Path{vpath.Must("/firm"), vpath.Must("/firm/Clients"), vpath.Must("/firm/Clients/Acme")}
	got := acl.Diff(must(t, before), must(t, spec), []acl.Principal{staff("ann"), staff("ida")}, folders, time.Time{})
	want := []acl.Change{
		{Principal: staff("ida"), Path: folders[1], Gained: []string{"write:own", "delete:own"}, Lost: []string{"write", "delete"}},
		{Principal: staff("ida"), Path: folders[2], Gained: []string{"write:own", "delete:own"}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b vpath.Path) bool { return a == b }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tom, bob := staff("tom"), staff("bob")
	path := vpath.Must("/firm/x")
	p := must(t, acl.Spec{Grants: []acl.Grant{
		{Path: path, Subject: "user:ann", Role: role(t, "viewer"), Until: now.Add(3 * time.Hour)},
		{Path: path, Subject: "user:ann", Role: role(t, "viewer"), Until: now},
		{Path: path, Subject: "user:ann", Role: role(t, "editor"), Giver: &tom},
		{Path: path, Subject: "user:tom", Role: role(t, "manager"), Giver: &bob, Until: now.Add(2 * time.Hour)},
		{Path: path, Subject: "user:bob", Role: role(t, "manager"), Until: now.Add(time.Hour)},
		{Path: path, Subject: "user:ida", Role: role(t, "viewer")},
	}})
	for login, want := range map[string]time.Time{
		"ann": now.Add(time.Hour), // her share hangs on tom's, and his on bob's
		"bob": now.Add(time.Hour),
		"ida": {},
	} {
		if got := p.View(staff(login), now).Expires(); !got.Equal(want) {
			t.Errorf("%s's view expires at %v, want %v", login, got, want)
		}
	}
	if !p.View(staff("ann"), now).Decide(acl.Write, path, "").Allowed() {
		t.Error("ann may not write while bob may share")
	}
	if p.View(staff("ann"), now.Add(time.Hour)).Decide(acl.Write, path, "").Allowed() {
		t.Error("ann may still write when bob's grant has run out")
	}
}

// A hundred people who all share with one another, and of whom none holds
// anything, must cost little: following each giver in turn would never end.
func TestManyGiversInACircle(t *testing.T) {
	t.Parallel()
	path := vpath.Must("/firm/x")
	var spec acl.Spec
	for i := range 100 {
		giver := staff(strings.Repeat("i", i+1))
		spec.Grants = append(spec.Grants, acl.Grant{Path: path, Subject: acl.Everyone, Role: role(t, "owner"), Giver: &giver})
	}
	v := must(t, spec).View(staff("i"), time.Time{})
	if d := v.Decide(acl.Read, path, ""); d.Allowed() || v.SeesFolder(path) || v.SeesFile(path, "") {
		t.Errorf("%s", d)
	}
	spec.Grants = append(spec.Grants, acl.Grant{Path: path, Subject: "user:" + acl.Subject(strings.Repeat("i", 100)), Role: role(t, "manager")})
	v = must(t, spec).View(staff("i"), time.Time{})
	if d := v.Decide(acl.Read, path, ""); !d.Allowed() || !v.SeesFolder(path) {
		t.Errorf("%s", d)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	if text := line(7).String(); text != "portico.yaml:7" {
		t.Errorf("String = %q", text)
	}
	if text := (acl.Source{}).String(); text != "" {
		t.Errorf("a rule of the state store comes from %q", text)
	}
}
