package files

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"portico/acl"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Tree is the files as one principal may see and use them. It is made for one
// request; all its methods judge by the same rules.
type Tree struct {
	s    *Service
	r    *rules
	who  Principal
	view *acl.View
	as   *looker // who looks, if it is not who sees
}

// place is a path with the workspace that it lies in.
type place struct {
	path  vpath.Path
	space *space
	inner vpath.Path // path inside the workspace
}

// place finds p's workspace, which the principal must see. The root is none.
func (t *Tree) place(p vpath.Path) (place, error) {
	sp := t.r.spaces[p.Top()]
	switch {
	case sp == nil, !t.mayLook(p.Top()):
		return place{}, notFound(p)
	case !t.view.SeesFolder(top(p)):
		return place{}, t.unseen(p, backends.Info{})
	}
	return place{path: p, space: sp, inner: p.Tail()}, nil
}

// inside is place for a thing that is about to be made, which must lie in a
// workspace and not be one.
func (t *Tree) inside(p vpath.Path) (place, error) {
	l, err := t.place(p)
	switch {
	case p.IsRoot() || err == nil && l.isTop():
		return l, fault.Tell(fs.ErrExist, "%s exists already, as a folder", p)
	case err != nil && p.Depth() == 1:
		return l, fault.Tell(fs.ErrPermission, "workspaces are made in the configuration, by an administrator")
	}
	return l, err
}

// top is the root of p's workspace.
func top(p vpath.Path) vpath.Path {
	for a := range p.Ancestors() {
		if a.Depth() == 1 {
			return a
		}
	}
	return p
}

// isTop tells a workspace's root, which stands and falls with the config.
func (l place) isTop() bool { return l.path.Depth() == 1 }

func (l place) parent() place {
	return place{path: l.path.Parent(), space: l.space, inner: l.inner.Parent()}
}

func (l place) child(name string) (place, error) {
	p, err := l.path.Child(name)
	if err != nil {
		return place{}, err
	}
	return place{path: p, space: l.space, inner: p.Tail()}, nil
}

// at is the place of a path below l, in the same workspace.
func (l place) at(p vpath.Path) place { return place{path: p, space: l.space, inner: p.Tail()} }

// full is the path, with its workspace, of a path that the backend gave.
func (l place) full(inner vpath.Path) (vpath.Path, error) { return top(l.path).Join(inner) }

// stat asks the backend what lies at l, whoever may see it.
func (t *Tree) stat(ctx context.Context, l place) (backends.Info, error) {
	if isNoise(l.path) {
		return t.statNoise(ctx, l)
	}
	free, sure, err := t.isFree(ctx, l.path)
	if err != nil || sure {
		return backends.Info{}, cmp.Or(err, notFound(l.path))
	}
	info, err := t.ask(ctx, l)
	if errors.Is(err, fs.ErrNotExist) || err == nil && free && !isPeoples(l.path, info.Dir) {
		return backends.Info{}, notFound(l.path)
	}
	return info, err
}

// ask is stat of the file store alone.
func (t *Tree) ask(ctx context.Context, l place) (info backends.Info, err error) {
	err = t.s.moves.steady(l.path, atPath, func() (err error) {
		if t.s.moves.hides(l.path) {
			return notFound(l.path)
		}
		info, err = l.space.Backend.Stat(ctx, l.inner)
		return err
	})
	return info, err
}

// exists is stat for callers to whom a free name is an answer.
func (t *Tree) exists(ctx context.Context, l place) (info backends.Info, found bool, err error) {
	return isFound(t.stat(ctx, l))
}

func isFound(info backends.Info, err error) (backends.Info, bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return info, false, nil
	}
	return info, err == nil, err
}

// sees tells whether the principal may know of what lies at p.
func (t *Tree) sees(p vpath.Path, info backends.Info) bool {
	if info.Dir {
		return t.view.SeesFolder(p)
	}
	return t.view.SeesFile(p, info.Creator)
}

// decide asks the policy, and tells the metrics.
func (t *Tree) decide(right acl.Right, p vpath.Path, creator string) acl.Decision {
	d := t.view.Decide(right, p, creator)
	if t.s.Decided != nil {
		t.s.Decided(d.Allowed())
	}
	return d
}

// need is nil if the principal holds right on the thing that lies at p, and
// else the error that this principal may be given.
func (t *Tree) need(right acl.Right, p vpath.Path, info backends.Info) error {
	d := t.decide(right, p, info.Creator)
	switch {
	case d.Allowed():
		return nil
	case !t.sees(p, info):
		return hidden(p, d)
	}
	return denied(d)
}

