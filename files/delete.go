package files

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Mkdir makes a folder.
func (t *Tree) Mkdir(ctx context.Context, p vpath.Path, g Guard) error {
	return t.refused(ctx, audit.Event{Action: audit.Mkdir, Path: p.String()}, t.mkdir(ctx, p, g))
}

func (t *Tree) mkdir(ctx context.Context, p vpath.Path, g Guard) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	l, err := t.inside(p)
	if err != nil {
		return err
	}
	if l, err = t.mkdirAt(ctx, l); err != nil {
		return err
	}
	making := func(ctx context.Context) error { return t.mkdirHeld(ctx, l, g) }
	return t.s.holding(ctx, t.mayEnter(ctx, l), making, l.path)
}

func (t *Tree) mkdirHeld(ctx context.Context, l place, g Guard) error {
	if isNoise(l.path) {
		return noiseFolder(l.path)
	}
	done, err := t.mayMkdir(ctx, l, g)
	if err != nil {
		return err
	}
	event := audit.Event{Action: audit.Mkdir, Path: l.path.String()}
	if done {
		return t.commit(ctx, event, nothing)
	}
	event, err = t.intend(ctx, event)
	if err != nil {
		return err
	}
	undo, err := t.makeParents(ctx, l, g)
	if err == nil {
		err = t.s.mark(ctx, l.path)
	}
	if err == nil {
		_, err = l.space.Backend.Mkdir(ctx, l.inner, backends.Meta{Creator: t.who.ID()})
	}
	if err != nil {
		return t.putFailed(upload{place: l}, t.unmade(ctx, event, undo(), err))
	}
	return t.commitNew(ctx, event, l.path, nothing)
}

// mkdirAt is where a new folder goes: l, or where it is dropped blindly, past the
// files in its way. A folder that is there is told of at once, as to one who looks:
// rclone asks for the folder of each file that it sends, and would wait for the
// uploads into it, and they for it.
func (t *Tree) mkdirAt(ctx context.Context, l place) (place, error) {
	info, found, err := t.exists(ctx, l)
	switch {
	case err != nil:
		return l, err
	case found && info.Dir && t.sees(l.path, info) && !isNoise(l.path) && !t.s.moves.touches(l.path):
		return l, isThere(l.path)
	case !t.drops(l, info, found):
		return l, nil
	}
	if l, err = t.dropInto(ctx, l); err != nil {
		return l, err
	}
	return t.dropFolder(ctx, l)
}

func isThere(p vpath.Path) error { return fault.Tell(fs.ErrExist, "%s exists already", p) }

// mayMkdir judges a new folder. done tells that there is nothing to do: one who
// drops things blindly gets the folder that is there as if it were new.
func (t *Tree) mayMkdir(ctx context.Context, l place, g Guard) (done bool, err error) {
	info, found, err := t.exists(ctx, l)
	if err != nil {
		return false, err
	}
	blind := t.drops(l, info, found)
	switch {
	case blind:
		if info, found, err = t.stored(ctx, l); err == nil {
			err = t.newName(l.path)
		}
	case found && t.sees(l.path, info):
		err = isThere(l.path)
	default:
		err = t.mayWrite(ctx, l, info, found)
	}
	if err != nil {
		return false, err
	}
	if err := t.checkIf(ctx, l.path, g); err != nil {
		return false, err
	}
	if err := checkMatch(g, backends.Info{}, false); err != nil {
		return false, err
	}
	if err := t.checkLocks(ctx, t.s.State, g, scope{path: l.path, member: true}); err != nil {
		return false, err
	}
	switch {
	case !blind:
		return false, t.noTwin(ctx, l, nil)
	case found && !info.Dir:
		return false, nameTaken(l.path)
	}
	return found || t.s.moves.touches(l.path), nil
}

// mayPass is for pathLocks.acquire, for a change of what lies at l: who may not
// know of it learns nothing from how long the path is busy.
func (t *Tree) mayPass(ctx context.Context, l place) func() error {
	return func() error {
		_, err := t.visible(ctx, l)
		return err
	}
}

