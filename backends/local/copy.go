package local

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"portico/backends"
	"portico/vpath"
)

// copyStep is how much is copied between two looks at ctx.
const copyStep = 64 << 20

// Copy makes dst from the file src. The kernel copies (copy_file_range); XFS and
// Btrfs only note that the two share their blocks.
func (b *Backend) Copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (backends.Info, error) {
	info, err := b.copy(ctx, src, dst, m)
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: copy: %w", err)
	}
	return info, nil
}

func (b *Backend) copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (backends.Info, error) {
	at, err := b.s.hold() // one base from here to the publication
	if err != nil {
		return backends.Info{}, err
	}
	defer at.release()
	file, old, err := b.openFile(ctx, src)
	if err != nil {
		return backends.Info{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	created, err := b.judge(ctx, dst, backends.Condition{})
	if err != nil {
		return backends.Info{}, err
	}
	u, err := at.newUpload()
	if err != nil {
		return backends.Info{}, err
	}
	defer u.discard()
	u.inherit(created)
	if err := u.clone(ctx, file, old.Size); err != nil {
		return backends.Info{}, err
	}
	if err := u.seal(merge(m, old.Meta), old.SHA256); err != nil {
		return backends.Info{}, err
	}
	return b.publishFile(ctx, dst, u, backends.Condition{})
}

// clone copies the whole file. *os.File to *os.File is what makes package os
// leave the work to the kernel.
func (u *upload) clone(ctx context.Context, file *os.File, size int64) error {
	return u.s.report("copy", func() error {
		for left := size; left > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := io.CopyN(u.file, file, min(left, copyStep))
			if err != nil {
				return named(err) // io.EOF: another program has cut it short
			}
			left -= n
		}
		return nil
	})
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
