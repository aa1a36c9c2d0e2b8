package s3

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3 makes the ETag of a multipart upload of MD5 sums
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
)

// large stores a body in parts, unless it turns out to be small. head is what
// was read of it already.
//
// It waits for the memory of one part. The second, which is filled while the
// first is on its way, is taken only if it is free: uploads that held one part
// each and waited for their second would wait for each other for ever.
func (w *write) large(ctx context.Context, body io.Reader, head []byte) (backends.Info, error) {
	release, err := w.s.o.Budget.Take(ctx, partSize)
	if err != nil {
		return backends.Info{}, err
	}
	defer release()
	second, ok := w.s.o.Budget.TryTake(partSize)
	if ok {
		defer second()
	}
	buf := w.s.buffers.Get().(*[]byte)
	n := copy(*buf, head)
	m, ended, err := fill(ctx, body, (*buf)[n:singleMax])
	if err != nil || ended {
		defer w.s.buffers.Put(buf)
		switch {
		case err != nil:
			return backends.Info{}, err
		case w.o.Size >= 0: // it was to be longer
			return backends.Info{}, fault.ErrTruncated
		}
		return w.single(ctx, (*buf)[:n+m])
	}
	if err := w.place(ctx); err != nil {
		w.s.buffers.Put(buf)
		return backends.Info{}, err
	}
	return w.multipart(ctx, body, buf, n+m, ok)
}

// multipart uploads in parts. Whatever goes wrong, the upload is aborted, also
// when ctx has ended: its parts would cost room until Reap finds them. second
// allows for a second buffer.
func (w *write) multipart(ctx context.Context, body io.Reader, buf *[]byte, n int, second bool) (info backends.Info, err error) {
	u := &assembly{w: w, sum: sha256.New(), free: make(chan *[]byte, partsHeld)}
	defer u.giveBack()
	if second {
		u.free <- nil // taken from the pool when it is needed
	}
	if err := u.begin(ctx); err != nil {
		w.s.buffers.Put(buf)
		return backends.Info{}, err
	}
	defer func() {
		if err != nil {
			w.s.abandon(ctx, w.key, u.id)
		}
	}()
	if err := u.send(ctx, body, buf, n); err != nil {
		return backends.Info{}, err
	}
	if w.o.Size >= 0 && u.size != w.o.Size {
		return backends.Info{}, fault.ErrTruncated
	}
	w.o.SHA256 = hex.EncodeToString(u.sum.Sum(nil))
	if err := w.commit(ctx); err != nil {
		return backends.Info{}, err
	}
	return u.complete(context.WithoutCancel(ctx))
}

// assembly is one multipart upload.
type assembly struct {
	w    *write
	id   string
	sum  hash.Hash
	size int64
	free chan *[]byte // buffers that nobody uses; nil is one not yet taken

	mu   sync.Mutex
	done []minio.CompletePart
}

func (u *assembly) begin(ctx context.Context) error {
	inner, watcher := watch(ctx, quick)
	defer watcher.stop()
	opts := u.w.options()
	delete(opts.UserMetadata, metaSHA256)
	opts.UserMetadata["x-amz-checksum-algorithm"] = "CRC32C"
	id, err := u.w.s.idem.NewMultipartUpload(inner, u.w.s.o.Bucket, u.w.key, opts)
	u.id = id
	return u.w.s.fault(ctx, inner, err)
}

// send reads the body and uploads its parts, one filled while another is on
// its way. buf holds the first n bytes.
func (u *assembly) send(ctx context.Context, body io.Reader, buf *[]byte, n int) error {
	parent, cancel := context.WithCancel(ctx)
	defer cancel()
	g, sending := errgroup.WithContext(parent)
	err := u.feed(sending, g, body, buf, n)
	stopped := sending.Err() != nil // by a part that failed: its error is the one to tell
	if err != nil {
		cancel() // what is on its way is of no use
	}
	failed := g.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil || stopped:
		slices.SortFunc(u.done, func(a, b minio.CompletePart) int { return a.PartNumber - b.PartNumber })
		return failed
	}
	return err
}

