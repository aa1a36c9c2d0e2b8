package s3

import (
	"context"
	"fmt"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// SetModTime gives a file the client's time. The metadata of an object never changes: the
// store copies it onto itself with another.
func (b *Backend) SetModTime(ctx context.Context, p vpath.Path, t time.Time) (backends.Info, error) {
	if p.IsRoot() {
		return backends.Info{}, fmt.Errorf("s3: set time: %w", fault.ErrIsDir)
	}
	info, err := b.Copy(ctx, p, p, backends.Meta{ModTime: t})
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: set time: %w", err)
	}
	return info, nil
}
