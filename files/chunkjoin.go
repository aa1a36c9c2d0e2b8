package files

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// drain joins up to n chunks that wait and whose turn it is. It is a favour to the
// requests that come: what goes wrong here goes wrong there, too, and is told then.
func (c *chunking) drain(ctx context.Context, n int) {
	for range n {
		row, ok, err := c.next(ctx)
		if err != nil || !ok {
			return
		}
		if err := c.join(context.WithoutCancel(ctx), row); err != nil {
			c.t.s.Log.DebugContext(ctx, "a chunk that waits was not joined", "err", err)
			return
		}
	}
}

// next finds the chunk whose turn it is, if it waits.
func (c *chunking) next(ctx context.Context) (row store.Upload, ok bool, err error) {
	for _, number := range []int64{c.notes.Chunks.Last + 1, c.row.Offset} {
		row, ok, err = c.waiting(ctx, c.t.s.State, ChunkID{Number: number})
		if err != nil {
			return row, false, err
		}
		if !ok {
			continue
		}
		id, err := chunkIDOf(row)
		if err != nil || c.isNext(id) {
			return row, err == nil, err
		}
	}
	return row, false, nil
}

// chunkIDOf reads the name of a chunk from its row. What is a number and what the
// place where the chunk begins its sender's name tells.
func chunkIDOf(row store.Upload) (id ChunkID, err error) {
	var st chunkState
	if err := json.Unmarshal(row.State, &st); err != nil {
		return id, err
	}
	id.Text = st.Name
	id.IsOffset = strings.Contains(st.Name, "-")
	id.Number, err = strconv.ParseInt(row.ID[strings.LastIndexByte(row.ID, '.')+1:], 10, 64)
	return id, err
}

// join appends a chunk that has waited.
func (c *chunking) join(ctx context.Context, row store.Upload) error {
	id, err := chunkIDOf(row)
	if err != nil {
		return err
	}
	body, err := c.stager.Fetch(ctx, row.Handle)
	if errors.Is(err, fs.ErrNotExist) {
		return c.lost(ctx, row, id)
	}
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // read to its end, or of no use
	p, err := newChunkBody(ctx, body, nil)
	if err != nil {
		return err
	}
	if err := c.putWaiting(ctx, id, row.Handle, p); err != nil {
		return err
	}
	return c.stager.Abort(ctx, row.Handle)
}

func (c *chunking) putWaiting(ctx context.Context, id ChunkID, handle string, p *chunkBody) error {
	s, err := c.notes.sums()
	if err != nil {
		return err
	}
	p.sum = s.writer(p.hashes()...)
	next, got, err := c.stager.Append(ctx, c.row.Handle, c.row.Offset, c.row.Size, p)
	if p.isCut() {
		err = p.end // it was the storage that broke, no client
	}
	if err != nil {
		return c.failed(err)
	}
	_, err = c.keep(ctx, id, handle, joined{next, got, p.own.Sum(nil), s})
	return err
}

// lost forgets a chunk whose bytes are gone: they waited for longer than the storage
// keeps what nobody goes on with.
func (c *chunking) lost(ctx context.Context, row store.Upload, id ChunkID) error {
	err := c.update(ctx, func(tx store.Tx) error {
		if err := c.renew(ctx, tx); err != nil {
			return err
		}
		c.notes.Chunks.Early -= row.Size
		c.notes.Chunks.Count--
		return errors.Join(tx.DropUpload(row.ID), c.t.putUpload(tx, &c.row, c.notes))
	})
	if err != nil {
		return err
	}
	return plain(fault.ErrConflict, "chunk %.40s was not joined in time, and is gone: send it again", id.Text)
}

// JoinOptions go with one JoinChunks.
type JoinOptions struct {
	Size    int64      // of the whole, as its sender counts it; -1 if it does not say
	ModTime time.Time  // the client's time of change, zero if it sent none
	Sum     *UploadSum // of the whole, nil if there is none
	Guard   Guard
}

