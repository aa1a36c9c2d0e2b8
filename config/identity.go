package config

import (
	"maps"
	"slices"
)

// identity reads who may sign in. Somebody must be able to: a config without
// anybody is one whose section was lost.
func (l *loader) identity(c *Config, root *fields) {
	c.Users = map[Login]User{}
	section, ok := root.need("identity", "say who may sign in, as in  identity: {users: {ann: {password: …}}}")
	if !ok {
		l.userNames.open = true
		return
	}
	f := section.fields()
	defer f.close()
	users, hasUsers := f.get("users")
	if v, ok := f.get("ldap"); ok {
		c.LDAP = l.ldap(v)
	}
	if v, ok := f.get("oidc"); ok {
		c.OIDC = l.oidc(v)
	}
	c.RequireAppPassword = f.bool("require_app_password")
	l.namesOutside(c)
	at := section
	if hasUsers {
		at = users
		l.users(c, users)
	}
	if len(c.Users) == 0 && !l.userNames.outside {
		l.userNames.open = true
		at.fault(`nobody could sign in: there are no users; add one, with a hash that "portico hash-password" prints, or a directory (ldap, oidc)`)
	}
}

// namesOutside lets rules speak of people and groups that a directory alone
// knows. "portico check --live" asks it for them; a reload of the rules must not
// depend on the network. Where a map is all that counts of a directory's
// groups, a misspelt one is found out here.
func (l *loader) namesOutside(c *Config) {
	l.userNames.outside = c.LDAP != nil || c.OIDC != nil
	l.groupNames.outside = c.OIDC != nil && c.OIDC.Groups != ""
	if c.LDAP == nil || c.LDAP.Groups == nil {
		return
	}
	l.groupNames.mend = "add it under groups or identity.ldap.groups.map, or correct the name"
	l.groupNames.outside = l.groupNames.outside || !c.LDAP.Groups.Only
	named := slices.Sorted(maps.Values(c.LDAP.Groups.Map))
	l.groupNames.all = append(l.groupNames.all, slices.Compact(named)...)
}
