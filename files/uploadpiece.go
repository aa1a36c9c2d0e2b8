package files

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // a sum against broken lines, which the protocol wants; not against anybody
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// slice is how much is taken before it is recorded: what a dying process loses of
// a request that carries gigabytes. Two parts of S3.
const slice = 32 << 20

// AppendUpload takes a piece that belongs behind the first offset bytes:
// fault.ErrConflict if there are more or less. What came before body broke counts,
// unless it has a sum: a sum of half a piece tells nothing. With the last byte the
// file is published. One at a time: fault.ErrLocked.
//
// More than the upload's size, or than its limit, ends it: fault.ErrTooLarge.
func (t *Tree) AppendUpload(ctx context.Context, id string, offset int64, body io.Reader, sum *UploadSum) (UploadState, error) {
	t.s.uploads.Add(1)
	defer t.s.uploads.Add(-1)
	var at vpath.Path
	st, err := t.inTurn(ctx, id, func(row store.Upload, n notes) (UploadState, error) {
		at = row.Path
		return t.appendUpload(ctx, row, n, offset, body, sum)
	})
	if at.IsRoot() || errors.Is(err, ErrUploadSum) || errors.Is(err, fault.ErrConflict) || isCut(err) {
		return st, err // nothing was refused but a piece
	}
	return st, t.refused(ctx, putEvent(at), err)
}

func (t *Tree) appendUpload(ctx context.Context, row store.Upload, n notes, offset int64, body io.Reader, sum *UploadSum) (UploadState, error) {
	if offset != row.Offset {
		return stateOf(row, n), plain(fault.ErrConflict, "the upload has %d bytes: go on there", row.Offset)
	}
	if n.Done {
		return stateOf(row, n), nil
	}
	u, err := t.mayUpload(ctx, row.Path, row.Size, n, false)
	u.done()
	if err != nil {
		return stateOf(row, n), err
	}
	if err := t.stillRoom(ctx, u, row); err != nil {
		return stateOf(row, n), err
	}
	p, err := newPieces(ctx, t, row, n, body, sum)
	if err != nil {
		return stateOf(row, n), err
	}
	err = p.take(ctx, u.place)
	switch {
	case errors.Is(err, fault.ErrTooLarge), errors.Is(err, fs.ErrNotExist):
		_ = t.purge(ctx, p.row)
		if errors.Is(err, fs.ErrNotExist) {
			err = errNoUpload()
		}
	case p.row.Offset == p.row.Size && (err == nil || isCut(err)):
		return t.complete(ctx, p.row, p.notes, p.row.Offset == offset)
	case err != nil && !isCut(err):
		err = t.putFailed(u, err)
	}
	return stateOf(p.row, p.notes), err
}

// stillRoom looks whether the workspace can hold what is announced, or has come.
func (t *Tree) stillRoom(ctx context.Context, u upload, row store.Upload) error {
	g, err := t.s.reserve(ctx, u.space, u.info.Size, max(row.Size, row.Offset))
	if err != nil {
		return err
	}
	g.done()
	return nil
}

// pieces takes a body into an upload.
type pieces struct {
	t     *Tree
	row   store.Upload
	notes notes
	sum   hash.Hash // of the whole, so far

	want  *UploadSum
	piece hash.Hash // of this body, where its sender tells the sum

	body *piece
}

func newPieces(ctx context.Context, t *Tree, row store.Upload, n notes, body io.Reader, want *UploadSum) (p *pieces, err error) {
	p = &pieces{t: t, row: row, notes: n, want: want, body: &piece{ctx: ctx, body: body, room: math.MaxInt64}}
	if p.sum, err = n.sum(); err != nil {
		return nil, err
	}
	if n.MaxSize > 0 {
		p.body.room = n.MaxSize - row.Offset
	}
	if row.Size >= 0 {
		p.body.room = min(p.body.room, row.Size-row.Offset)
	}
	hashes := []io.Writer{p.sum}
	if want != nil {
		switch want.Algorithm {
		case "sha1":
			p.piece = sha1.New() //nolint:gosec // see the import
		case "sha256":
			p.piece = sha256.New()
		default:
			return nil, plain(fs.ErrInvalid, "sums are taken as sha1 and sha256, not as %.20q", want.Algorithm)
		}
		hashes = append(hashes, p.piece)
	}
	p.body.sum = io.MultiWriter(hashes...)
	return p, nil
}

