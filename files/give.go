package files

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// MaxMessage bounds what a giver writes to a recipient, in bytes.
const MaxMessage = 4 << 10

// Gift is something that somebody gives to somebody.
type Gift struct {
	Path    vpath.Path
	Subject string    // "contact:MAIL", "user:LOGIN" or "link:ID"
	Role    string    // a built-in one
	Message string    // for the recipient
	Until   time.Time // zero: for good
	Offered bool      // the recipient is asked first
	Labels  bool      // the giver's labels go along
}

// Also is what goes into the transaction of a change of grants: notices, links.
// Its error undoes all of it.
type Also = func(store.Tx, []store.Grant) error

// Give gives all of gifts, or nothing. It needs share on each thing, which must
// exist and be seen, and all rights of the role oneself. What the same giver has
// given the same recipient there already is changed and keeps its ID, so that a
// narrower role takes away.
func (t *Tree) Give(ctx context.Context, gifts []Gift, also ...Also) ([]store.Grant, error) {
	given, at, err := t.give(ctx, gifts, also)
	return given, t.refused(ctx, audit.Event{Action: audit.Share, Path: at.Path.String(), Dest: at.Subject}, err)
}

// give gives also the gift that was refused.
func (t *Tree) give(ctx context.Context, gifts []Gift, also []Also) (list []store.Grant, at Gift, err error) {
	if err := t.mayChange(); err != nil || len(gifts) == 0 {
		return nil, at, err
	}
	paths := make([]vpath.Path, 0, len(gifts))
	for _, at = range gifts {
		if err := t.fitGift(at); err != nil {
			return nil, at, err
		}
		if err := t.mayGive(ctx, at, nil); err != nil {
			return nil, at, err
		}
		if !slices.Contains(paths, at.Path) {
			paths = append(paths, at.Path)
		}
	}
	// Held, so that nothing is given that moves away or ends meanwhile.
	err = t.s.holding(ctx, nil, func(ctx context.Context) (err error) {
		list, at, err = t.giveHeld(ctx, gifts, also)
		return err
	}, paths...)
	return list, at, err
}

func (t *Tree) giveHeld(ctx context.Context, gifts []Gift, also []Also) (list []store.Grant, at Gift, err error) {
	batch, err := t.s.token()
	if err != nil {
		return nil, at, err
	}
	var events []audit.Event
	for _, at = range gifts {
		var g store.Grant
		if g, err = t.newGrant(ctx, at, batch); err != nil {
			return nil, at, err
		}
		list = append(list, g)
		events = append(events, audit.Event{Action: audit.Share, Path: at.Path.String(), Dest: at.Subject})
	}
	err = t.commitGrants(ctx, events, func(tx store.Tx) error {
		for i := range list {
			if err := t.putGift(ctx, tx, &list[i]); err != nil {
				return err
			}
		}
		return both(tx, list, also)
	})
	return list, at, err
}

// newGrant is the grant that a gift becomes, judged once more with its path held.
func (t *Tree) newGrant(ctx context.Context, at Gift, batch string) (g store.Grant, err error) {
	var info backends.Info
	if err := t.mayGive(ctx, at, &info); err != nil {
		return g, err
	}
	id, err := t.s.token()
	g = store.Grant{
		ID: id, Subject: at.Subject, Path: at.Path, Dir: info.Dir, Role: at.Role,
		Giver: t.who.ID(), GiverName: t.who.Name, State: store.Accepted,
		Created: t.now(), Until: at.Until, Message: at.Message, Labels: at.Labels, Batch: batch,
	}
	if at.Offered {
		g.State = store.Offered
	}
	return g, err
}

