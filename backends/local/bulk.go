package local

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"portico/backends"
	"portico/vpath"
)

// Walk visits all below p, one listing a folder.
func (b *Backend) Walk(ctx context.Context, p vpath.Path, visit func(vpath.Path, backends.Info) error) error {
	f, err := b.folder(ctx, p)
	if err != nil {
		return fmt.Errorf("local: walk: %w", err)
	}
	defer f.close()
	if err := b.visit(ctx, p, f, visit); err != nil {
		return fmt.Errorf("local: walk: %w", err)
	}
	return nil
}

func (b *Backend) visit(ctx context.Context, p vpath.Path, f *folder, visit func(vpath.Path, backends.Info) error) error {
	list, err := b.members(ctx, p, f)
	if err != nil {
		return err
	}
	for _, info := range list {
		q, err := p.Child(info.Name)
		if info.Foreign != "" || err != nil {
			q = p
		}
		if err := visit(q, info); err != nil {
			return err
		}
		if !info.Dir || q == p {
			continue
		}
		if err := b.visitFolder(ctx, q, f, visit); err != nil {
			return err
		}
	}
	return nil
}

// visitFolder goes into a folder of f, unless it has gone meanwhile.
func (b *Backend) visitFolder(ctx context.Context, q vpath.Path, f *folder, visit func(vpath.Path, backends.Info) error) error {
	sub, err := f.enter(q.Name())
	switch {
	case isNotExist(err):
		return nil
	case err != nil:
		return err
	}
	defer sub.close()
	return b.visit(ctx, q, sub, visit)
}

// RemoveAll removes many, and syncs each folder that is left once.
func (b *Backend) RemoveAll(ctx context.Context, paths []vpath.Path) map[vpath.Path]error {
	failed := map[vpath.Path]error{}
	dirty := map[vpath.Path][]vpath.Path{} // folders to sync, with what was removed from them
	for _, p := range paths {
		err := b.removeOne(ctx, p)
		switch {
		case isNotExist(err):
		case err != nil:
			failed[p] = fmt.Errorf("local: remove: %w", err)
		default:
			dirty[p.Parent()] = append(dirty[p.Parent()], p)
		}
	}
	// What was removed is to stay so, even if the caller has gone meanwhile.
	for dir, gone := range dirty {
		if err := b.syncFolder(context.WithoutCancel(ctx), dir); err != nil {
			for _, p := range gone {
				failed[p] = fmt.Errorf("local: remove: %w", err)
			}
		}
	}
	return failed
}

func (b *Backend) removeOne(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return errTop()
	}
	f, err := b.unlink(ctx, p)
	if err == nil {
		f.close()
	}
	return err
}

func (b *Backend) syncFolder(ctx context.Context, dir vpath.Path) error {
	f, err := b.walk(ctx, dir)
	switch {
	case isNotExist(err): // removed or moved by another
		return nil
	case err != nil:
		return err
	}
	defer f.close()
	return f.sync()
}

// Free is the room on the disk.
func (b *Backend) Free(ctx context.Context) (int64, error) {
	f, err := b.walk(ctx, vpath.Path{})
	if err != nil {
		return 0, fmt.Errorf("local: free: %w", err)
	}
	defer f.close()
	var n int64
	err = b.s.do("room", func() (err error) { n, _, err = room(f.file); return err })
	if err != nil {
		return 0, fmt.Errorf("local: free: %w", err)
	}
	return n, nil
}

// Reap removes uploads that a crash has left. One that is on its way is locked
// and stays, however old.
func (s *Storage) Reap(ctx context.Context, before time.Time) (int, error) {
	b, err := s.hold()
	if err != nil {
		return 0, fmt.Errorf("local: reap: %w", err)
	}
	defer b.release()
	names, err := b.tmp.readNames()
	if err != nil {
		return 0, fmt.Errorf("local: reap: %w", err)
	}
	count := 0
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return count, fmt.Errorf("local: reap: %w", err)
		}
		gone, err := b.reap(name, before)
		if err != nil {
			return count, fmt.Errorf("local: reap: %w", err)
		}
		if gone {
			count++
		}
	}
	return count, nil
}

// reap removes one left-over, if it is one.
func (b *base) reap(name string, before time.Time) (bool, error) {
	st, err := b.tmp.lstat(name)
	if isNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	start, ok := began(name)
	if !ok {
		start = st.ModTime()
	}
	if !start.Before(before) || b.busy(name, st) {
		return false, nil
	}
	err = b.s.do("remove", func() error { return b.tmp.root.RemoveAll(name) })
	return err == nil, err
}

// busy tells whether somebody is still at an upload.
func (b *base) busy(name string, st fs.FileInfo) bool {
	if kindOf(st) == isOther {
		return false
	}
	file, err := b.tmp.root.OpenFile(name, openAny, 0)
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // only looked at
	return lockFile(file) != nil
}
