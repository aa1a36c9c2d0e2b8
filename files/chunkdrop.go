package files

import (
	"context"
	"errors"

	"portico/fault"
	"portico/store"
)

// DropChunk removes a chunk that waits. One that was joined already cannot be
// taken out again: fault.ErrConflict.
func (t *Tree) DropChunk(ctx context.Context, folder string, id ChunkID) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	row, n, err := t.openChunks(ctx, t.s.State, folder)
	if err != nil {
		return err
	}
	c := &chunking{t: t, row: row, notes: n}
	var gone store.Upload
	err = c.update(ctx, func(tx store.Tx) (err error) {
		if err := c.renew(ctx, tx); err != nil {
			return err
		}
		var ok bool
		gone, ok, err = tx.UploadByID(ctx, chunkRow(c.row.ID, id.Number))
		switch {
		case err != nil:
			return err
		case !ok:
			return errNoUpload()
		case gone.Handle == "":
			return plain(fault.ErrConflict, "chunk %.40s was joined already: delete the upload, and begin it again", id.Text)
		}
		c.notes.Chunks.Early -= gone.Size
		c.notes.Chunks.Count--
		return errors.Join(tx.DropUpload(gone.ID), t.putUpload(tx, &c.row, c.notes))
	})
	if err != nil {
		return err
	}
	return t.s.abort(context.WithoutCancel(ctx), t.r, gone)
}
