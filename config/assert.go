package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"portico/acl"
	"portico/vpath"
)

// Assertion is one line of assert: what must hold, whatever the rules become.
type Assertion struct {
	Subject acl.Subject // a user or a group
	Never   bool        // "never", else "may"
	Right   acl.Right
	Own     bool // the right's :own form: judged for a thing that the subject created
	Path    vpath.Path
	At      acl.Source
}

// String is the assertion as the config spells it.
func (a Assertion) String() string {
	verb, own := "may", ""
	if a.Never {
		verb = "never"
	}
	if a.Own {
		own = ":own"
	}
	return fmt.Sprintf("%s %s %s%s %s", a.Subject, verb, a.Right, own, a.Path)
}

// assertions reads the list; each is judged later, when all rules are known.
func (l *loader) assertions(root *fields) []Assertion {
	section, ok := root.get("assert")
	if !ok {
		return nil
	}
	var all []Assertion
	for _, w := range section.texts("sentences") {
		if a, ok := l.assertion(w); ok {
			all = append(all, a)
		}
	}
	return all
}

// assertion reads "SUBJECT may|never RIGHT PATH". The path is last, so that it
// may have spaces.
func (l *loader) assertion(w word) (Assertion, bool) {
	const form = `write "user:ann may read /firm/HR" or "group:interns never write /firm/Clients"`
	words := strings.SplitN(strings.TrimSpace(w.text), " ", 4)
	if len(words) != 4 || words[1] != "may" && words[1] != "never" {
		w.fault("%s is not SUBJECT may|never RIGHT PATH; %s", w.shown(), form)
		return Assertion{}, false
	}
	a := Assertion{Never: words[1] == "never", At: w.at()}
	var errRight, errPath error
	a.Right, a.Own, errRight = acl.ParseRight(words[2])
	a.Path, errPath = vpath.Parse(words[3])
	if errRight != nil {
		w.fault("%v%s", errRight, didYouMean(words[2], rightWords()))
	}
	switch {
	case errPath != nil:
		w.fault("%q: %v; %s", words[3], errPath, form)
	case a.Path.IsRoot():
		w.fault("%q names no workspace; %s", words[3], form)
	case !l.workspaceNames.check(w.value, a.Path.Top()):
		errPath = errReported
	}
	subject, ok := l.assertSubject(w, words[0])
	a.Subject = subject
	return a, ok && errRight == nil && errPath == nil && !a.Path.IsRoot()
}

// errReported stands for a fault that was reported where it was found.
var errReported = errors.New("reported")

// assertSubject reads whom an assertion speaks of. "everyone" is left out: it
// would say nothing of what each person holds besides.
func (l *loader) assertSubject(w word, raw string) (acl.Subject, bool) {
	s := norm.NFC.String(raw)
	if !strings.HasPrefix(s, "user:") && !strings.HasPrefix(s, "group:") {
		w.fault("%q is not somebody whom an assertion can speak of; write user:LOGIN or group:NAME", raw)
		return "", false
	}
	return l.subject(w.value, s)
}

// check judges every assertion by the policy. Grants with an end count for
// "never" and do not count for "may", so that an assertion that holds today
// holds every day, and a reload never fails because a date has passed.
func (l *loader) check(c *Config) {
	for _, a := range c.Assertions {
		if broken := c.broken(a); broken != "" {
			l.add(a.At.Line, "the assertion %q does not hold: %s; change the rule, or the assertion", a.String(), broken)
		}
	}
}

// broken says why a does not hold, or "".
func (c *Config) broken(a Assertion) string {
	if !a.Never {
		who := anybody(a.Subject)
		if d := c.Policy.View(who, endOfTime()).Decide(a.Right, a.Path, a.creator(who)); !d.Allowed() {
			return d.String()
		}
		return ""
	}
	for _, who := range c.whomever(a.Subject) {
		view := c.Policy.View(who, time.Time{})
		for _, path := range c.ruledBelow(a.Path) {
			if d := view.Decide(a.Right, path, who.ID); d.Allowed() {
				return d.String()
			}
		}
	}
	return ""
}

// endOfTime is after the end of every grant that has one.
func endOfTime() time.Time { return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }

// anybody is the user, or somebody who is in the group and has nothing else.
// Their login has spaces, which no real one has.
func anybody(s acl.Subject) acl.Principal {
	if name, isGroup := strings.CutPrefix(string(s), "group:"); isGroup {
		login := "a member of " + name
		return acl.Principal{ID: login, Self: acl.User(login), Groups: []acl.Membership{{Group: s}}, Staff: true}
	}
	return acl.Principal{ID: strings.TrimPrefix(string(s), "user:"), Self: s, Staff: true}
}

// whomever is anybody and, for a group, each user who is in it: what they hold
// besides counts as well where something must never be.
func (c *Config) whomever(s acl.Subject) []acl.Principal {
	all := []acl.Principal{anybody(s)}
	if !strings.HasPrefix(string(s), "group:") {
		return all
	}
	in := closure(c.Groups, s)
	for _, login := range slices.Sorted(maps.Keys(c.Users)) {
		if user := acl.User(string(login)); in[user] {
			all = append(all, anybody(user))
		}
	}
	return all
}

// ruledBelow is path and each folder below it that has a rule of its own:
// between these nothing changes.
func (c *Config) ruledBelow(path vpath.Path) []vpath.Path {
	all := []vpath.Path{path}
	for _, f := range c.Spec.Folders {
		if f.Path != path && path.Contains(f.Path) {
			all = append(all, f.Path)
		}
	}
	return all
}

// creator of the thing that an assertion "may" is judged for: the :own form is
// about one's own, any other about somebody else's.
func (a Assertion) creator(who acl.Principal) string {
	if a.Own {
		return who.ID
	}
	return ""
}
