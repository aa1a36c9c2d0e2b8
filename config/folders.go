package config

import (
	"strings"

	"golang.org/x/text/unicode/norm"
	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/vpath"
)

// folders reads the rules of a workspace into the spec. The paths in the file
// are those inside the workspace; in the policy they begin with it.
func (l *loader) folders(c *Config, top vpath.Path, section value) {
	seen := map[vpath.Path]int{}
	for _, e := range section.entries() {
		path, ok := folderPath(e.keyAt, top, e.key)
		if !ok {
			path = top // its rules are still read, for their faults
		} else if first, twice := seen[path]; twice {
			e.keyAt.fault("%s is the folder of line %d, written another way; join the two", e.keyAt.shown(), first)
		}
		seen[path] = e.keyAt.n.Line
		l.folder(c, path, e)
	}
}

// folderPath is the full path of a folder's key. vpath refuses ".." and the
// like, so that no rule can lie outside its workspace.
func folderPath(at value, top vpath.Path, raw string) (vpath.Path, bool) {
	inside, err := vpath.Parse(raw)
	if err == nil {
		var full vpath.Path
		if full, err = top.Join(inside); err == nil && !strings.EqualFold(inside.Top(), reserved) {
			if inside.Top() == top.Name() {
				at.warn("%s lies in a folder %s inside the workspace %s; leave the workspace's name out if the workspace itself is meant", at.shown(), inside.Top(), top.Name())
			}
			return full, true
		}
	}
	if err == nil {
		at.fault("%s lies in %s, which Portico keeps for itself; remove the rule", at.shown(), reserved)
		return vpath.Path{}, false
	}
	at.fault("%s is not a folder of the workspace: %v; write it as /Clients/Acme", at.shown(), err)
	return vpath.Path{}, false
}

// folder reads the rules of one folder. A folder without any is kept as well:
// that the config names it is a reason not to let it be moved away.
func (l *loader) folder(c *Config, path vpath.Path, e entry) {
	folder := acl.Folder{Path: path, Inherit: true, At: e.keyAt.at()}
	f := e.value.fields()
	if v, ok := f.get("inherit"); ok {
		folder.Inherit = v.bool()
	}
	if v, ok := f.get("grant"); ok {
		for _, g := range v.entries() {
			l.grant(c, path, g)
		}
	}
	if v, ok := f.get("deny"); ok {
		for _, d := range v.entries() {
			l.deny(c, path, d)
		}
	}
	f.close()
	c.Spec.Folders = append(c.Spec.Folders, folder)
}

// grant reads "SUBJECT: ROLE" or "SUBJECT: {role: ROLE, until: DATE}".
func (l *loader) grant(c *Config, path vpath.Path, e entry) {
	g := acl.Grant{Path: path, At: e.keyAt.at()}
	subject, okSubject := l.subject(e.keyAt, e.key)
	role := e.value
	if e.value.n.Kind == yaml.MappingNode {
		f := e.value.fields()
		if v, ok := f.get("until"); ok {
			g.Until, _ = v.lastDay()
		}
		v, ok := f.need("role", "write {role: viewer, until: 2027-01-31}")
		f.close()
		if !ok {
			return
		}
		role = v
	}
	name, ok := role.text()
	if !ok {
		return
	}
	r, okRole := l.roleNamed(c.Roles, role, name)
	if okSubject && okRole {
		g.Subject, g.Role = subject, r
		c.Spec.Grants = append(c.Spec.Grants, g)
	}
}

// deny reads "SUBJECT: [RIGHT, …]".
func (l *loader) deny(c *Config, path vpath.Path, e entry) {
	subject, okSubject := l.subject(e.keyAt, e.key)
	var words []string
	for _, w := range e.value.texts("rights") {
		if right, own := strings.CutSuffix(w.text, ":own"); own {
			w.fault("%s cannot be denied alone: a denial of %s takes both; write %s", w.shown(), right, right)
			continue
		}
		if _, err := acl.ParseRights([]string{w.text}); err != nil {
			w.fault("%v%s", err, didYouMean(w.text, rightWords()))
			continue
		}
		words = append(words, w.text)
	}
	if e.value.isEmptyList() {
		e.value.fault("the list is empty and denies nothing; name rights, write [all], or remove it")
	}
	rights, err := acl.ParseRights(words)
	if err == nil && okSubject {
		c.Spec.Denies = append(c.Spec.Denies, acl.Deny{Path: path, Subject: subject, Rights: rights, At: e.keyAt.at()})
	}
}

// subject reads whom a rule of the config speaks of.
func (l *loader) subject(at value, raw string) (acl.Subject, bool) {
	s := norm.NFC.String(raw)
	kind, name, found := strings.Cut(s, ":")
	switch {
	case s == string(acl.Everyone):
		return acl.Everyone, true
	case found && kind == "user":
		return acl.User(name), l.userNames.check(at, name)
	case found && kind == "group":
		return acl.GroupOf(name), l.groupNames.check(at, name)
	case found && (kind == "contact" || kind == "link"):
		at.fault("%q: contacts and links get their rights in the portal, not here; remove the rule", raw)
	case !found && l.groupNames.has(s):
		at.fault("%q says whom, but not what they are; write group:%s", raw, s)
	case !found && l.userNames.has(s):
		at.fault("%q says whom, but not what they are; write user:%s", raw, s)
	default:
		at.fault("%q is not somebody whom a rule can speak of; write user:LOGIN, group:NAME or everyone", raw)
	}
	return "", false
}
