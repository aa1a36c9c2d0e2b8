package mem

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Copy makes dst from the file src.
func (b *Backend) Copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (info backends.Info, err error) {
	err = b.s.call(ctx, "Copy", src, func() error {
		b.s.mu.RLock()
		n, err := b.find(src)
		b.s.mu.RUnlock()
		switch {
		case err != nil:
			return err
		case n.Dir:
			return fault.ErrIsDir
		}
		info, err = b.publish(ctx, dst, n.data, backends.PutOptions{Meta: merge(m, n.Meta)})
		return err
	})
	return info, err
}

// merge is m, with what it leaves open taken from old.
func merge(m, old backends.Meta) backends.Meta {
	m.Creator = cmp.Or(m.Creator, old.Creator)
	m.ContentType = cmp.Or(m.ContentType, old.ContentType)
	if m.ModTime.IsZero() {
		m.ModTime = old.ModTime
	}
	return m
}

// SetModTime gives a file the client's time.
func (b *Backend) SetModTime(ctx context.Context, p vpath.Path, t time.Time) (info backends.Info, err error) {
	err = b.s.call(ctx, "SetModTime", p, func() error {
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		n, err := b.find(p)
		switch {
		case err != nil:
			return err
		case n.Dir:
			return fault.ErrIsDir
		}
		up, err := b.find(p.Parent())
		if err != nil {
			return err
		}
		other := *n // readers keep the one they have
		other.ModTime, other.Meta.ModTime = t, t
		up.kids[p.Name()] = &other
		info = other.named(p.Name())
		return nil
	})
	return info, err
}

// Rename moves a file or a folder.
func (b *Backend) Rename(ctx context.Context, src, dst vpath.Path) error {
	return b.s.call(ctx, "Rename", src, func() error {
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		return b.rename(src, dst)
	})
}

func (b *Backend) rename(src, dst vpath.Path) error {
	if src.IsRoot() || src != dst && src.Contains(dst) {
		return fault.ErrConflict
	}
	n, err := b.find(src)
	if err != nil {
		return err
	}
	if dst.IsRoot() {
		return fs.ErrExist
	}
	to, err := b.parent(dst)
	if err != nil {
		return err
	}
	if old := to.kids[dst.Name()]; old != nil && old.Dir {
		return fs.ErrExist
	}
	from, err := b.find(src.Parent())
	if err != nil {
		return err
	}
	delete(from.kids, src.Name())
	to.kids[dst.Name()] = n
	return nil
}

// entry is one thing that a walk finds.
type entry struct {
	path vpath.Path
	info backends.Info
}

// Names is List without what a look at each member tells.
func (b *Backend) Names(ctx context.Context, p vpath.Path) (self backends.Info, members []backends.Info, err error) {
	self, members, err = b.listed(ctx, "Names", p)
	for i, m := range members {
		members[i] = backends.Info{Name: m.Name, Dir: m.Dir, Foreign: m.Foreign}
	}
	return self, members, err
}

// Describe is the rest of what List tells, of some.
func (b *Backend) Describe(ctx context.Context, p vpath.Path, names []string) ([]backends.Info, error) {
	_, members, err := b.listed(ctx, "Describe", p)
	var list []backends.Info
	for _, name := range names {
		if i := slices.IndexFunc(members, func(m backends.Info) bool { return m.Foreign == "" && m.Name == name }); i >= 0 {
			list = append(list, members[i])
		}
	}
	return list, err
}

// Walk visits all below p, as it was when the walk began.
func (b *Backend) Walk(ctx context.Context, p vpath.Path, visit func(vpath.Path, backends.Info) error) error {
	return b.s.call(ctx, "Walk", p, func() error {
		found, err := b.below(p)
		if err != nil {
			return err
		}
		for _, e := range found {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := visit(e.path, e.info); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *Backend) below(p vpath.Path) ([]entry, error) {
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	n, err := b.find(p)
	switch {
	case err != nil:
		return nil, err
	case !n.Dir:
		return nil, fault.ErrNotDir
	}
	return b.collect(nil, p, n), nil
}

func (b *Backend) collect(found []entry, p vpath.Path, n *node) []entry {
	for _, info := range b.members(p, n) {
		q, err := p.Child(info.Name)
		if info.Foreign != "" || err != nil {
			found = append(found, entry{p, info})
			continue
		}
		found = b.collect(append(found, entry{q, info}), q, n.kids[info.Name])
	}
	return found
}

// RemoveAll removes many. A fault of FailNext("RemoveAll", …) fails them all;
// one of FailNext("Remove", …) fails the next path.
func (b *Backend) RemoveAll(ctx context.Context, paths []vpath.Path) map[vpath.Path]error {
	failed := map[vpath.Path]error{}
	err := b.s.call(ctx, "RemoveAll", vpath.Path{}, func() error {
		for _, p := range paths {
			if err := b.Remove(ctx, p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed[p] = err
			}
		}
		return nil
	})
	if err != nil {
		for _, p := range paths {
			failed[p] = err
		}
	}
	return failed
}

// Free is as good as endless.
func (b *Backend) Free(ctx context.Context) (int64, error) {
	return math.MaxInt64, b.s.call(ctx, "Free", vpath.Path{}, func() error { return nil })
}
