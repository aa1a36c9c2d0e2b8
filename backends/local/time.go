package local

import (
	"context"
	"fmt"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// SetModTime gives a file the client's time. It stands in the attribute alone: the
// disk's own time tells whether another program has written the file, and is part of
// its ETag.
func (b *Backend) SetModTime(ctx context.Context, p vpath.Path, t time.Time) (backends.Info, error) {
	info, err := b.setModTime(ctx, p, t)
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: set time: %w", err)
	}
	return info, nil
}

func (b *Backend) setModTime(ctx context.Context, p vpath.Path, t time.Time) (backends.Info, error) {
	if p.IsRoot() {
		return backends.Info{}, fault.ErrIsDir
	}
	b.s.tree.RLock()
	defer b.s.tree.RUnlock()
	f, err := b.above(ctx, p)
	if err != nil {
		return backends.Info{}, err
	}
	defer f.close()
	// Against an upload that takes the name meanwhile, whose attribute is its own.
	unlock := f.s.names.lock(f.place(p.Name()))
	defer unlock()
	return f.setModTime(ctx, p.Name(), t)
}

func (f *folder) setModTime(ctx context.Context, name string, t time.Time) (backends.Info, error) {
	file, st, err := f.openFile(name)
	if err != nil {
		return backends.Info{}, err
	}
	defer file.Close() //nolint:errcheck // nothing was written to it
	raw, err := fileAttr(file)
	if err != nil {
		return backends.Info{}, named(err)
	}
	a := decode(raw)
	if !a.fits(st) { // another program has written it, so the sum is not of these bytes
		a.sha256 = ""
	}
	a.modTime = formatTime(t)
	a.remember(st)
	if err := f.base.changes(ctx); err != nil {
		return backends.Info{}, err
	}
	if err := f.s.do("set attribute", func() error { return setAttr(file, a.encode()) }); err != nil {
		return backends.Info{}, err
	}
	if err := f.s.do("sync", file.Sync); err != nil {
		return backends.Info{}, err
	}
	return a.info(name, st), nil
}
