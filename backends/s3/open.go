package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// stall is how long the store may take for the next bytes of a file.
const stall = 30 * time.Second

// Open reads a file with one GET of just the bytes asked for: no HEAD before
// it, and nothing read ahead, as a client that leaves early would pay for.
func (b *Backend) Open(ctx context.Context, p vpath.Path, r backends.Range) (io.ReadCloser, backends.Info, error) {
	body, info, err := b.open(ctx, p, r)
	if err != nil {
		return nil, info, fmt.Errorf("s3: open %s: %w", p, err)
	}
	return body, info, nil
}

func (b *Backend) open(ctx context.Context, p vpath.Path, r backends.Range) (io.ReadCloser, backends.Info, error) {
	switch {
	case p.IsRoot():
		return nil, backends.Info{}, fault.ErrIsDir
	case b.reserved(p):
		return nil, backends.Info{}, fs.ErrNotExist
	}
	opts, err := rangeOptions(r)
	if err != nil {
		return nil, backends.Info{}, err
	}
	inner, w := watch(ctx, quick)
	body, o, header, err := b.s.idem.GetObject(inner, b.s.o.Bucket, b.key(p), opts)
	if err != nil {
		err = b.s.fault(ctx, inner, err)
		w.stop()
		info, err := b.notOpened(ctx, p, err)
		return nil, info, err
	}
	w.hold()
	rd := &reader{s: b.s, ctx: ctx, inner: inner, w: w, body: body}
	info := fileInfo(p.Name(), o)
	if r != (backends.Range{}) {
		info.Size, err = totalSize(header, r, o.Size)
	}
	if err != nil {
		_ = rd.Close()
		return nil, info, err
	}
	return rd, info, nil
}

// rangeOptions writes r as a Range header. The forms of SetRange are
// (0,-n) for the last n bytes and (n,0) for all from n on.
func rangeOptions(r backends.Range) (o minio.GetObjectOptions, err error) {
	switch {
	case r == backends.Range{}:
	case r.Off < 0:
		err = o.SetRange(0, r.Off)
	case r.Len == 0:
		err = o.SetRange(r.Off, 0)
	case r.Len < 0 || r.Off+r.Len < r.Off:
		return o, fs.ErrInvalid
	default:
		err = o.SetRange(r.Off, r.Off+r.Len-1)
	}
	return o, err
}

// totalSize is the size of the whole file of which the store gave r: that of a
// Content-Range such as "bytes 0-9/1234". Of an empty file MinIO and versitygw
// give any range, as 200 or as 206.
func totalSize(h http.Header, r backends.Range, length int64) (int64, error) {
	_, total, partial := strings.Cut(h.Get("Content-Range"), "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if !partial {
		size, err = length, nil
	}
	off, n, ok := r.Resolve(size)
	switch {
	case err == nil && !ok:
		return size, fault.ErrRange
	case err != nil || n != length || !partial && off != 0:
		return 0, fmt.Errorf("%w: the store answered a range with Content-Range %q", fault.ErrUnavailable, h.Get("Content-Range"))
	}
	return size, nil
}

// notOpened finds the right words for a GET that failed.
func (b *Backend) notOpened(ctx context.Context, p vpath.Path, err error) (backends.Info, error) {
	switch {
	case errors.Is(err, fault.ErrRange):
		o, err := b.s.head(ctx, b.key(p))
		if err != nil {
			return backends.Info{}, err
		}
		return fileInfo(p.Name(), o), fault.ErrRange
	case errors.Is(err, fs.ErrNotExist):
		keys, err := b.s.keys(ctx, b.folder(p), 1)
		if err == nil && len(keys) > 0 {
			return backends.Info{}, fault.ErrIsDir
		}
		if err == nil {
			err = fs.ErrNotExist
		}
		return backends.Info{}, err
	}
	return backends.Info{}, err
}

// reader is the body of one GET. A connection that breaks is an error and
// never an early end: net/http counts the bytes. One that stalls is cut.
type reader struct {
	s          *Storage
	ctx, inner context.Context //nolint:containedctx // a reader lives as long as its request
	w          *watcher
	body       io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	r.w.limit = stall
	r.w.kick()
	n, err := r.body.Read(p)
	r.w.hold()                       // a slow client is not the store's fault
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader: EOF comes bare
		err = fmt.Errorf("s3: read: %w", r.s.fault(r.ctx, r.inner, err))
	}
	return n, err
}

func (r *reader) Close() error {
	r.w.stop() // cancels: what is left of the body is not read to its end
	return r.body.Close()
}
