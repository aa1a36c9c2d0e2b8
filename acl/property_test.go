package acl_test

import (
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/acl"
	"portico/acl/acltest"
	"portico/vpath"
)

// world is one random policy with all that can be asked about it.
type world struct {
	rng    *rand.Rand
	rules  *acltest.Rules
	things []acltest.Thing
	spec   acl.Spec
	policy *acl.Policy
}

// worlds makes random policies, and shows the one on which a test fails.
func worlds(t *testing.T, count int) iter.Seq[world] {
	t.Helper()
	base := seed(t)
	return func(yield func(world) bool) {
		for i := range uint64(count) {
			w := world{rng: rand.New(rand.NewPCG(base, i))}
			w.rules, w.things = acltest.Random(w.rng, i%2 == 0)
			var err error
			if w.spec, err = w.rules.Spec(); err != nil {
				t.Fatal(err)
			}
			w.policy = must(t, w.spec)
			if more := yield(w); t.Failed() {
				t.Fatalf("policy %d:\n%s\nshares: %+v", i, w.rules.Config("disk"), w.rules.Shares)
			} else if !more {
				return
			}
		}
	}
}

// answers are all that a policy says, question by question: the same order for
// every policy of a world.
func (w world) answers(t *testing.T, spec acl.Spec) []bool {
	t.Helper()
	policy, err := acl.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	var list []bool
	for _, who := range keys(w.rules.People) {
		list = append(list, w.heard(policy.View(w.rules.Principal(who), w.rules.Now()))...)
	}
	return list
}

func (w world) heard(v *acl.View) []bool {
	var list []bool
	for _, thing := range w.things {
		p, creator := vpath.Must(thing.Path), acltest.ID(thing.Creator)
		for _, r := range acl.AllRights() {
			list = append(list, v.Decide(r, p, creator).Allowed())
		}
		list = append(list, v.SeesFolder(p), v.SeesFile(p, creator))
	}
	return list
}

func TestRemovingAGrantNeverAddsAccess(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 300) {
		if len(w.spec.Grants) == 0 {
			continue
		}
		less := w.spec
		i := w.rng.IntN(len(less.Grants))
		less.Grants = slices.Delete(slices.Clone(less.Grants), i, i+1)
		before, after := w.answers(t, w.spec), w.answers(t, less)
		for q := range before {
			if after[q] && !before[q] {
				t.Errorf("without %+v, the answer to question %d is yes", w.spec.Grants[i], q)
			}
		}
	}
}

// Package files stands on it: what is seen whoever made it, it does not ask about.
func TestACreatorNeverTakesAccess(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 300) {
		for _, who := range keys(w.rules.People) {
			v := w.policy.View(w.rules.Principal(who), w.rules.Now())
			for _, thing := range w.things {
				p, creator := vpath.Must(thing.Path), acltest.ID(thing.Creator)
				if v.SeesFile(p, "") && !v.SeesFile(p, creator) {
					t.Errorf("%s sees the file %s, and not where %s made it", who, p, creator)
				}
			}
		}
	}
}

func TestAddingADenyNeverAddsAccess(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 300) {
		rights, _ := acl.ParseRights([]string{acltest.Words()[w.rng.IntN(12)]})
		more := w.spec
		more.Denies = append(slices.Clone(more.Denies), acl.Deny{
			Path: vpath.Must(w.things[w.rng.IntN(len(w.things))].Path), Subject: acl.Everyone, Rights: rights,
		})
		before, after := w.answers(t, w.spec), w.answers(t, more)
		for q := range before {
			if after[q] && !before[q] {
				t.Errorf("with a deny of %s, the answer to question %d is yes", rights, q)
			}
		}
	}
}

