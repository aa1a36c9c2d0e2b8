package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// drained is how many waiting chunks one request joins beside its own. Two are more
// than come in, so that those that wait get fewer, and none waits long for its
// answer.
const drained = 2

// PutChunk takes one chunk, all of it or nothing. created is false for one that was
// there: what waits is replaced, and what is joined already must be the same.
func (t *Tree) PutChunk(ctx context.Context, folder string, id ChunkID, body io.Reader, sum *UploadSum) (created bool, err error) {
	t.s.uploads.Add(1)
	defer t.s.uploads.Add(-1)
	if err := t.mayChange(); err != nil {
		return false, err
	}
	row, n, err := t.openChunks(ctx, t.s.State, folder)
	if err != nil {
		return false, err
	}
	if err := t.mayGoOn(ctx, row, n); err != nil {
		return false, t.refused(ctx, chunkEvent(row, n), err)
	}
	c := &chunking{t: t, row: row, notes: n, stager: nil}
	if c.stager, err = c.home().stager(); err != nil {
		return false, err
	}
	return c.put(ctx, id, body, sum)
}

// mayGoOn judges before a chunk is read. Where nobody has told what the file will
// be, there must still be a place for it.
func (t *Tree) mayGoOn(ctx context.Context, row store.Upload, n notes) error {
	wish := ChunkWish{Size: row.Offset + n.Chunks.Early}
	if n.Chunks.To != "" {
		p, err := vpath.Parse(n.Chunks.To)
		if err != nil {
			return err
		}
		wish.Path, wish.Size = p, max(wish.Size, row.Size)
	}
	_, err := t.chunkHome(ctx, wish)
	return err
}

// chunking is an upload in chunks that something is done with.
type chunking struct {
	t      *Tree
	row    store.Upload
	notes  notes
	stager backends.Stager
}

func (c *chunking) home() place {
	return place{path: c.row.Path, space: c.t.r.spaces[c.row.Path.Top()]}
}

func (c *chunking) put(ctx context.Context, id ChunkID, body io.Reader, sum *UploadSum) (created bool, err error) {
	p, err := newChunkBody(ctx, body, sum)
	if err != nil {
		return false, err
	}
	old, ok, err := c.t.s.State.UploadByID(ctx, chunkRow(c.row.ID, id.Number))
	switch {
	case err != nil:
		return false, err
	case ok && old.Handle == "":
		return false, p.repeats(old)
	case !ok && (id.Number <= c.notes.Chunks.Last || c.notes.As != ""):
		return false, errChunkLate(id)
	case !ok && c.notes.Chunks.Count >= maxChunks:
		return false, plain(fault.ErrTooLarge, "a file comes in up to %d chunks: send it again in larger ones", maxChunks)
	}
	p.room = max(0, c.room()+old.Size) // what it replaces makes room
	release, err := c.turn(ctx)
	switch {
	case errors.Is(err, fault.ErrLocked): // somebody is at it: this one waits
		return c.putEarly(ctx, id, p)
	case err != nil:
		return false, err
	}
	if !c.isNext(id) {
		release() // while this one comes, others may go on
		return c.putEarly(ctx, id, p)
	}
	defer release()
	if err := c.putNext(ctx, id, p); err != nil {
		return false, err
	}
	c.drain(ctx, drained)
	return !ok, nil
}

