package local

import (
	"context"
	"errors"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// workspace opens the folder of the workspace. It always exists, so where it
// does not the disk is not what it was: nothing in it may look removed. It is
// not made either, or the folder below an unmounted disk would be filled.
func (b *Backend) workspace() (*folder, error) {
	base, err := b.s.hold()
	if err != nil {
		return nil, err
	}
	f, err := base.top.descend(b.root)
	if f != base.top { // which goes with its use of the base
		base.release()
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fault.ErrNotDir) {
		return nil, fault.Tell(unavailable(err), "The folder of this workspace is missing on the server's disk.")
	}
	return f, err
}

// descend opens the folder at p below f. It leaves f open.
func (f *folder) descend(p vpath.Path) (*folder, error) {
	at := f
	for name := range p.Elements() {
		sub, err := at.enter(name)
		if at != f {
			at.close()
		}
		if err != nil {
			return nil, err
		}
		at = sub
	}
	return at, nil
}

// walk opens the folder at p: fs.ErrNotExist where an element is missing,
// fault.ErrNotDir where one is a file.
func (b *Backend) walk(ctx context.Context, p vpath.Path) (*folder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	top, err := b.workspace()
	if err != nil {
		return nil, err
	}
	if b.reserved(p) {
		top.close()
		return nil, fs.ErrNotExist
	}
	f, err := top.descend(p)
	if f != top {
		top.close()
	}
	return f, err
}

// folder opens the folder at p for reading it: a file at p is fault.ErrNotDir,
// and one above p means that there is nothing.
func (b *Backend) folder(ctx context.Context, p vpath.Path) (*folder, error) {
	if p.IsRoot() {
		return b.walk(ctx, p)
	}
	up, err := b.above(ctx, p)
	if err != nil {
		return nil, err
	}
	defer up.close()
	return up.enter(p.Name())
}

// above opens the folder that p lies in, for reading or removing p.
func (b *Backend) above(ctx context.Context, p vpath.Path) (*folder, error) {
	if b.reserved(p) {
		return nil, fs.ErrNotExist
	}
	f, err := b.walk(ctx, p.Parent())
	if errors.Is(err, fault.ErrNotDir) {
		return nil, fs.ErrNotExist
	}
	return f, err
}

// parent opens the folder in which p is to be made.
func (b *Backend) parent(ctx context.Context, p vpath.Path) (*folder, error) {
	if b.reserved(p) {
		return nil, errReserved()
	}
	f, err := b.walk(ctx, p.Parent())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.ErrNoParent
	}
	return f, err
}

func (b *Backend) reserved(p vpath.Path) bool {
	return b.root.IsRoot() && p.Top() == backends.Reserved
}