// mayEnter is mayPass for a thing that is to be put at l.
func (t *Tree) mayEnter(ctx context.Context, l place) func() error {
	return func() error {
		info, found, err := t.exists(ctx, l)
		if err != nil || found && t.sees(l.path, info) || t.drops(l, info, found) {
			return err
		}
		return t.holdsWrite(ctx, l, info, found)
	}
}

// Delete removes a file, or a folder with all below it: all of it may be
// deleted, or nothing is. *Partial names what the store could not remove.
func (t *Tree) Delete(ctx context.Context, p vpath.Path, g Guard) error {
	return t.refused(ctx, audit.Event{Action: audit.Delete, Path: p.String()}, t.delete(ctx, p, g))
}

func (t *Tree) delete(ctx context.Context, p vpath.Path, g Guard) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	if p.IsRoot() {
		return t.pinned(p)
	}
	l, err := t.place(p)
	if err != nil {
		return err
	}
	ending := func(ctx context.Context) error { return t.deleteHeld(ctx, l, g) }
	return t.s.holding(ctx, t.mayPass(ctx, l), ending, p)
}

func (t *Tree) deleteHeld(ctx context.Context, l place, g Guard) error {
	all, err := t.mayDelete(ctx, l, g)
	if err != nil {
		return err
	}
	if isNoise(l.path) {
		return t.dropNoise(ctx, l.path)
	}
	event, err := t.intend(ctx, audit.Event{Action: audit.Delete, Path: l.path.String()})
	if err != nil {
		return err
	}
	// From here on the client's patience does not count: half a tree is worse.
	going, stop := onward(ctx)
	defer stop()
	failed := removeAll(going, all)
	t.s.gone.Add(1)
	event, left := inPart(event, t.partial(all, failed))
	freed := -sizeOf(without(all, failed))
	l.space.usage.add(freed)
	err = t.commit(going, event, func(tx store.Tx) error {
		return errors.Join(l.space.count(tx, freed), forget(tx, all, failed))
	})
	t.s.reread(going, l.path)
	if err != nil {
		return err
	}
	return left
}

// without gives those of all that did not fail.
func without(all []member, failed map[vpath.Path]error) []member {
	return slices.DeleteFunc(slices.Clone(all), func(m member) bool { return failed[m.path] != nil })
}

// mayDelete judges the end of a tree and gives all of it.
func (t *Tree) mayDelete(ctx context.Context, l place, g Guard) ([]member, error) {
	info, err := t.visible(ctx, l)
	if err != nil {
		return nil, err
	}
	if err := t.pinned(l.path); err != nil {
		return nil, err
	}
	if err := t.need(acl.Delete, l.path, info); err != nil {
		return nil, err
	}
	if err := t.checkIf(ctx, l.path, g); err != nil {
		return nil, err
	}
	if err := checkMatch(g, info, true); err != nil {
		return nil, err
	}
	if t.s.moves.touches(l.path) {
		return nil, busyMoving(l.path)
	}
	all, err := members(ctx, l, info, true)
	if err != nil {
		return nil, err
	}
	if err := t.needAll(all, acl.Delete); err != nil {
		return nil, err
	}
	if err := noForeign(all); err != nil {
		return nil, err
	}
	if err := t.mayTakeBack(ctx, l.path); err != nil {
		return nil, err
	}
	return all, t.checkLocks(ctx, t.s.State, g, scope{path: l.path, below: true, member: true})
}

// forget drops all that stands on what has gone.
func forget(tx store.Tx, all []member, failed map[vpath.Path]error) error {
	root := all[0].path
	if len(failed) == 0 {
		return forgetOne(tx, root)
	}
	for _, m := range all {
		if failed[m.path] != nil {
			continue
		}
		if err := forgetOne(tx, m.path); err != nil {
			return err
		}
	}
	return nil
}

// forgetOne is forget for a thing with all below it.
func forgetOne(tx store.Tx, p vpath.Path) error {
	return errors.Join(tx.DropLocksBelow(p), tx.DropPropsBelow(p), tx.DropNoiseBelow(p), unmark(tx, p), endBelow(tx, p))
}
