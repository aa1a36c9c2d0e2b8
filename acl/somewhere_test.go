package acl_test

import (
	"strings"
	"testing"

	"portico/acl"
	"portico/vpath"
)

// Somewhere says what a walk over all folders would: those of the rules, those
// of shares, and all things in them.
func TestSomewhere(t *testing.T) {
	yes, no := 0, 0
	for w := range worlds(t, 60) {
		all := map[vpath.Path]bool{}
		for name, space := range w.rules.Workspaces {
			for folder := range space.Folders {
				all[vpath.Must(strings.TrimSuffix("/"+name+folder, "/"))] = true
			}
		}
		for _, share := range w.rules.Shares {
			all[vpath.Must(share.Path)] = true
		}
		for _, thing := range w.things {
			all[vpath.Must(thing.Path)] = true
		}
		for _, who := range keys(w.rules.People) {
			v := w.policy.View(w.rules.Principal(who), w.rules.Now())
			for below := range all {
				for _, right := range acl.AllRights() {
					want := false
					for p := range all {
						want = want || below.Contains(p) && v.Rights(p).HasOwn(right)
					}
					if got := v.Somewhere(below, right); got != want {
						t.Fatalf("%s: Somewhere(%s, %s) = %v, want %v", who, below, right, got, want)
					}
					if want {
						yes++
					} else {
						no++
					}
				}
			}
		}
	}
	if yes == 0 || no == 0 {
		t.Errorf("%d times yes, %d times no: the question was not asked", yes, no)
	}
}
