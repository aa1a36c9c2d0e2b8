package files

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"portico/acl"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Window is what a customer or the visitor of a link sees: each thing that was
// given to them and stands now, under its own name, and no folder above it. Its
// paths are its own: the first element is the name of a mount. Rights and locks
// are those of the things themselves.
//
// No answer tells where a thing lies in the firm, nor a rule, its line or a group.
// Its errors are of the same kinds as those of a Tree.
type Window struct {
	t      *Tree
	mounts []*mount // by name
	byName map[string]*mount
	byID   map[string]*mount // by grant
}

// Mount is one thing of a Window.
type Mount struct {
	Name   string      // in the window
	Grant  store.Grant // the oldest that gives it
	Dir    bool
	Rights []string // words of the config, with their :own forms
}

// mount is a Mount with what stands behind it.
type mount struct {
	Mount
	at    vpath.Path // in the window
	full  vpath.Path
	ids   []string // of all grants that give it
	info  backends.Info
	known bool // info is what the storage said; else it is away
	blind bool // things are dropped there, and not seen
}

// Window gives what was given to p and stands now. What does not exist, or is
// worth nothing since its giver has lost a right, is left out.
func (s *Service) Window(ctx context.Context, p Principal) (*Window, error) {
	t, err := s.tree(ctx, p)
	if err != nil {
		return nil, w500(err)
	}
	w := &Window{t: t, byName: map[string]*mount{}, byID: map[string]*mount{}}
	list := w.granted()
	if err := w.look(ctx, list); err != nil {
		return nil, w500(err)
	}
	// Names are given by age, so that one more share renames no other.
	for _, m := range slices.DeleteFunc(list, func(m *mount) bool { return !w.stands(m) }) {
		if w.name(m) {
			w.mounts = append(w.mounts, m)
		}
	}
	slices.SortFunc(w.mounts, func(a, b *mount) int { return cmp.Compare(a.Name, b.Name) })
	return w, nil
}

// granted are the grants to the principal as mounts, the oldest first; several of
// one thing are one.
func (w *Window) granted() []*mount {
	now := w.t.now()
	byPath := map[vpath.Path]*mount{}
	var list []*mount
	for _, g := range w.t.s.grantsTo(w.t.who) {
		if !g.Until.IsZero() && !g.Until.After(now) {
			continue
		}
		if m := byPath[g.Path]; m != nil {
			m.ids = append(m.ids, g.ID)
			continue
		}
		m := &mount{Mount: Mount{Grant: g, Dir: g.Dir}, full: g.Path, ids: []string{g.ID}}
		byPath[g.Path] = m
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b *mount) int {
		return cmp.Or(a.Grant.Created.Compare(b.Grant.Created), cmp.Compare(a.Grant.ID, b.Grant.ID))
	})
	return list
}

// look asks the storage for all of them at once. A thing that is being moved is at
// neither of its places for those who know its grant at the other one: that is
// fault.ErrUnavailable, since a drive would take its absence for a deletion.
func (w *Window) look(ctx context.Context, list []*mount) error {
	var all sync.WaitGroup
	var moving atomic.Bool
	turns := make(chan struct{}, parallel)
	for _, m := range list {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if gone := w.lookAt(ctx, m); gone && w.t.s.moves.touches(m.full) {
				moving.Store(true)
			}
		})
	}
	all.Wait()
	if moving.Load() {
		return fault.ErrUnavailable
	}
	return nil
}

// lookAt finds what lies behind a mount; gone tells that nothing does.
func (w *Window) lookAt(ctx context.Context, m *mount) (gone bool) {
	l, err := w.t.place(m.full)
	if err != nil {
		return false
	}
	m.blind = m.Dir && w.t.isBlind(m.full)
	m.info, err = w.t.stat(ctx, l)
	m.known = err == nil
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fault.ErrNotDir):
		return true
	case err != nil: // a storage that is away must not hide what lies in the others
		m.info = backends.Info{Dir: m.Dir}
		m.Rights = w.t.Rights(m.full)
	case m.info.Dir == m.Dir: // else another tool has put something else there
		m.Rights = w.t.rightsOn(m.full, m.info)
	}
	return false
}

