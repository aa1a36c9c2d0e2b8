package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/vpath"
)

// Walk lists a whole tree with one flat listing. Folders are made up as keys
// below them appear; keys come in the order of their bytes, in which all that
// lies in a folder stands together, its marker first.
func (b *Backend) Walk(ctx context.Context, p vpath.Path, visit func(vpath.Path, backends.Info) error) error {
	w := &walk{b: b, p: p, prefix: b.folder(p), visit: visit}
	err := w.run(ctx)
	if err == nil && !w.exists {
		err = b.notFolder(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("s3: walk %s: %w", p, err)
	}
	return nil
}

// walk is one walk as it goes.
type walk struct {
	b       *Backend
	p       vpath.Path
	prefix  string
	visit   func(vpath.Path, backends.Info) error
	exists  bool
	last    string       // the last key seen
	open    []vpath.Path // the folders that the last key lies in, told already
	odd     string       // the last folder with a foreign name, told already
	pending []pending    // files that may still turn out to have a folder's name
	poor    []minio.ObjectInfo
}

// pending is a file whose folder of the same name, which would win, could still
// come: "a" stands before "a-1", and that before "a/b".
type pending struct {
	key  string
	path vpath.Path
	info backends.Info
}

func (w *walk) run(ctx context.Context) error {
	if w.b.reserved(w.p) {
		return nil
	}
	opts := minio.ListObjectsOptions{Prefix: w.prefix, Recursive: true, MaxKeys: pageSize, WithMetadata: w.b.s.o.MinIO}
	err := errRich
	if w.b.s.o.MinIO {
		err = w.b.s.scan(ctx, opts, func(o minio.ObjectInfo) error { return w.take(o.Key, listedInfo("", o)) })
	}
	if errors.Is(err, errRich) || isGarbled(err) { // go on where the rich listing broke off
		opts.WithMetadata, opts.StartAfter = false, w.last
		err = w.runPoor(ctx, opts)
	}
	if err != nil {
		return err
	}
	return w.settle("")
}

// errRich tells that there is no listing with metadata to be had.
var errRich = errors.New("no metadata in listings")

// runPoor walks where a listing tells no metadata: a page at a time, with a
// HEAD for each key.
func (w *walk) runPoor(ctx context.Context, opts minio.ListObjectsOptions) error {
	err := w.b.s.scan(ctx, opts, func(o minio.ObjectInfo) error {
		if w.poor = append(w.poor, o); len(w.poor) < pageSize {
			return nil
		}
		return w.takePoor(ctx)
	})
	if err != nil {
		return err
	}
	return w.takePoor(ctx)
}

func (w *walk) takePoor(ctx context.Context) error {
	page := w.poor
	w.poor = w.poor[:0]
	infos := make([]*backends.Info, len(page))
	err := each(ctx, len(page), func(ctx context.Context, i int) error {
		o, err := w.b.s.head(ctx, page[i].Key)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		info := fileInfo("", o)
		infos[i] = &info
		return err
	})
	if err != nil {
		return err
	}
	for i, info := range infos {
		if info == nil {
			continue
		}
		if err := w.take(page[i].Key, *info); err != nil {
			return err
		}
	}
	return nil
}

// take tells of one key, and of the folders that it is the first in.
func (w *walk) take(key string, info backends.Info) error {
	w.exists, w.last = true, key
	rest := strings.TrimPrefix(key, w.prefix)
	if w.b.top && w.p.IsRoot() && (rest == backends.Reserved || strings.HasPrefix(rest, backends.Reserved+"/")) {
		return nil
	}
	if err := w.settle(key); err != nil {
		return err
	}
	dir, depth := w.p, 0
	for {
		name, more, isDir := strings.Cut(rest, "/")
		if !isDir {
			break
		}
		child, ok := member(dir, name)
		if !ok {
			return w.tellOdd(dir, name, key[:len(key)-len(more)])
		}
		self := backends.Info{Name: name, Dir: true}
		if more == "" {
			self = asFolder(name, info)
		}
		if err := w.enter(child, depth, self); err != nil {
			return err
		}
		dir, rest, depth = child, more, depth+1
	}
	return w.file(dir, rest, key, info)
}

// enter tells of a folder once.
func (w *walk) enter(p vpath.Path, depth int, self backends.Info) error {
	if depth < len(w.open) && w.open[depth] == p {
		return nil
	}
	w.open = append(w.open[:depth], p)
	return w.visit(p, self)
}

// tellOdd tells once of a folder that cannot be a path; what lies below it goes
// untold.
func (w *walk) tellOdd(dir vpath.Path, name, prefix string) error {
	if w.odd == prefix {
		return nil
	}
	w.odd = prefix
	return w.visit(dir, foreign(name, true))
}

// file holds a file back until it is sure that no folder has its name.
func (w *walk) file(dir vpath.Path, name, key string, info backends.Info) error {
	if name == "" { // it was a marker, or p's own
		return nil
	}
	p, ok := member(dir, name)
	if !ok {
		return w.visit(dir, foreign(name, false))
	}
	info.Name = name
	w.pending = append(w.pending, pending{key, p, info})
	return nil
}

// settle tells of the files that key, the next one, makes sure of; "" stands
// for the end.
func (w *walk) settle(key string) error {
	kept := w.pending[:0]
	for _, f := range w.pending {
		folder := f.key + "/"
		switch {
		case key != "" && strings.HasPrefix(key, folder): // the folder wins
		case key != "" && key < folder:
			kept = append(kept, f)
		default:
			if err := w.visit(f.path, f.info); err != nil {
				return err
			}
		}
	}
	w.pending = kept
	return nil
}
