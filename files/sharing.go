package files

import (
	"context"
	"fmt"

	"portico/acl"
	"portico/store"
	"portico/vpath"
)

// Somewhere tells whether the principal holds one of the rights at p or anywhere
// beneath it. A word that is no right is held by nobody.
func (t *Tree) Somewhere(p vpath.Path, rights ...string) bool {
	if t.as != nil && !t.mayLook(p.Top()) {
		return false
	}
	for _, word := range rights {
		if right, _, err := acl.ParseRight(word); err == nil && t.view.Somewhere(p, right) {
			return true
		}
	}
	return false
}

// WithdrawThese is WithdrawAll for grants by their IDs; one that is gone is no
// error.
func (s *Service) WithdrawThese(ctx context.Context, tx store.Tx, ids ...string) error {
	for _, id := range ids {
		g, found, err := tx.GrantByID(ctx, id)
		if err != nil {
			return fmt.Errorf("files: withdraw these: %w", err)
		}
		if !found {
			continue
		}
		if err := s.endGrant(tx, g); err != nil {
			return fmt.Errorf("files: withdraw these: %w", err)
		}
	}
	return nil
}