// unseen is the error for a thing that the principal may not know of.
func (t *Tree) unseen(p vpath.Path, info backends.Info) error {
	return hidden(p, t.view.Decide(acl.List, p, info.Creator))
}

// needCreate judges the making of a new thing at p, in a parent folder that may
// or may not exist. Where the principal does not see the parent, the answer is
// that of a path that does not exist.
func (t *Tree) needCreate(ctx context.Context, l place) error {
	up := l.parent()
	d := t.decide(acl.Create, up.path, "")
	if d.Allowed() {
		return t.newName(l.path)
	}
	info, found, err := t.exists(ctx, up)
	switch {
	case err != nil:
		return err
	case !found:
		return notFound(up.path)
	case !t.sees(up.path, info):
		return hidden(up.path, d)
	}
	return denied(d)
}

// newName judges the name of a thing that is about to be made.
func (t *Tree) newName(p vpath.Path) error {
	if err := p.CheckNew(); err != nil {
		return err
	}
	if err := t.windowsName(p); err != nil {
		return err
	}
	return t.ruledTwin(p)
}

// windowsName refuses what Windows cannot hold, where the workspace says so.
func (t *Tree) windowsName(p vpath.Path) error {
	if sp := t.r.spaces[p.Top()]; sp != nil && sp.WindowsSafe {
		return p.CheckWindows()
	}
	return nil
}

// ruledTwin refuses a name that differs in case alone from a folder of the config.
func (t *Tree) ruledTwin(p vpath.Path) error {
	twin, ok := t.r.policy.Twin(p)
	switch {
	case !ok:
		return nil
	case !t.view.SeesFolder(twin):
		return nameTaken(p)
	}
	return fault.Tell(fault.ErrConflict,
		"%s differs only in upper and lower case from %s, which has rules of its own: choose another name", p, twin)
}

// nameTaken refuses a name because of something that may not be known of.
func nameTaken(p vpath.Path) error {
	return fault.Tell(fault.ErrConflict, "%s: this name cannot be used here, choose another one", p)
}

// pinned refuses to delete or move a folder that the config speaks of.
func (t *Tree) pinned(p vpath.Path) error {
	if p.Depth() <= 1 {
		return fault.Tell(fs.ErrPermission, "a whole workspace cannot be deleted, copied, moved or replaced: open it and take what is in it")
	}
	if at, folder, ok := t.r.policy.Pinned(p); ok && t.view.SeesFolder(folder) {
		return fault.Tell(fs.ErrPermission,
			"%s cannot be deleted, moved or replaced: %s has rules of its own (%s); an administrator must remove them first", p, folder, at)
	} else if ok {
		return fault.Tell(fs.ErrPermission, "%s cannot be deleted, moved or replaced: the configuration has rules in it", p)
	}
	return nil
}

func notFound(p vpath.Path) error { return fault.Tell(fs.ErrNotExist, "%s does not exist", p) }

// noParent turns a missing folder above a new thing into the error that says so.
func noParent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.ErrNoParent
	}
	return err
}

func denied(d acl.Decision) error { return fault.Tell(fs.ErrPermission, "%s", d) }

// hidden is notFound, word for word, that keeps the decision for the audit.
func hidden(p vpath.Path, d acl.Decision) error {
	return fault.Tell(&verdictError{d, fs.ErrNotExist}, "%s does not exist", p)
}

// verdictError is an error of another kind or text than the decision would give,
// which only the audit is told.
type verdictError struct {
	acl.Decision
	shown error
}

func (e *verdictError) Error() string { return e.shown.Error() }

// Unwrap is what the principal is told.
func (e *verdictError) Unwrap() error { return e.shown }

// node is what the principal is shown of info.
func (t *Tree) node(p vpath.Path, info backends.Info) Node {
	n := Node{Path: p, Dir: info.Dir, Size: info.Size, ModTime: info.ModTime, Created: info.Created, By: info.Creator}
	if n.Created.IsZero() {
		n.Created = info.ModTime
	}
	if p.Depth() == 1 {
		n.Title = t.r.spaces[p.Top()].Title
	}
	if !info.Dir {
		n.ETag, n.ContentType, n.SHA256 = info.ETag, ContentType(p.Name()), info.SHA256
	}
	return n
}

// now is the moment, for locks.
func (t *Tree) now() time.Time { return t.s.Clock() }
