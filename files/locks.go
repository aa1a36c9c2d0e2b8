package files

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// The bounds of locks: a client that dies must not keep others out for long,
// and nobody fills the store.
const (
	MinLock      = time.Minute
	MaxLock      = time.Hour
	DefaultLock  = 10 * time.Minute
	MaxLocksEach = 100
)

// Lock takes a lock; a free name becomes an empty file (RFC 4918 §7.3), which
// needs the right to create it. *LockedError names a lock in the way.
func (t *Tree) Lock(ctx context.Context, p vpath.Path, o LockOptions) (l Lock, created bool, err error) {
	l, created, err = t.lock(ctx, p, o)
	return l, created, t.refused(ctx, audit.Event{Action: audit.Lock, Path: p.String()}, err)
}

func (t *Tree) lock(ctx context.Context, p vpath.Path, o LockOptions) (Lock, bool, error) {
	if err := t.mayChange(); err != nil {
		return Lock{}, false, err
	}
	if p.Depth() < 2 {
		return Lock{}, false, fault.Tell(fault.ErrConflict, "%s: a whole workspace cannot be locked", p)
	}
	l, err := t.place(p)
	if err != nil {
		return Lock{}, false, err
	}
	var lock store.Lock
	var created bool
	taking := func(ctx context.Context) (err error) {
		lock, created, err = t.lockHeld(ctx, l, o)
		return err
	}
	err = t.s.holding(ctx, t.mayEnter(ctx, l), taking, p)
	return t.show(lock), created, err
}

func (t *Tree) lockHeld(ctx context.Context, l place, o LockOptions) (lock store.Lock, created bool, err error) {
	info, found, err := t.exists(ctx, l)
	if err != nil {
		return lock, false, err
	}
	if err := t.mayLock(ctx, l, info, found, o.Guard); err != nil {
		return lock, false, err
	}
	if lock, err = t.newLock(l.path, o, info.Dir); err != nil {
		return lock, false, err
	}
	if found {
		event := audit.Event{Action: audit.Lock, Path: l.path.String()}
		return lock, false, t.keepLock(ctx, event, lock, nothing)
	}
	if err := t.noFileTwin(ctx, l, nil); err != nil {
		return lock, false, err
	}
	return lock, true, t.lockNew(ctx, l, lock, o.Guard)
}

// lockNew makes the empty file of a lock on a free name, and locks it. A lock
// that is refused leaves no file.
func (t *Tree) lockNew(ctx context.Context, l place, lock store.Lock, g Guard) error {
	if err := t.mayAddLock(ctx, t.s.State, lock); err != nil {
		return err
	}
	if err := t.checkLocks(ctx, t.s.State, g, scope{path: l.path, member: true}); err != nil {
		return err
	}
	event, err := t.intend(ctx, audit.Event{Action: audit.Lock, Path: l.path.String()})
	if err != nil {
		return err
	}
	undo, err := t.makeParents(ctx, l, g)
	if err == nil {
		err = t.touch(ctx, l)
	}
	if err != nil {
		return t.putFailed(upload{place: l}, t.unmade(ctx, event, undo(), err))
	}
	err = t.keepLock(ctx, event, lock, func(tx store.Tx) error {
		if isNoise(l.path) {
			return nil
		}
		return errors.Join(beginAt(tx, l.path), t.holdPlace(ctx, tx, l.path, 0))
	})
	t.s.reread(ctx, l.path)
	t.s.twins.add(l.path)
	if err == nil || stillHeld(ctx) != nil {
		return err
	}
	// Nobody else can have written to it: the path is held.
	going, stop := onward(ctx)
	defer stop()
	if lost := t.untouch(going, l); lost != nil {
		t.s.Log.ErrorContext(ctx, "the empty file of a refused lock stays", "path", l.path, "err", lost)
		t.leaveIntent(event)
		return err
	}
	return t.unmade(ctx, event, undo(), err)
}

// keepLock puts the lock into the state, if it goes together with those that are
// there.
func (t *Tree) keepLock(ctx context.Context, event audit.Event, lock store.Lock, also func(store.Tx) error) error {
	return t.commit(ctx, event, func(tx store.Tx) error {
		if err := errors.Join(tx.DropExpiredLocks(t.now()), also(tx)); err != nil {
			return err
		}
		if err := t.mayAddLock(ctx, tx, lock); err != nil {
			return err
		}
		return tx.PutLock(lock)
	})
}

