package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"portico/audit"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Withdraw ends grants, all or none: by their giver, by one who holds grant on
// the thing, or by their recipient.
func (t *Tree) Withdraw(ctx context.Context, ids []string, also ...Also) ([]store.Grant, error) {
	list, err := t.withdraw(ctx, ids, also)
	return list, t.refused(ctx, audit.Event{Action: audit.Unshare, Path: "/", Dest: strings.Join(ids, " ")}, err)
}

func (t *Tree) withdraw(ctx context.Context, ids []string, also []Also) (list []store.Grant, err error) {
	if err := t.mayChange(); err != nil || len(ids) == 0 {
		return nil, err
	}
	var events []audit.Event
	for _, id := range ids {
		g, err := t.ownOrMine(ctx, t.s.State, id)
		if err != nil {
			return nil, err
		}
		events = append(events, audit.Event{Action: audit.Unshare, Path: g.Path.String(), Dest: g.Subject})
	}
	err = t.commitGrants(ctx, events, func(tx store.Tx) error {
		for _, id := range ids {
			g, err := t.ownOrMine(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := tx.DropGrant(id); err != nil {
				return err
			}
			list = append(list, g)
		}
		return both(tx, list, also)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ownOrMine is own, for a recipient as well.
func (t *Tree) ownOrMine(ctx context.Context, in store.GrantReader, id string) (store.Grant, error) {
	g, err := t.own(ctx, in, id)
	if !errors.Is(err, fs.ErrNotExist) {
		return g, err
	}
	g, found, err := in.GrantByID(ctx, id)
	switch {
	case err != nil:
		return store.Grant{}, unclaimed(ctx, err)
	case found && g.Subject == t.who.Subject() && !t.who.acl.Limit.ReadOnly:
		return g, nil
	}
	return store.Grant{}, noGrant()
}

// Answer accepts or declines what was offered to the principal, who may also give
// back what they have accepted. Anybody else's grant, and one that has ended, is
// fs.ErrNotExist.
func (s *Service) Answer(ctx context.Context, p Principal, id string, accept bool, also ...Also) (store.Grant, error) {
	t, err := s.tree(ctx, p)
	if err != nil {
		return store.Grant{}, err
	}
	g, err := t.answer(ctx, id, accept, also)
	if err != nil {
		err = t.refused(ctx, audit.Event{Action: audit.Answer, Path: "/", Dest: p.Subject()}, err)
		return store.Grant{}, err
	}
	return g, nil
}

func (t *Tree) answer(ctx context.Context, id string, accept bool, also []Also) (g store.Grant, err error) {
	word, state := "declined", store.Declined
	if accept {
		word, state = "accepted", store.Accepted
	}
	if g, err = t.offered(ctx, t.s.State, id); err != nil || g.State == state {
		return g, err
	}
	event := audit.Event{Action: audit.Answer, Path: g.Path.String(), Dest: g.Subject, Why: word}
	err = t.commitGrants(ctx, []audit.Event{event}, func(tx store.Tx) error {
		if g, err = t.offered(ctx, tx, id); err != nil {
			return err
		}
		if accept && g.State == store.Declined {
			return fault.Tell(fault.ErrConflict, "this was declined: ask for it to be shared again")
		}
		g.State = state
		if err := tx.PutGrant(g); err != nil {
			return err
		}
		return both(tx, []store.Grant{g}, also)
	})
	return g, err
}

// offered is a grant that names the principal and has not ended.
func (t *Tree) offered(ctx context.Context, in store.GrantReader, id string) (store.Grant, error) {
	g, found, err := in.GrantByID(ctx, id)
	switch {
	case err != nil:
		return g, unclaimed(ctx, err)
	case !found || g.Subject != t.who.Subject() || !g.Until.IsZero() && !g.Until.After(t.now()):
		return store.Grant{}, noGrant()
	case t.who.acl.Limit.ReadOnly:
		return store.Grant{}, fault.Tell(fs.ErrPermission, "the app password only lets read")
	}
	return g, nil
}

// WithdrawAll ends all grants to a subject at below or beneath it, the root for
// all, in the transaction of who takes their access away; call GrantsChanged when
// it is committed.
func (s *Service) WithdrawAll(ctx context.Context, tx store.Tx, subject string, below vpath.Path) error {
	list, err := tx.GrantsTo(ctx, subject)
	if err != nil {
		return fmt.Errorf("files: withdraw all: %w", err)
	}
	for _, g := range list {
		if !below.Contains(g.Path) {
			continue
		}
		if err := s.endGrant(tx, g); err != nil {
			return fmt.Errorf("files: withdraw all: %w", err)
		}
	}
	return nil
}

// endGrant ends a grant for which nobody acts here. There is no key by which the
// row could seal whom it named: who closes the access has a row that tells that.
func (s *Service) endGrant(tx store.Tx, g store.Grant) error {
	e := audit.Event{
		Time: s.Clock(), Actor: audit.Actor{Type: audit.SystemItself, ID: "system"}, Allowed: true,
		Action: audit.Unshare, Path: g.Path.String(), Dest: g.ID,
	}
	if s.Epoch != nil {
		e.Epoch = s.Epoch()
	}
	return errors.Join(tx.DropGrant(g.ID), s.Audit.Append(tx, e))
}
