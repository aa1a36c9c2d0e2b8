package acl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxSaid is how many rules a sentence spells out; Reasons has them all.
const maxSaid = 3

// String is the decision as one sentence, for why, the body of a 403 and the
// audit. It names rules on the path and the principal's own groups, never other
// people's, so that it may go to the one who asked.
func (d Decision) String() string {
	if d.view == nil {
		return "no: nothing was asked"
	}
	verb, verdict := "may", "yes"
	if !d.allowed {
		verb, verdict = "may not", "no"
	}
	who := d.view.crowd[0].who.Self.short()
	return fmt.Sprintf("%s: %s %s %s %s: %s", verdict, who, verb, d.right.phrase(), d.path, d.because())
}

// phrase is the right as a verb before a path.
func (r Right) phrase() string {
	switch r {
	case Comment, GrantRight:
		return r.String() + " on"
	case Create:
		return "create in"
	case Invite:
		return "invite to"
	case Settings:
		return "change the settings of"
	default:
		return r.String()
	}
}

// because is the sentence's second half.
func (d Decision) because() string {
	all := d.Reasons()
	switch denies := ofKind(all, KindDeny); {
	case d.allowed:
		return said(ofKind(all, KindGrant, KindOwner))
	case d.limited():
		return said(all)
	case len(denies) > 0:
		return said(denies)
	}
	text := "no rule grants " + d.right.String() + " there"
	if hides := ofKind(all, KindHides); len(hides) > 0 {
		text += " (" + said(hides) + ")"
	}
	if vain := ofKind(all, KindForeign, KindWorn); len(vain) > 0 {
		text += "; " + said(vain)
	}
	return text
}

func ofKind(all []Reason, kinds ...Kind) []Reason {
	return slices.DeleteFunc(slices.Clone(all), func(r Reason) bool { return !slices.Contains(kinds, r.Kind) })
}

// said joins the first few reasons.
func said(list []Reason) string {
	var parts []string
	for _, r := range list[:min(len(list), maxSaid)] {
		parts = append(parts, r.String())
	}
	if more := len(list) - maxSaid; more > 0 {
		parts = append(parts, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(parts, "; ")
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
