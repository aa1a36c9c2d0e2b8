package config

import (
	"portico/acl"
)

// Login is the name that somebody types to sign in.
type Login string

// User is a member of staff whom the config itself knows.
type User struct {
	Login    Login
	Name     string // for people to read; the login where it is left out
	Email    string // may be ""
	Password Secret // an argon2id hash (PHC form) or a bcrypt hash
	At       acl.Source
}

// users reads identity. Somebody must be able to sign in: a config without any
// user is one whose section was lost.
func (l *loader) users(root *fields) map[Login]User {
	const mend = `add one, with a hash that "portico hash-password" prints`
	all := map[Login]User{}
	section, ok := root.need("identity", "say who may sign in, as in  identity: {users: {ann: {password: …}}}")
	if !ok {
		l.userNames.open = true
		return all
	}
	f := section.fields()
	defer f.close()
	users, hasUsers := f.get("users")
	ldap, hasLDAP := f.get("ldap")
	if hasLDAP {
		l.ldap(ldap)
		l.userNames.open, l.groupNames.open = true, true // the directory has more
	}
	if !hasUsers {
		if !hasLDAP {
			section.fault("nobody could sign in: there are no users; %s", mend)
		}
		l.userNames.open = true
		return all
	}
	entries := users.entries()
	if len(entries) == 0 {
		l.userNames.open = true
		users.fault("nobody could sign in: there are no users; %s", mend)
	}
	for _, e := range entries {
		u := l.user(e)
		all[u.Login] = u
	}
	return all
}

// user reads one. Whoever has no password could not sign in, so it must be there.
func (l *loader) user(e entry) User {
	e.checkName()
	u := User{Login: Login(l.userNames.add(e)), At: e.keyAt.at()}
	f := e.value.fields()
	u.Name = f.text("name", string(u.Login))
	if v, ok := f.get("email"); ok {
		u.Email = v.email()
	}
	if v, ok := f.need("password", `put a hash there that "portico hash-password" prints`); ok {
		u.Password = l.password(v)
	}
	f.close()
	return u
}