func (u *assembly) feed(ctx context.Context, g *errgroup.Group, body io.Reader, buf *[]byte, n int) error {
	for number := 1; ; number++ {
		m, ended, err := fill(ctx, body, (*buf)[n:])
		n += m
		if err != nil || n == 0 {
			u.free <- buf
			return err
		}
		if number > maxParts {
			u.free <- buf
			return fault.Tell(fault.ErrTooLarge, "The file is larger than the %d bytes that the storage takes.", maxSize)
		}
		u.sum.Write((*buf)[:n])
		u.size += int64(n)
		u.start(ctx, g, number, buf, n)
		if ended {
			return nil
		}
		if buf, err = u.nextBuffer(ctx); err != nil {
			return err
		}
		n = 0
	}
}

// start sends one part beside the reading of the next, and then frees its buffer.
func (u *assembly) start(ctx context.Context, g *errgroup.Group, number int, buf *[]byte, n int) {
	g.Go(func() error {
		defer func() { u.free <- buf }()
		part, err := u.sendPart(ctx, number, (*buf)[:n])
		if err != nil {
			return err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.done = append(u.done, part)
		return nil
	})
}

func (u *assembly) sendPart(ctx context.Context, number int, data []byte) (minio.CompletePart, error) {
	inner, watcher := watch(ctx, upload)
	defer watcher.stop()
	sum := checksum(data)
	part, err := u.w.s.idem.PutObjectPart(withPayload(inner, data, watcher), u.w.s.o.Bucket, u.w.key, u.id, number,
		bytes.NewReader(data), int64(len(data)),
		minio.PutObjectPartOptions{
			DisableContentSha256: true,
			CustomHeader:         http.Header{"X-Amz-Checksum-Crc32c": {sum}},
		})
	return minio.CompletePart{PartNumber: number, ETag: part.ETag, ChecksumCRC32C: sum}, u.w.s.fault(ctx, inner, err)
}

func (u *assembly) nextBuffer(ctx context.Context) (*[]byte, error) {
	select {
	case buf := <-u.free:
		if buf == nil {
			buf = u.w.s.buffers.Get().(*[]byte)
		}
		return buf, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// giveBack returns the buffers, of which none is in use any more, to the pool.
func (u *assembly) giveBack() {
	for {
		select {
		case buf := <-u.free:
			if buf != nil {
				u.w.s.buffers.Put(buf)
			}
		default:
			return
		}
	}
}

// complete makes the object out of its parts. The condition is sent here: one
// that was sent with the beginning would be judged there and then only, and a
// file that was made meanwhile overwritten without a word.
func (u *assembly) complete(ctx context.Context) (backends.Info, error) {
	return u.w.publish(ctx, u.size, u.expectedETag(),
		func(ctx context.Context, cond condition) (string, error) {
			var opts minio.PutObjectOptions
			cond.apply(&opts)
			inner, watcher := watch(ctx, slow)
			defer watcher.stop()
			up, err := u.w.s.once.CompleteMultipartUpload(inner, u.w.s.o.Bucket, u.w.key, u.id, u.done, opts)
			return up.ETag, stalled(inner, err)
		})
}

// expectedETag is what S3 gives an object of these parts: the MD5 of their
// MD5s, and their number. It is "" where the parts' ETags are no MD5s.
func (u *assembly) expectedETag() string {
	sums := make([]byte, 0, len(u.done)*md5.Size)
	for _, p := range u.done {
		raw, err := hex.DecodeString(p.ETag)
		if err != nil || len(raw) != md5.Size {
			return ""
		}
		sums = append(sums, raw...)
	}
	return fmt.Sprintf("%x-%d", md5.Sum(sums), len(u.done)) //nolint:gosec // see the import
}
