package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Finish makes the file of the parts and the tail; of a tail alone with one
// request, its sum in its metadata. Parts are bound to the key that they were
// begun for: under another name those of a loose upload alone can be published.
func (b *Backend) Finish(ctx context.Context, handle string, p vpath.Path, o backends.PutOptions) (backends.Info, error) {
	st, err := parseStage(handle)
	var info backends.Info
	if err == nil {
		info, err = b.finish(ctx, &st, p, o)
	}
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: finish %s: %w", p, err)
	}
	if err := b.s.sweep(context.WithoutCancel(ctx), &st); err != nil {
		b.s.o.Log.WarnContext(ctx, "pieces of an upload that is done were not removed; the reaper will find them", "key", st.Key, "err", err)
	}
	return info, nil
}

func (b *Backend) finish(ctx context.Context, st *stage, p vpath.Path, o backends.PutOptions) (backends.Info, error) {
	switch {
	case st.size() != o.Size:
		return backends.Info{}, fault.ErrTruncated
	case st.Upload != "" && !st.Loose && b.key(p) != st.Key:
		return backends.Info{}, fmt.Errorf("%w (the parts are those of %s)", fault.ErrConflict, st.Key)
	}
	w := b.stagedWrite(st, p, o)
	release, err := b.s.o.Budget.Take(ctx, st.waiting()+1)
	if err != nil {
		return backends.Info{}, err
	}
	defer release()
	tail := make([]byte, st.waiting())
	if err := b.s.load(ctx, st.Tail, tail); err != nil {
		return backends.Info{}, err
	}
	if err := w.place(ctx); err != nil {
		return backends.Info{}, err
	}
	switch {
	case st.Upload == "":
		return w.single(ctx, tail)
	case st.Loose:
		return b.finishLoose(ctx, st, w, tail)
	}
	return b.finishParts(ctx, st, w, tail)
}

// stagedWrite is the write that a Put of the whole would be.
func (b *Backend) stagedWrite(st *stage, p vpath.Path, o backends.PutOptions) *write {
	if !st.Bare {
		sum := o.SHA256
		o.Meta = st.Meta
		o.SHA256 = sum // of many parts nobody else knows it
	}
	w := b.write(b.key(p), p, o)
	w.place = func(ctx context.Context) error { return b.place(ctx, p) }
	w.upload = st.ID
	if st.Upload != "" && !st.Bare {
		w.taken = st.Taken // as its metadata says already
	}
	return w
}

func (b *Backend) finishParts(ctx context.Context, st *stage, w *write, tail []byte) (backends.Info, error) {
	u := &assembly{w: w, id: st.Upload, size: st.size()}
	var err error
	if u.done, err = b.allParts(ctx, st, tail); err != nil {
		return backends.Info{}, err
	}
	if err := w.commit(ctx); err != nil {
		return backends.Info{}, err
	}
	return u.complete(context.WithoutCancel(ctx))
}

// allParts are the parts of an upload, with its tail as the last one.
func (b *Backend) allParts(ctx context.Context, st *stage, tail []byte) ([]minio.CompletePart, error) {
	done, err := b.s.parts(ctx, st)
	if err != nil || len(tail) == 0 {
		return done, err
	}
	last, err := b.s.sendStaged(ctx, st, st.Parts+1, tail)
	return append(done, last), err
}

// parts lists the parts of an upload, which must be those that its handle counted.
func (s *Storage) parts(ctx context.Context, st *stage) ([]minio.CompletePart, error) {
	var done []minio.CompletePart
	seen := &stage{}
	var size int64
	for after := 0; ; {
		page, err := s.partsPage(ctx, st.Key, st.Upload, after)
		if err != nil {
			return nil, err
		}
		for _, p := range page.ObjectParts {
			if p.PartNumber > st.Parts { // of a piece of which nobody kept the handle
				continue
			}
			seen.count(p.ETag)
			size += p.Size
			done = append(done, minio.CompletePart{PartNumber: p.PartNumber, ETag: strings.Trim(p.ETag, `"`)})
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= after {
			break
		}
		after = page.NextPartNumberMarker
	}
	if len(done) != st.Parts || size != st.Sent || seen.Sum != st.Sum {
		return nil, fmt.Errorf("%w (the parts in the store are not those that were sent)", fs.ErrNotExist)
	}
	return done, nil
}

func (s *Storage) partsPage(ctx context.Context, key, id string, after int) (minio.ListObjectPartsResult, error) {
	inner, watcher := watch(ctx, quick)
	defer watcher.stop()
	page, err := s.idem.ListObjectParts(inner, s.o.Bucket, key, id, after, pageSize)
	return page, s.stagedFault(ctx, inner, err)
}

// Finished asks for the file, whose metadata names the upload that it came by.
func (b *Backend) Finished(ctx context.Context, handle string, p vpath.Path, o backends.PutOptions) (backends.Info, bool, error) {
	st, err := parseStage(handle)
	if err != nil {
		return backends.Info{}, false, fmt.Errorf("s3: finished %s: %w", p, err)
	}
	object, err := b.s.head(ctx, b.key(p))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return backends.Info{}, false, nil
	case err != nil:
		return backends.Info{}, false, fmt.Errorf("s3: finished %s: %w", p, err)
	}
	if !cameBy(object, st.ID) {
		return backends.Info{}, false, nil
	}
	info := fileInfo(p.Name(), object)
	info.SHA256 = o.SHA256
	return info, true, nil
}
