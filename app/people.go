package app

import (
	"fmt"
	"slices"
	"strings"

	"portico/acl"
	"portico/config"
	"portico/identity"
	"portico/identity/static"
)

// userID is the immutable identity of a user of the config. It is kept with
// what they create; the login is all that a YAML file can promise to keep.
func userID(l config.Login) string { return usersPrefix + string(l) }

// principal is somebody as the rules know them.
func principal(who identity.Identity) acl.Principal {
	p := acl.Principal{
		ID: who.ID, Self: acl.User(string(who.Login)), Staff: true,
		Limit: acl.Limit{Workspace: who.Limit.Workspace, ReadOnly: who.Limit.ReadOnly},
	}
	for _, g := range who.Groups {
		m := acl.Membership{Group: acl.GroupOf(g.Group)}
		if g.Through != "" {
			m.Through = acl.GroupOf(g.Through)
		}
		p.Groups = append(p.Groups, m)
	}
	return p
}

// userPrincipal is a user of the config as the rules know them.
func userPrincipal(u config.User) acl.Principal {
	return principal(identity.Identity{ID: userID(u.Login), Login: identity.Login(u.Login)})
}

// configUsers are the users of the config, as those who may sign in.
func configUsers(cfg *config.Config) ([]static.User, error) {
	var all []static.User
	for _, u := range cfg.Users {
		hash, err := identity.ParseHash(u.Password.Reveal())
		if err != nil {
			return nil, err // config has checked it
		}
		all = append(all, static.User{
			ID: userID(u.Login), Login: identity.Login(u.Login), Name: u.Name, Email: u.Email, Hash: hash,
		})
	}
	return all, nil
}

// unknownError is a login that nobody has. It says who there is, as far as the
// config itself knows.
type unknownError struct {
	cfg   *config.Config
	login string
}

func (e unknownError) Error() string {
	if e.cfg.LDAP != nil {
		return fmt.Sprintf("neither %s nor the directory has a user %q", e.cfg.File, e.login)
	}
	return fmt.Sprintf("%s has no user %q; it has %s", e.cfg.File, e.login, strings.Join(logins(e.cfg), ", "))
}

func logins(cfg *config.Config) []string {
	var all []string
	for l := range cfg.Users {
		all = append(all, string(l))
	}
	slices.Sort(all)
	return all
}

// foreignGroups are the groups that the rules name and the config does not make,
// each with the first line that names it: the directory must have them.
func foreignGroups(cfg *config.Config) map[string]acl.Source {
	found := map[string]acl.Source{}
	own := map[string]bool{}
	for _, g := range cfg.Groups {
		own[g.Name] = true
	}
	name := func(s acl.Subject, at acl.Source) {
		group, isGroup := strings.CutPrefix(string(s), "group:")
		if !isGroup || own[group] {
			return
		}
		if first, known := found[group]; !known || at.Line < first.Line {
			found[group] = at
		}
	}
	for _, g := range cfg.Groups {
		for _, m := range g.Members {
			name(m, g.At)
		}
	}
	for _, g := range cfg.Spec.Grants {
		name(g.Subject, g.At)
	}
	for _, d := range cfg.Spec.Denies {
		name(d.Subject, d.At)
	}
	return found
}
