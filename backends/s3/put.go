package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Sizes of uploads. Two parts are in memory at once, so that one is filled
// while the other is sent; 10,000 parts, S3's limit, make 156 GiB, three times
// what Portico takes for one file.
const (
	singleMax = 8 << 20  // up to here a file is one request, its hash in its metadata
	partSize  = 16 << 20 // see PERFORMANCE.md: 16 MiB x 2 is as fast as more
	partsHeld = 2
	maxParts  = 10_000
	maxSize   = int64(partSize) * maxParts
	tasteSize = 64 << 10 // read of a body of unknown length before memory is asked for
)

// Put stores body as p: one request up to 8 MiB, a multipart upload above. In
// both the bytes are out of sight until the last request, which carries the
// condition. From Commit's yes on a cancelled ctx stops nothing any more:
// nobody could tell whether the store had published.
func (b *Backend) Put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	info, err := b.put(ctx, p, body, o)
	if err != nil {
		return backends.Info{}, fmt.Errorf("s3: put %s: %w", p, err)
	}
	return info, nil
}

func (b *Backend) put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	if o.Size > maxSize {
		return backends.Info{}, fault.Tell(fault.ErrTooLarge, "The file has %d bytes, and the storage takes up to %d.", o.Size, maxSize)
	}
	w := b.write(b.key(p), p, o)
	w.place = func(ctx context.Context) error { return b.place(ctx, p) }
	switch {
	case o.Size >= 0 && o.Size <= singleMax:
		return w.small(ctx, body)
	case o.Size < 0:
		return w.unknown(ctx, body)
	}
	return w.large(ctx, body, nil)
}

// write is one Put on its way.
type write struct {
	s         *Storage
	key, name string
	o         backends.PutOptions
	taken     time.Time
	upload    string // the id of an upload in pieces, "" for one that came whole

	// place tells whether the file can be where it is to be. It is asked right
	// before publication, as folders come and go while a body is read, and
	// before a large upload too, as nobody should send 10 GiB for a refusal.
	place func(context.Context) error

	// off tells, once Commit has agreed, that the caller's context has ended since.
	off func() bool
}

func (b *Backend) write(key string, p vpath.Path, o backends.PutOptions) *write {
	return &write{
		s: b.s, key: key, name: p.Name(), o: o, taken: b.s.o.Clock().UTC(),
		place: func(context.Context) error { return nil },
		off:   func() bool { return false },
	}
}

// small takes a body of known length into memory of just that size. The one
// byte more shows a body that goes on.
func (w *write) small(ctx context.Context, body io.Reader) (backends.Info, error) {
	release, err := w.s.o.Budget.Take(ctx, w.o.Size+1)
	if err != nil {
		return backends.Info{}, err
	}
	defer release()
	buf := make([]byte, w.o.Size+1)
	n, ended, err := fill(ctx, body, buf)
	if err != nil {
		return backends.Info{}, err
	}
	if !ended || int64(n) != w.o.Size {
		return backends.Info{}, fault.ErrTruncated
	}
	return w.single(ctx, buf[:n])
}

// unknown tastes the body: most files whose length nobody announced are small,
// and must not wait for 32 MiB of the budget.
func (w *write) unknown(ctx context.Context, body io.Reader) (backends.Info, error) {
	taste := make([]byte, tasteSize)
	n, ended, err := fill(ctx, body, taste)
	switch {
	case err != nil:
		return backends.Info{}, err
	case ended:
		return w.single(ctx, taste[:n])
	}
	return w.large(ctx, body, taste)
}

// fill reads until buf is full or body ends. io.ReadFull would not do: it
// gives io.ErrUnexpectedEOF for a body that ends, and net/http gives the same
// for one that was cut.
func fill(ctx context.Context, body io.Reader, buf []byte) (n int, ended bool, err error) {
	for idle := 0; n < len(buf); {
		m, err := body.Read(buf[n:])
		n += m
		switch {
		case ctx.Err() != nil:
			return n, false, ctx.Err()
		case err == io.EOF: // bare: a wrapped io.EOF is a failure of the body, not its end
			return n, true, nil
		case err != nil:
			return n, false, fmt.Errorf("body: %w", err)
		case m > 0:
			idle = 0
		default:
			if idle++; idle == 100 {
				return n, false, io.ErrNoProgress
			}
		}
	}
	return n, false, nil
}

// single stores what is in memory with one request.
func (w *write) single(ctx context.Context, data []byte) (backends.Info, error) {
	sum := sha256.Sum256(data)
	w.o.SHA256 = hex.EncodeToString(sum[:])
	if err := w.commit(ctx); err != nil {
		return backends.Info{}, err
	}
	ctx = context.WithoutCancel(ctx)
	opts := w.options()
	opts.UserMetadata["x-amz-checksum-crc32c"] = checksum(data) // minio-go sends it as a header of its own
	return w.publish(ctx, int64(len(data)), w.o.SHA256,
		func(ctx context.Context, cond condition) (string, error) {
			opts := opts
			cond.apply(&opts)
			inner, watcher := watch(ctx, upload)
			defer watcher.stop()
			inner = withPayload(inner, data, watcher)
			up, err := w.s.once.PutObject(inner, w.s.o.Bucket, w.key, bytes.NewReader(data), int64(len(data)), "", "", opts)
			return up.ETag, stalled(inner, err)
		})
}

// commit is the last moment at which the upload can be called off. The place is
// looked at when Commit has agreed: it may have waited for somebody who made a
// folder of the file's name, or removed the one that the file goes into.
func (w *write) commit(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if w.o.Commit != nil {
		if err := w.o.Commit(); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	w.off = func() bool { return ctx.Err() != nil || backends.Fence(ctx) != nil }
	if err := w.place(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// options are the headers of the new object. The payload is not signed: that
// costs a third of the speed, and the checksum guards the bytes.
func (w *write) options() minio.PutObjectOptions {
	contentType := w.o.ContentType
	if contentType == "" {
		contentType = typeUnknown
	}
	user := userMetadata(w.o.Meta, w.taken)
	if w.upload != "" {
		user[metaUpload] = w.upload
	}
	return minio.PutObjectOptions{UserMetadata: user, ContentType: contentType, DisableContentSha256: true}
}

// checksum is the CRC32C of data as S3 writes it.
func checksum(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
