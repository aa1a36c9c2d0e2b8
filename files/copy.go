package files

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Copy copies a file or a folder; what the principal does not see in it is left
// out, and what the copy makes belongs to them. *Partial names what the store
// could not copy. A folder that is replaced loses what it held only after
// everything has been copied.
func (t *Tree) Copy(ctx context.Context, src, dst vpath.Path, o TransferOptions) (l Landed, err error) {
	if isNoise(src) || isNoise(dst) {
		l.Created, err = t.carryNoise(ctx, src, dst, o, false)
	} else {
		l, err = t.copy(ctx, src, dst, o)
	}
	return l, t.refused(ctx, audit.Event{Action: audit.Copy, Path: src.String(), Dest: dst.String()}, err)
}

func (t *Tree) copy(ctx context.Context, src, dst vpath.Path, o TransferOptions) (Landed, error) {
	held, x, err := t.begin(ctx, src, dst, o, false)
	if err != nil {
		return Landed{}, err
	}
	defer x.done()
	l, err := t.copyHeld(held, x)
	return l, orLost(held, err)
}

func (t *Tree) copyHeld(ctx context.Context, x *transfer) (Landed, error) {
	if len(x.inTheWay()) > 0 {
		return t.copyAnew(ctx, x)
	}
	room, err := t.room(ctx, x)
	if err != nil {
		return Landed{}, err
	}
	defer room.done()
	event, err := t.intend(ctx, audit.Event{Action: audit.Copy, Path: x.src.path.String(), Dest: x.dst.path.String()})
	if err != nil {
		return Landed{}, err
	}
	going, stop := onward(ctx) // a half copy helps nobody
	defer stop()
	clutter := x.clutter()
	if err := t.s.mark(going, clutter...); err != nil {
		return Landed{}, t.unmade(going, event, true, err)
	}
	if undo, err := t.makeWay(going, x); err != nil {
		return Landed{}, t.unmade(going, event, undo(), err)
	}
	gone, failed := t.doCopy(going, x)
	t.s.gone.Add(1)
	size := sizeOf(without(x.atTarget(), failed))
	room.stored(size)
	event, left := inPart(event, t.partial(append(x.atTarget(), x.old...), failed))
	err = t.commit(going, event, func(tx store.Tx) error {
		if err := errors.Join(room.keep(tx, size), x.forgetOld(tx, gone, failed)); err != nil || len(failed) > 0 {
			return err
		}
		return errors.Join(x.endOld(tx), t.copyProps(going, tx, x, clutter), t.depositedAll(going, tx, x))
	})
	t.s.twins.add(x.dst.path)
	t.s.reread(going, x.dst.path)
	if err != nil {
		return Landed{}, err
	}
	t.s.keepSums(going, x)
	return Landed{Created: len(x.old) == 0, Timed: x.timed()}, left
}

// doCopy copies. gone are the members of the old destination that it removes.
func (t *Tree) doCopy(ctx context.Context, x *transfer) (gone []member, failed map[vpath.Path]error) {
	if failed = t.copyAll(ctx, x, nil); len(failed) > 0 {
		return nil, failed
	}
	gone = x.rest()
	failed = removeAll(ctx, gone)
	maps.DeleteFunc(failed, func(_ vpath.Path, err error) bool { return errors.Is(err, fs.ErrNotExist) })
	return gone, failed
}

// endOld ends what stood on a place that a copy has taken. A file that is copied
// over keeps its shares, as one that is written to does.
func (x *transfer) endOld(tx store.Tx) error {
	if x.replaces() {
		return nil
	}
	return endBelow(tx, x.dst.path)
}

// forgetOld drops all that stands on what the copy has removed.
func (x *transfer) forgetOld(tx store.Tx, gone []member, failed map[vpath.Path]error) error {
	for _, m := range gone {
		if failed[m.path] != nil {
			continue
		}
		if err := errors.Join(tx.DropLocksBelow(m.path), beginAt(tx, m.path)); err != nil {
			return err
		}
	}
	return nil
}

// copyProps gives the copy the properties of what was copied, and of nothing that was
// left out, and the marks of its clutter, which go with what stood on the old one. What
// programs keep beside it belongs to who copies, as the files do.
func (t *Tree) copyProps(ctx context.Context, tx store.Tx, x *transfer, clutter []vpath.Path) error {
	return errors.Join(t.copyAlong(ctx, tx, x), markIn(tx, clutter))
}

