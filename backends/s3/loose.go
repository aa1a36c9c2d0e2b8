package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"

	"portico/backends"
)

// The parts of a multipart upload are bound to its key, and nothing can read them
// before they are an object. So an upload whose name is found only when it is
// complete (backends.PutOptions.Loose) is put together out of sight, in its own
// folder below .portico/staged/, and copied from there by the store itself, range
// by range: a multipart upload, unlike CopyObject, ends in a request that can be
// told not to replace anything.

// looseKey is where such an upload is put together. It lies in the folder that
// sweep and Reap clear.
func (s *Storage) looseKey(id string) string { return s.prefix + stagedFolder + id + "/whole" }

// finishLoose publishes a loose upload of parts. One that fails there is as good as
// before, and can be finished under another name.
func (b *Backend) finishLoose(ctx context.Context, st *stage, w *write, tail []byte) (info backends.Info, err error) {
	whole, err := b.whole(ctx, st, tail)
	if err != nil {
		return backends.Info{}, err
	}
	c := &duplicate{s: b.s, src: st.Key, dst: w.key, name: w.name, from: whole, opts: w.options()}
	id, err := c.begin(ctx)
	if err != nil {
		return backends.Info{}, err
	}
	defer func() {
		if err != nil {
			b.s.abandon(ctx, w.key, id)
		}
	}()
	u := &assembly{w: w, id: id, size: st.size()}
	if u.done, err = c.parts(ctx, id); err != nil {
		return backends.Info{}, err
	}
	for i := range u.done { // as expectedETag wants them
		u.done[i].ETag = strings.Trim(u.done[i].ETag, `"`)
	}
	if err := w.commit(ctx); err != nil {
		return backends.Info{}, err
	}
	return u.complete(context.WithoutCancel(ctx))
}

// whole is the upload as one object, out of sight, which an earlier try may have
// made already.
func (b *Backend) whole(ctx context.Context, st *stage, tail []byte) (minio.ObjectInfo, error) {
	object, err := b.s.head(ctx, st.Key)
	if err == nil && object.Size == st.size() && cameBy(object, st.ID) {
		return object, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return object, err
	}
	u := &assembly{w: b.looseWrite(st), id: st.Upload, size: st.size()}
	if u.done, err = b.allParts(ctx, st, tail); err != nil {
		return object, err
	}
	if _, err := u.complete(ctx); err != nil {
		return object, fmt.Errorf("whole: %w", err)
	}
	return b.s.head(ctx, st.Key)
}

// looseWrite is the write of what nobody sees.
func (b *Backend) looseWrite(st *stage) *write {
	return &write{
		s: b.s, key: st.Key, name: "whole", o: backends.PutOptions{Meta: st.Meta}, taken: st.Taken, upload: st.ID,
		off: func() bool { return false },
	}
}

// cameBy tells whether an object is what the upload of an ID has made.
func cameBy(o minio.ObjectInfo, id string) bool {
	for key, value := range o.UserMetadata {
		if strings.EqualFold(key, metaUpload) && value == id {
			return true
		}
	}
	return false
}
