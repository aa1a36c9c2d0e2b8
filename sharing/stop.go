package sharing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/notify"
	"portico/store"
)

// Stop ends shares: those that the one who asks gave or was given, or may rule
// over. tell has the recipients told; a giver is always told of what is given back.
// Customers have no tree: they decline what they have accepted.
func (s *Service) Stop(ctx context.Context, by By, ids []string, tell bool) error {
	if !by.isStaff() {
		for _, id := range ids {
			if err := s.Answer(ctx, by, id, false); err != nil {
				return fmt.Errorf("sharing: stop: %w", err)
			}
		}
		return nil
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return fmt.Errorf("sharing: stop: %w", err)
	}
	people, err := s.recipients(ctx, ids)
	if err != nil {
		return fmt.Errorf("sharing: stop: %w", err)
	}
	mine := by.Principal.Subject()
	_, err = tree.Withdraw(ctx, ids, func(tx store.Tx, ended []store.Grant) error {
		for _, g := range ended {
			var err error
			switch {
			case g.State == store.Declined || !s.isLive(g):
			case g.Subject == mine:
				err = s.tellGiver(ctx, tx, by, notify.Declined, g)
			case tell:
				n := s.noticeTo(people[g.Subject], notify.Stopped, g)
				n.Data["by"], n.From = by.Name, by.ID
				err = s.Tell.Tell(tx, n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sharing: stop: %w", err)
	}
	return nil
}

// recipients finds who was given what, before a transaction that may wait for no
// directory.
func (s *Service) recipients(ctx context.Context, ids []string) (map[string]recipient, error) {
	all := map[string]recipient{}
	for _, id := range ids {
		g, found, err := s.State.GrantByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if _, known := all[g.Subject]; !found || known {
			continue
		}
		if all[g.Subject], err = s.recipient(ctx, g); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// recipient is whom a grant names. One who has left is known by name alone.
func (s *Service) recipient(ctx context.Context, g store.Grant) (recipient, error) {
	r := recipient{subject: g.Subject}
	kind, name := cutSubject(g.Subject)
	r.name = name
	switch kind {
	case "contact":
		r.mail = name
		c, found, err := s.State.ContactByMail(ctx, g.Path.Top(), name)
		if err != nil {
			return r, err
		}
		if found && c.Name != "" {
			r.name = c.Name
		}
		r.language = c.Language
		a, found, err := s.State.AccountByMail(ctx, name)
		if found {
			r.id = identity.ContactPrefix + a.ID
		}
		return r, err
	case "user":
		who, err := s.People.ByLogin(ctx, identity.Login(name))
		switch {
		case errors.Is(err, identity.ErrRefused):
			return r, nil
		case err != nil:
			return r, err
		}
		r.id, r.name, r.mail = who.ID, who.Name, who.Email
	}
	return r, nil
}

// ChangeShare gives a share another mode and end.
func (s *Service) ChangeShare(ctx context.Context, by By, id, mode string, until time.Time) error {
	g, found, err := s.State.GrantByID(ctx, id)
	if err == nil && (!found || g.Subject == by.Principal.Subject()) {
		err = noShare()
	}
	if err == nil && roleOf(mode) == "" {
		err = fault.Tell(fs.ErrInvalid, "There is no kind of share %q; choose read, edit or deposit.", short(mode))
	}
	if err == nil && mode == Deposit && !g.Dir {
		err = fault.Tell(fault.ErrNotDir, "%s is a file; only folders can be shared for deposits alone.", g.Path.Name())
	}
	if err == nil {
		until, err = s.endOf(until)
	}
	if err != nil {
		return fmt.Errorf("sharing: change share: %w", err)
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return fmt.Errorf("sharing: change share: %w", err)
	}
	// All that is changed is what was asked for: no right comes along (THREATS.md
	// row 29).
	g.Role, g.Until = roleOf(mode), until
	_, err = tree.Change(ctx, g)
	if errors.Is(err, fs.ErrNotExist) {
		err = noShare() // in the words for one that never was (row 48)
	}
	if err != nil {
		return fmt.Errorf("sharing: change share: %w", err)
	}
	return nil
}

// noShare is the same for a share that has ended and for somebody else's (THREATS.md
// row 48).
func noShare() error { return fault.Tell(fs.ErrNotExist, "There is no such share.") }

// Answer accepts or declines what was offered; who offered it is told.
func (s *Service) Answer(ctx context.Context, by By, id string, accept bool) error {
	event := notify.Declined
	if accept {
		event = notify.Accepted
	}
	_, err := s.Files.Answer(ctx, by.Principal, id, accept, func(tx store.Tx, answered []store.Grant) error {
		for _, g := range answered {
			if err := s.tellGiver(ctx, tx, by, event, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sharing: answer: %w", err)
	}
	return nil
}