// JoinChunks makes the file dst of an upload in chunks, in the order of their
// numbers. All that would refuse a Put is judged before a byte is joined, and again
// before the file is published. It goes on when the client has left: one that asks
// again is told fault.ErrLocked until it is done, and then the same answer.
// fault.ErrTruncated if the chunks are not as long as announced, ErrUploadSum.
func (t *Tree) JoinChunks(ctx context.Context, folder string, dst vpath.Path, o JoinOptions) (n Node, created bool, err error) {
	t.s.uploads.Add(1)
	defer t.s.uploads.Add(-1)
	n, created, err = t.joinChunks(ctx, folder, dst, o)
	return n, created, t.refused(ctx, putEvent(dst), err)
}

func (t *Tree) joinChunks(ctx context.Context, folder string, dst vpath.Path, o JoinOptions) (Node, bool, error) {
	if err := t.mayChange(); err != nil {
		return Node{}, false, err
	}
	row, n, err := t.chunksOf(ctx, t.s.State, folder)
	if err != nil {
		return Node{}, false, err
	}
	if n.Done {
		return t.joinedBefore(row, n, dst)
	}
	c := &chunking{t: t, row: row, notes: n}
	if c.stager, err = c.home().stager(); err != nil {
		return Node{}, false, err
	}
	release, err := c.turn(ctx)
	if err != nil {
		return Node{}, false, err
	}
	defer release()
	return c.end(context.WithoutCancel(ctx), dst, o)
}

// joinedBefore answers who asks once more for what was done: the first answer got
// lost.
func (t *Tree) joinedBefore(row store.Upload, n notes, dst vpath.Path) (Node, bool, error) {
	if n.Chunks.Asked != dst.String() {
		return Node{}, false, errNoUpload()
	}
	return *stateOf(row, n).Node, n.Chunks.New, nil
}

// end joins what waits, and publishes the whole.
func (c *chunking) end(ctx context.Context, dst vpath.Path, o JoinOptions) (Node, bool, error) {
	f := &finishing{t: c.t, row: c.row, notes: c.notes, chunks: &chunkEnd{c: c, dst: dst, o: o}}
	if c.notes.As != "" { // it was tried before, and so all is joined
		s, err := c.notes.sums()
		if err != nil {
			return Node{}, false, err
		}
		f.sum = s.whole() // not every storage keeps it
		done, err := f.recover(ctx)
		if done && err == nil && f.notes.Chunks.Asked != dst.String() {
			err = errNoUpload() // it has become another file
		}
		if done || err != nil {
			return nodeOf(f), f.notes.Chunks.New, err
		}
	}
	if _, err := c.t.mayArriveAs(ctx, dst, c.size(), o); err != nil {
		return Node{}, false, err
	}
	if err := c.counts(o); err != nil {
		return Node{}, false, err
	}
	if err := c.joinAll(ctx); err != nil {
		return Node{}, false, err
	}
	s, err := c.notes.sums()
	if err == nil {
		err = s.check(o.Sum)
	}
	if err != nil {
		return Node{}, false, err
	}
	f.row, f.notes, f.sum = c.row, c.notes, s.whole()
	f.row.Size, f.notes.ModTime = c.row.Offset, o.ModTime
	handle := f.row.Handle
	if err := f.insist(ctx); err != nil {
		return Node{}, false, err
	}
	_ = c.stager.Abort(ctx, handle) // of what was copied; else Reap does it
	return nodeOf(f), f.notes.Chunks.New, nil
}

func nodeOf(f *finishing) Node {
	if f.node == nil {
		return Node{}
	}
	return *f.node
}

// counts holds what has come to what was announced.
func (c *chunking) counts(o JoinOptions) error {
	for _, want := range []int64{c.row.Size, o.Size} {
		if want >= 0 && c.size() != want {
			return plain(fault.ErrTruncated, "the chunks have %d bytes together, and the file was to have %d: send what is missing", c.size(), want)
		}
	}
	return nil
}

