package files

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// The bounds of dead properties, in number for a thing and in bytes for one.
const (
	MaxProps     = 32
	MaxPropBytes = 8 << 10
	// MaxPropName bounds a name with its namespace. Together with the path it is a
	// key of the store, and PostgreSQL takes 2,704 bytes for one.
	MaxPropName = 1 << 10
)

// PatchProps makes all changes to p's dead properties, in order, or none.
func (t *Tree) PatchProps(ctx context.Context, p vpath.Path, changes []PropChange, g Guard) error {
	event := audit.Event{Action: audit.Props, Path: p.String()}
	return t.refused(ctx, event, t.patchProps(ctx, p, changes, g, event))
}

func (t *Tree) patchProps(ctx context.Context, p vpath.Path, changes []PropChange, g Guard, event audit.Event) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	if p.IsRoot() {
		return fault.Tell(fs.ErrPermission, "the list of workspaces has no properties to set")
	}
	l, err := t.place(p)
	if err != nil {
		return err
	}
	// Held, so that properties are not put at a path which moves away meanwhile.
	change := func(ctx context.Context) error { return t.patchHeld(ctx, l, changes, g, event) }
	return t.s.holding(ctx, t.mayPass(ctx, l), change, p)
}

func (t *Tree) patchHeld(ctx context.Context, l place, changes []PropChange, g Guard, event audit.Event) error {
	if err := t.mayPatch(ctx, l, changes, g); err != nil {
		return err
	}
	p, changed := l.path, modTime(changes)
	event, err := t.setModTime(ctx, l, changed, event)
	if err != nil {
		return err
	}
	err = t.commit(ctx, event, func(tx store.Tx) error {
		if isNoise(p) && !changed.IsZero() {
			if err := t.timeNoise(ctx, tx, p, changed); err != nil {
				return err
			}
		}
		for _, c := range changes {
			if err := patch(tx, p, c); err != nil {
				return err
			}
		}
		kept, err := tx.PropsOf(ctx, p)
		if err == nil && len(slices.DeleteFunc(kept, isSums)) > MaxProps {
			err = fault.Tell(fault.ErrQuota, "%s would have %d properties, and %d is the most", p, len(kept), MaxProps)
		}
		return err
	})
	if err != nil && isRefusal(err) {
		t.leaveIntent(event) // the time is set, if there was one
	}
	return err
}

// setModTime gives a file the time that a client has set, before the properties that go
// along: of those the store may still say no, and the time is the least that can be lost.
// That of noise goes with them.
func (t *Tree) setModTime(ctx context.Context, l place, last time.Time, event audit.Event) (audit.Event, error) {
	if last.IsZero() || isNoise(l.path) {
		return event, nil
	}
	timer, ok := l.space.Backend.(backends.Timer)
	if !ok {
		return event, fault.Tell(fs.ErrPermission, "the storage of %s keeps no time but its own", l.path)
	}
	event, err := t.intend(ctx, event)
	if err == nil {
		_, err = timer.SetModTime(ctx, l.inner, last)
	}
	if err != nil {
		return event, t.unmade(ctx, event, true, err)
	}
	return event, nil
}

// modTime is the time that changes set, zero for none.
func modTime(changes []PropChange) (last time.Time) {
	for _, c := range changes {
		if !c.ModTime.IsZero() {
			last = c.ModTime
		}
	}
	return last
}

func patch(tx store.Tx, p vpath.Path, c PropChange) error {
	switch {
	case !c.ModTime.IsZero(): // it is the file's own
		return nil
	case c.Remove:
		return tx.DropProp(p, c.Space, c.Local)
	}
	return tx.PutProp(p, c.Prop)
}

func (t *Tree) mayPatch(ctx context.Context, l place, changes []PropChange, g Guard) error {
	p := l.path
	info, err := t.visible(ctx, l)
	if err != nil {
		return err
	}
	if err := t.need(acl.Write, p, info); err != nil {
		return err
	}
	if err := t.checkIf(ctx, p, g); err != nil {
		return err
	}
	if err := checkMatch(g, info, true); err != nil {
		return err
	}
	if err := fits(changes); err != nil {
		return err
	}
	if t.s.moves.touches(p) {
		return busyMoving(p)
	}
	if g, err = t.withOwn(ctx, p, changes, g); err != nil {
		return err
	}
	return t.checkLocks(ctx, t.s.State, g, scope{path: p})
}

// microsoft is the namespace of the times and attributes of Windows.
const microsoft = "urn:schemas-microsoft-com:"

// withOwn adds the principal's own locks on p to what the request submits, if all that
// it changes is Microsoft's. Office sets the times of a document that it has locked
// without the token, and takes 423 for a failed save (sabre.io, clients of Microsoft
// Office). For other properties a token is needed of its holder, too: two programs of
// one person must not overwrite each other (RFC 4918 §6.4).
func (t *Tree) withOwn(ctx context.Context, p vpath.Path, changes []PropChange, g Guard) (Guard, error) {
	if slices.ContainsFunc(changes, func(c PropChange) bool { return c.Space != microsoft }) {
		return g, nil
	}
	locks, err := t.s.State.LocksOn(ctx, p, t.now())
	if err != nil {
		return g, err
	}
	g.Tokens = slices.Clone(g.Tokens)
	for _, l := range locks {
		if l.Holder == t.who.acl.ID {
			g.Tokens = append(g.Tokens, l.Token)
		}
	}
	return g, nil
}

// fits judges the size of what is set.
func fits(changes []PropChange) error {
	for _, c := range changes {
		switch {
		case c.Remove:
		case len(c.Space)+len(c.Local) > MaxPropName:
			return fault.Tell(fault.ErrQuota, "the name of a property is longer than %d bytes", MaxPropName)
		case len(c.XML) > MaxPropBytes:
			return fault.Tell(fault.ErrQuota, "the property %s is larger than %d bytes", c.Local, MaxPropBytes)
		}
	}
	return nil
}
