package acl

import (
	"slices"
	"time"

	"portico/vpath"
)

// Change is what one principal gains and loses on one folder.
type Change struct {
	Principal Principal
	Path      vpath.Path
	// Rights as config spells them: who goes from read:own to read gains the
	// one and loses the other.
	Gained, Lost []string
}

// Diff compares two policies: what each of people gains and loses on each of
// folders, in that order. Those for whom nothing changes are left out.
func Diff(before, after *Policy, people []Principal, folders []vpath.Path, now time.Time) []Change {
	var changes []Change
	for _, who := range people {
		old, young := before.View(who, now), after.View(who, now)
		for _, path := range folders {
			had, has := old.Rights(path).Words(), young.Rights(path).Words()
			c := Change{Principal: who, Path: path, Gained: without(has, had), Lost: without(had, has)}
			if len(c.Gained)+len(c.Lost) > 0 {
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// without is what of list is not in other.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(w string) bool { return slices.Contains(other, w) })
}
