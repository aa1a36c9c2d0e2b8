package acl

import (
	"strings"
	"time"

	"portico/vpath"
)

// View is a policy as it concerns one principal from one moment on: their
// subjects are known and their rules merged by folder, so that a question costs
// a walk up the path. It never changes, and holds until Expires.
type View struct {
	policy  *Policy
	now     time.Time
	expires time.Time

	// crowd is the one who asks, and then everybody whose shares bear on what
	// they may do: who gave them something, who gave those something, and so on.
	crowd []*party
	index map[string]int // of crowd, by key

	// given are the grants of people that the view was made with, beside those of
	// the policy, and by whom they name.
	given   []Grant
	givenTo map[Subject][]Grant

	// creators are those that can make a difference: nobody, and everybody in
	// the crowd with a right in the :own form.
	creators []string

	// shown are the folders with a grant that leaves the one who asks any
	// right, and all folders above them.
	shown map[vpath.Path]struct{}
}

// party is one principal with the rules that name them.
type party struct {
	who  Principal
	kin  lineage
	owns map[string]bool // workspaces that they own in the absolute sense of rule 2
	at   map[vpath.Path]node
	own  bool // a grant gives them the :own form of something
}

// node is all that the rules on one folder say of one party.
type node struct {
	give   Rights
	deny   mask
	shares []share
}

// share is what another member of the crowd gave: worth what the giver holds.
type share struct {
	rights Rights
	giver  int
}

// View makes the view of who. Grants that have run out at now are not in it.
//
// given are grants that people made, beside those of the policy: judged in the
// same way, by the same rules, but that they keep no folder where it is. It must
// hold those to who, those to their givers and so on: Subjects tells under which
// names. More than these change nothing.
func (p *Policy) View(who Principal, now time.Time, given ...Grant) *View {
	v := &View{
		policy: p, now: now, index: map[string]int{},
		creators: []string{""}, shown: map[vpath.Path]struct{}{},
	}
	v.keep(given)
	v.join(who)
	for next := 0; next < len(v.crowd); { // givers join on the way
		v.gather(v.crowd[next])
		next++
	}
	for path := range v.crowd[0].at {
		if v.anyCreator(func(creator string) bool { return v.judge(0, path, creator).here != 0 }) {
			v.show(path)
		}
	}
	return v
}

// keep takes what people gave. A grant that Compile would refuse gives nothing.
func (v *View) keep(given []Grant) {
	for _, g := range given {
		if g.Path.IsRoot() || g.Subject == "" || g.Role.Name == ownerRole && g.Role.Rights.whole != everyRight {
			continue
		}
		if v.givenTo == nil {
			v.givenTo = map[Subject][]Grant{}
		}
		v.given = append(v.given, g)
		v.givenTo[g.Subject] = append(v.givenTo[g.Subject], g)
	}
}

// Expires is the moment at which the first of the grants that the view rests on
// runs out, zero if none ever does. From then on a new view is needed.
func (v *View) Expires() time.Time { return v.expires }

// join gives a principal's number in the crowd.
func (v *View) join(who Principal) int {
	key := who.Key()
	i, known := v.index[key]
	if !known {
		i = len(v.crowd)
		v.index[key] = i
		v.crowd = append(v.crowd, &party{
			who: who, kin: v.policy.roster.descend(who),
			owns: map[string]bool{}, at: map[vpath.Path]node{},
		})
	}
	return i
}

// Key tells two principals apart by all that rules look at. A giver is kept
// with the groups of the moment, so that one person may have two keys; that
// costs a little time and changes no answer.
func (who Principal) Key() string {
	parts := []string{who.ID, string(who.Self), "", who.Limit.Workspace, ""}
	if who.Staff {
		parts[2] = string(Everyone)
	}
	if who.Limit.ReadOnly {
		parts[4] = "read-only"
	}
	for _, g := range who.Groups {
		parts = append(parts, string(g.Group), string(g.Through))
	}
	return strings.Join(parts, "\x00")
}

// gather merges the rules that name one member of the crowd, folder by folder.
func (v *View) gather(p *party) {
	// By subject and not by folder: a person has some dozen subjects, a policy
	// thousands of folders.
	for _, s := range p.kin.order {
		if named := v.policy.of[s]; named != nil {
			for _, d := range named.denies {
				n := p.at[d.Path]
				n.deny |= d.Rights.whole
				p.at[d.Path] = n
			}
			v.takeAll(p, named.grants)
		}
		v.takeAll(p, v.givenTo[s])
	}
	if p.own && p.who.ID != "" {
		v.creators = append(v.creators, p.who.ID)
	}
}

// takeAll adds those of list that have not run out.
func (v *View) takeAll(p *party, list []Grant) {
	for _, g := range list {
		if g.isLive(v.now) {
			v.take(p, g)
		}
	}
}

// take adds a grant to what its taker has.
func (v *View) take(p *party, g Grant) {
	if !g.Until.IsZero() && (v.expires.IsZero() || g.Until.Before(v.expires)) {
		v.expires = g.Until
	}
	n := p.at[g.Path]
	if g.Giver != nil {
		n.addShare(g.Role.Rights, v.join(*g.Giver))
	} else {
		n.give = n.give.with(g.Role.Rights)
	}
	p.at[g.Path] = n
	p.own = p.own || g.Role.Rights.own != 0
	if g.isAbsolute() {
		p.owns[g.Path.Top()] = true
	}
}

// isLive tells whether a grant has not run out. One that runs out now has.
func (g Grant) isLive(now time.Time) bool { return g.Until.IsZero() || g.Until.After(now) }

// isAbsolute tells the grants of rule 2. One that a person made is not among
// them: it is worth no more than that person's rights.
func (g Grant) isAbsolute() bool {
	return g.Role.Name == ownerRole && g.Giver == nil && g.Path.Depth() == 1
}

// addShare keeps one share a giver, because a question costs time for each.
func (n *node) addShare(rights Rights, giver int) {
	for i := range n.shares {
		if n.shares[i].giver == giver {
			n.shares[i].rights = n.shares[i].rights.with(rights)
			return
		}
	}
	n.shares = append(n.shares, share{rights, giver})
}

// show makes a folder and all above it visible, so that one can walk down to
// what one was given even where the folders on the way are closed or hidden.
func (v *View) show(path vpath.Path) {
	for q := range path.Ancestors() {
		v.shown[q] = struct{}{}
	}
}
