package files

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Access is what somebody, or a group, may do with a thing.
type Access struct {
	Subject string
	Name    string         // the subject without its kind
	Rights  []string       // words of the config, with their :own forms
	Why     fault.Sentence // why they may do the first of them, nil where they may do nothing
	Grant   *store.Grant   // the nearest that somebody made for them, nil if none did
}

// Rights are the words of what the principal holds at p, "delete:own" and the
// like included.
func (t *Tree) Rights(p vpath.Path) []string {
	if p.IsRoot() || t.as != nil && !t.mayLook(p.Top()) {
		return nil
	}
	return t.view.Rights(p).Words()
}

// Why tells whether the principal may do something with what lies at p, and why.
func (t *Tree) Why(ctx context.Context, p vpath.Path, right string) (allowed bool, why fault.Sentence, err error) {
	r, _, err := acl.ParseRight(right)
	if err != nil {
		return false, nil, fault.Tell(fs.ErrInvalid, "%s", err)
	}
	info, err := t.thing(ctx, p)
	if err != nil {
		return false, nil, t.record(ctx, audit.Event{Action: audit.Stat, Path: p.String()}, err)
	}
	d := t.view.Decide(r, p, info.Creator)
	return d.Allowed(), d, nil
}

// Who tells who may do what with the thing at p, and why: all whom a rule of the
// config or a grant names there. It needs share, grant or audit on it; others are
// told of themselves alone.
func (t *Tree) Who(ctx context.Context, p vpath.Path) ([]Access, error) {
	list, err := t.access(ctx, p)
	return list, t.record(ctx, audit.Event{Action: audit.Stat, Path: p.String()}, err)
}

func (t *Tree) access(ctx context.Context, p vpath.Path) ([]Access, error) {
	info, err := t.thing(ctx, p)
	if err != nil {
		return nil, err
	}
	if !t.mayKnow(p, info) {
		return []Access{t.accessOf(t.view, t.who.acl.Self, p, info)}, nil
	}
	known, err := t.s.grants.known(ctx)
	if err != nil {
		return nil, err
	}
	nearest, order := known.above(p)
	var all []Access
	for _, subject := range append(t.r.policy.Named(p), order...) {
		if containsSubject(all, subject) {
			continue
		}
		// The creator is nobody: what they hold of their own is told as such.
		view, err := t.s.viewOf(ctx, t.r, acl.Principal{ID: "\x00", Self: subject}, t.now())
		if err != nil {
			return nil, err
		}
		a := t.accessOf(view, subject, p, backends.Info{})
		if g, given := nearest[subject]; given {
			a.Grant = &g
		}
		if len(a.Rights) > 0 {
			all = append(all, a)
		}
	}
	return all, nil
}

func containsSubject(all []Access, s acl.Subject) bool {
	for _, a := range all {
		if a.Subject == string(s) {
			return true
		}
	}
	return false
}

// mayKnow tells whether the principal may know who else may do what with a thing.
func (t *Tree) mayKnow(p vpath.Path, info backends.Info) bool {
	return slices.ContainsFunc(knowing(), func(right acl.Right) bool { return t.view.Decide(right, p, info.Creator).Allowed() })
}

// KnowsOthers is the rule of Who for rights in words, as Rights and Node.Rights give
// them.
func KnowsOthers(rights []string) bool {
	return slices.ContainsFunc(knowing(), func(right acl.Right) bool { return slices.Contains(rights, right.String()) })
}

// knowing are the rights of which each lets somebody know who else has some.
func knowing() []acl.Right { return []acl.Right{acl.Share, acl.GrantRight, acl.Audit} }

// accessOf is what a view says of p, with the sentence for the first right.
func (t *Tree) accessOf(view *acl.View, subject acl.Subject, p vpath.Path, info backends.Info) Access {
	rights := view.Rights(p)
	_, name, found := strings.Cut(string(subject), ":")
	if !found {
		name = string(subject)
	}
	a := Access{Subject: string(subject), Name: name, Rights: rights.Words()}
	creator := info.Creator
	for _, right := range acl.AllRights() {
		if !rights.HasOwn(right) {
			continue
		}
		if !rights.Has(right) && creator == "" {
			creator = "\x00"
		}
		if d := view.Decide(right, p, creator); d.Allowed() {
			a.Why = d
			break
		}
	}
	return a
}

// above are the nearest grants to each subject at p or above it, and the subjects,
// the nearest first.
func (g *granted) above(p vpath.Path) (nearest map[acl.Subject]store.Grant, order []acl.Subject) {
	nearest = map[acl.Subject]store.Grant{}
	for q := p; !q.IsRoot(); q = q.Parent() {
		for subject, list := range g.to {
			for _, one := range list {
				if _, known := nearest[subject]; one.Path == q && !known {
					nearest[subject] = one
				}
			}
		}
	}
	return nearest, slices.SortedFunc(maps.Keys(nearest), func(a, b acl.Subject) int {
		return cmp.Or(nearest[b].Path.Depth()-nearest[a].Path.Depth(), cmp.Compare(a, b))
	})
}

// Given are the grants at p and at its direct members, in whatever state they are
// and ended ones too, p's own first, for those who may read p.
func (t *Tree) Given(ctx context.Context, p vpath.Path) ([]store.Grant, error) {
	info, err := t.thing(ctx, p)
	if err == nil {
		err = t.need(acl.Read, p, info)
	}
	if err != nil {
		return nil, t.record(ctx, audit.Event{Action: audit.Stat, Path: p.String()}, err)
	}
	all, err := t.s.State.GrantsBelow(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("files: given: %w", err)
	}
	var list []store.Grant
	for _, g := range all {
		if g.Path == p || g.Path.Parent() == p && t.seesGiven(g) {
			list = append(list, g)
		}
	}
	slices.SortStableFunc(list, func(a, b store.Grant) int { return a.Path.Compare(b.Path) })
	return list, nil
}

// seesGiven tells whether the principal may know of what a grant stands on.
func (t *Tree) seesGiven(g store.Grant) bool {
	if g.Dir {
		return t.view.SeesFolder(g.Path)
	}
	return t.view.SeesFile(g.Path, "")
}
