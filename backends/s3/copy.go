package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"mime"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// copyTries is how often a copy begins anew when its source is replaced meanwhile.
const copyTries = 3

// Copy lets the store copy. A large file is copied in parts, four at a time:
// CopyObject ends at 5 GiB, and takes half as long again for 1 GiB.
func (b *Backend) Copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (backends.Info, error) {
	info, err := b.copy(ctx, src, dst, m)
	for try := 1; try < copyTries && errors.Is(err, fault.ErrPrecondition); try++ {
		info, err = b.copy(ctx, src, dst, m)
	}
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: copy %s to %s: %w", src, dst, err)
	}
	return info, nil
}

func (b *Backend) copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (backends.Info, error) {
	o, err := b.source(ctx, src)
	if err != nil {
		return backends.Info{}, err
	}
	if err := b.place(ctx, dst); err != nil {
		return backends.Info{}, err
	}
	c := &duplicate{s: b.s, src: b.key(src), dst: b.key(dst), name: dst.Name(), from: o, opts: headersOf(o, m, b.s.o.Clock())}
	if o.Size > b.s.limits.copyWhole {
		return c.inParts(ctx)
	}
	return c.whole(ctx, m != backends.Meta{} || src == dst)
}

// source is the object to copy.
func (b *Backend) source(ctx context.Context, p vpath.Path) (minio.ObjectInfo, error) {
	if p.IsRoot() {
		return minio.ObjectInfo{}, fault.ErrIsDir
	}
	if b.reserved(p) {
		return minio.ObjectInfo{}, fs.ErrNotExist
	}
	o, err := b.s.head(ctx, b.key(p))
	if !errors.Is(err, fs.ErrNotExist) {
		return o, err
	}
	keys, err := b.s.keys(ctx, b.folder(p), 1)
	if err == nil && len(keys) > 0 {
		return o, fault.ErrIsDir
	}
	if err == nil {
		err = fs.ErrNotExist
	}
	return o, err
}

// headersOf are the headers of a copy: all of the source's, as a request that
// replaces one replaces all (without a Content-Type it becomes
// binary/octet-stream), under those of m that are set.
func headersOf(o minio.ObjectInfo, m backends.Meta, now time.Time) minio.PutObjectOptions {
	user := make(map[string]string, len(o.UserMetadata))
	for key, value := range o.UserMetadata {
		// minio-go decodes what it reads in the encoding of RFC 2047, and not back.
		user[strings.ToLower(key)] = mime.QEncoding.Encode("utf-8", value)
	}
	if user[metaTaken] != "" {
		now = time.Time{} // a copy keeps the time of what was copied
	}
	maps.Copy(user, userMetadata(m, now))
	opts := minio.PutObjectOptions{
		UserMetadata:       user,
		ContentType:        o.ContentType,
		ContentEncoding:    o.Metadata.Get("Content-Encoding"),
		ContentDisposition: o.Metadata.Get("Content-Disposition"),
		ContentLanguage:    o.Metadata.Get("Content-Language"),
		CacheControl:       o.Metadata.Get("Cache-Control"),
		Expires:            o.Expires,
	}
	if m.ContentType != "" {
		opts.ContentType = m.ContentType
	}
	return opts
}

// duplicate is one copy on its way.
type duplicate struct {
	s        *Storage
	src, dst string
	name     string
	from     minio.ObjectInfo // the version that is copied
	opts     minio.PutObjectOptions
}

// whole copies with one request.
func (c *duplicate) whole(ctx context.Context, replace bool) (backends.Info, error) {
	inner, w := watch(ctx, slow)
	defer w.stop()
	dst := minio.CopyDestOptions{Bucket: c.s.o.Bucket, Object: c.dst}
	if replace {
		dst.ReplaceMetadata = true
		dst.UserMetadata = c.opts.UserMetadata
		dst.ContentType = c.opts.ContentType
		dst.ContentEncoding = c.opts.ContentEncoding
		dst.ContentDisposition = c.opts.ContentDisposition
		dst.ContentLanguage = c.opts.ContentLanguage
		dst.CacheControl = c.opts.CacheControl
		dst.Expires = c.opts.Expires
	}
	up, err := c.s.idem.Client.CopyObject(inner, dst, minio.CopySrcOptions{Bucket: c.s.o.Bucket, Object: c.src, MatchETag: c.from.ETag})
	if err != nil {
		return backends.Info{}, c.s.fault(ctx, inner, err)
	}
	if replace {
		return c.replaced(up.ETag), nil
	}
	c.from.ETag, c.from.LastModified = up.ETag, up.LastModified
	return fileInfo(c.name, c.from), nil
}

// replaced describes a copy with metadata of its own.
func (c *duplicate) replaced(etag string) backends.Info {
	m, taken := readMetadata(c.opts.UserMetadata, c.opts.ContentType)
	return describe(c.name, minio.ObjectInfo{ETag: etag, Size: c.from.Size}, m, taken)
}

// inParts copies with a multipart upload whose parts are ranges of the source.
func (c *duplicate) inParts(ctx context.Context) (copied backends.Info, err error) {
	id, err := c.begin(ctx)
	if err != nil {
		return backends.Info{}, err
	}
	defer func() {
		if err != nil {
			c.s.abandon(ctx, c.dst, id)
		}
	}()
	done, err := c.parts(ctx, id)
	if err != nil {
		return backends.Info{}, err
	}
	inner, w := watch(ctx, slow)
	defer w.stop()
	up, err := c.s.once.CompleteMultipartUpload(inner, c.s.o.Bucket, c.dst, id, done, minio.PutObjectOptions{})
	if err != nil {
		return backends.Info{}, c.s.fault(ctx, inner, err)
	}
	return c.replaced(up.ETag), nil
}

func (c *duplicate) begin(ctx context.Context) (id string, err error) {
	inner, w := watch(ctx, quick)
	defer w.stop()
	id, err = c.s.idem.NewMultipartUpload(inner, c.s.o.Bucket, c.dst, c.opts)
	return id, c.s.fault(ctx, inner, err)
}

// parts copies the ranges. They grow with the file, as there may be 10,000.
func (c *duplicate) parts(ctx context.Context, id string) ([]minio.CompletePart, error) {
	size := max(c.s.limits.copyPart, c.from.Size/(maxParts-1)+1)
	done := make([]minio.CompletePart, (c.from.Size+size-1)/size)
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range done {
		g.Go(func() error {
			off := int64(i) * size
			inner, w := watch(gctx, slow)
			defer w.stop()
			part, err := c.s.idem.CopyObjectPart(inner, c.s.o.Bucket, c.src, c.s.o.Bucket, c.dst, id, i+1, off, min(size, c.from.Size-off),
				map[string]string{"X-Amz-Copy-Source-If-Match": c.from.ETag})
			mu.Lock()
			defer mu.Unlock()
			done[i] = part
			return c.s.fault(gctx, inner, err)
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return done, err
}
