package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"portico/acl"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// A blind drop is a folder in which the principal may create and sees nothing.
// Whatever they do there, the answer must not depend on what is there: a name
// that exists is replaced by a free one, a folder that exists can be made again,
// and a folder that does not exist is made on the way.

// names are those that drops under way have chosen and not used yet, so that
// two who drop files of one name at once both find a place.
type names struct {
	mu   sync.Mutex
	held map[vpath.Path]bool
}

// take is false if somebody has the name already.
func (n *names) take(p vpath.Path) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held[p] {
		return false
	}
	if n.held == nil {
		n.held = map[vpath.Path]bool{}
	}
	n.held[p] = true
	return true
}

func (n *names) giveBack(p vpath.Path) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.held, p)
}

// isBlind tells that the principal sees nothing in dir, not even what they make.
func (t *Tree) isBlind(dir vpath.Path) bool {
	return !t.view.Decide(acl.List, dir, t.who.acl.ID).Allowed() &&
		!t.view.Decide(acl.Read, dir, t.who.acl.ID).Allowed()
}

// drops tells that a thing put at l is dropped blindly: the principal may make
// it there, and does not see what there is, if anything.
func (t *Tree) drops(l place, info backends.Info, found bool) bool {
	up := l.path.Parent()
	return t.isBlind(up) && t.view.Decide(acl.Create, up, "").Allowed() && (!found || !t.sees(l.path, info))
}

// freeName finds the place for a thing that is dropped at l: l itself, or "name
// (2).ext" and so on, where nothing and no twin is. The name is kept for the caller until giveBack.
func (t *Tree) freeName(ctx context.Context, l place) (free place, giveBack func(), err error) {
	const tries = 1000
	for i := 1; i < tries; i++ {
		if free, err = l.numbered(i); err != nil {
			return l, nil, err
		}
		giveBack, ok, err := t.s.takeName(ctx, free.path)
		switch {
		case err != nil:
			return l, nil, err
		case !ok:
			continue
		}
		_, found, err := t.stored(ctx, free)
		if err == nil && !found {
			_, found, err = t.fileTwin(ctx, free, nil)
		}
		if err == nil && !found {
			return free, giveBack, nil
		}
		giveBack()
		if err != nil {
			return l, nil, err
		}
	}
	return l, nil, fault.Tell(fault.ErrConflict, "%s: there are too many files of this name, choose another one", l.path.Name())
}

// takeName keeps a name from other drops, those of other processes included; ok
// is false if it is taken. Should the store give it to somebody else, the file
// store publishes the first of the two alone.
func (s *Service) takeName(ctx context.Context, p vpath.Path) (giveBack func(), ok bool, err error) {
	if s.moves.touches(p) || !s.names.take(p) {
		return nil, false, nil
	}
	if !s.shared {
		return func() { s.names.giveBack(p) }, true, nil
	}
	claim, ok, err := s.State.ClaimName(ctx, "drop", p.String())
	if err != nil || !ok {
		s.names.giveBack(p)
		if err != nil {
			err = unclaimed(ctx, err)
		}
		return nil, false, err
	}
	return func() { claim.Release(); s.names.giveBack(p) }, true, nil
}

// dropFolder is where a folder that is dropped at l goes: l itself, or where a
// file has that name, the first numbered one that no file has. The same name
// always leads to the same folder, so that what is dropped into it finds it.
func (t *Tree) dropFolder(ctx context.Context, l place) (place, error) {
	const tries = 1000
	for i := 1; i < tries; i++ {
		at, err := l.numbered(i)
		if err != nil {
			return l, err
		}
		info, found, err := t.stored(ctx, at)
		if err != nil || !found || info.Dir {
			return at, err
		}
	}
	return l, fault.Tell(fault.ErrConflict, "%s: there are too many files of this name, choose another one", l.path.Name())
}

// dropInto is l with each folder above it that the principal does not see led past
// files of its name.
func (t *Tree) dropInto(ctx context.Context, l place) (place, error) {
	up := l.parent()
	if t.view.SeesFolder(up.path) {
		return l, nil
	}
	up, err := t.dropInto(ctx, up)
	if err != nil {
		return l, err
	}
	if up, err = t.dropFolder(ctx, up); err != nil {
		return l, err
	}
	return up.child(l.path.Name())
}

// numbered is l with a number in its name, shortened where that would make it
// too long.
func (l place) numbered(i int) (place, error) {
	if i == 1 {
		return l, nil
	}
	name := l.path.Name()
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" || len(ext) > 20 {
		stem, ext = name, ""
	}
	end := fmt.Sprintf(" (%d)%s", i, ext)
	room := min(vpath.MaxName, vpath.MaxPath-len(l.path.Parent().String())-1) - len(end)
	for len(stem) > max(room, 0) {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	return l.parent().child(stem + end)
}

// makeParents makes the folders above l that the principal does not see, if they
// are not there. undo removes those that it made, and tells whether all are gone;
// where an error is given, it has to be called, too.
func (t *Tree) makeParents(ctx context.Context, l place, g Guard) (undo func() bool, err error) {
	var above, made []place
	for up := l.parent(); !t.view.SeesFolder(up.path); up = up.parent() {
		above = append(above, up)
	}
	undo = func() bool { return unmake(ctx, made) }
	for _, up := range slices.Backward(above) {
		isNew, err := t.makeParent(ctx, up, g)
		if err != nil {
			return undo, err
		}
		if isNew {
			made = append(made, up)
		}
	}
	return undo, nil
}

// unmake removes folders that were made on the way. Others may have put something
// there: then it stays.
func unmake(ctx context.Context, made []place) (all bool) {
	going, stop := onward(ctx)
	defer stop()
	all = true
	for _, m := range slices.Backward(made) {
		if stillHeld(going) != nil {
			return false
		}
		err := m.space.Backend.Remove(going, m.inner)
		all = all && (err == nil || errors.Is(err, fs.ErrNotExist))
	}
	return all
}

func (t *Tree) makeParent(ctx context.Context, up place, g Guard) (isNew bool, err error) {
	if err := t.newName(up.path); err != nil {
		return false, err
	}
	if err := t.checkLocks(ctx, t.s.State, g, scope{path: up.path, member: true}); err != nil {
		return false, err
	}
	if err := t.s.mark(ctx, up.path); err != nil {
		return false, err
	}
	_, err = up.space.Backend.Mkdir(ctx, up.inner, backends.Meta{Creator: t.who.ID()})
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	// Nobody holds it here: it may have been there, and ended with its mark meanwhile.
	return err == nil, errors.Join(err, t.s.mark(ctx, up.path))
}
