// Package ldap knows the people of a firm's directory: OpenLDAP and what is
// like it, or Active Directory.
//
// It finds an entry by its login, binds as the DN of that entry with the
// password that was typed, and reads the groups. It keeps nothing: what may be
// remembered, and how long, is the business of identity.Cache.
//
// Every connection is encrypted and verified. An error is identity.ErrRefused
// where the directory spoke of the person, and wraps fault.ErrUnavailable where
// it did not speak, or spoke of something else.
package ldap

import (
	"context"
	"errors"
	"fmt"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"portico/identity"
)

// sizeLimit is how many entries one search may find. Above it somebody's groups
// would be known in part, and a rule that denies something to one of the others
// would not hold.
const sizeLimit = 1000

// Directory is an identity.Directory over LDAP.
type Directory struct {
	o        Options
	users    template
	asks     []ask
	names    map[string]string // Groups.Map by groupKey
	told     told
	servers  []*server
	searches chan struct{} // a place for each connection
	binds    chan struct{}
}

var (
	_ identity.Directory = (*Directory)(nil)
	_ identity.Finder    = (*Directory)(nil)
)

// New makes a directory. It connects to nothing; its error has all that is wrong
// with o, a line for each. Close the Directory.
func New(o Options) (*Directory, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	config, err := o.tlsConfig()
	if err != nil {
		return nil, fmt.Errorf("ldap: %w", err)
	}
	d := &Directory{o: o, users: template(o.Users.Filter), names: map[string]string{}, searches: make(chan struct{}, o.Pool), binds: make(chan struct{}, o.Pool)}
	d.asks, _ = d.users.asks() // check has seen to it
	if o.Groups != nil {
		for theirs, ours := range o.Groups.Map {
			d.names[groupKey(theirs)] = ours
		}
	}
	for _, u := range o.Servers {
		d.servers = append(d.servers, newServer(u, config, &d.o))
	}
	return d, nil
}

// Close hangs up. Requests that are under way end first.
func (d *Directory) Close() error {
	for _, s := range d.servers {
		s.drop(true)
	}
	return nil
}

// Authenticate is of identity.Provider. A login that nobody has costs a search
// and a bind as well, so that neither the answer nor its time tells who works
// here.
func (d *Directory) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if !identity.Presentable(login, password) {
		return identity.Identity{}, identity.ErrRefused
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	entry, err := d.byLogin(ctx, login)
	if err != nil && !errors.Is(err, identity.ErrRefused) {
		return identity.Identity{}, unavailable("authenticate", err)
	}
	dn := d.strangerDN(login)
	if entry != nil {
		dn = entry.DN
	}
	proved, err := d.prove(ctx, dn, password)
	switch {
	case err != nil:
		return identity.Identity{}, unavailable("authenticate", err)
	case entry == nil:
		return identity.Identity{}, identity.ErrRefused
	case !proved:
		return identity.Identity{}, d.wrong(entry)
	}
	who, err := d.person(ctx, entry, login)
	if errors.Is(err, identity.ErrRefused) {
		err = d.wrong(entry)
	}
	return who, err
}

// wrong is the refusal of somebody whom the directory has.
func (d *Directory) wrong(e *goldap.Entry) error {
	return &identity.WrongError{Whose: identity.Login(norm.NFC.String(principal(e, d.o.Users.Login)))}
}

// ByLogin is of identity.Directory.
func (d *Directory) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	if !identity.Presentable(login, "any") {
		return identity.Identity{}, identity.ErrRefused
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	return d.found(ctx, login, func() (*goldap.Entry, error) { return d.byLogin(ctx, login) })
}

// ByID is of identity.Directory. Whom the filter for users leaves out is not
// found by their ID either.
func (d *Directory) ByID(ctx context.Context, id string) (identity.Identity, error) {
	filter := idFilter(id, d.o.Users.ID)
	if filter == "" {
		return identity.Identity{}, identity.ErrRefused
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	return d.found(ctx, "", func() (*goldap.Entry, error) { return d.one(ctx, "(&"+filter+d.users.all()+")", id) })
}

func (d *Directory) found(ctx context.Context, typed identity.Login, find func() (*goldap.Entry, error)) (identity.Identity, error) {
	switch entry, err := find(); {
	case errors.Is(err, identity.ErrRefused):
		return identity.Identity{}, err
	case err != nil:
		return identity.Identity{}, unavailable("find", err)
	case entry == nil:
		return identity.Identity{}, identity.ErrRefused
	default:
		return d.person(ctx, entry, typed)
	}
}

// limit ends what takes longer than anybody waits, with servers that are frozen
// one after the other.
func (d *Directory) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 3*d.o.Timeout)
}

// byLogin finds the entry of a login; nil where there is none.
func (d *Directory) byLogin(ctx context.Context, login identity.Login) (*goldap.Entry, error) {
	typed := norm.NFC.String(string(login))
	entry, err := d.one(ctx, d.users.fill("", typed), string(login))
	if err != nil || entry == nil || !d.says(entry, login) {
		return nil, err // nobody is no error here: a bind follows all the same
	}
	return entry, nil
}

// says holds what was typed against what was found. A directory compares more
// loosely than we do: it skips what cannot be seen (RFC 4518 §2.2), so that one
// login would have endless spellings, each with its own count of wrong passwords.
func (d *Directory) says(e *goldap.Entry, login identity.Login) bool {
	for _, a := range d.asks {
		want := identity.Login(template(a.value).plain(string(login))).Key()
		for _, v := range values(e, a.attribute) {
			if identity.Login(v).Key() == want {
				return true
			}
		}
	}
	return false
}

// one finds exactly one entry; nil where there is none. Two are an error of the
// directory, and nobody's to choose from: identity.ErrTaken.
func (d *Directory) one(ctx context.Context, filter, asked string) (*goldap.Entry, error) {
	entries, err := d.search(ctx, d.request(d.o.Users.Base, filter, 2, d.attributes()))
	switch {
	case tooMany(err) || len(entries) > 1:
		d.reject(ctx, asked, "", "it finds more than one entry; make the users' filter or base narrower, or mend the entries")
		return nil, identity.ErrTaken
	case err != nil || len(entries) == 0:
		return nil, err
	}
	return entries[0], nil
}

// request is a search below base.
func (d *Directory) request(base, filter string, size int, attributes []string) *goldap.SearchRequest {
	return &goldap.SearchRequest{
		BaseDN: base, Scope: goldap.ScopeWholeSubtree, DerefAliases: goldap.NeverDerefAliases, Filter: filter, Attributes: attributes,
		SizeLimit: size, EnforceSizeLimit: true, TimeLimit: int((d.o.Timeout + time.Second - 1) / time.Second),
	}
}

// strangerDN is where nobody is. It names what was typed, for whoever reads the
// directory's own log.
func (d *Directory) strangerDN(login identity.Login) string {
	return "cn=" + escapeDN("nobody of Portico: "+string(login)) + "," + d.o.Users.Base
}

// reject tells the admin of an entry that lets nobody in.
func (d *Directory) reject(ctx context.Context, asked, dn, why string) {
	d.o.Log.WarnContext(ctx, "identity.rejected", "asked", asked, "dn", dn, "why", why)
}
