// Package people makes one directory of all those that the config names: its own
// users, the firm's directory (LDAP), and those whom an outside provider signed
// in (OIDC).
//
// A login is one person. The users of the config come first, so that the admin
// who wrote them still gets in when the firm's directory is away, and so that
// nobody there can take over a login that the config has, and with it the rules
// that name it. The firm's directory comes second, the outside
// provider third, and the customers last: whom the firm knows is never one of them.
//
// What time tells (THREATS.md row 59): whoever is refused has cost one hash of
// the kind that the users of the config have, whether the login is theirs, the
// directory's or nobody's. The hash for a login that the config does not have is
// made after the directory has refused, so that those whom it takes pay nothing;
// where the config has no users there is nothing to hide and no hash. How long
// the directory takes for a stranger is its own matter, some milliseconds beside
// a hash. For a login that is a mail address and not the config's, the hash is that
// of the customers. What remains: while the directory is away, a wrong password for a user
// of the config is 401 and all others get 503.
package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portico/identity"
)

// Source is one of the directories; the zero value is one that is not used.
type Source struct {
	identity.Directory
	Prefix string        // of all its IDs, and of no other's
	Term   time.Duration // how long what it says of somebody may be kept
}

func (s Source) used() bool { return s.Directory != nil }

// Options are the directories in their order.
type Options struct {
	Users   Source // of the config: answers at once, and from memory
	Firm    Source
	Outside Source // knows no passwords

	Contacts Source // customers, whose logins are mail addresses
}

// Chain is an identity.Directory over several.
type Chain struct {
	o       Options
	sources []Source // those that are used, in their order
}

var _ identity.Directory = (*Chain)(nil)

// New makes a chain. It fails where an ID could be of two sources.
func New(o Options) (*Chain, error) {
	c := &Chain{o: o}
	for _, s := range []Source{o.Users, o.Firm, o.Outside, o.Contacts} {
		if !s.used() {
			continue
		}
		for _, other := range c.sources {
			if strings.HasPrefix(s.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, s.Prefix) {
				return nil, fmt.Errorf("people: the prefixes %q and %q of IDs cannot be told apart", other.Prefix, s.Prefix)
			}
		}
		c.sources = append(c.sources, s)
	}
	return c, nil
}

// Term tells how long what was said of somebody may be kept.
func (c *Chain) Term(who identity.Identity) time.Duration {
	for _, s := range c.sources {
		if strings.HasPrefix(who.ID, s.Prefix) {
			return s.Term
		}
	}
	return 0
}

// Authenticate is of identity.Provider. A login that the config has goes nowhere
// else.
func (c *Chain) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if !identity.Presentable(login, password) {
		return identity.Identity{}, identity.ErrRefused
	}
	has, err := c.o.Users.has(ctx, login)
	switch {
	case err != nil:
		return identity.Identity{}, err
	case has:
		return c.users(ctx, login, password)
	case !c.o.Firm.used():
		return c.stranger(ctx, login, password, identity.ErrRefused)
	}
	who, err := c.o.Firm.Authenticate(ctx, login, password)
	if err == nil {
		// The directory may take another spelling than the one it gives: a mail
		// address for a login that the config has as well.
		who, err = unlessAbove(ctx, who, c.o.Users)
	}
	if errors.Is(err, identity.ErrRefused) {
		return c.stranger(ctx, login, password, err)
	}
	return who, err
}

// stranger is for a login that the firm has refused or does not have. It costs one
// hash, and refuses with what the firm said, which may tell whose login it is; but
// for a customer, whom the firm must not know.
func (c *Chain) stranger(ctx context.Context, login identity.Login, password string, refused error) (identity.Identity, error) {
	if !c.o.Contacts.used() || !strings.Contains(string(login), "@") {
		if _, err := c.users(ctx, login, password); !errors.Is(err, identity.ErrRefused) {
			return identity.Identity{}, err
		}
		return identity.Identity{}, refused
	}
	who, err := c.o.Contacts.Authenticate(ctx, login, password)
	if err == nil {
		who, err = unlessAbove(ctx, who, c.o.Users, c.o.Firm, c.o.Outside)
	}
	if wrong, ok := errors.AsType[*identity.WrongError](refused); ok && wrong.Whose != "" && errors.Is(err, identity.ErrRefused) {
		err = refused
	}
	return who, err
}

// users asks the users of the config, who for a stranger cost a hash and refuse.
func (c *Chain) users(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if !c.o.Users.used() {
		return identity.Identity{}, identity.ErrRefused
	}
	return c.o.Users.Authenticate(ctx, login, password)
}

// ByLogin is of identity.Directory.
func (c *Chain) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	for i, s := range c.sources {
		who, err := s.ByLogin(ctx, login)
		if err == nil {
			who, err = unlessAbove(ctx, who, c.sources[:i]...)
		}
		if !errors.Is(err, identity.ErrRefused) || errors.Is(err, identity.ErrTaken) {
			return who, err
		}
	}
	return identity.Identity{}, identity.ErrRefused
}

// ByID is of identity.Directory. It asks the directory that gives such IDs, and
// those before it whether the login is theirs: where one of these is away, that
// cannot be known, and nobody after it gets in.
func (c *Chain) ByID(ctx context.Context, id string) (identity.Identity, error) {
	for i, s := range c.sources {
		if !strings.HasPrefix(id, s.Prefix) {
			continue
		}
		who, err := s.ByID(ctx, id)
		if err != nil {
			return identity.Identity{}, err
		}
		return unlessAbove(ctx, who, c.sources[:i]...)
	}
	return identity.Identity{}, identity.ErrRefused
}

// unlessAbove refuses somebody whose login is somebody's in a directory that
// comes before: rules name people by login, and those are the other's.
func unlessAbove(ctx context.Context, who identity.Identity, above ...Source) (identity.Identity, error) {
	for _, s := range above {
		has, err := s.has(ctx, who.Login)
		if err != nil {
			return identity.Identity{}, err
		}
		if has {
			return identity.Identity{}, identity.ErrRefused
		}
	}
	return who, nil
}

// has tells whether a source has a login.
func (s Source) has(ctx context.Context, login identity.Login) (bool, error) {
	if !s.used() {
		return false, nil
	}
	switch _, err := s.ByLogin(ctx, login); {
	case err == nil, errors.Is(err, identity.ErrTaken): // a closed account keeps its login
		return true, nil
	case errors.Is(err, identity.ErrRefused):
		return false, nil
	default:
		return false, fmt.Errorf("people: %w", err)
	}
}