// joinAll joins all that waits, in the order of the numbers.
func (c *chunking) joinAll(ctx context.Context) error {
	list, err := c.t.chunkList(ctx, c.t.s.State, c.row.ID)
	if err != nil {
		return err
	}
	for _, row := range slices.DeleteFunc(list, func(row store.Upload) bool { return row.Handle == "" }) {
		if err := c.join(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// mayArriveAs judges the file that an upload in chunks is to become.
func (t *Tree) mayArriveAs(ctx context.Context, dst vpath.Path, size int64, o JoinOptions) (upload, error) {
	u, err := t.mayPut(ctx, dst, PutOptions{Size: size, ModTime: o.ModTime, Guard: o.Guard})
	u.done()
	if err != nil {
		return u, err
	}
	return u, t.hasRoom(ctx, u.space, u.info.Size, size)
}

// chunkEnd is the end of an upload in chunks.
type chunkEnd struct {
	c   *chunking
	dst vpath.Path
	o   JoinOptions
}

// may judges the publication.
func (e *chunkEnd) may(ctx context.Context) (upload, error) {
	return e.c.t.mayPut(ctx, e.dst, PutOptions{Size: e.c.row.Offset, ModTime: e.o.ModTime, Guard: e.o.Guard})
}

// note keeps what a process has to know that goes on after this one has died. From
// then on no chunk is taken (see add); one that came while the others were joined
// has its answer, and must be in the file.
func (e *chunkEnd) note(ctx context.Context, f *finishing, u upload) error {
	err := e.c.update(ctx, func(tx store.Tx) error {
		if err := e.c.renew(ctx, tx); err != nil {
			return err
		}
		row, n := e.c.row, e.c.notes
		if n.Chunks.Early > 0 || row.Offset != f.row.Offset {
			return plain(fault.ErrConflict, "a chunk came meanwhile: ask again")
		}
		n.As, n.Name, n.Found, n.ModTime = u.path.String(), u.sent, u.found, e.o.ModTime
		n.Chunks.Asked, n.Chunks.New = e.dst.String(), !u.found
		row.Size = row.Offset
		f.row, f.notes = row, n
		return e.c.t.putUpload(tx, &f.row, n)
	})
	return err
}

// record goes with the record of the new file. An upload that was deleted meanwhile,
// and may have begun anew, is left alone.
func (e *chunkEnd) record(ctx context.Context, tx store.Tx, row store.Upload, n notes) error {
	now, err := notesAt(ctx, tx, row.ID)
	if err != nil || now.Chunks == nil || now.Chunks.Turn != n.Chunks.Turn {
		return err
	}
	n.Chunks.Sums = nil
	return errors.Join(e.c.t.putUpload(tx, &row, n), tx.DropUploadsOf(row.ID))
}

// notesAt are the notes of a row, empty if there is none.
func notesAt(ctx context.Context, from store.UploadReader, id string) (n notes, err error) {
	row, ok, err := from.UploadByID(ctx, id)
	if err != nil || !ok {
		return n, err
	}
	return notesOf(row)
}

// send publishes in the storage that has the bytes. Into another one they are
// copied through Portico.
func (e *chunkEnd) send(ctx context.Context, handle string, u upload, o backends.PutOptions) (backends.Info, error) {
	if stager, ok := u.space.Backend.(backends.Stager); ok && e.isBeside(u.place) {
		return stager.Finish(ctx, handle, u.inner, o)
	}
	body, err := e.c.stager.Fetch(ctx, handle)
	if err != nil {
		return backends.Info{}, err
	}
	defer body.Close() //nolint:errcheck // read to its end, or of no use
	return u.space.Backend.Put(ctx, u.inner, &atLength{Reader: body, left: o.Size}, o)
}

// isBeside tells that the storage that has the bytes is that of l.
func (e *chunkEnd) isBeside(l place) bool {
	n, ok := l.space.Backend.(backends.Neighbour)
	return ok && n.IsBeside(e.c.home().space.Backend)
}

// atLength is a body that ends in io.EOF only if it is whole.
type atLength struct {
	io.Reader
	left int64
}

// Read counts.
func (r *atLength) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left != 0 {
		err = fault.ErrTruncated
	}
	return n, err
}
