package mem

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// staged is an upload that comes in pieces.
type staged struct {
	data  []byte
	meta  backends.Meta
	bare  bool      // it has no name
	touch time.Time // of the last piece
}

// Begin starts an upload.
func (b *Backend) Begin(ctx context.Context, p vpath.Path, o backends.PutOptions) (handle string, err error) {
	err = b.s.call(ctx, "Begin", p, func() error {
		now := b.s.now()
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		b.s.number++
		id := strconv.Itoa(b.s.number)
		b.s.staged[id] = &staged{meta: o.Meta, bare: p.IsRoot(), touch: now}
		handle = id + ":0"
		return nil
	})
	return handle, err
}

// staging reads a handle: the upload, and how much of it counts.
func (s *Storage) staging(handle string) (id string, st *staged, off int64, err error) {
	id, text, _ := strings.Cut(handle, ":")
	off, err = strconv.ParseInt(text, 10, 64)
	s.mu.RLock()
	defer s.mu.RUnlock()
	st = s.staged[id]
	if err != nil || st == nil || int64(len(st.data)) < off {
		return id, nil, 0, fs.ErrNotExist
	}
	return id, st, off, nil
}

// Append takes a piece.
func (b *Backend) Append(ctx context.Context, handle string, off, _ int64, body io.Reader) (next string, n int64, err error) {
	var broken error
	next = handle
	err = b.s.call(ctx, "Append", vpath.Path{}, func() error {
		id, st, had, err := b.s.staging(handle)
		switch {
		case err != nil:
			return err
		case had != off:
			return fault.ErrConflict
		}
		var piece []byte
		if piece, broken = gather(body); ctx.Err() != nil {
			return ctx.Err()
		}
		now := b.s.now()
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		st.data, st.touch = slices.Concat(st.data[:off], piece), now
		next, n = id+":"+strconv.Itoa(len(st.data)), int64(len(piece))
		return nil
	})
	if err == nil && broken != nil {
		err = fmt.Errorf("mem: Append: body: %w", broken)
	}
	return next, n, err
}

// gather reads all that comes, and tells how it ended: nil for a bare io.EOF.
func gather(body io.Reader) (data []byte, err error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		data = append(data, buf[:n]...)
		switch err {
		case nil:
		case io.EOF: // a wrapped io.EOF is a failure of the body, not its end
			return data, nil
		default:
			return data, err
		}
	}
}

// Finish publishes an upload.
func (b *Backend) Finish(ctx context.Context, handle string, p vpath.Path, o backends.PutOptions) (info backends.Info, err error) {
	err = b.s.call(ctx, "Finish", p, func() error {
		id, st, off, err := b.s.staging(handle)
		switch {
		case err != nil:
			return err
		case off != o.Size:
			return fault.ErrTruncated
		}
		if !st.bare {
			o.Meta = st.meta
		}
		if info, err = b.publish(ctx, p, st.data[:off:off], o); err != nil {
			return err
		}
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		delete(b.s.staged, id)
		b.s.done[id] = info.ETag
		return nil
	})
	return info, err
}

// Fetch reads an upload without a name.
func (b *Backend) Fetch(ctx context.Context, handle string) (body io.ReadCloser, err error) {
	err = b.s.call(ctx, "Fetch", vpath.Path{}, func() error {
		_, st, off, err := b.s.staging(handle)
		switch {
		case err != nil:
			return err
		case !st.bare:
			return fs.ErrInvalid
		}
		body = io.NopCloser(bytes.NewReader(st.data[:off:off]))
		return nil
	})
	return body, err
}

// IsBeside is of backends.Neighbour.
func (b *Backend) IsBeside(other backends.Backend) bool {
	o, ok := other.(*Backend)
	return ok && o.s == b.s
}

// Finished finds what a Finish has made.
func (b *Backend) Finished(ctx context.Context, handle string, p vpath.Path, _ backends.PutOptions) (info backends.Info, ok bool, err error) {
	err = b.s.call(ctx, "Finished", p, func() error {
		id, _, _ := strings.Cut(handle, ":")
		b.s.mu.RLock()
		defer b.s.mu.RUnlock()
		n, err := b.find(p)
		if err == nil && !n.Dir && b.s.done[id] == n.ETag {
			info, ok = n.named(p.Name()), true
		}
		return nil
	})
	return info, ok, err
}

// Abort ends an upload.
func (b *Backend) Abort(ctx context.Context, handle string) error {
	return b.s.call(ctx, "Abort", vpath.Path{}, func() error {
		id, _, _ := strings.Cut(handle, ":")
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		delete(b.s.staged, id)
		return nil
	})
}

// Staged is the number of uploads in pieces that are not over.
func (s *Storage) Staged() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.staged)
}

// reapStaged removes those that nothing was appended to since before.
func (s *Storage) reapStaged(before time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, st := range s.staged {
		if st.touch.Before(before) {
			delete(s.staged, id)
			n++
		}
	}
	return n
}