// putGift puts a new grant, in the place of one that the same giver has given
// there already.
func (t *Tree) putGift(ctx context.Context, tx store.Tx, g *store.Grant) error {
	there, err := tx.GrantsTo(ctx, g.Subject)
	if err != nil {
		return err
	}
	for _, old := range there {
		if old.Path != g.Path || old.Giver != g.Giver {
			continue
		}
		g.ID, g.Opened = old.ID, old.Opened
		if live := old.Until.IsZero() || old.Until.After(t.now()); live && old.State == store.Accepted {
			g.State = store.Accepted // they have answered
		}
	}
	return tx.PutGrant(*g)
}

// both runs what goes along.
func both(tx store.Tx, list []store.Grant, also []Also) error {
	for _, f := range also {
		if err := f(tx, list); err != nil {
			return err
		}
	}
	return nil
}

// commitGrants makes a change of grants durable, with a row for each of them, and
// lets all know.
func (t *Tree) commitGrants(ctx context.Context, events []audit.Event, change func(store.Tx) error) error {
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1]
	err := t.commit(ctx, last, func(tx store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		for _, e := range events[:len(events)-1] {
			e.Allowed = true
			if err := t.s.Audit.Append(tx, t.event(e)); err != nil {
				return err
			}
		}
		return nil
	})
	// Whatever the answer, it may be done. Where it cannot be read, all who ask are
	// refused until it can.
	if lost := t.s.grants.read(ctx); lost != nil {
		t.s.Log.ErrorContext(ctx, "the grants cannot be read after a change: requests are refused until they can", "err", lost)
	}
	return err
}

// fitGift judges what needs no look at the rules.
func (t *Tree) fitGift(at Gift) error {
	kind, name, _ := strings.Cut(at.Subject, ":")
	switch {
	case name == "" || kind != "user" && kind != "contact" && kind != "link":
		return fault.Tell(fs.ErrInvalid, "%q is nobody to whom something can be given", at.Subject)
	case kind == "contact" && at.Subject != strings.ToLower(at.Subject):
		return fault.Tell(fs.ErrInvalid, "%q: a mail address is kept in lower case", at.Subject)
	case at.Subject == t.who.Subject():
		return fault.Tell(fs.ErrInvalid, "nothing can be given to oneself")
	}
	return t.fitTerms(at)
}

func (t *Tree) fitTerms(at Gift) error {
	role, ok := acl.RoleNamed(at.Role)
	switch {
	case !ok:
		return fault.Tell(fs.ErrInvalid, "there is no role %q to give", at.Role)
	case isOutside(at.Subject) && !role.Rights.Within(forOutside()):
		return fault.Tell(fs.ErrInvalid, "the role %s is not for people outside: they never delete what was shared with them, and share nothing on", at.Role)
	case !at.Until.IsZero() && !at.Until.After(t.now()):
		return fault.Tell(fs.ErrInvalid, "the end date has passed already")
	case len(at.Message) > MaxMessage:
		return fault.Tell(fs.ErrInvalid, "the message is longer than %d bytes", MaxMessage)
	}
	return nil
}

// forOutside are the most rights that customers and visitors can be given.
func forOutside() acl.Rights {
	rights, err := acl.ParseRights([]string{"list", "read", "comment", "create", "write", "delete:own"})
	if err != nil {
		panic(err) // unreachable: words of the design
	}
	return rights
}

// mayGive judges the thing and the giver's rights on it. info is filled in, if it
// is not nil.
func (t *Tree) mayGive(ctx context.Context, at Gift, info *backends.Info) error {
	there, err := t.thing(ctx, at.Path)
	if err != nil {
		return err
	}
	if t.s.moves.touches(at.Path) {
		return busyMoving(at.Path)
	}
	if at.Role == "inbox" && !there.Dir {
		return fault.Tell(fs.ErrInvalid, "%s is a file: only a folder can be given for depositing alone", at.Path)
	}
	if info != nil {
		*info = there
	}
	if err := t.need(acl.Share, at.Path, there); err != nil {
		return err
	}
	return t.holds(at.Path, at.Role, there.Creator)
}