func (t *Tree) copyAlong(ctx context.Context, tx store.Tx, x *transfer) error {
	if err := errors.Join(tx.DropPropsBelow(x.dst.path), tx.DropNoiseBelow(x.dst.path)); err != nil {
		return err
	}
	along := func(from, to vpath.Path, deep bool) error {
		return errors.Join(tx.CopyProps(from, to, deep), tx.CopyNoise(from, to, t.who.ID(), deep))
	}
	if !x.leftOut {
		return errors.Join(along(x.src.path, x.dst.path, !x.o.Shallow), t.boundNoise(ctx, tx, x.dst.path))
	}
	for _, m := range x.all {
		to, err := x.target(m)
		if err == nil {
			err = along(m.path, to.path, false)
		}
		if err != nil {
			return err
		}
	}
	return t.boundNoise(ctx, tx, x.dst.path)
}

// room reserves what the copy will take.
func (t *Tree) room(ctx context.Context, x *transfer) (*gauge, error) {
	return t.s.reserve(ctx, x.dst.space, sizeOf(x.old), sizeOf(x.all))
}

// atTarget is the transfer's members at their new places.
func (x *transfer) atTarget() []member {
	list := make([]member, 0, len(x.all))
	for _, m := range x.all {
		if to, err := x.target(m); err == nil { // mayPlaceBelow has judged it
			list = append(list, member{to, m.info})
		}
	}
	return list
}

// inTheWay is what cannot be copied over: a file where a folder goes, a folder
// where a file goes.
func (x *transfer) inTheWay() []member {
	kind := map[vpath.Path]bool{}
	for _, m := range x.atTarget() {
		kind[m.path] = m.info.Dir
	}
	var gone []member
	for _, m := range x.old {
		in := slices.ContainsFunc(gone, func(g member) bool { return g.path.Contains(m.path) })
		if dir, ok := kind[m.path]; in || ok && dir != m.info.Dir {
			gone = append(gone, m)
		}
	}
	return gone
}

// copyAll makes the folders, one after the other, and then the files, some at a time.
func (t *Tree) copyAll(ctx context.Context, x *transfer, gone []member) map[vpath.Path]error {
	failed := map[vpath.Path]error{}
	var files []member
	mine := backends.Meta{Creator: t.who.ID()}
	for _, m := range x.all {
		if !m.info.Dir {
			files = append(files, m)
			continue
		}
		to, err := x.target(m)
		if err == nil {
			err = carryDir(ctx, to, mine)
		}
		if err != nil {
			failed[to.path] = err
		}
	}
	kept := t.keptBy(x, gone)
	more := each(ctx, files, func(ctx context.Context, m member) error {
		to, err := x.target(m)
		if err != nil {
			return err
		}
		meta := mine
		if who := kept[to.path]; who != "" {
			meta.Creator = who
		}
		if !x.dir() {
			meta.ModTime = x.o.ModTime
		}
		return x.carry(ctx, m, meta)
	})
	for p, err := range more {
		if errors.Is(err, fs.ErrNotExist) {
			err = fault.Tell(err, "the file ended while the folder was copied")
		}
		below, _ := x.src.path.Under(p)
		if to, joined := x.dst.path.Join(below); joined == nil {
			failed[to] = err
		}
	}
	return failed
}

// keptBy is whose the replaced files stay, by their paths. What the firm copies over
// those of people from outside is the firm's, where no deposit is left that says so.
func (t *Tree) keptBy(x *transfer, gone []member) map[vpath.Path]string {
	kept := map[vpath.Path]string{}
	for _, m := range x.old {
		if x.replaces() || t.who.isOutside() || !isOutside(m.info.Creator) {
			kept[m.path] = m.info.Creator
		}
	}
	for _, m := range gone {
		delete(kept, m.path)
	}
	return kept
}

// rest is what the replaced folder held and the copy does not.
func (x *transfer) rest() []member {
	if !x.dir() {
		return nil
	}
	fresh := map[vpath.Path]bool{}
	for _, m := range x.atTarget() {
		fresh[m.path] = true
	}
	return slices.DeleteFunc(slices.Clone(x.old), func(m member) bool { return fresh[m.path] })
}
