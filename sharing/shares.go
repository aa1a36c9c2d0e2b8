package sharing

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"portico/fault"
	"portico/files"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// The modes of a share, as people choose them.
const (
	Read    = "read"    // role viewer
	Edit    = "edit"    // role depositor: may edit and deposit, delete nothing that was shared
	Deposit = "deposit" // role inbox: sees nothing but their own receipts
)

// roleOf gives the role of a mode, "" for a word that is none.
func roleOf(mode string) string {
	switch mode {
	case Read:
		return "viewer"
	case Edit:
		return "depositor"
	case Deposit:
		return "inbox"
	}
	return ""
}

// modeOf is what a role is called; the role's own name for one that no mode has.
func modeOf(role string) string {
	for _, mode := range []string{Read, Edit, Deposit} {
		if roleOf(mode) == role {
			return mode
		}
	}
	return role
}

// Limits of one sharing.
const (
	maxItems      = 200
	maxRecipients = 100
)

// ShareWish is what somebody shares, with whom and how.
type ShareWish struct {
	Items   []vpath.Path
	To      []string // "contact:MAIL", "user:LOGIN", or the mail address of anybody
	Mode    string   // Read, Edit or Deposit
	Message string
	Until   time.Time // a day: the share ends with it; zero for good
	Ask     bool      // the recipients accept or decline
	Labels  bool      // the giver's labels go along
}

// Share gives items to people, all or nothing. Somebody who has an item already
// has it as this wish says from then on. An address that nobody knows becomes a
// contact, where the one who asks may invite; their folders are those of the items.
func (s *Service) Share(ctx context.Context, by By, w ShareWish) ([]store.Grant, error) {
	if !by.isStaff() {
		return nil, fmt.Errorf("sharing: share: %w", fault.Tell(fs.ErrPermission, "What was shared with you cannot be shared on; ask who shared it."))
	}
	w, err := s.clean(w)
	if err != nil {
		return nil, fmt.Errorf("sharing: share: %w", err)
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, fmt.Errorf("sharing: share: %w", err)
	}
	x := &giving{s: s, by: by, tree: tree, wish: w}
	if err := x.prepare(ctx); err != nil {
		return nil, fmt.Errorf("sharing: share: %w", err)
	}
	// One that is there already keeps its ID and has the terms of this one: package
	// files sees to it.
	grants, err := tree.Give(ctx, x.gifts, func(tx store.Tx, given []store.Grant) error { return x.given(ctx, tx, given) })
	if err != nil {
		return nil, fmt.Errorf("sharing: share: %w", err)
	}
	return grants, nil
}

// clean judges a wish by itself, before anything is looked up for it.
func (s *Service) clean(w ShareWish) (ShareWish, error) {
	var err error
	switch {
	case len(w.Items) == 0:
		err = fault.Tell(fs.ErrInvalid, "Choose what to share.")
	case len(w.Items) > maxItems:
		err = fault.Tell(fault.ErrTooLarge, "At most %d things can be shared at once; share their folder instead.", maxItems)
	case len(w.To) == 0:
		err = fault.Tell(fs.ErrInvalid, "Choose whom to share with.")
	case len(w.To) > maxRecipients:
		err = fault.Tell(fault.ErrTooLarge, "At most %d people can be chosen at once.", maxRecipients)
	case roleOf(w.Mode) == "":
		err = fault.Tell(fs.ErrInvalid, "There is no kind of share %q; choose read, edit or deposit.", short(w.Mode))
	}
	if err == nil {
		w.Until, err = s.endOf(w.Until)
	}
	if err == nil {
		w.Message, err = prose(fault.Say("message"), w.Message, maxMessage)
	}
	w.Items, w.To = unique(w.Items), unique(w.To)
	return w, err
}

// unique keeps the first of each.
func unique[T comparable](all []T) []T {
	var kept []T
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// endOf is the last second of a day of the firm: what ends on a day is there on it.
// The day is the one that was written, in whatever zone it was read: its midnight
// in Brussels is the day before in UTC.
func (s *Service) endOf(day time.Time) (time.Time, error) {
	if day.IsZero() {
		return day, nil
	}
	y, m, d := day.Date()
	end := time.Date(y, m, d, 23, 59, 59, 0, s.Zone())
	if !end.After(s.Clock()) {
		return end, fault.Tell(fs.ErrInvalid, "The end %s is in the past; choose a later day.", end.Format(time.DateOnly))
	}
	return end, nil
}

// giving is one sharing under way.
type giving struct {
	s     *Service
	by    By
	tree  *files.Tree
	wish  ShareWish
	items []files.Node
	to    []recipient

	gifts []files.Gift
}

// prepare judges all that can be judged before anything is written.
func (x *giving) prepare(ctx context.Context) error {
	for _, p := range x.wish.Items {
		n, err := x.tree.Stat(ctx, p)
		switch {
		case err != nil:
			return err
		case p.Depth() < 1:
			return fault.Tell(fs.ErrInvalid, "All workspaces together cannot be shared; choose a folder.")
		case x.wish.Mode == Deposit && !n.Dir:
			return fault.Tell(fault.ErrNotDir, "%s is a file; only folders can be shared for deposits alone.", p.Name())
		}
		x.items = append(x.items, n)
	}
	for _, text := range x.wish.To {
		r, err := x.resolve(ctx, text)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(x.to, func(o recipient) bool { return o.subject == r.subject }) {
			x.to = append(x.to, r)
		}
	}
	for _, r := range x.to {
		if err := x.plan(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// plan says what becomes of each item for one recipient.
func (x *giving) plan(ctx context.Context, r recipient) error {
	for _, n := range x.items {
		if err := x.mayHave(ctx, r, n.Path); err != nil {
			return err
		}
		x.gifts = append(x.gifts, files.Gift{
			Path: n.Path, Subject: r.subject, Role: roleOf(x.wish.Mode), Message: x.wish.Message,
			Until: x.wish.Until, Offered: x.wish.Ask, Labels: x.wish.Labels,
		})
	}
	return nil
}

// given writes what goes with the grants: the contacts that are invited for them,
// and the notices.
func (x *giving) given(ctx context.Context, tx store.Tx, given []store.Grant) error {
	for i := range x.to {
		if err := x.admit(ctx, tx, &x.to[i]); err != nil {
			return err
		}
	}
	return x.tell(tx, given)
}

// tell tells the recipients. All that one of them is given in one go is one mail.
func (x *giving) tell(tx store.Tx, given []store.Grant) error {
	for _, g := range given {
		i := slices.IndexFunc(x.to, func(r recipient) bool { return r.subject == g.Subject })
		if i < 0 {
			continue
		}
		r := x.to[i]
		event := notify.Shared
		if g.State == store.Offered {
			event = notify.Offered
		}
		n := x.s.noticeTo(r, event, g)
		n.Data["by"], n.Data["message"] = x.by.Name, g.Message
		if r.invited {
			n.Mail = "" // the invitation says it
		}
		if err := x.s.Tell.Tell(tx, n); err != nil {
			return err
		}
	}
	return nil
}
