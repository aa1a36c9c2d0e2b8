package acl

import "portico/vpath"

// Decision is the answer to one question. The zero value denies. It holds what
// is needed to explain itself, and does so only when it is asked to.
//
// It may be kept for as long as one likes: views never change.
type Decision struct {
	allowed bool
	right   Right
	path    vpath.Path
	creator string
	view    *View
}

// Allowed tells whether the answer is yes.
func (d Decision) Allowed() bool { return d.allowed }

// Decide judges whether the principal may use right on what lies at path.
// creator is the ID of who made that thing, "" if nobody knows: then no :own
// form counts.
func (v *View) Decide(right Right, path vpath.Path, creator string) Decision {
	return Decision{v.held(0, path, creator)&bit(right) != 0, right, path, creator, v}
}

// Rights are all that the principal holds at path, each in its widest form.
func (v *View) Rights(path vpath.Path) Rights {
	whole := v.held(0, path, "")
	return Rights{whole, v.held(0, path, v.crowd[0].who.ID) &^ whole}
}

// standing is what the rules on a path and above it say of one party.
type standing struct {
	party  int
	mine   bool // they created the thing
	shares bool // somebody gave them something on the way
	deny   mask
	held   mask // what they hold, as far as it is known
	here   mask // of it, what a grant at the path itself gives
}

// worth is what shares of this party can give: nothing, unless they hold share.
func (st standing) worth() mask {
	if st.held&bit(Share) == 0 {
		return 0
	}
	return st.held
}

// held are the rights of member i of the crowd on a thing.
func (v *View) held(i int, path vpath.Path, creator string) mask {
	return v.judge(i, path, creator).held
}

// judge finds what member i of the crowd holds on a thing.
func (v *View) judge(i int, path vpath.Path, creator string) standing {
	st := v.stand(i, path, creator)
	if st.shares {
		st = v.withShares(st, path, creator)
	}
	return st
}

// stand walks up from path to the first folder with inherit: false (rule 1),
// and judges all but shares.
func (v *View) stand(i int, path vpath.Path, creator string) standing {
	p := v.crowd[i]
	st := standing{party: i, mine: creator != "" && creator == p.who.ID, deny: p.who.Limit.heldBack(path)}
	if p.owns[path.Top()] {
		st.held = everyRight &^ st.deny // rule 2
		return st
	}
	for q := path; !q.IsRoot(); q = v.up(q) {
		n, ruled := p.at[q]
		if !ruled {
			continue
		}
		give := n.give.counting(st.mine)
		if q == path { // for SeesFile, which asks what a grant at the file itself gives
			st.here = give
		}
		st.held |= give   // rule 4
		st.deny |= n.deny // rule 3
		st.shares = st.shares || n.shares != nil
	}
	st.held &^= st.deny
	st.here &^= st.deny
	return st
}

// up is the next folder whose rules count: the parent, or "/", where no rule
// can stand, if q hides all above it.
func (v *View) up(q vpath.Path) vpath.Path {
	if _, cut := v.policy.cuts[q]; cut {
		return vpath.Path{}
	}
	return q.Parent()
}

// claim is a share between two members of the crowd, both given by their place
// in the list of standings.
type claim struct {
	taker, giver int
	rights       mask // those that the taker gets if the giver holds them
	here         bool // it stands at the path itself
}

// withShares adds to the standing of one member of the crowd what others gave
// them. Two people may have shared one folder with each other: rights are
// handed on from those who hold them of themselves until nothing changes any
// more. So a circle of givers gives nothing by itself, and no number of people
// who share with one another can make a question costly, as following each
// giver in turn would.
func (v *View) withShares(first standing, path vpath.Path, creator string) standing {
	var someKnown [16]standing // on the stack: few givers meet on one path
	var someClaims [32]claim
	known, claims := v.claims(append(someKnown[:0], first), someClaims[:0], path, creator)
	// Each round hands on at least one right more, and there are no more than
	// twelve a person, so that this ends; mostly in the second round.
	for settled := false; !settled; {
		settled = true
		for _, c := range claims {
			more := c.rights & known[c.giver].worth() &^ known[c.taker].held
			if more != 0 {
				known[c.taker].held |= more
				settled = false
			}
		}
	}
	for _, c := range claims {
		if c.taker == 0 && c.here {
			known[0].here |= c.rights & known[c.giver].worth()
		}
	}
	return known[0]
}

// claims follows the shares on a path from the first party in known to their
// givers, the givers' givers and so on, and appends all of them.
func (v *View) claims(known []standing, claims []claim, path vpath.Path, creator string) ([]standing, []claim) {
	var few [64]int // places in known, plus one
	places := few[:]
	if len(v.crowd) > len(few) {
		places = make([]int, len(v.crowd))
	}
	places[known[0].party] = 1
	for i := 0; i < len(known); { // known grows on the way
		taker := known[i]
		for q := path; taker.shares && !q.IsRoot(); q = v.up(q) {
			for _, s := range v.crowd[taker.party].at[q].shares {
				if places[s.giver] == 0 {
					known = append(known, v.stand(s.giver, path, creator))
					places[s.giver] = len(known)
				}
				claims = append(claims, claim{i, places[s.giver] - 1, s.rights.counting(taker.mine) &^ taker.deny, q == path})
			}
		}
		i++
	}
	return known, claims
}
