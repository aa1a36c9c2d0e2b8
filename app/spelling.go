package app

import (
	"cmp"
	"context"

	"portico/acl"
	"portico/config"
	"portico/identity"
)

// spelling has the names of people and groups as the rules write them. A directory
// does not tell Bob from bob (RFC 4519 §2.39), and some providers let people
// choose: a deny of bob must hold for Bob. Without an entry a name stays as it is.
type spelling map[string]acl.Subject // by the key of a whole subject

// spellingOf reads a config. Where it spells one name in two ways, that of the
// config's own users and groups counts, or else the first.
func spellingOf(cfg *config.Config) spelling {
	s := spelling{}
	add := func(subject acl.Subject) {
		if key := identity.Login(subject).Key(); s[key] == "" {
			s[key] = subject
		}
	}
	for l := range cfg.Users {
		add(acl.User(string(l)))
	}
	for _, g := range cfg.Groups {
		add(acl.GroupOf(g.Name))
	}
	for _, g := range cfg.Spec.Groups {
		for _, m := range g.Members {
			add(m)
		}
	}
	for _, d := range cfg.Spec.Denies {
		add(d.Subject)
	}
	for _, g := range cfg.Spec.Grants {
		add(g.Subject)
	}
	return s
}

// of gives a name in the spelling of the rules; kind is "user:" or "group:".
func (s spelling) of(kind, name string) string {
	subject := acl.Subject(kind + name)
	return string(cmp.Or(s[identity.Login(subject).Key()], subject))[len(kind):]
}

// person is somebody with their names as the rules write them. The Groups of who
// are not touched.
func (s spelling) person(who identity.Identity, err error) (identity.Identity, error) {
	if err != nil {
		return who, err
	}
	who.Login = identity.Login(s.of("user:", string(who.Login)))
	var groups []identity.Membership
	known := map[string]bool{}
	for _, m := range who.Groups {
		if m.Group = s.of("group:", m.Group); known[m.Group] {
			continue
		}
		known[m.Group] = true
		if m.Through != "" {
			m.Through = s.of("group:", m.Through)
		}
		groups = append(groups, m)
	}
	who.Groups = groups
	return who, nil
}

// Authenticate is of identity.Provider.
func (d *directory) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	return d.names.person(d.Chain.Authenticate(ctx, login, password))
}

// ByLogin is of identity.Directory.
func (d *directory) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	return d.names.person(d.Chain.ByLogin(ctx, login))
}

// ByID is of identity.Directory.
func (d *directory) ByID(ctx context.Context, id string) (identity.Identity, error) {
	return d.names.person(d.Chain.ByID(ctx, id))
}

// ByMail is of identity.Finder. What is shared with somebody names them by login,
// and must name whom they sign in as.
func (d *directory) ByMail(ctx context.Context, mail string) (identity.Identity, error) {
	return d.names.person(d.Chain.ByMail(ctx, mail))
}

// Search is of identity.Finder.
func (d *directory) Search(ctx context.Context, text string, limit int) ([]identity.Identity, error) {
	found, err := d.Chain.Search(ctx, text, limit)
	for i := range found {
		found[i], _ = d.names.person(found[i], nil) // gives the error that it is given
	}
	return found, err
}
