package s3

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
)

// condition is what the publishing request asks for.
type condition struct{ backends.Condition }

func (c condition) any() bool { return c.NotExist || c.ETag != "" }

// apply sets the headers (RFC 9110 §13.1).
func (c condition) apply(o *minio.PutObjectOptions) {
	if c.NotExist {
		o.SetMatchETagExcept("*")
	}
	if c.ETag != "" {
		o.SetMatchETag(c.ETag)
	}
}

// holds tells whether the object that HEAD showed, or its absence, is what the
// condition asks for.
func (c condition) holds(etag string, exists bool) bool {
	switch {
	case c.NotExist:
		return !exists
	case c.ETag != "":
		return exists && etag == c.ETag
	}
	return true
}

// publisher sends the request that makes the bytes visible, once, and gives
// the ETag.
type publisher func(ctx context.Context, cond condition) (etag string, err error)

// publish makes the bytes visible. mark is what tells our object from
// another's: its SHA-256 or its ETag.
func (w *write) publish(ctx context.Context, size int64, mark string, send publisher) (backends.Info, error) {
	cond := condition{w.o.If}
	if cond.any() && !w.s.o.MinIO {
		unlock, err := w.guard(ctx, cond)
		if err != nil {
			return backends.Info{}, err
		}
		defer unlock()
	}
	info, err := w.insist(ctx, cond, size, mark, send)
	if cond.any() && !w.s.o.MinIO && isCode(err, "NotImplemented") {
		info, err = w.insist(ctx, condition{}, size, mark, send) // guard has asked
	}
	err = w.s.fault(ctx, ctx, err)
	if w.o.If.ETag != "" && errors.Is(err, fs.ErrNotExist) {
		err = fault.ErrPrecondition // MinIO says 404 for If-Match on nothing
	}
	return info, err
}

// insist sends the request again where the answer was lost, but never without
// having looked: a request that was done would meet its own work, and fail its
// condition or find its multipart upload gone. Between two attempts minio-go
// waits for a random part of 0.2 s.
//
// Nor does it send again when the caller's context has ended: with that ends what
// kept others away, and what is there may be a newer file of theirs.
func (w *write) insist(ctx context.Context, cond condition, size int64, mark string, send publisher) (backends.Info, error) {
	lost := false
	for attempt := 1; ; attempt++ {
		etag, err := send(ctx, cond)
		if err == nil {
			return w.info(size, etag), nil
		}
		again := isLost(err)
		if lost = lost || again; !lost {
			return backends.Info{}, err
		}
		info, ours, headErr := w.published(ctx, mark)
		switch {
		case ours:
			return info, nil
		case headErr != nil || !again || attempt == retries || w.off():
			return backends.Info{}, err
		}
	}
}

// isLost tells an error after which the store may have done what was asked.
func isLost(err error) bool {
	resp, ok := errors.AsType[minio.ErrorResponse](err)
	return !ok || resp.StatusCode >= http.StatusInternalServerError && resp.StatusCode != http.StatusNotImplemented
}

// published looks whether what is there is what this write sent.
func (w *write) published(ctx context.Context, mark string) (info backends.Info, ours bool, err error) {
	o, err := w.s.head(ctx, w.key)
	if errors.Is(err, fs.ErrNotExist) {
		return backends.Info{}, false, nil
	}
	info = fileInfo(w.name, o)
	same := info.Creator == w.o.Creator && info.Meta.ModTime.Equal(w.o.ModTime)
	return info, same && mark != "" && (info.SHA256 == mark || info.ETag == mark), err
}

// guard holds the key and judges the condition by what is there.
func (w *write) guard(ctx context.Context, cond condition) (unlock func(), err error) {
	if unlock, err = w.s.locks.lock(ctx, w.key); err != nil {
		return nil, err
	}
	o, err := w.s.head(ctx, w.key)
	missing := errors.Is(err, fs.ErrNotExist)
	if err == nil || missing {
		if cond.holds(o.ETag, !missing) {
			return unlock, nil
		}
		err = fault.ErrPrecondition
	}
	unlock()
	return nil, err
}

// info describes the new file.
func (w *write) info(size int64, etag string) backends.Info {
	info := backends.Info{Name: w.name, Size: size, ETag: etag, Meta: w.o.Meta, ModTime: w.taken}
	if !w.o.ModTime.IsZero() {
		info.Meta.ModTime = w.o.ModTime.UTC()
		info.ModTime = info.Meta.ModTime
	}
	return info
}

// stalled puts the watcher's reason in the place of a bare context.Canceled.
func stalled(inner context.Context, err error) error {
	if cause := context.Cause(inner); err != nil && errors.Is(cause, errStalled) {
		return cause
	}
	return err
}
