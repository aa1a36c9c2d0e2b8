package backends

import (
	"context"
	"errors"
	"io/fs"

	"portico/vpath"
)

// Walk visits all below p as a Walker does, for every Backend: in a few calls
// where it can, folder by folder where it cannot. A folder that vanishes
// meanwhile is no error.
func Walk(ctx context.Context, b Backend, p vpath.Path, visit func(vpath.Path, Info) error) error {
	if w, ok := b.(Walker); ok {
		return w.Walk(ctx, p, visit)
	}
	_, list, err := b.List(ctx, p)
	if err != nil {
		return err
	}
	for _, info := range list {
		at := p
		if info.Foreign == "" {
			if at, err = p.Child(info.Name); err != nil {
				return err
			}
		}
		if err := visit(at, info); err != nil {
			return err
		}
		if !info.Dir || info.Foreign != "" {
			continue
		}
		if err := Walk(ctx, b, at, visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
