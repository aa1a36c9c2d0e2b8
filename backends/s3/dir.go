package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Mkdir makes a marker.
func (b *Backend) Mkdir(ctx context.Context, p vpath.Path, m backends.Meta) (backends.Info, error) {
	info, err := b.mkdir(ctx, p, m)
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: mkdir %s: %w", p, err)
	}
	return info, nil
}

func (b *Backend) mkdir(ctx context.Context, p vpath.Path, m backends.Meta) (backends.Info, error) {
	if err := b.vacant(ctx, p); err != nil {
		return backends.Info{}, err
	}
	m.ContentType = typeFolder
	w := b.write(b.folder(p), p, backends.PutOptions{Meta: m, If: backends.Condition{NotExist: true}})
	info, err := w.single(ctx, nil)
	if errors.Is(err, fault.ErrPrecondition) {
		err = fs.ErrExist
	}
	return asFolder(p.Name(), info), err
}

// vacant is nil if a folder can be made at p.
func (b *Backend) vacant(ctx context.Context, p vpath.Path) error {
	err := b.place(ctx, p)
	if errors.Is(err, fault.ErrIsDir) {
		return fs.ErrExist
	}
	if err != nil {
		return err
	}
	switch _, err = b.s.head(ctx, b.key(p)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fs.ErrExist
}

// Remove ends a file or an empty folder.
func (b *Backend) Remove(ctx context.Context, p vpath.Path) error {
	if err := b.remove(ctx, p); err != nil {
		return fmt.Errorf("s3: remove %s: %w", p, err)
	}
	return nil
}

func (b *Backend) remove(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return errRoot()
	}
	at, err := b.find(ctx, p)
	key := b.key(p)
	switch {
	case err != nil:
		return err
	case at.others:
		return fault.ErrNotEmpty
	case at.dir:
		key = b.folder(p)
	case at.file == nil:
		return fs.ErrNotExist
	}
	sure, err := b.keepBefore(ctx, p.Parent())
	if err != nil {
		return err
	}
	if err := b.s.delete(ctx, key); err != nil {
		return err
	}
	if sure {
		return nil
	}
	return b.keepAfter(ctx, p.Parent())
}

func errRoot() error {
	return fault.Tell(fs.ErrInvalid, "The top folder cannot be removed.")
}

func (s *Storage) delete(ctx context.Context, key string) error {
	inner, w := watch(ctx, quick)
	defer w.stop()
	return s.fault(ctx, inner, s.idem.RemoveObject(inner, s.o.Bucket, key, minio.RemoveObjectOptions{}))
}

// keepBefore makes sure that the folder p outlives its last member. It is true
// if p has a marker: then nothing is left to do when the member has gone.
//
// The marker is made before the last member goes, so that a crash in between
// does not lose the folder. Foreign folders that hold more get none: whoever
// made them without a marker does not want one. Two members may go at once,
// each taken for not the last: so keepAfter looks again.
func (b *Backend) keepBefore(ctx context.Context, p vpath.Path) (sure bool, err error) {
	if p.IsRoot() {
		return true, nil // exists without a key
	}
	if _, err = b.s.head(ctx, b.folder(p)); !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	keys, err := b.s.keys(ctx, b.folder(p), 2)
	if err != nil || len(keys) > 1 {
		return false, err
	}
	return true, b.mark(ctx, p)
}

// keepAfter gives p a marker if it has come to hold nothing. The member is
// gone already, so it is done whatever becomes of ctx.
func (b *Backend) keepAfter(ctx context.Context, p vpath.Path) error {
	ctx = context.WithoutCancel(ctx)
	keys, err := b.s.keys(ctx, b.folder(p), 1)
	if err != nil || len(keys) > 0 {
		return err
	}
	return b.mark(ctx, p)
}

// mark makes p's marker. Its creator is unknown. A folder whose name the store
// refuses for a marker cannot be kept.
func (b *Backend) mark(ctx context.Context, p vpath.Path) error {
	w := b.write(b.folder(p), p, backends.PutOptions{Meta: backends.Meta{ContentType: typeFolder}})
	_, err := w.single(ctx, nil)
	if errors.Is(err, fs.ErrInvalid) {
		b.s.o.Log.WarnContext(ctx, "a folder goes with its last member: the store refuses its name", "key", w.key)
		return nil
	}
	return err
}
