package files

import (
	"context"
	"io"
	"io/fs"

	"portico/audit"
	"portico/fault"
	"portico/vpath"
)

// fixed refuses to take away, rename or replace what was given. p is a mount or
// the list of them, or nothing.
func (w *Window) fixed(p vpath.Path) error {
	switch {
	case p.Depth() > 1:
		return nil
	case isList(p) || w.mount(p) != nil:
		return fault.Tell(fs.ErrPermission, "what was shared with you cannot be deleted, moved or replaced as a whole: ask whoever shared it to end it")
	}
	return nil
}

// keeps refuses the end of what was given, if it lies at full or below it: one
// mount may lie in another.
func (w *Window) keeps(full vpath.Path) error {
	for _, m := range w.mounts {
		if full.Contains(m.full) {
			return w.fixed(m.at)
		}
	}
	return nil
}

// unmadeHere refuses to make something beside the mounts.
func (w *Window) unmadeHere(p vpath.Path) error {
	switch {
	case isList(p):
		return fault.Tell(fs.ErrExist, "/ exists already, as a folder")
	case p.Depth() == 1 && w.mount(p) == nil:
		return fault.Tell(fs.ErrPermission, "nothing can be put beside what was shared with you: open it, and put things there")
	}
	return nil
}

// target is inside for something that is to be put at p.
func (w *Window) target(p vpath.Path) (full vpath.Path, m *mount, err error) {
	if err := w.unmadeHere(p); err != nil {
		return full, nil, err
	}
	return w.inside(p)
}

// Put stores body at p: see Tree.Put.
func (w *Window) Put(ctx context.Context, p vpath.Path, body io.Reader, o PutOptions) (n Node, created bool, err error) {
	full, m, err := w.target(p)
	if err != nil {
		return Node{}, false, w.missed(ctx, audit.Put, p, err)
	}
	o.Guard = w.guard(o.Guard)
	n, created, err = w.t.Put(ctx, full, body, o)
	if err != nil {
		return Node{}, false, w.say(err, p, m)
	}
	n = w.node(m, n)
	if w.t.isBlind(full.Parent()) {
		n.Path = p // a free name would tell what is there
	}
	return n, created, nil
}

// Mkdir makes a folder.
func (w *Window) Mkdir(ctx context.Context, p vpath.Path, g Guard) error {
	full, m, err := w.target(p)
	if err != nil {
		return w.missed(ctx, audit.Mkdir, p, err)
	}
	return w.say(w.t.Mkdir(ctx, full, w.guard(g)), p, m)
}

// Delete removes a file, or a folder with all below it; never a mount itself, and
// nothing that somebody else has opened.
func (w *Window) Delete(ctx context.Context, p vpath.Path, g Guard) error {
	full, m, err := w.inside(p)
	switch {
	case isList(p):
		err = w.fixed(p)
	case err == nil:
		err = w.keeps(full)
	}
	if err != nil {
		return w.missed(ctx, audit.Delete, p, err)
	}
	return w.say(w.t.Delete(ctx, full, w.guard(g)), p, m)
}

// Copy copies a file or a folder: see Tree.Copy.
func (w *Window) Copy(ctx context.Context, src, dst vpath.Path, o TransferOptions) (Landed, error) {
	return w.transfer(ctx, src, dst, o, audit.Copy, w.t.Copy)
}

// Move moves a file or a folder; never a mount itself, and nothing that somebody
// else has opened.
func (w *Window) Move(ctx context.Context, src, dst vpath.Path, o TransferOptions) (Landed, error) {
	return w.transfer(ctx, src, dst, o, audit.Move, w.t.Move)
}

func (w *Window) transfer(
	ctx context.Context, src, dst vpath.Path, o TransferOptions, action audit.Action,
	do func(context.Context, vpath.Path, vpath.Path, TransferOptions) (Landed, error),
) (l Landed, err error) {
	from, in, err := w.leaving(src, action == audit.Move)
	if err == nil {
		err = w.fixed(dst)
	}
	var to vpath.Path
	var out *mount
	if err == nil {
		to, out, err = w.target(dst)
	}
	if err == nil {
		err = w.keeps(to)
	}
	if err != nil {
		return l, w.t.record(ctx, audit.Event{Action: action, Path: src.String(), Dest: dst.String()}, err)
	}
	o.Guard = w.guard(o.Guard)
	l, err = do(ctx, from, to, o)
	return l, saying{w: w, asked: src, other: dst, mounts: []*mount{in, out}}.of(err)
}

// leaving is inside for the source of a copy or a move.
func (w *Window) leaving(src vpath.Path, move bool) (full vpath.Path, m *mount, err error) {
	if isList(src) {
		return full, nil, w.fixed(src)
	}
	if full, m, err = w.inside(src); err == nil && move {
		err = w.keeps(full)
	}
	return full, m, err
}

// Lock takes a lock; a free name becomes an empty file.
func (w *Window) Lock(ctx context.Context, p vpath.Path, o LockOptions) (l Lock, created bool, err error) {
	full, m, err := w.target(p)
	if isList(p) {
		err = fault.Tell(fault.ErrConflict, "all that was shared with you cannot be locked at once")
	}
	if err != nil {
		return Lock{}, false, w.missed(ctx, audit.Lock, p, err)
	}
	o.Guard = w.guard(o.Guard)
	l, created, err = w.t.Lock(ctx, full, o)
	if err != nil {
		return Lock{}, false, w.say(err, p, m)
	}
	return w.lock(m, l), created, nil
}

// Refresh gives a lock a new term: see Tree.Refresh.
func (w *Window) Refresh(ctx context.Context, p vpath.Path, o LockOptions) (Lock, error) {
	full, m, err := w.inside(p)
	if err != nil {
		return Lock{}, w.missed(ctx, audit.Lock, p, err)
	}
	o.Guard = w.guard(o.Guard)
	l, err := w.t.Refresh(ctx, full, o)
	if err != nil {
		return Lock{}, w.say(err, p, m)
	}
	return w.lock(m, l), nil
}

// Unlock ends a lock that covers p, by its holder.
func (w *Window) Unlock(ctx context.Context, p vpath.Path, token string) error {
	full, m, err := w.inside(p)
	if err != nil {
		return w.missed(ctx, audit.Unlock, p, err)
	}
	return w.say(w.t.Unlock(ctx, full, token), p, m)
}

// PatchProps makes all changes to p's dead properties, in order, or none.
func (w *Window) PatchProps(ctx context.Context, p vpath.Path, changes []PropChange, g Guard) error {
	if isList(p) {
		return w.missed(ctx, audit.Props, p, fault.Tell(fs.ErrPermission, "this list has no properties to set"))
	}
	full, m, err := w.inside(p)
	if err != nil {
		return w.missed(ctx, audit.Props, p, err)
	}
	return w.say(w.t.PatchProps(ctx, full, changes, w.guard(g)), p, m)
}
