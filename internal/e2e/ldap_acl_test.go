//go:build !race

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"portico/acl/acltest"
	"portico/app"
	"portico/internal/parts"
	"portico/vpath"
)

// ldapPolicies is how many random policies are tried with their groups in slapd,
// beside the case files.
const ldapPolicies = 20

// TestRulesOverLDAP plays the ACL cases of the drive, and some random policies,
// with people and groups served by slapd and none of them in the config: the
// answers of the running server and of `portico why` are those of the naive
// evaluator, to whom the groups were given by name.
func TestRulesOverLDAP(t *testing.T) {
	d := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	var dir, state string
	var s *server
	another := func() { dir, state, s = t.TempDir(), t.TempDir(), nil } // a new workspace needs a start
	answers := 0
	play := func(name string, rules *acltest.Rules, tree []acltest.Thing, cases []acltest.Case) {
		firm := &ldapFirm{t: t, dir: d, base: "ou=case " + name + "," + d.Base, rules: rules}
		firm.lay()
		tree = whole(tree)
		lay(t, dir, rules, firm.theirs(tree))
		text := fmt.Sprintf("server: {listen: \"127.0.0.1:0\"}\nstate: sqlite:%s/p.db\nstorage: {main: {type: local, path: %s}}\nidentity:\n%s%s",
			state, dir, firm.config(), firm.bare().Config("main"))
		if s == nil {
			s = serve(t, text)
		} else {
			reload(t, s, text)
		}
		m := model{t: t, s: s, rules: rules, things: tree, naive: acltest.NewNaive(rules)}
		for _, who := range loginsOf(rules) {
			if isUser(rules, who) {
				m.check(who)
			}
		}
		for _, c := range cases {
			if strings.HasPrefix(c.Who, "user:") && c.May != "see" {
				why(t, s.config, c)
				m.n++
			}
		}
		answers += m.n
		if t.Failed() {
			t.Fatalf("%s:\n%s", name, text)
		}
	}
	files, err := acltest.Load(os.DirFS("../../acl/testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if len(f.Rules.Shares) == 0 { // those of the state store come with the portal
			another()
			play(strings.TrimSuffix(f.Name, ".yaml"), &f.Rules, f.Tree, f.Cases)
		}
	}
	another()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range ldapPolicies {
		rules, things := acltest.Random(rng, true)
		play(fmt.Sprintf("random%d", i), rules, things, nil)
	}
	t.Logf("%d case files and %d random policies with groups in slapd: %d answers compared, 0 differ", len(files), ldapPolicies, answers)
}

func isUser(rules *acltest.Rules, login string) bool {
	_, ok := rules.People["user:"+login]
	return ok
}

// whole is a tree with the folders that its things lie in.
func whole(tree []acltest.Thing) []acltest.Thing {
	have := map[string]bool{}
	for _, th := range tree {
		have[th.Path] = true
	}
	for _, th := range slices.Clone(tree) {
		for up := vpath.Must(th.Path).Parent(); up.Depth() > 1; up = up.Parent() {
			if !have[up.String()] {
				have[up.String()] = true
				tree = append(tree, acltest.Thing{Path: up.String(), Dir: true})
			}
		}
	}
	slices.SortStableFunc(tree, func(a, b acltest.Thing) int { return strings.Count(a.Path, "/") - strings.Count(b.Path, "/") })
	return tree
}

// why asks one case of the command that admins ask.
func why(t *testing.T, config string, c acltest.Case) {
	t.Helper()
	login := strings.TrimPrefix(c.Who, "user:")
	args := []string{"why", login, c.May, c.Thing.Path, "--config", config, "--json"}
	if c.Thing.Creator != "" {
		args = append(args, "--creator", strings.TrimPrefix(c.Thing.Creator, "user:"))
	}
	var out, errs bytes.Buffer
	app.Run(context.Background(), args, os.LookupEnv, strings.NewReader(""), &out, &errs)
	var answer struct {
		Allowed bool
		Why     string
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Errorf("line %d: %v: %s%s", c.Line, args, &out, &errs)
		return
	}
	if answer.Allowed != c.Want {
		t.Errorf("line %d: %v: %s, want %t", c.Line, args, answer.Why, c.Want)
	}
}

// ldapFirm is the people and groups of some rules, in a subtree of slapd.
type ldapFirm struct {
	t     *testing.T
	dir   parts.LDAP
	base  string
	rules *acltest.Rules
	ids   map[string]string // by subject: what the directory calls them for ever
}

func (f *ldapFirm) person(login string) string { return "uid=" + ldap.EscapeDN(login) + "," + f.base }
func (f *ldapFirm) group(name string) string   { return "cn=" + ldap.EscapeDN(name) + "," + f.base }

// lay adds everybody, and then the groups: those of the directory in the rules
// and those that the rules' config would hold.
func (f *ldapFirm) lay() {
	f.dir.Add(f.t, f.base, "objectClass", "organizationalUnit")
	groups := map[string][]string{}
	for who, person := range f.rules.People {
		login, isUser := strings.CutPrefix(who, "user:")
		if !isUser {
			continue
		}
		f.dir.Add(f.t, f.person(login), "objectClass", "inetOrgPerson", "uid", login, "cn", login, "sn", login,
			"mail", login+"@firm.example", "userPassword", password)
		for _, g := range person.Groups {
			groups[g] = append(groups[g], f.person(login))
		}
	}
	for name, g := range f.rules.Groups {
		for _, m := range g.Members {
			if inner, ok := strings.CutPrefix(m, "group:"); ok {
				groups[name] = append(groups[name], f.group(inner))
			} else {
				groups[name] = append(groups[name], f.person(strings.TrimPrefix(m, "user:")))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		pairs := []string{"objectClass", "groupOfNames", "cn", name}
		for _, dn := range slices.Compact(slices.Sorted(slices.Values(groups[name]))) {
			pairs = append(pairs, "member", dn)
		}
		f.dir.Add(f.t, f.group(name), pairs...)
	}
	f.ids = map[string]string{}
	for who := range f.rules.People {
		if login, ok := strings.CutPrefix(who, "user:"); ok {
			f.ids[who] = "ldap:" + f.uuid(login)
		}
	}
}

func (f *ldapFirm) uuid(login string) string {
	found, err := f.dir.Admin(f.t).Search(ldap.NewSearchRequest(f.person(login), ldap.ScopeBaseObject, ldap.NeverDerefAliases,
		1, 0, false, "(objectClass=*)", []string{"entryUUID"}, nil))
	if err != nil || len(found.Entries) != 1 {
		f.t.Fatalf("entryUUID of %s: %v", login, err)
	}
	return found.Entries[0].GetAttributeValue("entryUUID")
}

// theirs is the tree with the IDs that the directory gives to those who created it.
func (f *ldapFirm) theirs(tree []acltest.Thing) []acltest.Thing {
	tree = slices.Clone(tree)
	for i, th := range tree {
		if id, ok := f.ids[th.Creator]; ok {
			tree[i].Creator = id
		}
	}
	return tree
}

// bare is the rules without their groups.
func (f *ldapFirm) bare() *acltest.Rules {
	bare := *f.rules
	bare.Groups = nil
	return &bare
}

func (f *ldapFirm) config() string {
	return fmt.Sprintf(`  ldap:
    url: %q
    ca: %q
    bind_dn: %q
    bind_password: %q
    users: {base: %q, filter: "(uid={login})"}
    groups: {base: %q, filter: "(member={dn})", nested: true}
    cache: 1s
`, f.dir.URL, filepath.ToSlash(f.dir.CA), f.dir.BindDN, f.dir.BindPassword, f.base, f.base)
}
