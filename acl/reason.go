package acl

import "portico/vpath"

// Kind is the part that a rule takes in a decision.
type Kind string

// The kinds of reasons.
const (
	KindGrant   Kind = "grant"   // gives the right
	KindOwner   Kind = "owner"   // gives everything, and is neither hidden nor denied
	KindDeny    Kind = "deny"    // takes the right
	KindHides   Kind = "hides"   // inherit: false, so that rules above do not count
	KindForeign Kind = "foreign" // would give the :own form, but they did not create the thing
	KindWorn    Kind = "worn"    // a share that would give the right, but its giver cannot
	KindLimit   Kind = "limit"   // the app password holds the right back, whatever the rules say
)

// Reason is one rule that took part in a decision.
type Reason struct {
	Kind    Kind
	Path    vpath.Path // where the rule stands
	At      Source     // the line that it comes from
	Subject Subject    // whom it names; "" for KindHides
	Chain   Chain      // how the principal comes to be that subject
	Role    string     // of a grant
	Own     bool       // the grant holds only the :own form
	Giver   Subject    // who shared it, "" for a rule of the config
	Only    string     // of a limit: the only workspace, "" for any

	right Right // that was asked for
}

// Reasons are all rules that took part, the nearest folder first. They name
// nobody but the principal, their groups and who shared something with them.
// They are read from the rules as they were written, because merged ones have
// lost their lines; that is slow, and only done for those who ask.
func (d Decision) Reasons() []Reason {
	if d.view == nil {
		return nil
	}
	if d.limited() {
		return []Reason{d.limit()}
	}
	if owner := d.absolute(); owner != nil {
		return owner
	}
	var list []Reason
	for q := d.path; !q.IsRoot(); q = d.view.up(q) {
		list = append(list, d.denies(q)...)
		list = append(list, d.grants(q)...)
		if at, cut := d.view.policy.cuts[q]; cut && q.Depth() > 1 {
			list = append(list, Reason{Kind: KindHides, Path: q, At: at, right: d.right})
		}
	}
	return list
}

// absolute are the grants of rule 2, which leave no other rule a say.
func (d Decision) absolute() []Reason {
	if !d.view.crowd[0].owns[d.path.Top()] {
		return nil
	}
	root := d.path
	for root.Depth() > 1 {
		root = root.Parent()
	}
	var list []Reason
	for _, g := range d.view.live(root) {
		if g.isAbsolute() {
			list = append(list, d.reason(KindOwner, g))
		}
	}
	return list
}

// live are the grants on one folder that name the principal and have not run out.
func (v *View) live(path vpath.Path) []Grant {
	var list []Grant
	if at := v.policy.at[path]; at != nil {
		for _, g := range at.grants {
			if v.names(g.Subject) && g.isLive(v.now) {
				list = append(list, g)
			}
		}
	}
	for _, g := range v.given {
		if g.Path == path && v.names(g.Subject) && g.isLive(v.now) {
			list = append(list, g)
		}
	}
	return list
}

// names tells whether the principal is s.
func (v *View) names(s Subject) bool {
	_, is := v.crowd[0].kin.from[s]
	return is
}

// denies are the rules on q that take the right from the principal.
func (d Decision) denies(q vpath.Path) []Reason {
	var list []Reason
	if at := d.view.policy.at[q]; at != nil {
		for _, rule := range at.denies {
			if d.view.names(rule.Subject) && rule.Rights.Has(d.right) {
				list = append(list, Reason{
					Kind: KindDeny, Path: q, At: rule.At, right: d.right,
					Subject: rule.Subject, Chain: d.view.crowd[0].kin.chain(rule.Subject),
				})
			}
		}
	}
	return list
}

// grants are the rules on q whose role holds the right, whether they count or not.
func (d Decision) grants(q vpath.Path) []Reason {
	var list []Reason
	for _, g := range d.view.live(q) {
		if g.Role.Rights.HasOwn(d.right) {
			list = append(list, d.reason(d.kind(g), g))
		}
	}
	return list
}

// kind is what a grant that holds the right, in either form, is worth.
func (d Decision) kind(g Grant) Kind {
	me := d.view.crowd[0].who.ID
	switch {
	case !g.Role.Rights.Has(d.right) && (d.creator == "" || d.creator != me):
		return KindForeign
	case g.Giver == nil:
		return KindGrant
	}
	giver := standing{held: d.view.held(d.view.index[g.Giver.Key()], d.path, d.creator)}
	if giver.worth()&bit(d.right) == 0 {
		return KindWorn
	}
	return KindGrant
}

func (d Decision) reason(kind Kind, g Grant) Reason {
	r := Reason{
		Kind: kind, Path: g.Path, At: g.At, right: d.right,
		Subject: g.Subject, Chain: d.view.crowd[0].kin.chain(g.Subject),
		Role: g.Role.Name, Own: !g.Role.Rights.Has(d.right),
	}
	if g.Giver != nil {
		r.Giver = g.Giver.Self
	}
	return r
}

// String is the reason as a clause: "group:staff is editor on /firm/Clients
// (portico.yaml:38); bob is in group:staff". It does not name the giver of a
// share: the sentence may go to somebody who should not know them.
func (r Reason) String() string { return r.clause().String() }

func (r Reason) clause() clause {
	switch {
	case r.Kind == KindLimit:
		return r.limit()
	case r.Kind == KindHides && r.At.File == "":
		return say("rules above %s are hidden by inherit: false", r.Path)
	case r.Kind == KindHides:
		return say("rules above %s are hidden by inherit: false, %s", r.Path, r.At)
	}
	text := r.rule()
	if r.Giver != "" {
		text = say("%s by a share", text)
	} else if r.At.File != "" {
		text = say("%s (%s)", text, r.At)
	}
	text = r.worth(text)
	if way := r.Chain.clause(); way.format != "" && r.Subject != Everyone {
		text = say("%s; %s", text, way)
	}
	return text
}

// rule is what the rule says.
func (r Reason) rule() clause {
	switch denied := r.Kind == KindDeny; {
	case denied && r.Subject == Everyone:
		return say("everyone is denied %s on %s", r.right, r.Path)
	case denied:
		return say("%s is denied %s on %s", r.Subject, r.right, r.Path)
	case r.Subject == Everyone:
		return say("everyone is %s on %s", r.Role, r.Path)
	}
	return say("%s is %s on %s", r.Subject, r.Role, r.Path)
}

// worth says why a grant counts, or does not, where that is not plain.
func (r Reason) worth(text clause) clause {
	switch {
	case r.Kind == KindOwner:
		return say("%s, which nothing hides or denies", text)
	case r.Kind == KindForeign:
		return say("%s, which gives %s only for what they created", text, r.right)
	case r.Kind == KindWorn:
		return say("%s, but whoever shared it does not hold both share and %s there", text, r.right)
	case r.Kind == KindGrant && r.Own:
		return say("%s, which gives %s:own, and they created it", text, r.right)
	}
	return text
}

// after is the source behind a separator, or nothing where there is none.
func (s Source) after(sep string) string {
	if s.File == "" {
		return ""
	}
	return sep + s.String()
}
