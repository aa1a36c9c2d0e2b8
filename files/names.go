package files

import (
	"context"
	"slices"

	"portico/audit"
	"portico/backends"
	"portico/vpath"
)

// lister is a backend's way to list a folder.
type lister func(ctx context.Context, p vpath.Path) (self backends.Info, members []backends.Info, err error)

// names is find for a folder of whose members the names are enough. It is not ok
// where the whole listing must be asked for: the store has no such way, the folder
// cannot be listed, or a file in it may be seen or not by who made it. More rights
// come with that, never fewer (acl takes no deny with :own), so that what is seen
// whoever made it needs no look.
func (t *Tree) names(ctx context.Context, l place) (self Node, below []Node, ok bool) {
	namer, ok := l.space.Backend.(backends.Namer)
	if !ok {
		return Node{}, nil, false
	}
	info, list, err := t.list(ctx, l, namer.Names)
	if err != nil {
		return Node{}, nil, false // the whole listing finds the same, and find names it
	}
	below = make([]Node, 0, len(list))
	for _, m := range list {
		at, err := l.path.Child(m.Name)
		switch {
		case err != nil || !t.shows(at, m.Dir): // a foreign name, or none for people
		case t.sees(at, backends.Info{Dir: m.Dir}):
			below = append(below, Node{Path: at, Dir: m.Dir, Bare: true})
		case !m.Dir:
			return Node{}, nil, false
		}
	}
	if below, err = t.marked(ctx, l.path, below); err != nil {
		return Node{}, nil, false
	}
	return t.node(l.path, info), below, true
}

// Describe tells the rest of members of the folder p that Find gave by name: those
// that are still there, and that the principal may see.
func (t *Tree) Describe(ctx context.Context, p vpath.Path, list []Node) ([]Node, error) {
	if !slices.ContainsFunc(list, func(n Node) bool { return n.Bare }) {
		return list, nil
	}
	below, err := t.describe(ctx, p, list)
	if err != nil { // Find has recorded what was read
		return nil, t.record(ctx, audit.Event{Action: audit.List, Path: p.String()}, err)
	}
	return below, nil
}

func (t *Tree) describe(ctx context.Context, p vpath.Path, list []Node) ([]Node, error) {
	l, err := t.place(p)
	if err != nil {
		return nil, err
	}
	namer, ok := l.space.Backend.(backends.Namer)
	if !ok || !t.view.SeesFolder(p) { // as for a listing: how long it takes would tell
		return nil, t.unseen(p, backends.Info{})
	}
	names := make([]string, 0, len(list))
	for _, n := range list {
		names = append(names, n.Path.Name())
	}
	_, infos, err := t.list(ctx, l, func(ctx context.Context, inner vpath.Path) (self backends.Info, members []backends.Info, err error) {
		members, err = namer.Describe(ctx, inner, names)
		return self, members, err
	})
	if err != nil {
		return nil, err
	}
	below := make([]Node, 0, len(infos))
	for _, info := range infos {
		if at, err := p.Child(info.Name); err == nil && t.sees(at, info) {
			below = append(below, t.node(at, info))
		}
	}
	return below, nil
}