// stands tells whether a mount gives anything now.
func (w *Window) stands(m *mount) bool { return len(m.Rights) > 0 }

// rightsOn are the words of what the principal may do with a thing that is there.
func (t *Tree) rightsOn(p vpath.Path, info backends.Info) (words []string) {
	rights := t.view.Rights(p)
	for _, right := range acl.AllRights() {
		switch {
		case t.view.Decide(right, p, info.Creator).Allowed():
			words = append(words, right.String())
		case rights.HasOwn(right):
			words = append(words, right.String()+":own")
		}
	}
	return words
}

// name gives a mount the name of its thing, with a number where an older one has
// it. Windows and macOS take names that differ in case alone for one.
func (w *Window) name(m *mount) bool {
	const tries = 1000
	leaf, err := vpath.Path{}.Child(m.full.Name())
	if err != nil {
		return false
	}
	for i := 1; i < tries; i++ {
		l, err := place{path: leaf}.numbered(i)
		if err != nil {
			return false
		}
		key := vpath.Fold(l.path.Name())
		if w.byName[key] == nil {
			m.at, m.Name = l.path, l.path.Name()
			w.byName[key] = m
			for _, id := range m.ids {
				w.byID[id] = m
			}
			return true
		}
	}
	return false
}

// Mounts are what the window holds, sorted by name.
func (w *Window) Mounts() []Mount {
	list := make([]Mount, 0, len(w.mounts))
	for _, m := range w.mounts {
		list = append(list, m.Mount)
	}
	return list
}

// Share is the place of a grant in the window, false if it gives nothing now.
func (w *Window) Share(id string) (vpath.Path, bool) {
	m := w.byID[id]
	if m == nil {
		return vpath.Path{}, false
	}
	return m.at, true
}

// mount is the one that a path of the window lies in, nil for none.
func (w *Window) mount(p vpath.Path) *mount {
	m := w.byName[vpath.Fold(p.Top())]
	if m == nil || m.Name != p.Top() {
		return nil
	}
	return m
}

// inside finds what a path of the window stands for.
func (w *Window) inside(p vpath.Path) (full vpath.Path, m *mount, err error) {
	if m = w.mount(p); m == nil {
		return full, nil, notFound(p)
	}
	if full, err = m.full.Join(p.Tail()); err != nil {
		return full, nil, fault.Tell(fs.ErrInvalid, "%s: the path is too long", p)
	}
	return full, m, nil
}

// show is the path in the window of what lies at full; within one of the mounts,
// the first of which stands for what lies in none.
func (w *Window) show(full vpath.Path, mounts ...*mount) vpath.Path {
	for _, m := range slices.Concat(mounts, w.mounts) {
		if below, ok := m.full.Under(full); ok {
			if at, err := m.at.Join(below); err == nil {
				return at
			}
		}
	}
	if len(mounts) > 0 {
		return mounts[0].at
	}
	return vpath.Path{}
}

// node is n as the window shows it.
func (w *Window) node(m *mount, n Node) Node {
	n.Path = w.show(n.Path, m)
	n.Title, n.By, n.Owner = "", "", Owner{}
	if n.Path == m.at { // only who gave it ends it
		n.Rights = slices.DeleteFunc(n.Rights, func(word string) bool { return word == acl.Delete.String() })
	}
	if n.Dir && m.blind { // its times would tell when others drop something
		n.ModTime, n.Created = m.Grant.Created, m.Grant.Created
	}
	for i := range n.Locks {
		n.Locks[i] = w.lock(m, n.Locks[i])
	}
	return n
}

// lock is l as the window shows it: one that is held above a mount lies on the
// mount itself.
func (w *Window) lock(m *mount, l Lock) Lock {
	if !l.Root.IsRoot() {
		l.Root = w.show(l.Root, m)
	}
	return l
}

// guard is g with the paths of the things themselves.
func (w *Window) guard(g Guard) Guard {
	g.If = slices.Clone(g.If)
	for i, l := range g.If {
		if l.Resource == nil {
			continue
		}
		if full, _, err := w.inside(*l.Resource); err == nil {
			g.If[i].Resource = &full
		} else {
			g.If[i].Resource, g.If[i].Elsewhere = nil, true
		}
	}
	return g
}
