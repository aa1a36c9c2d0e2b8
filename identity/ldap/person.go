package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"portico/identity"
)

// attributes are those that are read of a person.
func (d *Directory) attributes() []string {
	u := d.o.Users
	list := append(stateAttributes(), "pwdChangedTime", "pwdLastSet", u.Login, u.Name, u.Email, u.ID)
	for _, a := range d.asks {
		list = append(list, a.attribute)
	}
	if d.o.Groups != nil {
		list = append(list, "memberOf", "gidNumber", "primaryGroupID", "objectSid")
	}
	return list
}

// person is the identity of an entry, with the groups. typed is the login that the
// entry was found by, "" where it was found by its ID.
func (d *Directory) person(ctx context.Context, e *goldap.Entry, typed identity.Login) (identity.Identity, error) {
	u := d.o.Users
	who := d.outline(e)
	login := string(who.Login)
	switch {
	case closed(e, d.o.Clock()):
		return identity.Identity{}, identity.ErrTaken
	case !goodLogin(who.Login):
		d.reject(ctx, login, e.DN, "its "+u.Login+" cannot be a login here; give it letters, digits and . _ - @ + '")
		return identity.Identity{}, identity.ErrTaken
	case who.ID == "":
		d.reject(ctx, login, e.DN, "it has no single "+u.ID+" that could be an ID; let bind_dn read it, or name another attribute that never changes")
		return identity.Identity{}, identity.ErrTaken
	}
	if err := d.alone(ctx, who.Login, typed); err != nil {
		return identity.Identity{}, err
	}
	groups, err := d.groups(ctx, e)
	if err != nil {
		return identity.Identity{}, unavailable("groups", err)
	}
	who.Groups = groups
	return who, nil
}

// outline is what stands in an entry itself, and may be of no use.
func (d *Directory) outline(e *goldap.Entry) identity.Identity {
	u := d.o.Users
	login := norm.NFC.String(principal(e, u.Login))
	return identity.Identity{
		ID: idOf(e, u.ID), Login: identity.Login(login), Name: or(shown(first(e, u.Name)), login), Email: shown(first(e, u.Email)),
		PasswordSet: passwordSet(e),
	}
}

// alone refuses a login that two entries have: rules name people by login, so that
// each would get what is the other's. The search by what was typed has told it
// where that is the login; not where somebody came by their mail or by their ID.
func (d *Directory) alone(ctx context.Context, login, typed identity.Login) error {
	asked := slices.ContainsFunc(d.asks, func(a ask) bool { return strings.EqualFold(a.attribute, d.o.Users.Login) && a.value == placeLogin })
	if asked && typed.Key() == login.Key() {
		return nil
	}
	_, err := d.one(ctx, "(&("+d.o.Users.Login+"="+escapeFilter(string(login))+")"+d.users.all()+")", string(login))
	if err != nil && !errors.Is(err, identity.ErrRefused) {
		return unavailable("login", err)
	}
	return err
}

// goodLogin refuses what would mean something in a path, a header or a rule, or
// looks like another's: a login may become the name of somebody's folder
// (CVE-2026-30915, SFTPGo: a user of the name "..").
func goodLogin(l identity.Login) bool {
	return identity.Presentable(l, "any") && strings.Trim(string(l), ".") != "" && !strings.ContainsAny(string(l), `/\:`) &&
		!strings.ContainsFunc(string(l), func(r rune) bool { return unicode.Is(unicode.Cf, r) })
}

// shown is a text for people to read; a broken one is none.
func shown(s string) string {
	const most = 256
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return norm.NFC.String(strings.TrimSpace(s))
}
