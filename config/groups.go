package config

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"portico/acl"
)

// groups reads all groups, in the order of the file.
func (l *loader) groups(root *fields) []acl.Group {
	section, ok := root.get("groups")
	if !ok {
		return nil
	}
	entries := section.entries()
	for _, e := range entries {
		e.checkName()
		l.groupNames.add(e)
	}
	var all []acl.Group
	for _, e := range entries { // all names are known now: a group may name a later one
		all = append(all, l.group(e))
	}
	l.cycles(all)
	return all
}

// group reads one. members must be there, so that a group whose list was
// commented out is noticed before somebody misses their folder.
func (l *loader) group(e entry) acl.Group {
	g := acl.Group{Name: norm.NFC.String(e.key), At: e.keyAt.at()}
	f := e.value.fields()
	defer f.close()
	v, ok := f.need("members", "write members: [ann, group:interns], or [] for a group without members")
	if !ok {
		return g
	}
	for _, w := range v.texts("members") {
		if s, ok := l.member(w); ok {
			g.Members = append(g.Members, s)
		}
	}
	return g
}

// member reads a login, "user:LOGIN" or "group:NAME".
func (l *loader) member(w word) (acl.Subject, bool) {
	kind, name, found := strings.Cut(norm.NFC.String(w.text), ":")
	if !found {
		kind, name = "user", kind
		if !l.userNames.has(name) && l.groupNames.has(name) {
			w.fault("there is no user %q but a group of that name; write group:%s", name, name)
			return "", false
		}
	}
	switch kind {
	case "user":
		return acl.User(name), l.userNames.check(w.value, name)
	case "group":
		return acl.GroupOf(name), l.groupNames.check(w.value, name)
	}
	w.fault("%s cannot be a member; write a login, or group:NAME", w.shown())
	return "", false
}

// cycles reports each ring of groups once, at the group of the ring that the
// file names first.
func (l *loader) cycles(all []acl.Group) {
	byName := map[acl.Subject]acl.Group{}
	for _, g := range all {
		byName[acl.GroupOf(g.Name)] = g
	}
	done := map[acl.Subject]bool{} // all paths from here have been walked
	var trail []acl.Subject
	var walk func(acl.Subject)
	walk = func(s acl.Subject) {
		for i, above := range trail {
			if above == s {
				l.cycle(byName[s], append(trail[i:len(trail):len(trail)], s))
				return
			}
		}
		if done[s] {
			return
		}
		trail = append(trail, s)
		for _, m := range byName[s].Members {
			if strings.HasPrefix(string(m), "group:") {
				walk(m)
			}
		}
		trail = trail[:len(trail)-1]
		done[s] = true
	}
	for _, g := range all {
		walk(acl.GroupOf(g.Name))
	}
}

// cycle reports one ring, with the whole way round, since any of its groups may
// be the one that is wrong.
func (l *loader) cycle(at acl.Group, ring []acl.Subject) {
	words := make([]string, len(ring))
	for i, s := range ring {
		words[i] = strings.TrimPrefix(string(s), "group:")
	}
	l.add(at.At.Line, "groups.%s: the groups contain each other in a circle: %s; take one of them out of the next", at.Name, strings.Join(words, " → "))
}

// closure is the group and all who are in it, directly or through other groups.
func closure(all []acl.Group, group acl.Subject) map[acl.Subject]bool {
	in := map[acl.Subject]bool{group: true}
	for grown := true; grown; {
		grown = false
		for _, g := range all {
			if !in[acl.GroupOf(g.Name)] {
				continue
			}
			for _, m := range g.Members {
				grown = grown || !in[m]
				in[m] = true
			}
		}
	}
	return in
}
