package acltest_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"portico/acl/acltest"
)

const good = `
about: a case
groups: {staff: {members: [ann]}}
workspaces:
  firm:
    folders:
      /:
        grant:
          group:staff: viewer # [A]
      /x: # [B]
        inherit: false
        deny: {user:bob: [read]} # [C]
people: {cara: {groups: [sales]}, "contact:c@x.example": {guest: true}}
shares:
  - {path: /firm/x, subject: user:bob, role: viewer, giver: ann, until: 2026-01-01T00:00:00Z}
tree:
  /firm/x/: ann
  /firm/y.txt: ""
cases:
  - [ann, read, /firm/x/, no, A B C]
  - [bob, see, /, yes]
`

func load(text string) ([]acltest.File, error) {
	return acltest.Load(fstest.MapFS{"one.yaml": {Data: []byte(text)}})
}

func TestLoad(t *testing.T) {
	t.Parallel()
	files, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	f := files[0]
	cases := []acltest.Case{
		{Line: 20, Who: "user:ann", May: "read", Thing: acltest.Thing{Path: "/firm/x", Dir: true, Creator: "user:ann"}, By: []int{9, 10, 12}},
		{Line: 21, Who: "user:bob", May: "see", Thing: acltest.Thing{Path: "/", Dir: true}, Want: true},
	}
	if diff := cmp.Diff(cases, f.Cases); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	people := map[string]acltest.Person{
		"user:ann": {}, "user:bob": {}, "user:cara": {Groups: []string{"sales"}}, "contact:c@x.example": {Guest: true},
	}
	if diff := cmp.Diff(people, f.Rules.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	spec, err := f.Rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if g := spec.Grants; len(g) != 2 || g[0].At.Line != 9 || g[1].At.Line != 0 || g[1].Giver.Self != "user:ann" || g[1].Until.IsZero() {
		t.Errorf("grants = %+v", g)
	}
	if d := spec.Denies; len(d) != 1 || d[0].At.Line != 12 {
		t.Errorf("denies = %+v", d)
	}
	if fs := spec.Folders; len(fs) != 2 || !fs[0].Inherit || fs[1].Inherit || fs[1].At.Line != 10 {
		t.Errorf("folders = %+v", fs)
	}
}

// A case file with a slip must not pass for one with fewer cases.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"unknown key":  {"about: a case", "abuot: a case"},
		"unknown mark": {"no, A B C", "no, A D"},
		"no answer":    {"yes]", "perhaps]"},
		"short row":    {"[bob, see, /, yes]", "[bob, see]"},
		"no row":       {"[bob, see, /, yes]", "{who: bob}"},
		"bad time":     {"2026-01-01T00:00:00Z", "soon"},
		"not YAML":     {"about: a case", "about: [a case"},
	} {
		if files, err := load(strings.Replace(good, change[0], change[1], 1)); err == nil {
			t.Errorf("%s: Load = %+v, want an error", name, files)
		}
	}
	if _, err := acltest.Load(fstest.MapFS{}); err == nil {
		t.Error("an empty folder passes")
	}
}

func TestSpecRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"role of a rule":  {"group:staff: viewer", "group:staff: veiwer"},
		"role of a share": {"role: viewer", "role: veiwer"},
		"right":           {"[read]}", "[raed]}"},
		"path":            {"/x: #", "x//y: #"},
	} {
		files, err := load(strings.Replace(good, change[0], change[1], 1))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := files[0].Rules.Spec(); err == nil {
			t.Errorf("%s: Spec takes it", name)
		}
	}
}

// Plain rules must survive the way through a config.
func TestPlainRulesAreAConfig(t *testing.T) {
	t.Parallel()
	for i := range uint64(100) {
		rules, things := acltest.Random(rand.New(rand.NewPCG(1, i)), true)
		if len(rules.Shares) > 0 || len(things) == 0 {
			t.Fatalf("policy %d: %d shares, %d things", i, len(rules.Shares), len(things))
		}
		var back acltest.Rules
		if err := yaml.Unmarshal([]byte(rules.Config("disk")), &back); err != nil {
			t.Fatal(err)
		}
		for name, w := range back.Workspaces {
			if w.Storage != "disk" {
				t.Errorf("%s lies in %q", name, w.Storage)
			}
			w.Storage = ""
			back.Workspaces[name] = w
		}
		if diff := cmp.Diff(rules, &back, cmpopts.IgnoreFields(acltest.Rules{}, "People"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("policy %d (-want +got):\n%s", i, diff)
		}
	}
}

// The same seed must make the same rules, or no failure could be repeated.
func TestRandomIsRepeatable(t *testing.T) {
	t.Parallel()
	for i := range uint64(50) {
		one, oneThings := acltest.Random(rand.New(rand.NewPCG(7, i)), false)
		two, twoThings := acltest.Random(rand.New(rand.NewPCG(7, i)), false)
		if diff := cmp.Diff(one, two) + cmp.Diff(oneThings, twoThings); diff != "" {
			t.Fatalf("policy %d:\n%s", i, diff)
		}
	}
}
