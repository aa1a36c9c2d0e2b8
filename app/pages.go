package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"portico/config"
	"portico/files"
	"portico/gateway"
	"portico/identity"
	"portico/identity/oidc"
	"portico/identity/session"
	"portico/portal"
	"portico/vpath"
)

// pages is the portal with all that it stands on.
func (s *process) pages(cfg *config.Config, public *url.URL, address func(*http.Request) string) http.Handler {
	o := portal.Options{
		Public: public, Gate: s.gate, Passwords: s.passwords, Workspaces: s.workspacesOf,
		Sessions: session.New(session.Options{
			State: s.state, People: s.gate.People(), Clock: s.clock, Rand: rand.Reader, Stamp: s.passwordStamp,
		}),
		Catalog:  s.catalog,
		Language: s.language, Zone: s.zone,
		Principal: gateway.Principal,
		Unread:    s.unread, Preferences: s.state.PreferencesOf, Brand: s.brandPages, Brands: s.brands,
		Firm: s.firmOf, Arrived: s.arrived, Forgotten: "/reset",
		Rooms:  s.rooms(cfg),
		Record: s.recordPeople, Append: s.appendPeople,
		RequestID: requestID, Address: address, Clock: s.clock, Log: s.log,
	}
	if cfg.OIDC != nil {
		provider := oidcOptions(cfg.OIDC, public)
		provider.Directory, provider.State, provider.Vouches = known{s}, s.state, s.vouches
		provider.Clock, provider.Rand, provider.Log = s.clock, rand.Reader, s.log
		o.Outside, o.OutsideOnly = oidc.New(provider), cfg.OIDC.Only
	}
	return portal.New(o)
}

// workspacesOf are the drives that somebody may see.
func (s *process) workspacesOf(ctx context.Context, who identity.Identity) ([]portal.Workspace, error) {
	if who.Contact { // what was shared with them is in no drive of their own
		return nil, nil
	}
	tree, err := s.files.As(ctx, gateway.Principal(who))
	if err != nil {
		return nil, err
	}
	_, list, err := tree.Find(ctx, vpath.Path{}, true, files.Want{})
	if err != nil {
		return nil, err
	}
	var all []portal.Workspace
	for _, n := range list {
		all = append(all, portal.Workspace{Name: n.Path.Name(), Title: n.Title, Contacts: tree.Somewhere(n.Path, "share", "invite")})
	}
	return all, nil
}

// passwordStamp changes with the password of a user of the config, and ends the
// sessions that an old one began (THREATS.md row 62). It tells nothing of it.
func (s *process) passwordStamp(id string) string {
	login, ok := strings.CutPrefix(id, usersPrefix)
	if !ok {
		return ""
	}
	sum := sha256.Sum256([]byte(s.cfg.Load().Users[config.Login(login)].Password.Reveal()))
	return hex.EncodeToString(sum[:8])
}

// vouches tells whom the outside provider may sign in: not the users of the
// config, unless that says so.
func (s *process) vouches(who identity.Identity) bool {
	c := s.opened.OIDC // a change waits for the next start
	return c.VouchesForUsers || !strings.HasPrefix(who.ID, usersPrefix)
}

// known are the directories of the config in force, for the sign-in of an
// outside provider: whom they know is that person.
type known struct{ s *process }

// ByLogin implements oidc.Directory.
func (k known) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	return k.s.people.Load().known.ByLogin(ctx, login)
}
