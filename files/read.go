package files

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Stat describes what lies at p.
func (t *Tree) Stat(ctx context.Context, p vpath.Path) (Node, error) {
	n, err := t.statNode(ctx, p)
	return n, t.record(ctx, audit.Event{Action: audit.Stat, Path: p.String()}, err)
}

func (t *Tree) statNode(ctx context.Context, p vpath.Path) (Node, error) {
	if p.IsRoot() {
		return Node{Path: p, Dir: true}, nil
	}
	l, err := t.place(p)
	if err != nil {
		return Node{}, err
	}
	info, err := t.visible(ctx, l)
	if err != nil {
		return Node{}, err
	}
	return t.node(p, info), nil
}

// visible is stat for a thing that the principal must be allowed to see.
func (t *Tree) visible(ctx context.Context, l place) (backends.Info, error) {
	info, err := t.stat(ctx, l)
	if err == nil && !t.sees(l.path, info) {
		return backends.Info{}, t.unseen(l.path, info)
	}
	return info, err
}

// Find describes what lies at p and, with members, what the principal may see
// directly below it. A folder and its members come from one listing of the
// store, so that a member which vanishes meanwhile cuts nothing short.
func (t *Tree) Find(ctx context.Context, p vpath.Path, members bool, w Want) (self Node, below []Node, err error) {
	self, below, err = t.find(ctx, p, members, w.Names)
	if err == nil && (w.Locks || w.Props) {
		err = t.fillIn(ctx, &self, below, w)
	}
	if err == nil && w.Rights {
		t.fillRights(ctx, &self, below)
	}
	return self, below, t.record(ctx, audit.Event{Action: audit.List, Path: p.String()}, err)
}

func (t *Tree) find(ctx context.Context, p vpath.Path, members, names bool) (Node, []Node, error) {
	if p.IsRoot() {
		return t.root(ctx, members)
	}
	if !members || isNoise(p) || !t.view.SeesFolder(p) {
		// A folder that is not seen is not listed either: how long that takes
		// would tell how much is in it.
		n, err := t.statNode(ctx, p)
		return n, nil, err
	}
	l, err := t.place(p)
	if err != nil {
		return Node{}, nil, err
	}
	if names {
		if self, below, ok := t.names(ctx, l); ok {
			return self, below, nil
		}
	}
	self, list, err := t.list(ctx, l, l.space.Backend.List)
	switch {
	case errors.Is(err, fault.ErrNotDir):
		n, err := t.statNode(ctx, p)
		return n, nil, err
	case err != nil:
		return Node{}, nil, err
	}
	below := make([]Node, 0, len(list))
	for _, info := range list {
		if at, err := p.Child(info.Name); err == nil && t.sees(at, info) && t.shows(at, info.Dir) {
			below = append(below, t.node(at, info))
		}
	}
	below, err = t.marked(ctx, p, below)
	return t.node(p, self), below, err
}

// list asks the backend for a folder, whoever may see it, by one of its ways.
func (t *Tree) list(ctx context.Context, l place, by lister) (backends.Info, []backends.Info, error) {
	var self backends.Info
	var list []backends.Info
	free, sure, err := t.isFree(ctx, l.path)
	if err != nil || sure {
		return self, nil, cmp.Or(err, notFound(l.path))
	}
	err = t.s.moves.steady(l.path, inList, func() (err error) {
		if t.s.moves.hides(l.path) {
			return notFound(l.path)
		}
		self, list, err = by(ctx, l.inner)
		list = slices.DeleteFunc(list, func(info backends.Info) bool {
			at, err := l.path.Child(info.Name)
			return err == nil && t.s.moves.hides(at)
		})
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && free && !isPeoples(l.path, true) {
		return self, nil, notFound(l.path)
	}
	return self, list, err
}

// root lists the workspaces that the principal may see.
func (t *Tree) root(ctx context.Context, members bool) (Node, []Node, error) {
	var below []Node
	for _, name := range t.r.names {
		p, err := vpath.Path{}.Child(name)
		if err != nil || !members || !t.view.SeesFolder(p) || !t.mayLook(name) {
			continue
		}
		// A store that is away must not hide the workspaces in the others.
		n, err := t.statNode(ctx, p)
		if err != nil {
			n = t.node(p, backends.Info{Dir: true})
		}
		below = append(below, n)
	}
	return Node{Dir: true}, below, nil
}

// Check judges a request's conditions for a read of p.
func (t *Tree) Check(ctx context.Context, p vpath.Path, g Guard) error {
	return t.checkIf(ctx, p, g)
}

// Open reads a file, or r of it; the caller closes the reader. With
// fault.ErrRange comes the Node, for its size.
func (t *Tree) Open(ctx context.Context, p vpath.Path, r Range) (io.ReadCloser, Node, error) {
	body, n, err := t.open(ctx, p, r)
	err = t.record(ctx, audit.Event{Action: audit.Read, Path: p.String(), Bytes: n.Size}, err)
	if err != nil && body != nil {
		_ = body.Close() // only read
		body = nil
	}
	return body, n, err
}

func (t *Tree) open(ctx context.Context, p vpath.Path, r Range) (io.ReadCloser, Node, error) {
	if p.IsRoot() {
		return nil, Node{}, fault.ErrIsDir
	}
	l, err := t.place(p)
	if err != nil {
		return nil, Node{}, err
	}
	// The right may hang on the creator, which comes with the file itself: one
	// call to the store, and nothing of the body leaves before the decision.
	body, info, err := t.openSteady(ctx, l, r)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, Node{}, notFound(p)
	case errors.Is(err, fault.ErrIsDir):
		if !t.view.SeesFolder(p) {
			return nil, Node{}, t.unseen(p, backends.Info{})
		}
		return nil, Node{}, err
	case err != nil && !errors.Is(err, fault.ErrRange):
		return nil, Node{}, err
	}
	if no := t.need(acl.Read, p, info); no != nil {
		if body != nil {
			_ = body.Close() // only read
		}
		return nil, Node{}, no
	}
	if err == nil {
		t.opened(ctx, p, info)
	}
	return body, t.node(p, info), err
}

// openSteady opens what lies at l, whoever may read it.
func (t *Tree) openSteady(ctx context.Context, l place, r Range) (body io.ReadCloser, info backends.Info, err error) {
	if isNoise(l.path) {
		return t.openNoise(ctx, l, r)
	}
	free, sure, err := t.isFree(ctx, l.path)
	if err != nil || sure {
		return nil, info, cmp.Or(err, fs.ErrNotExist)
	}
	err = t.s.moves.steady(l.path, atPath, func() (err error) {
		if body != nil {
			_ = body.Close() // only read
			body = nil
		}
		if t.s.moves.hides(l.path) {
			return fs.ErrNotExist
		}
		body, info, err = l.space.Backend.Open(ctx, l.inner, r)
		return err
	})
	if err == nil && free {
		err = fs.ErrNotExist
	}
	if err != nil && body != nil { // it was moved at each try
		_ = body.Close() // only read
		body = nil
	}
	return body, info, err
}
