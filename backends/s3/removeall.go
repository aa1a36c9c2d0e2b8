package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/minio/minio-go/v7"

	"portico/fault"
	"portico/vpath"
)

// deleteMax is how many keys S3 deletes with one request.
const deleteMax = 1000

// RemoveAll removes many at once. What is there is looked up first: of each
// tree by one flat listing, so that a folder into which something came
// meanwhile is told as not empty, instead of losing its marker.
func (b *Backend) RemoveAll(ctx context.Context, paths []vpath.Path) map[vpath.Path]error {
	r := &removal{
		b: b, paths: paths, at: make(map[string]vpath.Path, 2*len(paths)),
		exists: map[string]bool{}, dirs: map[vpath.Path]bool{}, failed: map[vpath.Path]error{},
	}
	for _, p := range paths {
		if p.IsRoot() {
			r.fail(p, errRoot())
			continue
		}
		r.at[b.key(p)], r.at[b.folder(p)] = p, p
	}
	tops := r.tops()
	r.look(ctx, tops)
	r.delete(ctx, false)
	r.delete(ctx, true)
	r.keepParents(ctx, tops)
	for p, err := range r.failed {
		r.failed[p] = fmt.Errorf("s3: remove %s: %w", p, err)
	}
	return r.failed
}

// removal is one RemoveAll on its way.
type removal struct {
	b     *Backend
	paths []vpath.Path
	at    map[string]vpath.Path // by the keys that may go

	mu     sync.Mutex
	exists map[string]bool // keys of at that are there
	dirs   map[vpath.Path]bool
	failed map[vpath.Path]error
}

func (r *removal) fail(p vpath.Path, err error) {
	if r.failed[p] == nil {
		r.failed[p] = err
	}
}

// tops are the paths that lie in no other of the paths.
func (r *removal) tops() []vpath.Path {
	var tops []vpath.Path
	for _, p := range r.paths {
		if p.IsRoot() || r.b.reserved(p) {
			continue
		}
		inside := false
		for up := range p.Parent().Ancestors() {
			if _, ok := r.at[r.b.folder(up)]; ok && !up.IsRoot() {
				inside = true
				break
			}
		}
		if !inside {
			tops = append(tops, p)
		}
	}
	return tops
}

// look finds out what is there, for each topmost path.
func (r *removal) look(ctx context.Context, tops []vpath.Path) {
	_ = each(ctx, len(tops), func(ctx context.Context, i int) error {
		err := r.lookAt(ctx, tops[i])
		if err == nil {
			return nil
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, p := range r.paths {
			if tops[i].Contains(p) {
				r.fail(p, err)
			}
		}
		return nil // the others are tried all the same
	})
	if ctx.Err() != nil {
		for _, p := range r.paths {
			r.fail(p, ctx.Err())
		}
	}
}

func (r *removal) lookAt(ctx context.Context, top vpath.Path) error {
	folder := r.b.folder(top)
	seen := false
	err := r.b.s.scan(ctx, minio.ListObjectsOptions{Prefix: folder, Recursive: true, MaxKeys: pageSize}, func(o minio.ObjectInfo) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		seen = true
		r.see(o.Key, len(folder))
		return nil
	})
	if err != nil || seen {
		return err
	}
	_, err = r.b.s.head(ctx, r.b.key(top))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone already
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exists[r.b.key(top)] = err == nil
	return err
}

// see takes in a key below a topmost folder, whose key is from bytes long. The
// folders above it are folders for sure; if it is not to go, they stay.
func (r *removal) see(key string, from int) {
	_, mayGo := r.at[key]
	r.exists[key] = mayGo
	for end := from; end <= len(key); end++ {
		if key[end-1] != '/' {
			continue
		}
		above, ok := r.at[key[:end]]
		if !ok {
			continue
		}
		r.dirs[above] = true
		if !mayGo {
			r.fail(above, fault.ErrNotEmpty)
		}
	}
}

// delete removes the files that are there, or the markers, in the order of the
// paths. Files go first: a marker goes when all in its folder has gone.
func (r *removal) delete(ctx context.Context, markers bool) {
	var keys []string
	for _, p := range r.paths {
		key := r.b.key(p)
		if markers {
			key = r.b.folder(p)
		}
		switch {
		case p.IsRoot() || !r.exists[key] || r.failed[p] != nil:
		case !markers && r.dirs[p]: // a foreign file with the folder's name, which nobody was shown
			r.stay(p)
		default:
			keys = append(keys, key)
		}
	}
	for batch := range slices.Chunk(keys, deleteMax) {
		for key, err := range r.b.s.deleteMany(ctx, batch) {
			p := r.at[key]
			r.fail(p, err)
			r.stay(p)
		}
	}
}

// stay tells that p's key stays, so that the folders above it do.
func (r *removal) stay(p vpath.Path) {
	for up := range p.Parent().Ancestors() {
		if _, ok := r.at[r.b.folder(up)]; ok && !up.IsRoot() {
			r.fail(up, fault.ErrNotEmpty)
		}
	}
}

// keepParents gives the folders that the topmost paths lay in a marker where
// they have come to hold nothing.
func (r *removal) keepParents(ctx context.Context, tops []vpath.Path) {
	parents := map[vpath.Path]vpath.Path{}
	for _, p := range tops {
		if !p.Parent().IsRoot() && r.failed[p] == nil {
			parents[p.Parent()] = p
		}
	}
	for parent, p := range parents {
		if err := r.keepParent(context.WithoutCancel(ctx), parent); err != nil {
			r.fail(p, err)
		}
	}
}

func (r *removal) keepParent(ctx context.Context, p vpath.Path) error {
	_, err := r.b.s.head(ctx, r.b.folder(p))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.b.keepAfter(ctx, p)
}

// deleteMany removes up to 1,000 keys and tells which could not be.
func (s *Storage) deleteMany(ctx context.Context, keys []string) map[string]error {
	inner, w := watch(ctx, upload)
	defer w.stop()
	failed := make(map[string]error, len(keys))
	for _, key := range keys { // what the answer does not name was not removed
		failed[key] = fmt.Errorf("%w: the store's answer to a bulk delete leaves a name out", fault.ErrUnavailable)
	}
	results, err := s.idem.RemoveObjectsWithIter(inner, s.o.Bucket, objects(keys), minio.RemoveObjectsOptions{})
	if err != nil {
		return failed
	}
	for res := range results {
		switch {
		case res.Err == nil || isCode(res.Err, minio.NoSuchKey):
			delete(failed, res.ObjectName)
		case res.ObjectName != "":
			failed[res.ObjectName] = s.fault(ctx, inner, res.Err)
		}
	}
	if ctx.Err() != nil { // no results came
		for key := range failed {
			failed[key] = ctx.Err()
		}
	}
	return failed
}

func objects(keys []string) func(yield func(minio.ObjectInfo) bool) {
	return func(yield func(minio.ObjectInfo) bool) {
		for _, key := range keys {
			if !yield(minio.ObjectInfo{Key: key}) {
				return
			}
		}
	}
}
