package sharing

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// linkPrefix begins a link's token, so that scanners of logs and of source code can
// spot one (THREATS.md §4.4).
const linkPrefix = "gwl_"

// tokenBytes are 160 bits: 32 letters, none of which is misread on paper.
const tokenBytes = 20

// newToken makes what stands in a link's address, and what the store keeps of it.
func (s *Service) newToken() (token string, sum store.Sum, err error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", sum, fmt.Errorf("sharing: random source: %w", err)
	}
	token = linkPrefix + base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(b)
	return token, sumOf(token), nil
}

// isToken tells what may be a token at all. One spelling alone: another would be
// another sum anyway.
func isToken(text string) bool {
	rest, ok := strings.CutPrefix(text, linkPrefix)
	return ok && len(rest) == tokenBytes*8/5 && strings.Trim(rest, crockford) == ""
}

// MakeLink opens things to whoever holds the token, which is told here and never
// again. It needs the right to share on each, and gives no more than the one who
// makes it holds.
func (s *Service) MakeLink(ctx context.Context, by By, w LinkWish) (LinkView, string, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return LinkView{}, "", wrap("make link", err)
	}
	if w, err = s.cleanLink(ctx, w); err == nil {
		err = s.mayOpenBy(ctx, by, tree, w)
	}
	if err != nil {
		return LinkView{}, "", wrap("make link", err)
	}
	id, err := s.newID()
	if err != nil {
		return LinkView{}, "", wrap("make link", err)
	}
	token, sum, err := s.newToken()
	if err != nil {
		return LinkView{}, "", wrap("make link", err)
	}
	l := store.Link{ID: id, Sum: sum, Workspace: w.Items[0].Top(), Giver: by.ID, GiverName: by.Name, Created: s.Clock()}
	w.set(&l)
	_, err = tree.Give(ctx, w.gifts(l), func(tx store.Tx, grants []store.Grant) error {
		if err := tx.PutLink(l); err != nil {
			return err
		}
		if err := s.sendLink(ctx, tx, by, l, grants, w.Message, token); err != nil {
			return err
		}
		return s.did(tx, by, "link-made", w.Items[0], l.ID)
	})
	if err != nil {
		return LinkView{}, "", wrap("make link", err)
	}
	v, err := s.viewOf(ctx, tree, by, l)
	return v, token, wrap("make link", err)
}

// gifts are what a link is given.
func (w LinkWish) gifts(l store.Link) (list []files.Gift) {
	for _, p := range w.Items {
		list = append(list, files.Gift{Path: p, Subject: linkSubject(l.ID), Role: linkRole(w.Mode), Until: w.Until})
	}
	return list
}

// mayOpenBy judges what a link shall open, and for whom. That somebody may share it
// package files says.
func (s *Service) mayOpenBy(ctx context.Context, by By, tree *files.Tree, w LinkWish) error {
	w.Items = unique(w.Items)
	switch {
	case by.Contact:
		return fault.Tell(fs.ErrPermission, "What was shared with you cannot be shared on; ask who shared it.")
	case len(w.Items) == 0:
		return fault.Tell(fs.ErrInvalid, "Choose what the link opens.")
	case len(w.Items) > maxItems:
		return fault.Tell(fault.ErrTooLarge, "At most %d things can be opened by one link; choose their folder instead.", maxItems)
	case slices.ContainsFunc(w.Items, func(p vpath.Path) bool { return p.Top() != w.Items[0].Top() }):
		return fault.Tell(fs.ErrInvalid, "A link opens things of one workspace; make one for each.")
	}
	for _, p := range w.Items {
		n, err := tree.Stat(ctx, p)
		switch {
		case err != nil:
			return err // absent and unreadable are one (CVE-2026-54096)
		case !n.Dir && w.Mode != LinkRead:
			return fault.Tell(fault.ErrNotDir, "%s is a file; only folders take deposits.", p.Name())
		}
		if w.Contact == "" {
			continue
		}
		if err := s.MayHave(ctx, by, w.Contact, p); err != nil {
			return err
		}
	}
	return nil
}

// sendLink tells the contact for whom a link is.
func (s *Service) sendLink(ctx context.Context, tx store.Tx, by By, l store.Link, grants []store.Grant, message, token string) error {
	if l.Contact == "" || len(grants) == 0 {
		return nil
	}
	c, _, err := tx.ContactByMail(ctx, l.Workspace, l.Contact)
	if err != nil {
		return err
	}
	item := s.itemName(grants[0])
	if len(grants) > 1 {
		item = fmt.Sprintf("%s … (%d)", item, len(grants))
	}
	return s.Tell.Tell(tx, notify.Notice{
		Mail: l.Contact, Name: c.Name, From: by.ID, Language: c.Language, Event: notify.SentLink, Brand: l.Workspace, Quiet: true,
		Data: map[string]string{
			"by": by.Name, "item": item, "message": message, "until": moment(l.Until), "link": s.address("/s/" + token),
		},
	})
}

