package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Mkdir makes one folder: out of sight, with its attribute, and then renames it
// to its place, so that nobody sees it without its creator.
func (b *Backend) Mkdir(ctx context.Context, p vpath.Path, m backends.Meta) (backends.Info, error) {
	info, err := b.mkdir(ctx, p, m)
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: mkdir: %w", err)
	}
	return info, nil
}

func (b *Backend) mkdir(ctx context.Context, p vpath.Path, m backends.Meta) (backends.Info, error) {
	if p.IsRoot() {
		return backends.Info{}, fs.ErrExist
	}
	at, err := b.s.hold() // one base from here to the publication
	if err != nil {
		return backends.Info{}, err
	}
	defer at.release()
	f, err := b.parent(ctx, p)
	if err != nil {
		return backends.Info{}, err
	}
	defer f.close()
	if err := f.free(p.Name()); err != nil {
		return backends.Info{}, err
	}
	u, err := at.newUploadFolder()
	if err != nil {
		return backends.Info{}, err
	}
	defer u.discard()
	if err := u.seal(backends.Meta{Creator: m.Creator}, ""); err != nil {
		return backends.Info{}, err
	}
	return b.publish(ctx, p, u, false, func(f *folder) error { return f.free(p.Name()) })
}

// free is nil if nothing has the name.
func (f *folder) free(name string) error {
	st, err := f.lstat(name)
	switch {
	case isNotExist(err):
		return nil
	case err != nil:
		return err
	case kindOf(st) == isOther:
		return errTaken()
	}
	return fs.ErrExist
}

// Remove ends a file or an empty folder.
func (b *Backend) Remove(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return fmt.Errorf("local: remove: %w", errTop())
	}
	f, err := b.unlink(ctx, p)
	if err != nil {
		return fmt.Errorf("local: remove: %w", err)
	}
	defer f.close()
	if err := f.sync(); err != nil {
		return fmt.Errorf("local: remove: %w", err)
	}
	return nil
}

// unlink takes the name away, and gives its folder to be synced and closed.
func (b *Backend) unlink(ctx context.Context, p vpath.Path) (*folder, error) {
	b.s.tree.RLock()
	defer b.s.tree.RUnlock()
	f, err := b.above(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := f.unlink(ctx, p.Name()); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *folder) unlink(ctx context.Context, name string) error {
	unlock := f.s.names.lock(f.place(name))
	defer unlock()
	st, err := f.lstat(name)
	if err != nil {
		return err
	}
	if kindOf(st) == isOther {
		return fs.ErrNotExist
	}
	if err := f.base.changes(ctx); err != nil { // the lock may have taken long
		return err
	}
	return f.s.do("remove", func() error { return f.root.Remove(name) })
}

// Rename moves a file or a folder.
func (b *Backend) Rename(ctx context.Context, src, dst vpath.Path) error {
	if err := b.rename(ctx, src, dst); err != nil {
		return fmt.Errorf("local: rename: %w", err)
	}
	return nil
}

func (b *Backend) rename(ctx context.Context, src, dst vpath.Path) error {
	switch {
	case src.IsRoot(), src != dst && src.Contains(dst):
		return fault.ErrConflict
	case dst.IsRoot():
		return fs.ErrExist
	}
	b.s.tree.Lock()
	from, to, err := b.move(ctx, src, dst)
	b.s.tree.Unlock()
	if err != nil {
		return err
	}
	defer from.close()
	defer to.close()
	// The new name first: a crash in between leaves two names rather than none,
	// on a disk that does not keep the order by itself.
	if err := to.sync(); err != nil {
		return err
	}
	if src.Parent() == dst.Parent() {
		return nil
	}
	return from.sync()
}

// move renames with the tree held, and gives both folders to be synced.
func (b *Backend) move(ctx context.Context, src, dst vpath.Path) (from, to *folder, err error) {
	if from, err = b.above(ctx, src); err != nil {
		return nil, nil, err
	}
	if to, err = b.moveFrom(ctx, from, src, dst); err != nil {
		from.close()
		return nil, nil, err
	}
	return from, to, nil
}

func (b *Backend) moveFrom(ctx context.Context, from *folder, src, dst vpath.Path) (*folder, error) {
	st, err := from.lstat(src.Name())
	switch {
	case err != nil:
		return nil, err
	case kindOf(st) == isOther:
		return nil, fs.ErrNotExist
	}
	to, err := b.parent(ctx, dst)
	if err != nil {
		return nil, err
	}
	if err = b.s.shift(ctx, from, src.Name(), to, dst.Name(), st.IsDir()); err != nil {
		to.close()
		return nil, err
	}
	return to, nil
}

// shift renames old in from to name in to.
func (s *Storage) shift(ctx context.Context, from *folder, old string, to *folder, name string, dir bool) error {
	call := func(replace bool) error {
		if err := from.base.joins(ctx, to); err != nil {
			return err
		}
		return s.do("rename", func() error { return rename(from, old, to, name, replace) })
	}
	st, err := to.lstat(name)
	switch {
	case isNotExist(err):
		return call(false)
	case err != nil:
		return err
	case kindOf(st) == isFolder:
		return fs.ErrExist
	case kindOf(st) == isOther:
		return errTaken()
	case !dir:
		return call(true)
	}
	return s.aside(ctx, to, name, func() error { return call(false) })
}

// aside takes a file out of the way of a folder, which rename(2) does not
// replace it by, and puts it back if next fails: also where that was the fence,
// since it takes no name from anybody.
func (s *Storage) aside(ctx context.Context, f *folder, name string, next func() error) error {
	u, err := s.newUpload() // a name of our own; the file moves over it
	if err != nil {
		return err
	}
	defer u.discard()
	if err := u.base.joins(ctx, f); err != nil {
		return err
	}
	err = s.do("rename", func() error { return rename(f, name, u.base.tmp, u.name, true) })
	if err != nil {
		return err
	}
	if err = next(); err == nil {
		return nil
	}
	back := s.do("rename", func() error { return rename(u.base.tmp, u.name, f, name, false) })
	u.done = back == nil
	return errors.Join(err, back)
}
