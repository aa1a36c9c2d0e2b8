package files

import (
	"context"
	"io/fs"

	"portico/acl"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// transfer is one Copy or Move, judged: what goes where, and what it replaces.
type transfer struct {
	src, dst place
	all      []member // of the source, the root first
	old      []member // what lies at the destination and is replaced, if anything
	move     bool
	leftOut  bool   // something below the source is not seen, and not carried
	blind    bool   // the destination is a blind drop
	sent     string // the name that was asked for there
	o        TransferOptions
	done     func() // ends it
	made     *made
}

// dir tells whether a folder is carried.
func (x *transfer) dir() bool { return x.all[0].info.Dir }

// replaces tells whether a file is replaced by a file, which the store does at once.
func (x *transfer) replaces() bool { return len(x.old) > 0 && !x.old[0].info.Dir && !x.dir() }

// target is the place that a member of the source goes to.
func (x *transfer) target(m member) (place, error) {
	below, _ := x.src.path.Under(m.path)
	p, err := x.dst.path.Join(below)
	if err != nil {
		return place{}, fault.Tell(fs.ErrInvalid, "%s would get a path that is too long at its new place: nothing was changed", m.path)
	}
	return x.dst.at(p), nil
}

// begin judges a copy or a move, all of it before anything is touched, and holds
// the paths until done. held is the context for what is done with them.
func (t *Tree) begin(ctx context.Context, src, dst vpath.Path, o TransferOptions, move bool) (held context.Context, x *transfer, err error) {
	x = &transfer{o: o, move: move, made: new(made)}
	if err := t.mayChange(); err != nil {
		return nil, nil, err
	}
	if err := t.findEnds(src, dst, x); err != nil {
		return nil, nil, err
	}
	if err := t.takeShared(ctx, x); err != nil {
		return nil, nil, err
	}
	giveBack, err := t.landing(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	claims := []vpath.Path{x.dst.path}
	if move {
		claims = append(claims, src)
	}
	held, release, err := t.s.acquire(ctx, t.mayCarry(ctx, x), claims...)
	if err != nil {
		giveBack()
		return nil, nil, err
	}
	x.done = func() { release(); giveBack() }
	if err := t.mayTransfer(held, x); err != nil {
		err = orLost(held, err)
		x.done()
		return nil, nil, err
	}
	return held, x, nil
}

// takeShared finds the source of a copy in a store that others share. This
// process sees its own moves pass, but one of another process may begin and end
// while the source is listed, and leave no trace: so it is held for that time,
// and given back before the destination is waited for.
func (t *Tree) takeShared(ctx context.Context, x *transfer) error {
	if !t.s.shared || x.move {
		return nil
	}
	take := func(ctx context.Context) error { return t.takeSource(ctx, x) }
	return t.s.holding(ctx, t.mayPass(ctx, x.src), take, x.src.path)
}

func (t *Tree) findEnds(src, dst vpath.Path, x *transfer) (err error) {
	if err := apart(src, dst, x.move || !x.o.Shallow); err != nil {
		return err
	}
	for _, p := range []vpath.Path{src, dst} {
		if p.IsRoot() {
			return t.pinned(p)
		}
	}
	if x.src, err = t.place(src); err != nil {
		return err
	}
	if x.dst, err = t.place(dst); err != nil {
		return err
	}
	x.sent = dst.Name()
	if x.src.isTop() || x.dst.isTop() {
		return t.pinned(top(src))
	}
	return nil
}

// landing chooses another name at a destination where things are dropped blindly.
func (t *Tree) landing(ctx context.Context, x *transfer) (giveBack func(), err error) {
	giveBack = func() {}
	if !t.drops(x.dst, backends.Info{}, false) {
		return giveBack, nil
	}
	info, found, err := t.exists(ctx, x.dst)
	if err != nil || !t.drops(x.dst, info, found) {
		return giveBack, err
	}
	x.blind = true
	if x.dst, err = t.dropInto(ctx, x.dst); err != nil {
		return giveBack, err
	}
	if x.dst, giveBack, err = t.freeName(ctx, x.dst); err != nil {
		return nil, err
	}
	return giveBack, nil
}

// mayCarry is mayPass for a transfer.
func (t *Tree) mayCarry(ctx context.Context, x *transfer) func() error {
	return func() error {
		if err := t.mayPass(ctx, x.src)(); err != nil {
			return err
		}
		return t.mayEnter(ctx, x.dst)()
	}
}

func (t *Tree) mayTransfer(ctx context.Context, x *transfer) error {
	if x.all == nil {
		if err := t.takeSource(ctx, x); err != nil {
			return err
		}
	}
	if err := t.judgeTarget(ctx, x); err != nil {
		return err
	}
	return t.transferLocks(ctx, x)
}

// apart refuses what would destroy its own source (RFC 4918 §9.8.5, §9.9.4), by
// whole elements of canonical paths.
func apart(src, dst vpath.Path, deep bool) error {
	switch {
	case src == dst:
		return fault.Tell(fs.ErrPermission, "source and destination are the same")
	case dst.Contains(src):
		return fault.Tell(fault.ErrConflict, "%s lies inside the destination, which would be replaced: choose another place", src)
	case deep && src.Contains(dst):
		return fault.Tell(fault.ErrConflict, "a folder cannot be put into itself")
	}
	return nil
}

// takeSource finds what is carried and judges the rights on it.
func (t *Tree) takeSource(ctx context.Context, x *transfer) error {
	info, err := t.visible(ctx, x.src)
	if err != nil {
		return err
	}
	if err := t.need(acl.Read, x.src.path, info); err != nil && !info.Dir {
		return err
	}
	if err := t.checkIf(ctx, x.src.path, x.o.Guard); err != nil {
		return err
	}
	if err := checkMatch(x.o.Guard, info, true); err != nil {
		return err
	}
	if x.move {
		if err := t.pinned(x.src.path); err != nil {
			return err
		}
	}
	all, err := t.whole(ctx, x.src, info, x.move || !x.o.Shallow)
	if err != nil {
		return err
	}
	if !x.move {
		return t.leaveOut(x, all)
	}
	x.all = all
	if err := t.needAll(all, acl.Read, acl.Delete); err != nil {
		return err
	}
	if err := t.mayTakeBack(ctx, x.src.path); err != nil {
		return err
	}
	return noForeign(all)
}

// whole is members for a source that is not held: of one that is moved meanwhile
// it would give what the move has left.
func (t *Tree) whole(ctx context.Context, l place, info backends.Info, deep bool) (all []member, err error) {
	err = t.s.moves.steady(l.path, inTree, func() (err error) {
		if t.s.moves.touches(l.path) {
			return busyMoving(l.path)
		}
		all, err = members(ctx, l, info, deep)
		return err
	})
	return all, err
}

// leaveOut drops from a copy what the principal does not see, and what lies below
// it. What is seen must be readable, but for folders that are only passed through.
func (t *Tree) leaveOut(x *transfer, all []member) error {
	kept := map[vpath.Path]bool{}
	for i, m := range all {
		if m.info.Foreign != "" {
			if kept[m.path] {
				return noForeign([]member{all[0], m})
			}
			continue
		}
		if i > 0 && !kept[m.path.Parent()] || !t.sees(m.path, m.info) {
			x.leftOut = true
			continue
		}
		kept[m.path] = m.info.Dir
		if !m.info.Dir {
			if err := t.need(acl.Read, m.path, m.info); err != nil {
				return err
			}
		}
		x.all = append(x.all, m)
	}
	return nil
}

// judgeTarget finds what lies at the destination and judges the rights there.
func (t *Tree) judgeTarget(ctx context.Context, x *transfer) error {
	info, found, err := t.exists(ctx, x.dst)
	if err != nil {
		return err
	}
	if found && x.blind {
		return takenMeanwhile(x.dst.path)
	}
	if err := t.mayLand(ctx, x, info, found); err != nil {
		return err
	}
	if t.view.SeesFolder(x.dst.path.Parent()) { // else it is made on the way
		if err := t.isFolder(ctx, x.dst); err != nil {
			return err
		}
	}
	if found && !x.o.Overwrite {
		return isInTheWay(x.dst.path)
	}
	if !found && !x.blind {
		if err := t.noTwinOf(ctx, x); err != nil {
			return err
		}
	}
	return t.mayPlaceBelow(x)
}

func takenMeanwhile(p vpath.Path) error {
	return fault.Tell(fault.ErrUnavailable, "%s: this name was taken meanwhile, try again", p)
}

func isInTheWay(p vpath.Path) error {
	return fault.Tell(fault.ErrPrecondition, "%s exists already, and the request said not to overwrite it", p)
}

// isFolder tells whether l's parent is a folder.
func (t *Tree) isFolder(ctx context.Context, l place) error {
	up, found, err := t.stored(ctx, l.parent())
	if err != nil || found && up.Dir {
		return err
	}
	return t.putFailed(upload{place: l}, fault.ErrNoParent)
}

// mayLand judges the right to put the root of the transfer at its destination.
func (t *Tree) mayLand(ctx context.Context, x *transfer, info backends.Info, found bool) error {
	if err := t.mayWriteOver(ctx, x, info, found); err != nil {
		return err
	}
	if !found {
		return t.mayReplaceClutter(ctx, x)
	}
	var err error
	x.old, err = members(ctx, x.dst, info, true)
	if err != nil || !info.Dir && !x.dir() {
		return err // file over file is a write
	}
	if err := t.pinned(x.dst.path); err != nil {
		return err
	}
	if err := t.needCreate(ctx, x.dst); err != nil {
		return err
	}
	if err := t.needAll(x.old, acl.Delete); err != nil {
		return err
	}
	if err := t.mayTakeBack(ctx, x.dst.path); err != nil {
		return err
	}
	return noForeign(x.old)
}

func (t *Tree) mayWriteOver(ctx context.Context, x *transfer, info backends.Info, found bool) error {
	if found && t.sees(x.dst.path, info) && (info.Dir || x.dir()) {
		// Replacing a folder is judged as a deletion.
		if t.s.moves.touches(x.dst.path) {
			return busyMoving(x.dst.path)
		}
		return nil
	}
	return t.mayWrite(ctx, x.dst, info, found)
}

// mayPlaceBelow judges what a folder brings along: a rule deeper in the
// destination may forbid to create there.
func (t *Tree) mayPlaceBelow(x *transfer) error {
	for _, m := range x.all[1:] {
		to, err := x.target(m)
		if err != nil {
			return err
		}
		if d := t.decide(acl.Create, to.path.Parent(), ""); !d.Allowed() {
			return denied(d)
		}
		if err := t.mayBeNamed(x, to.path); err != nil {
			return err
		}
	}
	_, err := x.target(x.all[0])
	return err
}

func (t *Tree) transferLocks(ctx context.Context, x *transfer) error {
	scopes := []scope{{path: x.dst.path, below: true, member: len(x.old) == 0}}
	if x.move {
		scopes = append(scopes, scope{path: x.src.path, below: true, member: true})
	}
	return t.checkLocks(ctx, t.s.State, x.o.Guard, scopes...)
}

// makeWay is makeParents for the destination.
func (t *Tree) makeWay(ctx context.Context, x *transfer) (undo func() bool, err error) {
	if len(x.old) > 0 {
		return nothingMade, nil
	}
	if undo, err = t.makeParents(ctx, x.dst, x.o.Guard); err != nil {
		err = t.putFailed(upload{place: x.dst}, err)
	}
	return undo, err
}

// nothingMade is the undo where nothing was made.
func nothingMade() bool { return true }
