package acl

import (
	"cmp"
	"slices"
	"strings"
)

// roster tells, for each subject, the groups that list it as a member.
type roster map[Subject][]Subject

func newRoster(groups []Group) roster {
	r := roster{}
	for _, g := range groups {
		for _, m := range g.Members {
			r[m] = append(r[m], GroupOf(g.Name))
		}
	}
	return r
}

// lineage is every subject that a principal is, and how they come to be it.
//
// Every group counts, however it is reached: rules have no "nearest" among a
// person's groups, only among folders.
type lineage struct {
	order []Subject           // nearest first: themself, the directory's groups, everyone, groups of groups
	from  map[Subject]Subject // one hop back towards the person; themself comes from ""
}

// descend finds a principal's subjects, nearest first, so that the chain shown
// for a group is a shortest one. A subject is entered once: a cycle of groups
// ends by itself. A group of the directory may be a member of one of the
// config's, and one that bears the same name is the same group.
func (r roster) descend(who Principal) lineage {
	l := lineage{from: map[Subject]Subject{}}
	enter := func(s, from Subject) {
		if _, known := l.from[s]; !known {
			l.from[s] = from
			l.order = append(l.order, s)
		}
	}
	enter(who.Self, "")
	for _, g := range who.Groups {
		enter(g.Group, cmp.Or(g.Through, who.Self))
	}
	if who.Staff {
		enter(Everyone, who.Self)
	}
	for next := 0; next < len(l.order); { // order grows on the way
		s := l.order[next]
		next++
		for _, g := range r[s] {
			enter(g, s)
		}
	}
	return l
}

// chain is the way from the person to s.
func (l lineage) chain(s Subject) Chain {
	var c Chain
	for ; s != ""; s = l.from[s] {
		c = append(c, s)
	}
	slices.Reverse(c)
	return c
}

// Subjects are all that a rule can call who by: themself, and every group that
// they are in, the nearest first.
func (p *Policy) Subjects(who Principal) []Subject {
	return p.roster.descend(who).order
}

// Chain is how a principal comes to be in a group: the person first, the group
// last, each a member of the next.
type Chain []Subject

// String is "ann is in group:staff through group:interns", and "" for a chain
// of the person alone.
func (c Chain) String() string { return c.clause().String() }

func (c Chain) clause() clause {
	if len(c) < 2 {
		return clause{}
	}
	last := len(c) - 1
	if last == 1 {
		return say("%s is in %s", c[0].short(), c[last])
	}
	var hops []string
	for _, s := range c[1:last] {
		hops = append(hops, string(s))
	}
	return say("%s is in %s through %s", c[0].short(), c[last], strings.Join(hops, ", "))
}

// short is a person's bare name, as sentences use it, and the whole subject for
// all that is not a person.
func (s Subject) short() string {
	for _, prefix := range []string{"user:", "contact:"} {
		if name, ok := strings.CutPrefix(string(s), prefix); ok {
			return name
		}
	}
	return string(s)
}

// Chains tells for each group that who is in, everyone included, how they come
// to be in it: by the shortest way, the nearest groups first.
func (p *Policy) Chains(who Principal) []Chain {
	l := p.roster.descend(who)
	var chains []Chain
	for _, s := range l.order[1:] {
		chains = append(chains, l.chain(s))
	}
	return chains
}

// People are the persons whom the config lists in a group, themselves or through
// groups in it, in the order of their names. Whom a directory has in it is not
// known here, and of everyone there is no list.
func (p *Policy) People(group Subject) []Subject {
	var all []Subject
	for s := range p.roster {
		_, isPerson := strings.CutPrefix(string(s), "user:")
		if _, in := p.roster.descend(Principal{Self: s}).from[group]; in && isPerson && s != group {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return all
}
