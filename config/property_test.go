package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/acl"
	"portico/vpath"
)

// drawGroups makes up to six groups that may contain one another.
func drawGroups(t *rapid.T) []acl.Group {
	names := []string{"a", "b", "c", "d", "e", "f"}
	var all []acl.Group
	for _, name := range names {
		members := rapid.SliceOfN(rapid.SampledFrom([]acl.Subject{
			"group:a", "group:b", "group:c", "group:d", "group:e", "group:f", "user:u", "user:v",
		}), 0, 3).Draw(t, name)
		all = append(all, acl.Group{Name: name, Members: members, At: acl.Source{Line: len(all) + 1}})
	}
	return all
}

// reaches is whether a group contains somebody, by walking all ways of at most
// as many steps as there are groups.
func reaches(all []acl.Group, from, to acl.Subject, steps int) bool {
	for _, g := range all {
		if acl.GroupOf(g.Name) != from || steps == 0 {
			continue
		}
		for _, m := range g.Members {
			if m == to || reaches(all, m, to, steps-1) {
				return true
			}
		}
	}
	return false
}

// TestCyclesAgainstReach: there is a fault exactly where a group contains itself.
func TestCyclesAgainstReach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawGroups(t)
		l := newLoader("t.yaml", testEnv)
		l.cycles(all)
		want := slices.ContainsFunc(all, func(g acl.Group) bool {
			return reaches(all, acl.GroupOf(g.Name), acl.GroupOf(g.Name), len(all))
		})
		if got := len(l.faults) > 0; got != want {
			t.Fatalf("%v: faults %v, want some: %v", all, l.faults, want)
		}
	})
}

// TestClosureAgainstPolicy: who is in a group is the same for an assertion as
// for a decision.
func TestClosureAgainstPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawGroups(t)
		policy, err := acl.Compile(acl.Spec{Groups: all})
		if err != nil {
			t.Fatal(err)
		}
		for _, user := range []acl.Subject{"user:u", "user:v"} {
			chains := policy.Chains(acl.Principal{ID: "x", Self: user})
			for _, g := range all {
				group := acl.GroupOf(g.Name)
				want := slices.ContainsFunc(chains, func(c acl.Chain) bool { return c[len(c)-1] == group })
				if got := closure(all, group)[user]; got != want {
					t.Fatalf("%v: %s in %s = %v, want %v", all, user, group, got, want)
				}
			}
		}
	})
}

// TestOverlapsAgainstKeys: two workspaces are refused exactly where some key of
// the storage could belong to both.
func TestOverlapsAgainstKeys(t *testing.T) {
	roots := []string{"", "a", "b", "ab", "a/b", "a/bc", "a/b/c", "A"}
	below := func(key, root string) bool { return root == "" || strings.HasPrefix(key+"/", root+"/") }
	for _, s := range []Storage{{Local: &Local{}}, {S3: &S3{}}} {
		for _, a := range roots {
			for _, b := range roots {
				want := false
				for _, key := range []string{a + "/x", b + "/x", "x"} {
					key = strings.TrimPrefix(key, "/")
					x, y := a, b
					if s.Local != nil { // a disk may not tell cases apart
						key, x, y = strings.ToLower(key), strings.ToLower(a), strings.ToLower(b)
					}
					want = want || below(key, x) && below(key, y)
				}
				if got := nested(s, a, b); got != want {
					t.Errorf("nested(local: %v, %q, %q) = %v, want %v", s.Local != nil, a, b, got, want)
				}
			}
		}
	}
}

// TestNeverAgainstEveryFolder holds "never" against asking about every folder
// of a small tree, for everybody in the group.
func TestNeverAgainstEveryFolder(t *testing.T) {
	folders := []string{"/w", "/w/a", "/w/a/b", "/w/a/b/c", "/w/d"}
	roles := []string{"viewer", "editor", "contributor", "inbox"}
	subjects := []acl.Subject{"user:u", "user:v", "group:g", "group:h", acl.Everyone}
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{Users: map[Login]User{"u": {}, "v": {}}}
		c.Groups = []acl.Group{{Name: "g", Members: []acl.Subject{"user:u", "group:h"}}, {Name: "h", Members: []acl.Subject{"user:v"}}}
		c.Spec.Groups = c.Groups
		path := func(name string) vpath.Path { return vpath.Must(rapid.SampledFrom(folders).Draw(t, name)) }
		subject := func(name string) acl.Subject { return rapid.SampledFrom(subjects).Draw(t, name) }
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			f := acl.Folder{Path: path(fmt.Sprint("at", i)), Inherit: rapid.Bool().Draw(t, "inherit")}
			c.Spec.Folders = append(c.Spec.Folders, f)
			if rapid.Bool().Draw(t, "deny") {
				rights, _ := acl.ParseRights([]string{"write"})
				c.Spec.Denies = append(c.Spec.Denies, acl.Deny{Path: f.Path, Subject: subject("denied"), Rights: rights})
			}
			role, _ := acl.RoleNamed(rapid.SampledFrom(roles).Draw(t, "role"))
			c.Spec.Grants = append(c.Spec.Grants, acl.Grant{Path: f.Path, Subject: subject("granted"), Role: role})
		}
		var err error
		if c.Policy, err = acl.Compile(c.Spec); err != nil {
			t.Fatal(err)
		}
		a := Assertion{Never: true, Right: acl.Write, Path: path("asserted"), Subject: rapid.SampledFrom(subjects[:4]).Draw(t, "whom")}
		who := map[acl.Subject][]acl.Principal{
			"user:u":  {anybody("user:u")},
			"user:v":  {anybody("user:v")},
			"group:h": {anybody("group:h"), anybody("user:v")},
			"group:g": {anybody("group:g"), anybody("user:u"), anybody("user:v")},
		}[a.Subject]
		want := false
		for _, p := range who {
			for _, folder := range folders {
				if q := vpath.Must(folder); a.Path.Contains(q) {
					want = want || c.Policy.View(p, time.Time{}).Decide(acl.Write, q, p.ID).Allowed()
				}
			}
		}
		if got := c.broken(a); (got != "") != want {
			t.Fatalf("%v: broken = %q, want broken: %v", a, got, want)
		}
	})
}

// TestLinesOfExample breaks the example at each line: whatever comes of it, the
// faults lie within the file.
func TestLinesOfExample(t *testing.T) {
	data, _, err := readBounded("../example.yaml", maxFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	lines := strings.SplitAfter(string(data), "\n")
	check := func(what string, i int, text []string) {
		_, err := parse("t.yaml", []byte(strings.Join(text, "")), testEnv)
		if err == nil {
			return
		}
		checkFaults(t, err)
		faults, _ := err.(Faults) //nolint:errorlint // checked above
		for _, f := range faults {
			if f.Line > len(text) {
				t.Errorf("line %d %s: a fault behind the end: %v", i+1, what, f)
			}
		}
	}
	for i := range lines {
		before, after := slices.Clone(lines[:i]), slices.Clone(lines[i+1:])
		switch i % 4 { // each line suffers one of them: all four take too long
		case 0:
			check("taken out", i, append(before, after...))
		case 1:
			check("doubled", i, append(append(before, lines[i], lines[i]), after...))
		case 2:
			check("cut", i, append(before, lines[i][:len(lines[i])/2]))
		default:
			check("indented", i, append(append(before, " "+lines[i]), after...))
		}
	}
}
