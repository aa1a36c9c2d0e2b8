package config

import (
	"regexp"

	"portico/acl"
)

// roles reads the admin's own; the built-in ones are added to the names that
// rules may use.
func (l *loader) roles(root *fields) map[string]acl.Role {
	own := map[string]acl.Role{}
	for _, role := range acl.Builtin() {
		l.roleNames.all = append(l.roleNames.all, role.Name)
	}
	section, ok := root.get("roles")
	if !ok {
		return own
	}
	for _, e := range section.entries() {
		if !regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`).MatchString(e.key) {
			e.keyAt.fault("the name %s cannot be a role's; use up to 64 lower-case letters, digits, - and _, a letter first", e.keyAt.shown())
		}
		if _, builtin := acl.RoleNamed(e.key); builtin {
			e.keyAt.fault("the role %s is built in; give yours another name", e.key)
			continue
		}
		l.roleNames.add(e)
		own[e.key] = l.role(e)
	}
	return own
}

// role reads the rights one by one, so that each wrong word has its own line.
func (l *loader) role(e entry) acl.Role {
	var words []string
	for _, w := range e.value.texts("rights") {
		if _, err := acl.ParseRights([]string{w.text}); err != nil {
			w.fault("%v%s", err, didYouMean(w.text, rightWords()))
			continue
		}
		words = append(words, w.text)
	}
	if e.value.isEmptyList() {
		e.value.fault("a role needs one right at least; write [list, read], or remove the role")
	}
	role, err := acl.NewRole(e.key, words)
	if err != nil {
		return acl.Role{Name: e.key} // reported above
	}
	return role
}

// rightWords are those that a misspelt right may have meant.
func rightWords() []string {
	words := []string{"all"}
	for _, r := range acl.AllRights() {
		words = append(words, r.String())
	}
	return words
}

// roleNamed finds a role, of the config or built in.
func (l *loader) roleNamed(own map[string]acl.Role, at value, name string) (acl.Role, bool) {
	if !l.roleNames.check(at, name) {
		return acl.Role{}, false
	}
	if role, ok := own[name]; ok {
		return role, true
	}
	return acl.RoleNamed(name)
}
