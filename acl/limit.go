package acl

import "portico/vpath"

// heldBack are the rights at path that no rule can give to one with this limit,
// not even that of an owner.
func (l Limit) heldBack(path vpath.Path) mask {
	switch {
	case l.Workspace != "" && path.Top() != l.Workspace:
		return everyRight
	case l.ReadOnly:
		return everyRight &^ (bit(List) | bit(Read))
	}
	return 0
}

// limited tells that the limit of who asks holds back what was asked for.
func (d Decision) limited() bool {
	return d.view.crowd[0].who.Limit.heldBack(d.path)&bit(d.right) != 0
}

// limit is the limit as a reason, for a decision that is limited.
func (d Decision) limit() Reason {
	l := d.view.crowd[0].who.Limit
	return Reason{Kind: KindLimit, Path: d.path, Only: l.Workspace, right: d.right}
}

// limit is a limit as a clause: it names no rule, since none could help.
func (r Reason) limit() clause {
	if r.Only != "" && r.Path.Top() != r.Only {
		return say("the app password opens /%s alone", r.Only)
	}
	return say("the app password only lets read")
}