func (t *Tree) mayLock(ctx context.Context, l place, info backends.Info, found bool, g Guard) error {
	if t.drops(l, info, found) {
		// A lock would tell whether the name is free, and the upload that follows
		// it would have to go to another one.
		return fault.Tell(fs.ErrPermission, "nothing can be locked in %s: just put the file there, it gets a name of its own", l.path.Parent())
	}
	if err := t.mayWrite(ctx, l, info, found); err != nil {
		return err
	}
	if err := t.checkIf(ctx, l.path, g); err != nil {
		return err
	}
	return checkMatch(g, info, found)
}

// untouch removes it.
func (t *Tree) untouch(ctx context.Context, l place) error {
	if isNoise(l.path) {
		return t.dropNoise(ctx, l.path)
	}
	return l.space.Backend.Remove(ctx, l.inner)
}

// touch makes the empty file of a lock on a free name.
func (t *Tree) touch(ctx context.Context, l place) error {
	if isNoise(l.path) {
		return t.touchNoise(ctx, l)
	}
	if err := t.s.mark(ctx, l.path); err != nil {
		return err
	}
	_, err := l.space.Backend.Put(ctx, l.inner, strings.NewReader(""), backends.PutOptions{
		Meta: backends.Meta{Creator: t.who.ID(), ContentType: ContentType(l.path.Name())},
		If:   backends.Condition{NotExist: true}, // never empties a file that came meanwhile

		Commit: func() error { return stillHeld(ctx) },
	})
	return err
}

// newLock is the lock that o asks for, within the bounds.
func (t *Tree) newLock(p vpath.Path, o LockOptions, dir bool) (store.Lock, error) {
	token, err := t.s.token()
	now := t.now()
	timeout := lockTimeout(o.Timeout)
	return store.Lock{
		Token: "opaquelocktoken:" + token, Path: p, Infinite: o.Infinite && dir, Shared: o.Shared,
		Holder: t.who.acl.ID, HolderAs: t.who.Name, OwnerXML: o.OwnerXML,
		Created: now, Expires: now.Add(timeout), Timeout: timeout,
	}, err
}

func lockTimeout(wish time.Duration) time.Duration {
	if wish == 0 {
		return DefaultLock
	}
	return min(max(wish, MinLock), MaxLock)
}

// mayAddLock judges a new lock against those that are there (RFC 4918 §6.1,
// §9.10.6): shared locks go together, an exclusive one stands alone.
func (t *Tree) mayAddLock(ctx context.Context, in store.LockReader, l store.Lock) error {
	now := t.now()
	locks, err := in.LocksOn(ctx, l.Path, now)
	if err != nil {
		return err
	}
	if l.Infinite {
		below, err := in.LocksBelow(ctx, l.Path, now)
		if err != nil {
			return err
		}
		locks = append(locks, below...)
	}
	for _, other := range locks {
		if !l.Shared || !other.Shared {
			return t.lockedBy(l.Path, other)
		}
	}
	n, err := in.LocksOf(ctx, l.Holder, now)
	if err == nil && n >= MaxLocksEach {
		err = fault.Tell(fault.ErrBusy, "you hold %d locks already, more than a person can use: close some files", n)
	}
	return err
}

// Refresh gives a lock a new term. The request's If header, or its Lock-Token,
// names one lock that covers p and is the principal's own; its token stays the
// same, because Office takes another for a lost lock.
func (t *Tree) Refresh(ctx context.Context, p vpath.Path, o LockOptions) (Lock, error) {
	l, err := t.refresh(ctx, p, o)
	return l, t.refused(ctx, audit.Event{Action: audit.Lock, Path: p.String()}, err)
}

