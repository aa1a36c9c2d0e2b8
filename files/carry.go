package files

import (
	"context"
	"errors"
	"io/fs"

	"portico/backends"
)

// carryDir makes a folder at its new place.
func carryDir(ctx context.Context, to place, meta backends.Meta) error {
	if err := stillHeld(ctx); err != nil {
		return err
	}
	_, err := to.space.Backend.Mkdir(ctx, to.inner, meta)
	if errors.Is(err, fs.ErrExist) {
		return nil // the folder that is replaced, or one of a move that is resumed
	}
	return err
}

// carry copies one file to its new place.
func (x *transfer) carry(ctx context.Context, m member, meta backends.Meta) error {
	to, err := x.target(m)
	if err == nil {
		err = stillHeld(ctx)
	}
	if err != nil {
		return err
	}
	info, err := carryFile(ctx, m, to, meta)
	if err == nil {
		x.made.add(m.path, info)
	}
	return err
}

func carryFile(ctx context.Context, m member, to place, meta backends.Meta) (backends.Info, error) {
	if c, ok := to.space.Backend.(backends.Copier); ok && m.space == to.space {
		return c.Copy(ctx, m.inner, to.inner, meta)
	}
	body, info, err := m.space.Backend.Open(ctx, m.inner, backends.Range{})
	if err != nil {
		return backends.Info{}, err
	}
	defer body.Close() //nolint:errcheck // only read
	whole := info.Meta
	if meta.Creator != "" {
		whole.Creator = meta.Creator
	}
	if !meta.ModTime.IsZero() {
		whole.ModTime = meta.ModTime
	}
	return to.space.Backend.Put(ctx, to.inner, body, backends.PutOptions{
		Size: info.Size, Meta: whole,
		Commit: func() error { return stillHeld(ctx) },
	})
}