// turn keeps others from joining chunks. The row is the newest then.
func (c *chunking) turn(ctx context.Context) (release func(), err error) {
	if release, err = c.t.s.uploadTurn(ctx, c.notes.Chunks.Turn); err != nil {
		return nil, err
	}
	if err = c.renew(ctx, c.t.s.State); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// renew takes the newest row, which must be that of the same upload.
func (c *chunking) renew(ctx context.Context, from store.UploadReader) error {
	row, n, err := c.t.openChunks(ctx, from, c.notes.Chunks.Folder)
	if err == nil && n.Chunks.Turn != c.notes.Chunks.Turn {
		err = errNoUpload()
	}
	if err == nil {
		c.row, c.notes = row, n
	}
	return err
}

// room is how many bytes there may still be.
func (c *chunking) room() int64 {
	most := int64(math.MaxInt64)
	if c.notes.MaxSize > 0 {
		most = c.notes.MaxSize
	}
	if c.row.Size >= 0 {
		most = min(most, c.row.Size)
	}
	return most - c.size()
}

// size is what has come.
func (c *chunking) size() int64 { return c.row.Offset + c.notes.Chunks.Early }

// isNext tells a chunk that nothing can come before any more. A name of ownCloud's
// is where the chunk begins: in one that is no larger than a chunk's number may be
// that cannot be told from a number, and it waits for Join.
func (c *chunking) isNext(id ChunkID) bool {
	if id.Number <= c.notes.Chunks.Last {
		return false
	}
	begins := id.Number == c.row.Offset
	if id.IsOffset {
		return begins
	}
	return id.Number == c.notes.Chunks.Last+1 || begins && id.Number > maxChunks
}

func errChunkLate(id ChunkID) error {
	return plain(fault.ErrConflict, "chunk %.40s comes too late: what follows it was joined already; delete the upload, and begin it again", id.Text)
}

// putNext appends a body whose turn it is.
func (c *chunking) putNext(ctx context.Context, id ChunkID, p *chunkBody) error {
	s, err := c.notes.sums()
	if err != nil {
		return err
	}
	p.sum = s.writer(p.hashes()...)
	going := context.WithoutCancel(ctx)
	next, got, err := c.stager.Append(going, c.row.Handle, c.row.Offset, c.row.Size, p)
	if err = p.judge(err); err != nil {
		return c.failed(err)
	}
	old, err := c.keep(going, id, "", joined{next, got, p.own.Sum(nil), s})
	if old != "" {
		_ = c.stager.Abort(going, old) // else Reap does it
	}
	return err
}

// joined is a chunk that was appended.
type joined struct {
	handle string // of the whole
	size   int64
	sum    []byte
	sums   sums // of the whole
}

// keep records a chunk that was joined. That the upload still is what this process
// knows is asked in the transaction; what waits others may have added meanwhile.
// early is the handle of a chunk that had waited, and waited the handle of the one
// that has its number.
func (c *chunking) keep(ctx context.Context, id ChunkID, early string, j joined) (waited string, err error) {
	err = c.update(ctx, func(tx store.Tx) error {
		waited = ""
		was := c.row
		if err := c.renew(ctx, tx); err != nil {
			return err
		}
		if c.row.Handle != was.Handle || c.row.Offset != was.Offset {
			return plain(fault.ErrConflict, "another connection has gone on with this upload")
		}
		old, ok, err := c.waiting(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case early != "" && old.Handle != early: // it was sent again, and replaced
			return plain(fault.ErrConflict, "another connection has gone on with this upload")
		case ok:
			waited = old.Handle
			c.notes.Chunks.Early -= old.Size
			c.notes.Chunks.Count--
		}
		c.row.Handle, c.row.Offset = j.handle, c.row.Offset+j.size
		c.notes.Chunks.Last = id.Number
		if c.room() < 0 { // others came while this one did
			return errChunksTooLarge()
		}
		if err := c.notes.keepSums(j.sums); err != nil {
			return err
		}
		return c.add(tx, id, "", j.size, j.sum)
	})
	if err != nil {
		return "", err
	}
	return waited, nil
}

// waiting is the row of a chunk that waits.
func (c *chunking) waiting(ctx context.Context, from store.UploadReader, id ChunkID) (row store.Upload, ok bool, err error) {
	row, ok, err = from.UploadByID(ctx, chunkRow(c.row.ID, id.Number))
	return row, ok && row.Handle != "", err
}

// add writes the rows of a chunk and of its upload, unless that is about to be
// published: a chunk that came then would go with the rest of the rows.
func (c *chunking) add(tx store.Tx, id ChunkID, handle string, size int64, sum []byte) error {
	if c.notes.As != "" {
		return errChunkLate(id)
	}
	state, err := json.Marshal(chunkState{Name: id.Text, Sum: sum})
	if err != nil {
		return err
	}
	c.notes.Chunks.Count++
	now := c.t.now()
	return errors.Join(
		c.t.putUpload(tx, &c.row, c.notes),
		tx.PutUpload(store.Upload{
			ID: chunkRow(c.row.ID, id.Number), Owner: c.row.ID, Path: c.row.Path, Size: size, Offset: size,
			Handle: handle, State: state, Created: now, Expires: now.Add(chunkRows),
		}),
	)
}

// update changes the rows. What it refuses leaves this process' own view as it was.
func (c *chunking) update(ctx context.Context, do func(store.Tx) error) error {
	row, n := c.row, c.notes
	bounded, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := c.t.s.State.Update(bounded, func(tx store.Tx) error {
		c.row, c.notes = row, n
		return do(tx)
	})
	if err != nil {
		c.row, c.notes = row, n
	}
	return unwritten(err)
}

// failed is what the sender of a chunk is told.
func (c *chunking) failed(err error) error {
	switch {
	case errors.Is(err, fault.ErrTooLarge), isCut(err), errors.Is(err, ErrUploadSum):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return errNoUpload() // the storage has lost it
	case errors.Is(err, fault.ErrQuota) && fault.Told(err) == "":
		return plain(err, "the storage is full: nothing was saved, and the old file is as it was")
	}
	return err
}

// putEarly lets a chunk wait, and joins it at once if its turn came meanwhile.
func (c *chunking) putEarly(ctx context.Context, id ChunkID, p *chunkBody) (created bool, err error) {
	going := context.WithoutCancel(ctx)
	p.sum = io.MultiWriter(p.hashes()...)
	handle, err := c.stager.Begin(going, vpath.Path{}, backends.PutOptions{Size: -1})
	if err != nil {
		return false, c.failed(err)
	}
	next, got, err := c.stager.Append(going, handle, 0, -1, p)
	if err = p.judge(err); err == nil {
		var old string
		if created, old, err = c.keepEarly(going, id, next, got, p.own.Sum(nil)); err == nil {
			_ = c.stager.Abort(going, old) // else Reap does it
		}
	}
	if err != nil {
		_ = c.stager.Abort(going, next)
		return false, c.failed(err)
	}
	release, err := c.turn(going)
	if err != nil {
		return created, nil // it waits, and that is enough
	}
	defer release()
	c.drain(going, drained)
	return created, nil
}

// keepEarly records a chunk that waits; old is the handle of what it replaces.
func (c *chunking) keepEarly(ctx context.Context, id ChunkID, handle string, size int64, sum []byte) (created bool, old string, err error) {
	err = c.update(ctx, func(tx store.Tx) error {
		created, old = false, ""
		if err := c.renew(ctx, tx); err != nil {
			return err
		}
		row, ok, err := tx.UploadByID(ctx, chunkRow(c.row.ID, id.Number))
		switch {
		case err != nil:
			return err
		case ok && row.Handle == "": // it came by another connection meanwhile
			old = handle
			return sameChunk(row, sum)
		case ok:
			old = row.Handle
			c.notes.Chunks.Early -= row.Size
			c.notes.Chunks.Count--
		case id.Number <= c.notes.Chunks.Last:
			return errChunkLate(id)
		}
		created = !ok
		if c.notes.Chunks.Early += size; c.room() < 0 {
			return errChunksTooLarge()
		}
		return c.add(tx, id, handle, size, sum)
	})
	return created, old, err
}

func errChunksTooLarge() error {
	return plain(fault.ErrTooLarge, "more has come than the file may have: the chunk was not taken")
}

// sameChunk refuses a chunk that was joined already and comes again as another.
func sameChunk(row store.Upload, sum []byte) error {
	var st chunkState
	if err := json.Unmarshal(row.State, &st); err != nil {
		return err
	}
	if !bytes.Equal(st.Sum, sum) {
		return plain(fault.ErrConflict, "chunk %.40s was joined already, with other bytes: delete the upload, and begin it again", st.Name)
	}
	return nil
}