// take hands the body to the storage, a slice at a time. What the client's leaving
// has cut off is still kept.
func (p *pieces) take(ctx context.Context, l place) error {
	stager, err := l.stager()
	if err != nil {
		return err
	}
	going := context.WithoutCancel(ctx)
	for p.body.end == nil {
		p.body.left = slice
		if p.want != nil {
			p.body.left = math.MaxInt64
		}
		next, n, err := stager.Append(going, p.row.Handle, p.row.Offset, p.row.Size, p.body)
		if err != nil && !p.body.isCut() {
			return err
		}
		if err := p.check(); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := p.keep(going, next, n); err != nil {
			return err
		}
	}
	if p.body.isCut() {
		return p.body.broken()
	}
	return nil
}

// check holds a piece to its sum.
func (p *pieces) check() error {
	switch {
	case errors.Is(p.body.end, fault.ErrTooLarge):
		return p.body.end
	case p.want == nil:
		return nil
	case p.body.isCut():
		return p.body.broken()
	case !bytes.Equal(p.piece.Sum(nil), p.want.Sum):
		return plain(ErrUploadSum, "the piece has another sum than announced: it was broken on its way, send it again")
	}
	return nil
}

// keep records what has come. That the row is still what this process knows is
// asked in the transaction: a claim can be lost, and then another is at it.
func (p *pieces) keep(ctx context.Context, next string, n int64) error {
	row, was := p.row, p.row
	row.Handle = next
	row.Offset += n
	if err := p.notes.keepSum(p.sum); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := p.t.s.State.Update(bounded, func(tx store.Tx) error {
		now, ok, err := tx.UploadByID(bounded, was.ID)
		if err == nil && (!ok || now.Offset != was.Offset || now.Handle != was.Handle) {
			err = plain(fault.ErrConflict, "another connection has gone on with this upload")
		}
		if err != nil {
			return err
		}
		return p.t.putUpload(tx, &row, p.notes)
	})
	if err != nil {
		return unwritten(err)
	}
	p.row = row
	return nil
}

// piece is the body of one request, read slice by slice.
type piece struct {
	ctx  context.Context //nolint:containedctx // ends the reading, while the storage keeps what came
	body io.Reader
	sum  io.Writer
	left int64 // of this slice
	room int64 // of the upload: one byte more is too much
	end  error // io.EOF, or how it broke
}

// Read gives io.EOF at the end of a slice, too.
func (p *piece) Read(b []byte) (int, error) {
	switch {
	case p.end == nil && p.ctx.Err() != nil:
		p.end = p.ctx.Err()
	case p.end == nil && p.left == 0:
		return 0, io.EOF
	case p.end == nil && p.room == 0:
		p.probe()
	}
	if p.end != nil || p.room == 0 {
		return 0, p.end
	}
	n, err := p.body.Read(b[:min(int64(len(b)), p.left, p.room)])
	_, _ = p.sum.Write(b[:n]) // a hash never fails
	p.left -= int64(n)
	p.room -= int64(n)
	p.end = err
	return n, err
}

// probe looks whether more comes than there may.
func (p *piece) probe() {
	var one [1]byte
	n, err := p.body.Read(one[:])
	if p.end = err; n > 0 {
		p.end = plain(fault.ErrTooLarge, "more has come than the file was to have: the upload has ended, and nothing of it is kept")
	}
}

// isCut tells that the body ended before its time.
func (p *piece) isCut() bool {
	return p.end != nil && p.end != io.EOF //nolint:errorlint // a wrapped io.EOF is a failure of the body, not its end
}

func (p *piece) broken() error { return &cutError{p.end} }

// cutError is a body that broke off.
type cutError struct{ err error }

func (e *cutError) Error() string { return fmt.Sprintf("files: upload: body: %v", e.err) }
func (e *cutError) Unwrap() error { return e.err }

func isCut(err error) bool {
	_, ok := errors.AsType[*cutError](err)
	return ok
}
