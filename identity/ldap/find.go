package ldap

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"portico/identity"
)

const (
	// leastLetters is what a Search must have: one letter would find a good part of
	// the firm, at the first key of everybody who types.
	leastLetters = 2

	// mostLetters bounds what is sent: no name is longer.
	mostLetters = 100

	// mostFound is how many entries a search for somebody may find. It is more than
	// anybody is shown, since those that are closed are left out afterwards.
	mostFound = 100
)

// ByMail is of identity.Finder.
//
// An address may be that of several entries: of somebody and their account for
// administration, or of one who left and one who came. Who alone is not closed has
// it.
func (d *Directory) ByMail(ctx context.Context, mail string) (identity.Identity, error) {
	if !identity.Presentable(identity.Login(mail), "any") {
		return identity.Identity{}, identity.ErrRefused
	}
	entries, err := d.some(ctx, d.mailFilter(norm.NFC.String(mail)))
	if err != nil {
		return identity.Identity{}, unavailable("by mail", err)
	}
	who, err := identity.Only(d.open(entries))
	if errors.Is(err, identity.ErrRefused) && len(entries) > 0 {
		return identity.Identity{}, identity.ErrTaken
	}
	return who, err
}

// mailFilter finds an address. Active Directory has somebody's further addresses
// elsewhere (MS-ADA3, Attribute proxyAddresses): "SMTP:" before the first of them,
// "smtp:" before the others, and it tells no case.
func (d *Directory) mailFilter(mail string) string {
	value := escapeFilter(mail)
	filter := "(" + d.o.Users.Email + "=" + value + ")(" + d.o.Users.Login + "=" + value + ")"
	if d.o.activeDirectory() {
		filter += "(proxyAddresses=smtp:" + value + ")"
	}
	return "(|" + filter + ")"
}

// Search is of identity.Finder. It is one search, and asks for no groups.
func (d *Directory) Search(ctx context.Context, text string, limit int) ([]identity.Identity, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	if n := utf8.RuneCountInString(text); n < leastLetters || n > mostLetters || !identity.Presentable(identity.Login(text), "any") || limit <= 0 {
		return nil, nil
	}
	entries, err := d.some(ctx, d.textFilter(text))
	if err != nil {
		return nil, unavailable("search", err)
	}
	return identity.Found(d.open(entries), text, limit), nil
}

// textFilter finds those who may be meant. The space before a word counts (RFC 4518
// §2.6.1), but a directory compares more loosely than we do in other things:
// identity.Found has the last word.
func (d *Directory) textFilter(text string) string {
	u, value := d.o.Users, escapeFilter(text)
	return "(|(" + u.Login + "=" + value + "*)(" + u.Email + "=" + value + "*)" +
		"(" + u.Name + "=" + value + "*)(" + u.Name + "=* " + value + "*)(" + u.Name + "=*-" + value + "*))"
}

// some finds people. Where there are more than mostFound, or than the directory
// gives at once, it gives those that came: too many is no reason to show nobody.
func (d *Directory) some(ctx context.Context, filter string) (entries []*goldap.Entry, err error) {
	ctx, cancel := d.limit(ctx)
	defer cancel()
	u := d.o.Users
	req := d.request(u.Base, "(&"+filter+d.users.all()+")", mostFound, append(stateAttributes(), u.Login, u.Name, u.Email, u.ID))
	err = d.pooled(ctx, func(c *goldap.Conn) error {
		found, err := c.Search(req)
		if err != nil && !tooMany(err) && !errors.Is(err, goldap.ErrSizeLimitExceeded) {
			return err //nolint:wrapcheck // pooled looks at the code
		}
		entries = found.Entries
		return nil
	})
	return entries, err
}

// open gives those of the entries that let somebody in.
func (d *Directory) open(entries []*goldap.Entry) (all []identity.Identity) {
	for _, e := range entries {
		if who := d.outline(e); who.ID != "" && goodLogin(who.Login) && !closed(e, d.o.Clock()) {
			all = append(all, who)
		}
	}
	return all
}
