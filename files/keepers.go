package files

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"portico/acl"
	"portico/vpath"
)

// Keepers are the logins of those who may give rights at p, whom a rule of the
// config or a grant names there: those of the nearest folder first, and in the
// place of a group the people whom the config lists in it. A directory's group has
// no list. What a denial of another of their groups takes away is not seen here:
// ask the tree of each.
//
// They are told to nobody who may not know them. The principal must see p; of what
// is hidden the error is that of a path that does not exist.
func (t *Tree) Keepers(ctx context.Context, p vpath.Path) ([]string, error) {
	if _, err := t.thing(ctx, p); err != nil {
		return nil, fmt.Errorf("files: keepers: %w", err)
	}
	known, err := t.s.grants.known(ctx)
	if err != nil {
		return nil, fmt.Errorf("files: keepers: %w", err)
	}
	_, order := known.above(p)
	var logins []string
	for _, subject := range append(t.r.policy.Named(p), order...) {
		view, err := t.s.viewOf(ctx, t.r, acl.Principal{ID: "\x00", Self: subject}, t.now())
		if err != nil {
			return nil, fmt.Errorf("files: keepers: %w", err)
		}
		if !view.Decide(acl.GrantRight, p, "").Allowed() {
			continue
		}
		for _, one := range append([]acl.Subject{subject}, t.r.policy.People(subject)...) {
			if login, ok := strings.CutPrefix(string(one), "user:"); ok && !slices.Contains(logins, login) {
				logins = append(logins, login)
			}
		}
	}
	return logins, nil
}