// ChangeLink gives a link new terms; what it opens stays. What was unlocked by the
// old terms is locked again, and the rights are those of the new mode, no other
// (CVE-2021-32655). Only who made it may.
func (s *Service) ChangeLink(ctx context.Context, by By, id string, w LinkWish) (LinkView, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return LinkView{}, wrap("change link", err)
	}
	l, grants, err := s.ownLink(ctx, s.State, tree, by, id, false)
	if err == nil {
		w, err = s.cleanLink(ctx, w)
	}
	if err != nil {
		return LinkView{}, wrap("change link", err)
	}
	w.Items = nil
	for _, g := range grants {
		w.Items = append(w.Items, g.Path)
	}
	if err := s.mayOpenBy(ctx, by, tree, w); err != nil {
		return LinkView{}, wrap("change link", err)
	}
	_, err = tree.Give(ctx, w.gifts(l), func(tx store.Tx, _ []store.Grant) error {
		if l, _, err = s.ownLink(ctx, tx, tree, by, id, false); err != nil {
			return err
		}
		w.set(&l)
		if err := s.relock(tx, l); err != nil {
			return err
		}
		return s.did(tx, by, "link-changed", w.Items[0], l.ID)
	})
	if err != nil {
		return LinkView{}, wrap("change link", err)
	}
	v, err := s.viewOf(ctx, tree, by, l)
	return v, wrap("change link", err)
}

// relock keeps a changed link, and ends the sessions that its old terms began.
func (s *Service) relock(tx store.Tx, l store.Link) error {
	if err := tx.PutLink(l); err != nil {
		return err
	}
	return tx.DropSessionsOf(linkSubject(l.ID))
}

// ownLink finds a link that stands, for who made it; with others, for who may end
// what it opens, too. Any other does not exist (CVE-2026-54097).
func (s *Service) ownLink(
	ctx context.Context, in store.SharingReader, tree *files.Tree, by By, id string, others bool,
) (store.Link, []store.Grant, error) {
	l, found, err := in.LinkByID(ctx, id)
	if err != nil {
		return l, nil, err
	}
	grants, err := in.GrantsTo(ctx, linkSubject(id))
	if err != nil {
		return l, nil, err
	}
	may := found && !by.Contact && (l.Giver == by.ID || others && len(grants) > 0 &&
		!slices.ContainsFunc(grants, func(g store.Grant) bool { return !slices.Contains(tree.Rights(g.Path), "grant") }))
	switch {
	case !may:
		return store.Link{}, nil, fault.Tell(fs.ErrNotExist, "There is no such link.")
	case !l.Revoked.IsZero():
		return l, nil, fault.Tell(ErrGone, "This link was revoked; make a new one.")
	}
	return l, grants, nil
}

// RevokeLink ends a link at once, on pages and drives: by who made it, or by who
// holds the right to change rights on all that it opens.
func (s *Service) RevokeLink(ctx context.Context, by By, id string) error {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return wrap("revoke link", err)
	}
	_, grants, err := s.ownLink(ctx, s.State, tree, by, id, true)
	if err != nil {
		return wrap("revoke link", err)
	}
	end := func(tx store.Tx, _ []store.Grant) error {
		l, _, err := s.ownLink(ctx, tx, tree, by, id, true)
		if by.ID != l.Giver && err != nil && len(grants) > 0 {
			l, _, err = tx.LinkByID(ctx, id) // judged by what it opened until a moment ago
		}
		if err != nil {
			return err
		}
		l.Revoked = s.Clock()
		l.Version++
		if err := s.relock(tx, l); err != nil {
			return err
		}
		return s.did(tx, by, "link-revoked", vpath.Path{}, l.ID)
	}
	ids := make([]string, 0, len(grants))
	for _, g := range grants {
		ids = append(ids, g.ID)
	}
	if len(ids) == 0 { // what it opened has gone
		return wrap("revoke link", s.State.Update(ctx, func(tx store.Tx) error { return end(tx, nil) }))
	}
	_, err = tree.Withdraw(ctx, ids, end)
	return wrap("revoke link", err)
}

// RenewLink gives a link another address; the old one opens nothing any more. Only
// who made it may.
func (s *Service) RenewLink(ctx context.Context, by By, id string) (LinkView, string, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return LinkView{}, "", wrap("renew link", err)
	}
	token, sum, err := s.newToken()
	if err != nil {
		return LinkView{}, "", wrap("renew link", err)
	}
	var l store.Link
	err = s.State.Update(ctx, func(tx store.Tx) error {
		if l, _, err = s.ownLink(ctx, tx, tree, by, id, false); err != nil {
			return err
		}
		l.Sum = sum
		l.Version++
		if err := s.relock(tx, l); err != nil {
			return err
		}
		return s.did(tx, by, "link-renewed", vpath.Path{}, l.ID)
	})
	if err != nil {
		return LinkView{}, "", wrap("renew link", err)
	}
	v, err := s.viewOf(ctx, tree, by, l)
	return v, token, wrap("renew link", err)
}
