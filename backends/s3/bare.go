package s3

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"portico/backends"
)

// An upload without a name is a loose one (see loose.go), of which Finish knows all
// that goes with the file. Before that it can be read.

// Fetch reads an upload without a name: its object, or its tail where that is all.
func (b *Backend) Fetch(ctx context.Context, handle string) (io.ReadCloser, error) {
	st, err := parseStage(handle)
	if err == nil && !st.Bare {
		err = fs.ErrInvalid
	}
	var body io.ReadCloser
	if err == nil {
		body, err = b.fetch(ctx, &st)
	}
	if err != nil {
		return nil, fmt.Errorf("s3: fetch: %w", err)
	}
	return body, nil
}

func (b *Backend) fetch(ctx context.Context, st *stage) (io.ReadCloser, error) {
	if st.Upload == "" {
		return &tailReader{ctx: ctx, s: b.s, left: st.Tail}, nil
	}
	release, err := b.s.o.Budget.Take(ctx, st.waiting()+1)
	if err != nil {
		return nil, err
	}
	defer release()
	tail := make([]byte, st.waiting())
	if err := b.s.load(ctx, st.Tail, tail); err != nil {
		return nil, err
	}
	o, err := b.whole(ctx, st, tail)
	if err != nil {
		return nil, err
	}
	return b.s.stream(ctx, st.Key, o.Size)
}

// stream reads an object of ours.
func (s *Storage) stream(ctx context.Context, key string, size int64) (io.ReadCloser, error) {
	inner, w := watch(ctx, quick)
	body, info, _, err := s.idem.GetObject(inner, s.o.Bucket, key, minio.GetObjectOptions{})
	switch {
	case err != nil:
		err = s.fault(ctx, inner, err)
		w.stop()
		return nil, err
	case info.Size != size:
		_ = body.Close() // of no use
		w.stop()
		return nil, fmt.Errorf("%w (somebody has meddled)", fs.ErrNotExist)
	}
	w.hold()
	return &reader{s: s, ctx: ctx, inner: inner, w: w, body: body}, nil
}

// tailReader reads one piece after the other.
type tailReader struct {
	ctx  context.Context //nolint:containedctx // of the reading as a whole, as in Open
	s    *Storage
	left []piece
	now  io.ReadCloser
}

// Read opens the next piece where the one before has ended.
func (r *tailReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.left) == 0 {
				return 0, io.EOF
			}
			next, err := r.s.stream(r.ctx, r.left[0].Key, r.left[0].Size)
			if err != nil {
				return 0, err
			}
			r.now, r.left = next, r.left[1:]
		}
		n, err := r.now.Read(p)
		if err == io.EOF {
			_ = r.now.Close() // read to its end
			r.now, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close ends the piece at hand.
func (r *tailReader) Close() error {
	if r.now == nil {
		return nil
	}
	return r.now.Close()
}

// IsBeside is of backends.Neighbour.
func (b *Backend) IsBeside(other backends.Backend) bool {
	o, ok := other.(*Backend)
	return ok && o.s == b.s
}
