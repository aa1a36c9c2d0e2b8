package ldap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"portico/identity"
)

const (
	maxDepth = 8  // groups in groups; what lies deeper does not count
	chunk    = 20 // groups whose parents are asked for in one search
)

// group is one that somebody is in.
type group struct {
	dn, key string
	name    string          // for rules; "" where it has none that counts
	up      map[string]bool // keys of the groups that it is a member of, where the directory says so
	through *group          // the one that is a member of this one; nil where the person is
}

// groups are all of somebody's.
func (d *Directory) groups(ctx context.Context, e *goldap.Entry) ([]identity.Membership, error) {
	if d.o.Groups == nil {
		return nil, nil
	}
	w := &walk{d: d, seen: map[string]*group{}}
	var err error
	if d.o.activeDirectory() {
		err = w.activeDirectory(ctx, e)
	} else {
		err = w.up(ctx, d.directFilter(e))
	}
	if tooMany(err) {
		return nil, fmt.Errorf("somebody is in more than %d groups; make the base or the filter of the groups narrower: %w", sizeLimit, err)
	}
	return memberships(w.all), err
}

// directFilter finds the groups that somebody is in themself. A Unix account has
// a group that does not list it: the one whose number the account has.
func (d *Directory) directFilter(e *goldap.Entry) string {
	t := template(d.o.Groups.Filter)
	filter := t.fill(e.DN, principal(e, d.o.Users.Login))
	if gid, err := strconv.ParseUint(first(e, "gidNumber"), 10, 32); err == nil && t.named("memberUid") {
		filter = "(|" + filter + "(&(objectClass=posixGroup)(gidNumber=" + strconv.FormatUint(gid, 10) + ")))"
	}
	return filter
}

// parentFilter finds the groups that a group is in.
func (d *Directory) parentFilter(g *group) string {
	return template(d.o.Groups.Filter).fill(g.dn, nobody)
}

// walk goes up from a person, one level after the other. A group that was seen
// is not looked at again, so that a ring ends.
type walk struct {
	d    *Directory
	all  []*group // the nearest first
	seen map[string]*group
}

// up finds the direct groups, and those above them.
func (w *walk) up(ctx context.Context, direct string) error {
	found, err := w.find(ctx, direct)
	if err != nil {
		return err
	}
	for _, g := range found {
		w.add(g, nil)
	}
	_, err = w.climb(ctx, w.all)
	return err
}

// climb goes on from the groups of one level. cut tells that there may be more
// above the last.
func (w *walk) climb(ctx context.Context, level []*group) (cut bool, err error) {
	if !w.d.o.Groups.Nested || !template(w.d.o.Groups.Filter).has(placeDN) {
		return false, nil
	}
	for depth := 1; len(level) > 0; depth++ {
		if depth == maxDepth {
			return true, nil
		}
		if level, err = w.above(ctx, level); err != nil {
			return false, err
		}
	}
	return false, nil
}

// above finds the groups above one level: one search for many, since most groups
// are in no other.
func (w *walk) above(ctx context.Context, level []*group) ([]*group, error) {
	start := len(w.all)
	for some := range slices.Chunk(level, chunk) {
		filters := make([]string, len(some))
		for i, g := range some {
			filters[i] = w.d.parentFilter(g)
		}
		found, err := w.find(ctx, "(|"+strings.Join(filters, "")+")")
		if err != nil {
			return nil, err
		}
		if err := w.attribute(ctx, found, some); err != nil {
			return nil, err
		}
	}
	return w.all[start:], nil
}

// attribute finds out which of the level each group was reached through: the
// level's own memberOf says it, or else each is asked alone.
func (w *walk) attribute(ctx context.Context, found, level []*group) error {
	found = slices.DeleteFunc(found, func(g *group) bool { return w.seen[g.key] != nil })
	for _, child := range level {
		found = w.adopt(found, child, func(g *group) bool { return child.up[g.key] || len(level) == 1 })
	}
	for _, child := range level {
		if len(found) == 0 {
			return nil
		}
		its, err := w.find(ctx, w.d.parentFilter(child))
		if err != nil {
			return err
		}
		found = w.adopt(found, child, func(g *group) bool {
			return slices.ContainsFunc(its, func(p *group) bool { return p.key == g.key })
		})
	}
	return nil
}

// adopt adds those that are above child, and gives the others back.
func (w *walk) adopt(found []*group, child *group, above func(*group) bool) (rest []*group) {
	for _, g := range found {
		if above(g) {
			w.add(g, child)
		} else {
			rest = append(rest, g)
		}
	}
	return rest
}

func (w *walk) add(g, through *group) {
	if w.seen[g.key] != nil {
		return
	}
	g.through = through
	w.seen[g.key] = g
	w.all = append(w.all, g)
}

// find searches groups, in an order that is always the same.
func (w *walk) find(ctx context.Context, filter string) ([]*group, error) {
	o := w.d.o.Groups
	entries, err := w.d.search(ctx, w.d.request(o.Base, filter, sizeLimit, []string{o.Name, "memberOf"}))
	if err != nil {
		return nil, err
	}
	list := make([]*group, len(entries))
	for i, e := range entries {
		if list[i], err = w.group(ctx, e); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b *group) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key)) })
	return list, nil
}

func (w *walk) group(ctx context.Context, e *goldap.Entry) (*group, error) {
	up, err := w.d.keysOf(ctx, e, "memberOf")
	if err != nil {
		return nil, err
	}
	return &group{dn: e.DN, key: dnKey(e.DN), name: w.d.nameOf(ctx, e), up: up}, nil
}

// memberships lists groups by their names. One without a name that counts is
// left out, and what is above it is reached through the one below.
func memberships(all []*group) []identity.Membership {
	var list []identity.Membership
	known := map[string]bool{"": true}
	for _, g := range all {
		if known[g.name] {
			continue
		}
		known[g.name] = true
		through := g.through
		for through != nil && through.name == "" {
			through = through.through
		}
		m := identity.Membership{Group: g.name}
		if through != nil {
			m.Through = through.name
		}
		list = append(list, m)
	}
	return list
}
