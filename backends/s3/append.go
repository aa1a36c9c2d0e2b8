package s3

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3's own sum of a part
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
)

// appending is one Append on its way.
type appending struct {
	b      *Backend
	st     *stage
	size   int64 // of the whole, -1 if unknown
	broken error // how the body ended, if badly
}

// take reads the body. A short one becomes a piece of the tail without waiting
// for memory: see write.unknown.
func (a *appending) take(ctx context.Context, body io.Reader) error {
	taste := make([]byte, tasteSize)
	n, ended, err := a.fill(ctx, body, taste)
	switch {
	case err != nil:
		return err
	case n == 0:
		return nil
	}
	if err := a.forget(ctx); err != nil {
		return err
	}
	enough := a.st.waiting()+int64(n) >= stagedPart || len(a.st.Tail) >= maxPieces || a.isLast(n)
	if ended && !enough {
		return a.wait(ctx, taste[:n])
	}
	release, err := a.b.s.o.Budget.Take(ctx, partSize)
	if err != nil {
		return err
	}
	defer release()
	buf := a.b.s.buffers.Get().(*[]byte)
	defer a.b.s.buffers.Put(buf)
	return a.send(ctx, *buf, taste[:n], ended, body)
}

// fill is fill for a body that may break off: what came counts.
func (a *appending) fill(ctx context.Context, body io.Reader, buf []byte) (n int, ended bool, err error) {
	n, ended, err = fill(ctx, body, buf)
	if err != nil && ctx.Err() == nil {
		a.broken, ended, err = err, true, nil
	}
	return n, ended, err
}

// isLast tells that n bytes more complete an upload that has parts. Then they go
// as the last part, and need not wait for Finish.
func (a *appending) isLast(n int) bool {
	return a.st.Upload != "" && a.st.size()+int64(n) == a.size
}

// send makes parts of the tail, of head and of what body still gives, one after
// the other: the line to the client is the slower one.
func (a *appending) send(ctx context.Context, buf, head []byte, ended bool, body io.Reader) error {
	old := a.st.waiting()
	if err := a.b.s.load(ctx, a.st.Tail, buf); err != nil {
		return err
	}
	n := int(old) + copy(buf[old:], head)
	for !ended {
		m, end, err := a.fill(ctx, body, buf[n:])
		if err != nil {
			return err
		}
		n, ended = n+m, end
		if n < len(buf) {
			break
		}
		if err := a.part(ctx, buf[:n]); err != nil {
			return err
		}
		n = 0
	}
	return a.rest(ctx, buf[:n])
}

// rest is what is left when the body has ended. Behind the tail that waits
// already it begins with that.
func (a *appending) rest(ctx context.Context, data []byte) error {
	fresh := len(data) - int(a.st.waiting())
	switch {
	case fresh == 0:
		return nil
	case len(data) >= stagedPart || a.isLast(fresh):
		return a.part(ctx, data)
	case len(a.st.Tail) >= maxPieces:
		a.st.Old, a.st.Tail = append(a.st.Old, a.st.Tail...), nil
		return a.wait(ctx, data)
	}
	return a.wait(ctx, data[len(data)-fresh:])
}

// part sends data, which the tail is the beginning of.
func (a *appending) part(ctx context.Context, data []byte) error {
	if err := a.begin(ctx); err != nil {
		return err
	}
	part, err := a.b.s.sendStaged(ctx, a.st, a.st.Parts+1, data)
	if err != nil {
		return err
	}
	a.st.Sent += int64(len(data))
	a.st.Old, a.st.Tail = append(a.st.Old, a.st.Tail...), nil
	a.st.count(part.ETag)
	return nil
}

