package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Stat describes a file or folder. The folder is asked for first: it wins over
// a file of its name, and the answer to a listing is the only one in which a
// missing bucket, or a proxy's error page, cannot look like a missing file.
func (b *Backend) Stat(ctx context.Context, p vpath.Path) (backends.Info, error) {
	at, err := b.find(ctx, p)
	if err == nil && !at.dir && at.file == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: stat %s: %w", p, err)
	}
	if at.dir {
		return asFolder(p.Name(), at.marker), nil
	}
	return fileInfo(p.Name(), *at.file), nil
}

// found is what lies at a path.
type found struct {
	dir    bool
	marker backends.Info     // of a folder that has a marker, else zero
	others bool              // there is something in the folder
	file   *minio.ObjectInfo // nil for a folder, and where there is nothing
}

// find looks for a folder, and then for a file.
func (b *Backend) find(ctx context.Context, p vpath.Path) (found, error) {
	if b.reserved(p) {
		return found{}, nil
	}
	folder := b.folder(p)
	keys, err := b.s.keys(ctx, folder, 2)
	if err != nil {
		return found{}, err
	}
	if len(keys) == 0 && !p.IsRoot() {
		file, err := b.s.head(ctx, b.key(p))
		if errors.Is(err, fs.ErrNotExist) {
			return found{}, nil
		}
		return found{file: &file}, err
	}
	at := found{dir: true}
	for _, o := range keys {
		if o.Key != folder {
			at.others = true
			continue
		}
		if at.marker, err = b.s.marker(ctx, o); err != nil {
			return found{}, err
		}
	}
	return at, nil
}

// marker describes a marker that a listing gave, with a HEAD where the listing
// does not tell enough.
func (s *Storage) marker(ctx context.Context, o minio.ObjectInfo) (backends.Info, error) {
	if s.o.MinIO {
		return listedInfo("", o), nil
	}
	o, err := s.head(ctx, o.Key)
	if errors.Is(err, fs.ErrNotExist) { // gone meanwhile
		return backends.Info{}, nil
	}
	return fileInfo("", o), err
}

// head asks for one object: fs.ErrNotExist if there is none, also where the
// store refuses the very name: MinIO holds files whose names have 255 bytes, and
// no markers of more than 245.
func (s *Storage) head(ctx context.Context, key string) (minio.ObjectInfo, error) {
	inner, w := watch(ctx, quick)
	defer w.stop()
	o, err := s.idem.StatObject(inner, s.o.Bucket, key, minio.StatObjectOptions{})
	if err = s.fault(ctx, inner, err); errors.Is(err, fs.ErrInvalid) {
		err = fs.ErrNotExist
	}
	return o, err
}

// keys lists the first living keys that begin with prefix, at whatever depth.
func (s *Storage) keys(ctx context.Context, prefix string, limit int) ([]minio.ObjectInfo, error) {
	found, err := s.first(ctx, limit, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: limit, WithMetadata: s.o.MinIO})
	if isGarbled(err) { // by another's object; nothing but a marker's metadata is lost
		found, err = s.first(ctx, limit, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: limit})
	}
	return found, err
}

// first takes the first entries of a listing.
func (s *Storage) first(ctx context.Context, limit int, o minio.ListObjectsOptions) ([]minio.ObjectInfo, error) {
	found := make([]minio.ObjectInfo, 0, limit)
	err := s.scan(ctx, o, func(entry minio.ObjectInfo) error {
		if found = append(found, entry); len(found) == limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// place tells whether a file can be made at p: the folder that it goes into
// exists, and p is no folder. Both are asked at once.
func (b *Backend) place(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return fault.ErrIsDir
	}
	if err := b.creatable(p); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		keys, err := b.s.keys(gctx, b.folder(p), 1)
		if err == nil && len(keys) > 0 {
			err = fault.ErrIsDir
		}
		return err
	})
	g.Go(func() error { return b.needFolder(gctx, p.Parent()) })
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}

// needFolder is nil if p is a folder. The marker is asked for first: that is
// the cheapest of all calls, and folders made through Portico have one.
func (b *Backend) needFolder(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return nil
	}
	_, err := b.s.head(ctx, b.folder(p))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for up := range p.Ancestors() {
		at, err := b.find(ctx, up)
		switch {
		case err != nil:
			return err
		case at.file != nil:
			return fault.ErrNotDir
		case at.dir && up != p:
			return fault.ErrNoParent
		case at.dir:
			return nil
		}
	}
	return fault.ErrNoParent
}
