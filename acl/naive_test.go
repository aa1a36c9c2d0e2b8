package acl_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/acl"
	"portico/acl/acltest"
	"portico/vpath"
)

const (
	randomPolicies  = 4000
	questionsEach   = 280 // together more than a million decisions
	sightingsEach   = 25
	minimalDecision = 1_000_000
)

// seed is that of the run, or the one in ACL_SEED to repeat a run.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(time.Now().UnixNano())
	if text := os.Getenv("ACL_SEED"); text != "" {
		var err error
		if s, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("ACL_SEED: %v", err)
		}
	}
	t.Logf("repeat with ACL_SEED=%d", s)
	return s
}

// tally counts what a run met, so that a generator that makes dull rules fails.
type tally struct{ decisions, allowed, seen, unseen int }

// TestEngineEqualsNaive holds the compiled policy against the evaluator that is
// written straight from DESIGN.md §5.
func TestEngineEqualsNaive(t *testing.T) {
	t.Parallel()
	base, workers := seed(t), runtime.GOMAXPROCS(0)
	totals := make([]tally, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < randomPolicies && !t.Failed(); i += workers {
				compare(t, base, uint64(i), &totals[w])
			}
		})
	}
	wg.Wait()
	var sum tally
	for _, n := range totals {
		sum.decisions += n.decisions
		sum.allowed += n.allowed
		sum.seen += n.seen
		sum.unseen += n.unseen
	}
	t.Logf("%d decisions (%d yes), %d things seen and %d not", sum.decisions, sum.allowed, sum.seen, sum.unseen)
	if t.Failed() {
		return
	}
	if sum.decisions < minimalDecision || sum.allowed < sum.decisions/10 || sum.seen < 10_000 || sum.unseen < 10_000 {
		t.Error("the random rules do not cover enough")
	}
}

// compare asks both about one random policy.
func compare(t *testing.T, base, policy uint64, n *tally) {
	t.Helper()
	rng := rand.New(rand.NewPCG(base, policy))
	rules, things := acltest.Random(rng, policy%4 == 0)
	naive, engine := acltest.NewNaive(rules), compile(t, rules)
	views := map[string]*acl.View{}
	bare, given := parted(t, rules)
	for who := range rules.People {
		views[who] = engine.View(rules.Principal(who), rules.Now())
	}
	people := keys(rules.People)
	fail := func(format string, args ...any) {
		t.Errorf("policy %d: "+format, append([]any{policy}, args...)...)
	}
	for range questionsEach {
		who, thing := people[rng.IntN(len(people))], things[rng.IntN(len(things))]
		word := acltest.Words()[rng.IntN(12)]
		want := naive.Allows(who, word, thing.Path, thing.Creator)
		d := views[who].Decide(right(word), vpath.Must(thing.Path), acltest.ID(thing.Creator))
		if d.Allowed() != want {
			fail("%s %s %s (by %q): naive %v, engine: %s", who, word, thing.Path, thing.Creator, want, d)
		}
		if apart := given(bare, who).Decide(right(word), vpath.Must(thing.Path), acltest.ID(thing.Creator)); apart.Allowed() != want {
			fail("%s %s %s (by %q): naive %v, with what was given apart: %s", who, word, thing.Path, thing.Creator, want, apart)
		}
		n.decisions++
		if want {
			n.allowed++
		}
	}
	for range sightingsEach {
		who, thing := people[rng.IntN(len(people))], things[rng.IntN(len(things))]
		want, got := see(naive, views[who], who, thing)
		if got != want {
			fail("%s sees %+v: naive %v, engine %v", who, thing, want, got)
		}
		if _, apart := see(naive, given(bare, who), who, thing); apart != want {
			fail("%s sees %+v: naive %v, with what was given apart %v", who, thing, want, apart)
		}
		if want {
			n.seen++
		} else {
			n.unseen++
		}
	}
	if t.Failed() {
		t.Logf("policy %d:\n%s", policy, rules.Config("disk"))
		t.Logf("shares: %+v", rules.Shares)
	}
}

// parted is a policy without what people gave, and the views that have it beside
// the policy: the same answers are wanted.
func parted(t *testing.T, rules *acltest.Rules) (bare *acl.Policy, view func(p *acl.Policy, who string) *acl.View) {
	t.Helper()
	without := *rules
	without.Shares = nil
	spec, err := rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	given := spec.Grants[len(spec.Grants)-len(rules.Shares):]
	views := map[string]*acl.View{}
	return compile(t, &without), func(p *acl.Policy, who string) *acl.View {
		if views[who] == nil {
			views[who] = p.View(rules.Principal(who), rules.Now(), given...)
		}
		return views[who]
	}
}

func see(naive *acltest.Naive, v *acl.View, who string, thing acltest.Thing) (want, got bool) {
	p := vpath.Must(thing.Path)
	if thing.Dir {
		return naive.SeesFolder(who, thing.Path), v.SeesFolder(p)
	}
	return naive.SeesFile(who, thing.Path, thing.Creator), v.SeesFile(p, acltest.ID(thing.Creator))
}

func compile(t *testing.T, rules *acltest.Rules) *acl.Policy {
	t.Helper()
	spec, err := rules.Spec()
	if err != nil {
		t.Fatal(err)
	}
	p, err := acl.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func right(word string) acl.Right {
	r, _, err := acl.ParseRight(strings.TrimSpace(word))
	if err != nil {
		panic(err)
	}
	return r
}

// FuzzEngineEqualsNaive searches the random policies beyond what one run sees.
func FuzzEngineEqualsNaive(f *testing.F) {
	f.Add(uint64(1), uint64(0))
	f.Add(uint64(2), uint64(1))
	f.Fuzz(func(t *testing.T, base, policy uint64) {
		var n tally
		compare(t, base, policy, &n)
	})
}