func TestAnUnrelatedUserChangesNothing(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 300) {
		more, place := w.spec, vpath.Must(w.things[w.rng.IntN(len(w.things))].Path)
		all, _ := acl.ParseRights([]string{"all"})
		owner, _ := acl.RoleNamed("owner")
		zed := acl.User("zed")
		more.Groups = append(slices.Clone(more.Groups), acl.Group{Name: "g0", Members: []acl.Subject{zed}})
		more.Grants = append(slices.Clone(more.Grants), acl.Grant{Path: place, Subject: zed, Role: owner})
		more.Denies = append(slices.Clone(more.Denies), acl.Deny{Path: place, Subject: zed, Rights: all})
		if !slices.Equal(w.answers(t, w.spec), w.answers(t, more)) {
			t.Errorf("zed's rules on %s change what others may do", place)
		}
	}
}

func TestTheOrderOfRulesDoesNotMatter(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 200) {
		other := acl.Spec{
			Groups: slices.Clone(w.spec.Groups), Folders: slices.Clone(w.spec.Folders),
			Grants: slices.Clone(w.spec.Grants), Denies: slices.Clone(w.spec.Denies),
		}
		slices.Reverse(other.Groups)
		slices.Reverse(other.Folders)
		slices.Reverse(other.Grants)
		slices.Reverse(other.Denies)
		if !slices.Equal(w.answers(t, w.spec), w.answers(t, other)) {
			t.Error("the rules in reverse order answer otherwise")
		}
	}
}

// A view may be kept until it expires, and not a moment longer.
func TestAViewHoldsUntilItExpires(t *testing.T) {
	t.Parallel()
	expired := 0
	for w := range worlds(t, 300) {
		for _, who := range keys(w.rules.People) {
			p := w.rules.Principal(who)
			v := w.policy.View(p, w.rules.Now())
			end := v.Expires()
			if end.IsZero() {
				end = w.rules.Now().Add(1000 * time.Hour)
			} else {
				expired++
			}
			if !slices.Equal(w.heard(v), w.heard(w.policy.View(p, end.Add(-1)))) {
				t.Errorf("%s: the answers change before %v", who, end)
			}
			if later := w.policy.View(p, end).Expires(); !later.IsZero() && !later.After(end) {
				t.Errorf("%s: a view made at %v has expired at %v", who, end, later)
			}
		}
	}
	if expired == 0 {
		t.Error("no view ever expired")
	}
}

// SeesAll must be exact on the folders that have rules: rights change nowhere else.
func TestSeesAll(t *testing.T) {
	t.Parallel()
	yes := 0
	for w := range worlds(t, 500) {
		naive := acltest.NewNaive(w.rules)
		for _, who := range keys(w.rules.People) {
			want := naive.Allows(who, "list", "/firm", "") && naive.Allows(who, "read", "/firm", "")
			for _, f := range w.spec.Folders {
				if want && f.Path.Top() == "firm" {
					want = naive.Allows(who, "list", f.Path.String(), "") && naive.Allows(who, "read", f.Path.String(), "")
				}
			}
			if got := w.policy.View(w.rules.Principal(who), w.rules.Now()).SeesAll(vpath.Must("/firm")); got != want {
				t.Errorf("%s sees all of /firm: %v, want %v", who, got, want)
			}
			if want {
				yes++
			}
		}
	}
	if yes == 0 {
		t.Error("nobody ever saw all")
	}
}

// Every decision explains itself: the reasons agree with the answer, the
// sentence names nobody but the one who asked, and the mend mends.
func TestDecisionsExplainThemselves(t *testing.T) {
	t.Parallel()
	others := regexp.MustCompile(`\b(ann|bob|ida|tom|eve@client.example|link:7)\b`)
	groups := regexp.MustCompile(`group:\w+`)
	for w := range worlds(t, 500) {
		people := keys(w.rules.People)
		for range 20 {
			who, thing := people[w.rng.IntN(len(people))], w.things[w.rng.IntN(len(w.things))]
			p := w.rules.Principal(who)
			r := acl.AllRights()[w.rng.IntN(12)]
			d := w.policy.View(p, w.rules.Now()).Decide(r, vpath.Must(thing.Path), acltest.ID(thing.Creator))
			if got := agrees(d); got != d.Allowed() {
				t.Errorf("%s: the reasons say %v: %+v", d, got, d.Reasons())
			}
			mine := map[string]bool{strings.TrimPrefix(strings.TrimPrefix(who, "user:"), "contact:"): true}
			for _, c := range w.policy.Chains(p) {
				mine[string(c[len(c)-1])] = true
			}
			for _, name := range append(others.FindAllString(d.String(), -1), groups.FindAllString(d.String(), -1)...) {
				if !mine[name] {
					t.Errorf("%q names %s, who did not ask", d, name)
				}
			}
			w.mended(t, d, p, r, thing)
		}
	}
}

