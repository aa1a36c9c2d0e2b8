package acl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"portico/vpath"
)

// maxSaid is how many rules a sentence spells out; Reasons has them all.
const maxSaid = 3

// clause is a sentence, or a part of one, that can be said in another language: an
// English template, by which package lang finds its words, and what stands in it,
// which may be clauses again.
type clause struct {
	format string
	args   []any
}

// say makes a clause. Its template is written out where say is called, so that the
// test of the catalogs finds it.
func say(format string, args ...any) clause { return clause{format, args} }

func (c clause) String() string          { return fmt.Sprintf(c.format, c.args...) }
func (c clause) Phrase() (string, []any) { return c.format, c.args }

// String is the decision as one sentence, for why, the body of a 403 and the
// audit. It names rules on the path and the principal's own groups, never other
// people's, so that it may go to the one who asked.
func (d Decision) String() string { return d.clause().String() }

// Phrase is String for another language: see fault.Sentence.
func (d Decision) Phrase() (format string, args []any) { return d.clause().Phrase() }

func (d Decision) clause() clause {
	if d.view == nil {
		return say("no: nothing was asked")
	}
	who := d.view.crowd[0].who.Self.short()
	if d.allowed {
		return say("yes: %s %s: %s", who, d.right.may(d.path), d.because())
	}
	return say("no: %s %s: %s", who, d.right.mayNot(d.path), d.because())
}

// may is the right as what somebody may do. The two are whole sentences and not put
// together, because other languages have "not" in another place.
func (r Right) may(path vpath.Path) clause {
	verbs := []clause{
		List: say("may list %s", path), Read: say("may read %s", path), Comment: say("may comment on %s", path),
		Create: say("may create in %s", path), Write: say("may write %s", path), Delete: say("may delete %s", path),
		Share: say("may share %s", path), GrantRight: say("may grant on %s", path), Invite: say("may invite to %s", path),
		Audit: say("may audit %s", path), Settings: say("may change the settings of %s", path), Transfer: say("may transfer %s", path),
	}
	return verbs[r]
}

func (r Right) mayNot(path vpath.Path) clause {
	verbs := []clause{
		0:    say("may not %s %s", r, path), // no right: nobody may, and so nobody is told that they may
		List: say("may not list %s", path), Read: say("may not read %s", path), Comment: say("may not comment on %s", path),
		Create: say("may not create in %s", path), Write: say("may not write %s", path), Delete: say("may not delete %s", path),
		Share: say("may not share %s", path), GrantRight: say("may not grant on %s", path), Invite: say("may not invite to %s", path),
		Audit: say("may not audit %s", path), Settings: say("may not change the settings of %s", path), Transfer: say("may not transfer %s", path),
	}
	if r > Transfer {
		r = 0
	}
	return verbs[r]
}

// because is the sentence's second half.
func (d Decision) because() clause {
	all := d.Reasons()
	switch denies := ofKind(all, KindDeny); {
	case d.allowed:
		return said(ofKind(all, KindGrant, KindOwner))
	case d.limited():
		return said(all)
	case len(denies) > 0:
		return said(denies)
	}
	text := say("no rule grants %s there", d.right)
	if hides := ofKind(all, KindHides); len(hides) > 0 {
		text = say("%s (%s)", text, said(hides))
	}
	if vain := ofKind(all, KindForeign, KindWorn); len(vain) > 0 {
		text = say("%s; %s", text, said(vain))
	}
	return text
}

func ofKind(all []Reason, kinds ...Kind) []Reason {
	return slices.DeleteFunc(slices.Clone(all), func(r Reason) bool { return !slices.Contains(kinds, r.Kind) })
}

// said joins the first few reasons.
func said(list []Reason) clause {
	var text clause
	for i, r := range list[:min(len(list), maxSaid)] {
		if i == 0 {
			text = r.clause()
		} else {
			text = say("%s; %s", text, r.clause())
		}
	}
	if more := len(list) - maxSaid; more > 0 {
		text = say("%s; and %d more", text, more)
	}
	return text
}

// Mend says what an admin would write in the config to turn the decision round.
// It is for admins: it names the narrowest change, not the wisest.
func (d Decision) Mend() string {
	switch {
	case d.view == nil || d.right < List || d.right > Transfer:
		return ""
	case d.path.IsRoot():
		return "nothing is granted on /: ask about a path in a workspace, such as /firm"
	case d.limited():
		return d.mendLimit()
	case !d.allowed:
		return d.mendNo()
	}
	if owner := d.absolute(); owner != nil {
		return "to take it away, remove " + listed(owner, func(r Reason) string {
			return fmt.Sprintf("the grant of %s to %s on %s%s", r.Role, r.Subject, r.Path, r.At.after(", "))
		}) + "; no deny limits an owner"
	}
	return "to take it away, write " + d.entry(fmt.Sprintf("deny: {%s: [%s]}", d.self(), d.right))
}

// mendLimit says how to get round the limit, and what else is in the way then.
func (d Decision) mendLimit() string {
	text := "to allow it, make an app password without this limit"
	who := d.view.crowd[0].who
	who.Limit = Limit{}
	free := d.view.policy.View(who, d.view.now, d.view.given...).Decide(d.right, d.path, d.creator)
	if !free.allowed {
		text += ", and " + strings.TrimPrefix(free.mendNo(), "to allow it, ")
	}
	return text
}

// mendNo says how to turn a no into a yes: the denies must go, and somebody
// must grant the right.
func (d Decision) mendNo() string {
	all := d.Reasons()
	var steps []string
	if denies := ofKind(all, KindDeny); len(denies) > 0 {
		steps = append(steps, "take "+d.right.String()+" out of "+listed(denies, func(r Reason) string {
			return fmt.Sprintf("the deny for %s on %s%s", r.Subject, r.Path, r.At.after(", "))
		}))
	}
	if len(ofKind(all, KindGrant)) == 0 {
		steps = append(steps, "write "+d.entry(fmt.Sprintf("grant: {%s: %s}", d.self(), roleFor(d.right))))
	}
	return "to allow it, " + strings.Join(steps, ", and ")
}

// entry is a rule as it stands in the config. Names are quoted, because a path
// or a mail address may hold what YAML would take for its own.
func (d Decision) entry(rule string) string {
	inside := d.path.Tail()
	return fmt.Sprintf("%s: {%s} under workspaces.%s.folders", strconv.Quote(inside.String()), rule, d.path.Top())
}

func (d Decision) self() string { return strconv.Quote(string(d.view.crowd[0].who.Self)) }

// roleFor turns a right into a role, because that is what the config takes: the
// first built-in one that holds r and lets people see what they do. The two for
// depositing are passed over: their names would surprise.
func roleFor(r Right) string {
	roles := Builtin()
	return roles[slices.IndexFunc(roles, func(role Role) bool {
		return role.Rights.Has(r) && role.Name != "inbox" && role.Name != "depositor"
	})].Name
}

// listed joins what write says of each reason with "and".
func listed(list []Reason, write func(Reason) string) string {
	var parts []string
	for _, r := range list {
		parts = append(parts, write(r))
	}
	return strings.Join(parts, " and ")
}
