package acltest

import (
	"maps"
	"slices"
	"strings"
)

// Naive is the second opinion: DESIGN.md §5 sentence by sentence, over strings,
// without a thought for speed. Paths are plain ("/firm/HR/x"), people and
// creators are subjects ("user:bob", "" for a creator that nobody knows).
type Naive struct {
	rules   *Rules
	folders map[string]Folder
	names   map[string]map[string]bool // subjects of each person
	words   map[string][]string        // of each role
	places  map[string]bool            // of grants
}

// NewNaive reads rules, which must not change afterwards.
func NewNaive(rules *Rules) *Naive {
	n := &Naive{rules, rules.folders(), map[string]map[string]bool{}, maps.Clone(rules.Roles), map[string]bool{}}
	for who := range rules.People {
		n.names[who] = n.subjects(who)
	}
	if n.words == nil {
		n.words = map[string][]string{}
	}
	for role, words := range builtin() {
		n.words[role] = strings.Fields(words)
	}
	for path, f := range n.folders {
		n.places[path] = len(f.Grant) > 0
	}
	for _, s := range rules.Shares {
		n.places[s.Path] = true
	}
	return n
}

// builtin is the table of DESIGN.md §5.
func builtin() map[string]string {
	return map[string]string{
		"viewer":      "list read",
		"commenter":   "list read comment",
		"inbox":       "create",
		"depositor":   "list read comment create write delete:own",
		"contributor": "list read comment create write:own delete:own",
		"member":      "list:own read:own comment create write:own delete:own share:own",
		"editor":      "list read comment create write delete",
		"manager":     "list read comment create write delete share invite",
		"coadmin":     "list read comment create write:own delete share invite grant",
		"admin":       "list read comment create write delete share grant invite audit settings",
		"owner":       "all",
	}
}

// Words are the rights' words.
func Words() []string {
	return strings.Fields("list read comment create write delete share grant invite audit settings transfer")
}

// subjects: who they are, the directory's groups, everyone, and every group
// that has one of these as a member.
func (n *Naive) subjects(who string) map[string]bool {
	person := n.rules.People[who]
	is := map[string]bool{who: true, "everyone": !person.Guest}
	for _, g := range person.Groups {
		is["group:"+g] = true
	}
	for grew := true; grew; {
		grew = false
		for name, g := range n.rules.Groups {
			for _, m := range g.Members {
				if is[fullSubject(m)] && !is["group:"+name] {
					is["group:"+name], grew = true, true
				}
			}
		}
	}
	return is
}

// scope is rule 1: the path and its ancestors up to the workspace's root, and
// nothing above the nearest one with inherit: false.
func (n *Naive) scope(path string) []string {
	var list []string
	for ; path != ""; path = path[:strings.LastIndex(path, "/")] {
		list = append(list, path)
		if i := n.folders[path].Inherit; i != nil && !*i {
			break
		}
	}
	return list
}

// holds tells whether a role holds a right, or its :own form for what is mine.
func (n *Naive) holds(role, right string, mine bool) bool {
	words := n.words[role]
	return slices.Contains(words, "all") || slices.Contains(words, right) || mine && slices.Contains(words, right+":own")
}

// question is one that a giver's worth hangs on; those that are being asked
// already are not answered by themselves.
type question struct{ who, right, only string }

// Allows is Decide.
func (n *Naive) Allows(who, right, path, creator string) bool {
	return n.judge(who, right, path, creator, "", nil)
}

// judge is Decide with the questions that are open. Where only is not "", the
// grants of that folder alone count.
func (n *Naive) judge(who, right, path, creator, only string, open []question) bool {
	q := question{who, right, only}
	if path == "/" || slices.Contains(open, q) {
		return false
	}
	open = append(slices.Clone(open), q)
	is, mine, scope := n.names[who], creator == who, n.scope(path)
	workspace := strings.Split(path, "/")[1]
	if n.rules.People[who].heldBack(right, workspace) {
		return false
	}
	if n.owns(is, "/"+workspace) { // rule 2
		return true
	}
	if n.denied(is, scope, right) { // rule 3
		return false
	}
	for _, f := range scope { // rule 4
		for subject, role := range n.folders[f].Grant {
			if is[subject] && n.holds(role, right, mine) && (only == "" || only == f) {
				return true
			}
		}
	}
	return slices.ContainsFunc(n.rules.Shares, func(s Share) bool { // rule 4, for what people gave
		able := func(word string) bool { return s.Giver == "" || n.judge(s.Giver, word, path, creator, "", open) }
		return is[s.Subject] && n.live(s) && slices.Contains(scope, s.Path) && (only == "" || only == s.Path) &&
			n.holds(s.Role, right, mine) && able("share") && able(right)
	}) // rule 5
}

// heldBack tells what an app password holds back, from an owner too.
func (p Person) heldBack(right, workspace string) bool {
	return p.Only != "" && p.Only != workspace || p.ReadOnly && right != "list" && right != "read"
}

// owns is rule 2: a grant of owner at the workspace's root. One that a person
// made is worth no more than that person.
func (n *Naive) owns(is map[string]bool, root string) bool {
	for subject, role := range n.folders[root].Grant {
		if is[subject] && role == "owner" {
			return true
		}
	}
	return slices.ContainsFunc(n.rules.Shares, func(s Share) bool {
		return s.Path == root && s.Giver == "" && s.Role == "owner" && n.live(s) && is[s.Subject]
	})
}

// denied is rule 3.
func (n *Naive) denied(is map[string]bool, scope []string, right string) bool {
	for _, f := range scope {
		for subject, words := range n.folders[f].Deny {
			if is[subject] && (slices.Contains(words, right) || slices.Contains(words, "all")) {
				return true
			}
		}
	}
	return false
}

// live tells whether a share has not run out.
func (n *Naive) live(s Share) bool { return s.Until.IsZero() || s.Until.After(n.rules.Now()) }

// SeesFolder is the first sentence of "Seeing".
func (n *Naive) SeesFolder(who, path string) bool {
	if path == "/" || n.Allows(who, "read", path, "") {
		return true
	}
	for _, creator := range n.creators(who) {
		if n.Allows(who, "list", path, creator) {
			return true
		}
		for f := range n.places {
			if (f == path || strings.HasPrefix(f, path+"/")) && n.leaves(who, f, creator) {
				return true
			}
		}
	}
	return false
}

// SeesFile is its second sentence.
func (n *Naive) SeesFile(who, path, creator string) bool {
	return n.Allows(who, "list", path, creator) || n.Allows(who, "read", path, creator) || n.leaves(who, path, creator)
}

// leaves tells whether a grant that sits at f leaves any right. A rule-2 owner
// sees all of a workspace, so that it does not matter which grant is judged.
func (n *Naive) leaves(who, f, creator string) bool {
	return n.places[f] && slices.ContainsFunc(Words(), func(right string) bool {
		return n.judge(who, right, f, creator, f, nil)
	})
}

// creators are all that a folder without a known creator may have had: nobody,
// the one who asks, and those who shared something.
func (n *Naive) creators(who string) []string {
	list := []string{"", who}
	for _, s := range n.rules.Shares {
		if s.Giver != "" && !slices.Contains(list, s.Giver) {
			list = append(list, s.Giver)
		}
	}
	return list
}