// agrees is the answer that follows from the reasons alone.
func agrees(d acl.Decision) bool {
	counts := map[acl.Kind]int{}
	for _, r := range d.Reasons() {
		counts[r.Kind]++
	}
	return counts[acl.KindOwner] > 0 || counts[acl.KindGrant] > 0 && counts[acl.KindDeny] == 0
}

// mended does what the mend says, and expects the other answer.
func (w world) mended(t *testing.T, d acl.Decision, who acl.Principal, r acl.Right, thing acltest.Thing) {
	t.Helper()
	spec, mend := w.spec, d.Mend()
	for _, m := range regexp.MustCompile(`the deny for (\S+) on (/.*?), rules.yaml:1`).FindAllStringSubmatch(mend, -1) {
		spec.Denies = slices.DeleteFunc(slices.Clone(spec.Denies), func(rule acl.Deny) bool {
			return string(rule.Subject) == m[1] && rule.Path.String() == m[2]
		})
	}
	if strings.Contains(mend, "an app password without this limit") {
		who.Limit = acl.Limit{}
	}
	if strings.Contains(mend, "remove the grant of owner") {
		spec.Grants = slices.DeleteFunc(slices.Clone(spec.Grants), func(g acl.Grant) bool { return g.Role.Name == "owner" })
		spec.Denies = append(slices.Clone(spec.Denies), acl.Deny{
			Path: vpath.Must(thing.Path), Subject: who.Self, Rights: rightsOf(t, r.String()),
		})
	}
	m := regexp.MustCompile(`write ("/.*"): \{(grant|deny): \{(".*"): \[?(\w+)\]?\}\} under workspaces\.(\w+)\.folders`).FindStringSubmatch(mend)
	if m != nil {
		inside, err := strconv.Unquote(m[1])
		if err != nil {
			t.Fatal(err)
		}
		path := vpath.Must(strings.TrimSuffix("/"+m[5]+inside, "/"))
		if m[2] == "deny" {
			spec.Denies = append(slices.Clone(spec.Denies), acl.Deny{Path: path, Subject: who.Self, Rights: rightsOf(t, m[4])})
		} else {
			role, _ := acl.RoleNamed(m[4])
			spec.Grants = append(slices.Clone(spec.Grants), acl.Grant{Path: path, Subject: who.Self, Role: role})
		}
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	again := policy.View(who, w.rules.Now()).Decide(r, vpath.Must(thing.Path), acltest.ID(thing.Creator))
	if again.Allowed() == d.Allowed() {
		t.Errorf("%s\n%s\n%s", d, mend, again)
	}
}

func rightsOf(t *testing.T, words ...string) acl.Rights {
	t.Helper()
	rs, err := acl.ParseRights(words)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// Rights must be what the single questions say.
func TestRightsAreTheSumOfDecisions(t *testing.T) {
	t.Parallel()
	for w := range worlds(t, 200) {
		for _, who := range keys(w.rules.People) {
			v := w.policy.View(w.rules.Principal(who), w.rules.Now())
			for _, thing := range w.things {
				p := vpath.Must(thing.Path)
				rs := v.Rights(p)
				for _, r := range acl.AllRights() {
					whole, own := v.Decide(r, p, "").Allowed(), v.Decide(r, p, acltest.ID(who)).Allowed()
					if rs.Has(r) != whole || rs.HasOwn(r) != own {
						t.Errorf("%s on %s: %s, but %s is %v, own %v", who, p, rs, r, whole, own)
					}
				}
			}
		}
	}
}
