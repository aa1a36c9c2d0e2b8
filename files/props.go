package files

import (
	"context"
	"io/fs"

	"portico/acl"
	"portico/audit"
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
	p := l.path
	return t.commit(ctx, event, func(tx store.Tx) error {
		for _, c := range changes {
			if err := patch(tx, p, c); err != nil {
				return err
			}
		}
		kept, err := tx.PropsOf(ctx, p)
		if err == nil && len(kept) > MaxProps {
			err = fault.Tell(fault.ErrQuota, "%s would have %d properties, and %d is the most", p, len(kept), MaxProps)
		}
		return err
	})
}

func patch(tx store.Tx, p vpath.Path, c PropChange) error {
	if c.Remove {
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
	return t.checkLocks(ctx, t.s.State, g, scope{path: p})
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
