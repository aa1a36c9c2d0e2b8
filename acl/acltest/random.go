package acltest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Thing is a file or folder that lies in a workspace.
type Thing struct {
	Path    string
	Dir     bool
	Creator string // a subject, "" for one that nobody knows
}

// Random makes rules, and a tree for them to speak of. With plain, all of it
// can be written into a config: no contacts, no shares, no groups of a
// directory, no circles of groups and no folders that differ only in case.
func Random(rng *rand.Rand, plain bool) (*Rules, []Thing) {
	g := &generator{Rand: rng, plain: plain, rules: &Rules{
		Groups: map[string]Group{}, Roles: map[string][]string{},
		Workspaces: map[string]Workspace{}, People: map[string]Person{},
	}}
	g.everybody()
	g.groups()
	g.roles()
	g.tree()
	g.workspaces()
	if !plain {
		g.shares()
	}
	return g.rules, g.things
}

type generator struct {
	*rand.Rand
	plain     bool
	rules     *Rules
	people    []string
	roleNames []string
	folders   []string
	things    []Thing
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

func (g *generator) everybody() {
	for _, login := range []string{"ann", "bob", "ida", "tom"} {
		g.rules.People["user:"+login] = Person{}
	}
	if !g.plain {
		g.rules.People["user:bob"] = Person{Groups: []string{"sales", "g1"}}
		g.rules.People["user:tom"] = Person{Groups: []string{"sales"}, ReadOnly: g.chance(20)}
		if g.chance(20) {
			g.rules.People["user:ida"] = Person{Only: "firm2", ReadOnly: g.chance(50)}
		}
		g.rules.People["contact:eve@client.example"] = Person{Guest: true}
		g.rules.People["link:7"] = Person{Guest: true}
	}
	g.people = sorted(g.rules.People)
}

// groups are nested; a member group has a lower number, or any, so that circles
// come up.
func (g *generator) groups() {
	names := []string{"g0", "g1", "g2", "g3"}
	for i, name := range names {
		var members []string
		for _, who := range g.people {
			if strings.HasPrefix(who, "user:") && g.chance(25) {
				members = append(members, strings.TrimPrefix(who, "user:"))
			}
		}
		for j, other := range names {
			if (j < i || !g.plain && j != i) && g.chance(25) {
				members = append(members, "group:"+other)
			}
		}
		if !g.plain && g.chance(20) {
			members = append(members, "group:sales")
		}
		if len(members) == 0 {
			members = []string{"ann"}
		}
		g.rules.Groups[name] = Group{members}
	}
}

func (g *generator) roles() {
	for _, name := range []string{"r0", "r1"} {
		g.rules.Roles[name] = g.words(true)
	}
	g.roleNames = append(sorted(builtin()), "r0", "r1")
}

// words are a few rights; with own, in the :own form where there is one.
func (g *generator) words(own bool) []string {
	var list []string
	for range 1 + g.IntN(4) {
		w := pick(g, Words())
		if own && g.chance(50) && slices.Contains(strings.Fields("list read write delete share"), w) {
			w += ":own"
		}
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// tree makes folders whose names are prefixes and twins of one another, six
// deep at most, and files in them.
func (g *generator) tree() {
	names := []string{"a", "ab", "b", "c d", "é%"}
	if !g.plain {
		names = append(names, "A")
	}
	g.folders = []string{"/firm", "/firm2"}
	for range 4 + g.IntN(10) {
		path := pick(g, g.folders) + "/" + pick(g, names)
		if strings.Count(path, "/") <= 6 && !slices.Contains(g.folders, path) {
			g.folders = append(g.folders, path)
		}
	}
	for _, f := range g.folders {
		g.things = append(g.things, Thing{f, true, g.creator()}, Thing{f + "/file.txt", false, g.creator()})
	}
}

func (g *generator) creator() string {
	if g.chance(30) {
		return ""
	}
	return pick(g, g.people)
}

func (g *generator) workspaces() {
	for _, name := range []string{"firm", "firm2"} {
		w := Workspace{Folders: map[string]Folder{}}
		for _, path := range g.folders {
			inside, ok := strings.CutPrefix(path+"/", "/"+name+"/")
			if ok && (inside == "" || g.chance(50)) {
				w.Folders["/"+strings.TrimSuffix(inside, "/")] = g.folder(inside == "")
			}
		}
		if g.chance(30) && !g.plain {
			w.Folders["/a/file.txt"] = g.folder(false) // a rule on a file, or on nothing
		}
		g.rules.Workspaces[name] = w
	}
}

func (g *generator) folder(root bool) Folder {
	f := Folder{Grant: map[string]string{}, Deny: map[string][]string{}}
	if !root && g.chance(20) {
		no := false
		f.Inherit = &no
	}
	for range g.IntN(3) {
		f.Grant[g.subject()] = pick(g, g.roleNames)
	}
	if g.chance(25) {
		f.Deny[g.subject()] = g.words(false)
	}
	if g.chance(3) {
		f.Deny[g.subject()] = []string{"all"}
	}
	return f
}

// subject is whom a rule of the config names.
func (g *generator) subject() string {
	list := slices.DeleteFunc(slices.Clone(g.people), func(who string) bool {
		return !strings.HasPrefix(who, "user:")
	})
	list = append(list, "group:g0", "group:g1", "group:g2", "group:g3", "everyone")
	if !g.plain {
		list = append(list, "group:sales")
	}
	return pick(g, list)
}

// shares are given by anybody to anybody, on folders and on files, so that
// chains and circles of givers come up.
func (g *generator) shares() {
	for range g.IntN(7) {
		s := Share{
			Path: pick(g, g.things).Path, Role: pick(g, g.roleNames),
			Subject: pick(g, append(slices.Clone(g.people), "everyone", "group:g1")),
		}
		if g.chance(85) {
			s.Giver = pick(g, g.people)
		}
		switch {
		case g.chance(10):
			s.Until = g.rules.Now().Add(-time.Duration(g.IntN(2)) * time.Hour) // run out, or at this moment
		case g.chance(20):
			s.Until = g.rules.Now().Add(time.Hour)
		}
		g.rules.Shares = append(g.rules.Shares, s)
	}
}
