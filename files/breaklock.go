package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"

	"portico/acl"
	"portico/audit"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// lockID names a lock to those who may not know its token: the token is what a
// program proves its lock with, and nobody makes one of its sum.
func lockID(l store.Lock) string {
	sum := sha256.Sum256([]byte(l.Token))
	return hex.EncodeToString(sum[:8])
}

// BreakLock ends a lock that covers p, from outside the program that took it: one
// that crashed, or that somebody left open over a weekend. Its holder may, and who
// holds grant at what is locked. What the holder's program has not saved stays in
// it: its next save finds the lock gone (412) and must be made anew.
//
// The lock that was ended comes back, so that people read whose it was. One that has
// ended already is no error to who could have ended it, and the zero Lock. To others
// it is fs.ErrNotExist, as is another's that they may not end fs.ErrPermission.
func (t *Tree) BreakLock(ctx context.Context, p vpath.Path, id string) (Lock, error) {
	event := audit.Event{Action: audit.Unlock, Path: p.String()}
	l, err := t.breakable(ctx, p, id)
	if err != nil || l.Token == "" { // it may not, or it has ended
		return Lock{}, t.record(ctx, event, err)
	}
	// The audit tells whose lock it was, in the row that ends it.
	event.Path, event.Dest = l.Path.String(), l.Holder
	if err := t.commit(ctx, event, func(tx store.Tx) error { return tx.DropLock(l.Token) }); err != nil {
		return Lock{}, err
	}
	return t.show(l), nil
}

// breakable is the lock that BreakLock may end, the zero Lock for one that has
// ended.
func (t *Tree) breakable(ctx context.Context, p vpath.Path, id string) (store.Lock, error) {
	if err := t.mayChange(); err != nil {
		return store.Lock{}, err
	}
	l, err := t.place(p)
	if err != nil {
		return store.Lock{}, err
	}
	if _, err := t.visible(ctx, l); err != nil {
		return store.Lock{}, err
	}
	if t.who.acl.Limit.ReadOnly {
		return store.Lock{}, fault.Tell(fs.ErrPermission, "the app password only lets read")
	}
	locks, err := t.s.State.LocksOn(ctx, p, t.now())
	if err != nil {
		return store.Lock{}, fmt.Errorf("files: break lock: %w", err)
	}
	i := slices.IndexFunc(locks, func(l store.Lock) bool { return lockID(l) == id })
	switch {
	case i >= 0 && t.Breaks(t.show(locks[i])):
		return locks[i], nil
	case i >= 0:
		return store.Lock{}, fault.Tell(fs.ErrPermission, "the lock on %s is %s's: they may end it, and who may give others access there", p, t.holder(locks[i]))
	case t.mayGrant(p):
		return store.Lock{}, nil
	}
	return store.Lock{}, fault.Tell(fs.ErrNotExist, "there is no such lock on %s: it has ended", p)
}

// Breaks tells whether the principal may end a lock: one of their own, or as somebody who
// holds grant at what is locked.
func (t *Tree) Breaks(l Lock) bool { return l.Token != "" || t.mayGrant(l.Root) }

func (t *Tree) mayGrant(p vpath.Path) bool {
	return t.view.Decide(acl.GrantRight, p, "").Allowed()
}

// LocksBelow are the locks on p and below it, by path, for those who hold grant at
// p: who looks after a folder sees what keeps people from working in it, which may be
// a lock on a folder above. As on all pages, what programs keep for themselves is left
// out: a document that is open would be two (~$a.docx).
func (t *Tree) LocksBelow(ctx context.Context, p vpath.Path) ([]Lock, error) {
	list, err := t.locksBelow(ctx, p)
	return list, t.record(ctx, audit.Event{Action: audit.List, Path: p.String()}, err)
}

func (t *Tree) locksBelow(ctx context.Context, p vpath.Path) ([]Lock, error) {
	info, err := t.thing(ctx, p)
	if err == nil {
		err = t.need(acl.GrantRight, p, info)
	}
	if err != nil {
		return nil, err
	}
	now := t.now()
	above, err := t.s.State.LocksOn(ctx, p, now)
	if err != nil {
		return nil, fmt.Errorf("files: locks: %w", err)
	}
	below, err := t.s.State.LocksBelow(ctx, p, now)
	if err != nil {
		return nil, fmt.Errorf("files: locks: %w", err)
	}
	above = slices.DeleteFunc(above, func(l store.Lock) bool { return l.Path == p }) // these are in below
	var list []Lock
	for _, l := range append(above, below...) {
		if t.listsLock(l) {
			list = append(list, t.show(l))
		}
	}
	return list, nil
}

// listsLock tells whether a list has a lock. A folder below may hide itself with
// inherit: false, and what is in it. Only a folder has a lock on all that lies in it.
func (t *Tree) listsLock(l store.Lock) bool {
	return t.shows(l.Path, l.Infinite) && (t.view.SeesFile(l.Path, "") || l.Infinite && t.view.SeesFolder(l.Path))
}
