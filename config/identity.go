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
	c.RequireAppPassword = requireAppPassword(f, c.OIDC)
	l.namesOutside(c)
	at := section
	if hasUsers {
		at = users
		l.users(c, users)
		if c.OIDC != nil && c.OIDC.Only && !c.OIDC.VouchesForUsers && len(c.Users) > 0 {
			users.warn("nobody of these can sign in: identity.oidc.only takes no passwords, and the provider does not vouch for them; " +
				"write vouches_for_users: true under oidc if their logins there are theirs, or take them out")
		}
	}
	if len(c.Users) == 0 && !l.userNames.outside {
		l.userNames.open = true
		at.fault(`nobody could sign in: there are no users; add one, with a hash that "portico hash-password" prints, or a directory (ldap, oidc)`)
	}
}

// requireAppPassword cannot be false with oidc.only: a drive that took passwords
// would be the way past the provider that only closes. It does not follow from it:
// customers have no provider, and their passwords open their drive.
func requireAppPassword(f *fields, provider *OIDC) bool {
	only := provider != nil && provider.Only
	v, ok := f.get("require_app_password")
	if !ok {
		return false
	}
	require := v.bool()
	if only && !require && v.n.ShortTag() == "!!bool" {
		v.fault("identity.oidc.only takes no passwords of the firm's people at any door, and so none at drives; remove this line, or only: true")
	}
	return require
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
