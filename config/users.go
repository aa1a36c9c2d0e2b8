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

// users reads those whom the config itself knows.
func (l *loader) users(c *Config, section value) {
	for _, e := range section.entries() {
		u := l.user(e)
		c.Users[u.Login] = u
	}
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
