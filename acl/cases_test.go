package acl_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
	"portico/acl/acltest"
	"portico/vpath"
)

// TestCases plays the case files: each answer, and the lines that decide it.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := acltest.Load(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			policy := compile(t, &f.Rules)
			naive := acltest.NewNaive(&f.Rules)
			bare, given := parted(t, &f.Rules)
			for _, c := range f.Cases {
				playCase(t, c, policy.View(f.Rules.Principal(c.Who), f.Rules.Now()), naive)
				playCase(t, c, given(bare, c.Who), naive)
			}
		})
	}
}

func playCase(t *testing.T, c acltest.Case, v *acl.View, naive *acltest.Naive) {
	t.Helper()
	at := fmt.Sprintf("line %d: %s %s %s", c.Line, c.Who, c.May, c.Thing.Path)
	if c.May == "see" {
		second, got := see(naive, v, c.Who, c.Thing)
		if got != c.Want || second != c.Want {
			t.Errorf("%s = %v (naive %v), want %v", at, got, second, c.Want)
		}
		return
	}
	d := v.Decide(right(c.May), vpath.Must(c.Thing.Path), acltest.ID(c.Thing.Creator))
	if d.Allowed() != c.Want {
		t.Errorf("%s: %s", at, d)
	}
	if got := naive.Allows(c.Who, c.May, c.Thing.Path, c.Thing.Creator); got != c.Want {
		t.Errorf("%s: naive says %v", at, got)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(c.By)), deciding(d)); diff != "" {
		t.Errorf("%s: lines that decide (-want +got):\n%s%s", at, diff, d)
	}
}

// deciding are the lines of the rules that gave a decision its answer: the
// grants of a yes, the denies of a no, or else what hides the rules above.
func deciding(d acl.Decision) []int {
	lines := map[acl.Kind][]int{}
	for _, r := range d.Reasons() {
		if r.At.Line > 0 {
			lines[r.Kind] = append(lines[r.Kind], r.At.Line)
		}
	}
	list := lines[acl.KindDeny]
	switch {
	case d.Allowed():
		list = slices.Concat(lines[acl.KindGrant], lines[acl.KindOwner])
	case list == nil:
		list = lines[acl.KindHides]
	}
	slices.Sort(list)
	return slices.Compact(list)
}
