package mem

import (
	"bytes"
	"context"
	"io"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Backend is one workspace of a Storage.
type Backend struct {
	s    *Storage
	root vpath.Path
}

// Stat describes a file or folder.
func (b *Backend) Stat(ctx context.Context, p vpath.Path) (info backends.Info, err error) {
	err = b.s.call(ctx, "Stat", p, func() error {
		b.s.mu.RLock()
		defer b.s.mu.RUnlock()
		n, err := b.find(p)
		if err == nil {
			info = n.named(p.Name())
		}
		return err
	})
	return info, err
}

// List is one listing.
func (b *Backend) List(ctx context.Context, p vpath.Path) (self backends.Info, members []backends.Info, err error) {
	return b.listed(ctx, "List", p)
}

// listed is a listing, by the name of the call that asks for it.
func (b *Backend) listed(ctx context.Context, op string, p vpath.Path) (self backends.Info, members []backends.Info, err error) {
	err = b.s.call(ctx, op, p, func() error {
		b.s.mu.RLock()
		defer b.s.mu.RUnlock()
		n, err := b.find(p)
		switch {
		case err != nil:
			return err
		case !n.Dir:
			return fault.ErrNotDir
		}
		self, members = n.named(p.Name()), b.members(p, n)
		return nil
	})
	return self, members, err
}

// Open reads a file.
func (b *Backend) Open(ctx context.Context, p vpath.Path, r backends.Range) (rc io.ReadCloser, info backends.Info, err error) {
	err = b.s.call(ctx, "Open", p, func() error {
		b.s.mu.RLock()
		defer b.s.mu.RUnlock()
		n, err := b.find(p)
		switch {
		case err != nil:
			return err
		case n.Dir:
			return fault.ErrIsDir
		}
		info = n.named(p.Name())
		off, length, ok := r.Resolve(n.Size)
		if !ok {
			return fault.ErrRange
		}
		rc = io.NopCloser(bytes.NewReader(n.data[off : off+length]))
		return nil
	})
	return rc, info, err
}

// Mkdir makes one empty folder.
func (b *Backend) Mkdir(ctx context.Context, p vpath.Path, m backends.Meta) (info backends.Info, err error) {
	err = b.s.call(ctx, "Mkdir", p, func() error {
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		parent, err := b.parent(p)
		if err != nil {
			return err
		}
		if p.IsRoot() || parent.kids[p.Name()] != nil {
			return fs.ErrExist
		}
		n := b.s.newFolder(m)
		parent.kids[p.Name()] = n
		info = n.named(p.Name())
		return nil
	})
	return info, err
}

// Remove ends a file or an empty folder.
func (b *Backend) Remove(ctx context.Context, p vpath.Path) error {
	return b.s.call(ctx, "Remove", p, func() error { return b.remove(p) })
}

func (b *Backend) remove(p vpath.Path) error {
	if p.IsRoot() {
		return fault.Tell(fs.ErrInvalid, "The top folder cannot be removed.")
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	n, err := b.find(p)
	switch {
	case err != nil:
		return err
	case len(n.kids) > 0:
		return fault.ErrNotEmpty
	}
	parent, err := b.find(p.Parent())
	if err != nil {
		return err
	}
	delete(parent.kids, p.Name())
	return nil
}
