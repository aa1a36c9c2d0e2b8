package people

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"portico/fault"
	"portico/identity"
)

var _ identity.Finder = (*Chain)(nil)

// ByMail is of identity.Finder. It asks the directories that are one; the customers
// are none. Where one is away, the error wraps fault.ErrUnavailable, unless one
// before it has the address: while nobody can tell whether an address is a
// colleague's, it must not become a customer's.
func (c *Chain) ByMail(ctx context.Context, mail string) (identity.Identity, error) {
	for i, s := range c.sources {
		who, err := s.byMail(ctx, mail)
		if err == nil {
			who, err = c.holder(ctx, who, c.sources[:i])
		}
		if !isNobody(err) {
			return who, err
		}
	}
	return identity.Identity{}, identity.ErrRefused
}

// byMail takes an address for a login too: a directory may let people in by theirs,
// and lets no customer in who has such a login (see Chain.stranger).
func (s Source) byMail(ctx context.Context, mail string) (identity.Identity, error) {
	f, ok := s.Directory.(identity.Finder)
	if !ok {
		return identity.Identity{}, identity.ErrRefused
	}
	who, err := f.ByMail(ctx, mail)
	if isNobody(err) {
		return s.ByLogin(ctx, identity.Login(mail))
	}
	return who, err
}

// holder is who has somebody's login: rules name people by login, and mean the
// first directory that has it.
func (c *Chain) holder(ctx context.Context, who identity.Identity, above []Source) (identity.Identity, error) {
	for _, s := range above {
		first, err := s.ByLogin(ctx, who.Login)
		if !isNobody(err) {
			return first, err
		}
	}
	return who, nil
}

// isNobody tells that a directory has no such person, not even a closed account.
func isNobody(err error) bool {
	return errors.Is(err, identity.ErrRefused) && !errors.Is(err, identity.ErrTaken)
}

// Search is of identity.Finder. It gives what there is to know at the moment: that
// the firm's directory is away is no reason to suggest nobody.
func (c *Chain) Search(ctx context.Context, text string, limit int) ([]identity.Identity, error) {
	var all []identity.Identity
	for i, s := range c.sources {
		f, ok := s.Directory.(identity.Finder)
		if !ok {
			continue
		}
		found, err := f.Search(ctx, text, limit)
		if errors.Is(err, fault.ErrUnavailable) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("people: search: %w", err)
		}
		if i > 0 {
			found = slices.DeleteFunc(found, func(who identity.Identity) bool { return c.isOfConfig(ctx, who.Login) })
		}
		all = append(all, found...)
	}
	return identity.Found(all, text, limit), nil
}

// isOfConfig tells a login that the config has, which costs nothing to know. That
// the firm's directory has one of the outside provider's is not asked: it would be
// a search for each who is found, and to choose such a one is to choose by login.
func (c *Chain) isOfConfig(ctx context.Context, login identity.Login) bool {
	has, err := c.o.Users.has(ctx, login)
	return has || err != nil
}