func (t *Tree) refresh(ctx context.Context, p vpath.Path, o LockOptions) (Lock, error) {
	if err := t.mayChange(); err != nil {
		return Lock{}, err
	}
	l, err := t.place(p)
	if err != nil {
		return Lock{}, err
	}
	info, err := t.visible(ctx, l)
	if err != nil {
		return Lock{}, err
	}
	// Who may no longer write does not keep others out any longer.
	if err := t.need(acl.Write, p, info); err != nil {
		return Lock{}, err
	}
	if err := t.checkIf(ctx, p, o.Guard); err != nil {
		return Lock{}, err
	}
	var lock store.Lock
	err = t.commit(ctx, audit.Event{Action: audit.Lock, Path: p.String()}, func(tx store.Tx) (err error) {
		if lock, err = t.ownLock(ctx, tx, p, o.Guard.tokens()); err != nil {
			return err
		}
		if o.Timeout != 0 {
			lock.Timeout = lockTimeout(o.Timeout)
		}
		lock.Expires = t.now().Add(lock.Timeout)
		return tx.PutLock(lock)
	})
	return t.show(lock), err
}

// ownLock finds the principal's lock that covers p and has one of the tokens.
// fault.ErrPrecondition if there is none.
func (t *Tree) ownLock(ctx context.Context, in store.LockReader, p vpath.Path, tokens []string) (store.Lock, error) {
	locks, err := in.LocksOn(ctx, p, t.now())
	if err != nil {
		return store.Lock{}, err
	}
	for _, l := range locks {
		if l.Holder == t.who.acl.ID && slices.Contains(tokens, l.Token) {
			return l, nil
		}
	}
	return store.Lock{}, fault.Tell(fault.ErrPrecondition, "no lock of yours on %s has this token: it may have ended", p)
}

// Unlock ends a lock that covers p. Only its holder may; for another's lock it
// is fs.ErrPermission, and for none fault.ErrConflict (RFC 4918 §9.11.1).
func (t *Tree) Unlock(ctx context.Context, p vpath.Path, token string) error {
	event := audit.Event{Action: audit.Unlock, Path: p.String()}
	if err := t.mayUnlock(ctx, p, token); err != nil {
		return t.record(ctx, event, err)
	}
	return t.commit(ctx, event, func(tx store.Tx) error { return tx.DropLock(token) })
}

func (t *Tree) mayUnlock(ctx context.Context, p vpath.Path, token string) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	l, err := t.place(p)
	if err != nil {
		return err
	}
	_, err = t.ownLock(ctx, t.s.State, p, []string{token})
	switch {
	case err == nil && t.who.acl.Limit.ReadOnly: // a lock may be left by who lost a right, but not by a key that changes nothing
		return fault.Tell(fs.ErrPermission, "the app password only lets read")
	case err == nil, !errors.Is(err, fault.ErrPrecondition):
		return err
	}
	if _, err := t.visible(ctx, l); err != nil {
		return err
	}
	locks, err := t.s.State.LocksOn(ctx, p, t.now())
	if err != nil {
		return err
	}
	for _, l := range locks {
		if l.Token == token {
			return fault.Tell(fs.ErrPermission, "the lock on %s is %s's: only its holder may end it", p, t.holder(l))
		}
	}
	return fault.Tell(fault.ErrConflict, "no lock on %s has this token", p)
}

// show is l as the principal may know it. What the client wrote as owner may
// name a machine or a mail address, so others are told the person's name alone.
func (t *Tree) show(l store.Lock) Lock {
	s := Lock{
		ID: lockID(l), Root: l.Path, Infinite: l.Infinite, Shared: l.Shared,
		Holder: t.holder(l), Timeout: l.Expires.Sub(t.now()),
	}
	if s.Holder != somebody {
		s.Since = l.Created
	}
	if l.Holder == t.who.acl.ID && t.as == nil {
		s.Token, s.OwnerXML = l.Token, l.OwnerXML
	}
	return s
}

// holder is the name of who holds a lock. People from outside do not learn of
// each other.
func (t *Tree) holder(l store.Lock) string {
	if t.who.isOutside() && isOutside(l.Holder) && l.Holder != t.who.acl.ID {
		return somebody
	}
	return l.HolderAs
}

// somebody stands for a name that is not told.
const somebody = "somebody"

// token is a random UUID of version 4 (RFC 4122 §4.4), which nobody can guess.
func (s *Service) token() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("files: random source: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
