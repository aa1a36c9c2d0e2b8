package app

import (
	"portico/acl"
	"portico/config"
	"portico/identity"
	"portico/identity/static"
)

// userID is the immutable identity of a user of the config. It is kept with
// what they create; the login is all that a YAML file can promise to keep.
func userID(l config.Login) string { return "user:" + string(l) }

// principal is a user of the config as the rules know them.
func principal(u config.User) acl.Principal {
	return acl.Principal{ID: userID(u.Login), Self: acl.User(string(u.Login)), Staff: true}
}

// people are the users of the config, as those who may sign in.
func people(cfg *config.Config) ([]static.User, error) {
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