// thing is what lies at p, which the principal must see, and which is no list of
// workspaces.
func (t *Tree) thing(ctx context.Context, p vpath.Path) (backends.Info, error) {
	if p.IsRoot() {
		return backends.Info{}, fault.Tell(fs.ErrPermission, "the list of workspaces is nothing to be shared")
	}
	l, err := t.place(p)
	if err != nil {
		return backends.Info{}, err
	}
	return t.visible(ctx, l)
}

// holds is nil if the principal holds all rights of a role at p.
func (t *Tree) holds(p vpath.Path, name, creator string) error {
	role, _ := acl.RoleNamed(name)
	mine := t.view.Rights(p)
	for _, right := range acl.AllRights() {
		able := !role.Rights.HasOwn(right) || t.decide(right, p, creator).Allowed()
		if !able && !role.Rights.Has(right) {
			able = mine.HasOwn(right) // their own is all that is given
		}
		if !able {
			return fault.Tell(fs.ErrPermission, "the role %s cannot be given on %s by somebody who may not %s there: nobody gives more than they hold", name, p, right)
		}
	}
	return nil
}

// Change changes role, end date, message and labels of a grant that is there, by
// its giver or by one who holds grant on the thing. Whoever makes it more must
// hold that themself.
func (t *Tree) Change(ctx context.Context, g store.Grant, also ...Also) (store.Grant, error) {
	now, err := t.change(ctx, g, also)
	return now, t.refused(ctx, audit.Event{Action: audit.Share, Path: now.Path.String(), Dest: now.Subject}, err)
}

func (t *Tree) change(ctx context.Context, wish store.Grant, also []Also) (store.Grant, error) {
	if err := t.mayChange(); err != nil {
		return store.Grant{}, err
	}
	was, err := t.own(ctx, t.s.State, wish.ID)
	if err != nil {
		return was, err
	}
	if err := t.mayAlter(ctx, was, wish); err != nil {
		return was, err
	}
	now := was
	event := audit.Event{Action: audit.Share, Path: was.Path.String(), Dest: was.Subject}
	err = t.commitGrants(ctx, []audit.Event{event}, func(tx store.Tx) error {
		if now, err = t.own(ctx, tx, wish.ID); err != nil { // as it is now: it may have moved
			return err
		}
		if now.Path != was.Path {
			return busyMoving(was.Path)
		}
		now.Role, now.Until, now.Message, now.Labels = wish.Role, wish.Until, wish.Message, wish.Labels
		if err := tx.PutGrant(now); err != nil {
			return err
		}
		return both(tx, []store.Grant{now}, also)
	})
	if err != nil {
		return was, err
	}
	return now, nil
}

// mayAlter judges the new terms of a grant.
func (t *Tree) mayAlter(ctx context.Context, was, wish store.Grant) error {
	at := Gift{Path: was.Path, Subject: was.Subject, Role: wish.Role, Message: wish.Message, Until: wish.Until}
	if err := t.fitTerms(at); err != nil {
		return err
	}
	old, _ := acl.RoleNamed(was.Role)
	if role, _ := acl.RoleNamed(wish.Role); role.Rights.Within(old.Rights) {
		return nil // whoever gave it may take of it
	}
	return t.mayGive(ctx, at, nil)
}

// own finds a grant that the principal may change: they gave it, or hold grant on
// the thing. Any other does not exist.
func (t *Tree) own(ctx context.Context, in store.GrantReader, id string) (store.Grant, error) {
	g, found, err := in.GrantByID(ctx, id)
	switch {
	case err != nil:
		return store.Grant{}, unclaimed(ctx, err)
	case found && (g.Giver == t.who.ID() || t.view.Decide(acl.GrantRight, g.Path, "").Allowed()) && !t.who.acl.Limit.ReadOnly:
		return g, nil
	}
	return store.Grant{}, noGrant()
}

func noGrant() error { return fault.Tell(fs.ErrNotExist, "there is no such share") }
