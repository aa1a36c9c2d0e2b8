package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math"

	"portico/fault"
	"portico/store"
)

// chunkBody is the body of one chunk.
type chunkBody struct {
	piece
	own  hash.Hash // its SHA-256
	want *UploadSum
	told hash.Hash // as its sender announces it, nil if not
}

func newChunkBody(ctx context.Context, body io.Reader, want *UploadSum) (*chunkBody, error) {
	p := &chunkBody{piece: piece{ctx: ctx, body: body, left: math.MaxInt64, room: math.MaxInt64}, own: sha256.New(), want: want}
	if want != nil {
		if p.told = newSums()[want.Algorithm]; p.told == nil {
			return nil, newSums().check(want)
		}
	}
	return p, nil
}

func (p *chunkBody) hashes() []io.Writer {
	if p.told == nil {
		return []io.Writer{p.own}
	}
	return []io.Writer{p.own, p.told}
}

// judge is what becomes of a body that the storage has read, or failed to.
func (p *chunkBody) judge(err error) error {
	switch {
	case errors.Is(p.end, fault.ErrTooLarge):
		return errChunksTooLarge()
	case p.isCut():
		return p.broken()
	case err != nil:
		return err
	case p.told != nil:
		return sums{p.want.Algorithm: p.told}.check(p.want)
	}
	return nil
}

// repeats reads a chunk that was joined already: the answer got lost, and it is sent
// again.
func (p *chunkBody) repeats(row store.Upload) error {
	p.sum = io.MultiWriter(p.hashes()...)
	_, err := io.Copy(io.Discard, &p.piece)
	if err = p.judge(err); err != nil {
		return err
	}
	return sameChunk(row, p.own.Sum(nil))
}