// begin starts the multipart upload, with the file's metadata.
func (a *appending) begin(ctx context.Context) error {
	if a.st.Upload != "" {
		return nil
	}
	inner, watcher := watch(ctx, quick)
	defer watcher.stop()
	w := &write{o: backends.PutOptions{Meta: a.st.Meta}, taken: a.st.Taken, upload: a.st.ID}
	id, err := a.b.s.idem.NewMultipartUpload(inner, a.b.s.o.Bucket, a.st.Key, w.options())
	if err != nil {
		return a.b.s.fault(ctx, inner, err)
	}
	a.st.Upload = id
	return nil
}

// wait stores data as a piece of the tail.
func (a *appending) wait(ctx context.Context, data []byte) error {
	p := piece{a.st.folder(a.b.s.prefix) + rand.Text(), int64(len(data))}
	inner, watcher := watch(ctx, upload)
	defer watcher.stop()
	inner = withPayload(inner, data, watcher)
	_, err := a.b.s.idem.PutObject(inner, a.b.s.o.Bucket, p.Key, bytes.NewReader(data), p.Size, "", "",
		minio.PutObjectOptions{DisableContentSha256: true, UserMetadata: map[string]string{"x-amz-checksum-crc32c": checksum(data)}})
	if err != nil {
		return a.b.s.fault(ctx, inner, err)
	}
	a.st.Tail = append(a.st.Tail, p)
	return nil
}

// forget removes the pieces that only the handle before this one needed: that
// this one came back tells that it was kept.
func (a *appending) forget(ctx context.Context) error {
	for _, p := range a.st.Old {
		if err := a.b.s.delete(ctx, p.Key); err != nil {
			return err
		}
	}
	a.st.Old = nil
	return nil
}

// sendStaged sends a part. Its MD5 is the sum that every store checks, and lists.
func (s *Storage) sendStaged(ctx context.Context, st *stage, number int, data []byte) (minio.CompletePart, error) {
	if number > maxParts {
		return minio.CompletePart{}, fault.Tell(fault.ErrTooLarge, "The file has come in too many pieces: send it again in larger ones.")
	}
	inner, watcher := watch(ctx, upload)
	defer watcher.stop()
	sum := md5.Sum(data) //nolint:gosec // see the import
	part, err := s.idem.PutObjectPart(withPayload(inner, data, watcher), s.o.Bucket, st.Key, st.Upload, number,
		bytes.NewReader(data), int64(len(data)),
		minio.PutObjectPartOptions{DisableContentSha256: true, Md5Base64: base64.StdEncoding.EncodeToString(sum[:])})
	return minio.CompletePart{PartNumber: number, ETag: part.ETag}, s.stagedFault(ctx, inner, err)
}

// stagedFault knows an upload that has gone: MinIO removes those that began a
// day ago (its stale_uploads_expiry), whatever was sent since.
func (s *Storage) stagedFault(ctx, inner context.Context, err error) error {
	if isCode(err, minio.NoSuchUpload) {
		return fmt.Errorf("%w (%s)", fs.ErrNotExist, minio.NoSuchUpload)
	}
	return s.fault(ctx, inner, err)
}

// load reads a tail into buf.
func (s *Storage) load(ctx context.Context, tail []piece, buf []byte) error {
	for _, p := range tail {
		if err := s.loadPiece(ctx, p, buf[:p.Size]); err != nil {
			return err
		}
		buf = buf[p.Size:]
	}
	return nil
}

func (s *Storage) loadPiece(ctx context.Context, p piece, buf []byte) error {
	inner, watcher := watch(ctx, upload)
	defer watcher.stop()
	body, info, _, err := s.idem.GetObject(inner, s.o.Bucket, p.Key, minio.GetObjectOptions{})
	if err != nil {
		return s.fault(ctx, inner, err)
	}
	defer body.Close() //nolint:errcheck // read to its end, or of no use
	if info.Size != p.Size {
		return fs.ErrNotExist // somebody has meddled
	}
	if _, err := io.ReadFull(body, buf); err != nil {
		return fmt.Errorf("%w: %s", fault.ErrUnavailable, err.Error())
	}
	return nil
}
