package backends

import (
	"context"
	"io"

	"portico/vpath"
)

// Stager takes a file in pieces, over hours and in several processes, and
// publishes it as Put does: one of the optional abilities.
//
// What has come so far is told by a handle, a short text that the caller keeps
// durably and whoever opens the same storage understands. Each Append gives a new
// one; the old one stays good until the new one has been used. So a caller that
// loses the new one, or does not want what was appended, goes on from the old.
// The caller lets one call at a time work on an upload.
//
// An upload that is neither finished nor aborted is left to Storage.Reap, which
// takes it for dead when nothing was appended to it since the time it is given.
type Stager interface {
	// Begin starts an upload that is to become p. Of o it heeds Size, the
	// announced length or -1, Loose, and Meta but for its SHA256.
	//
	// With the root for p nobody knows yet what it is to become: it has no name,
	// is Loose, and Finish takes all of its Meta.
	Begin(ctx context.Context, p vpath.Path, o PutOptions) (handle string, err error)

	// Append puts body behind the first off bytes, and tells how many came before
	// it ended. They are durable then, and count also where body ends with an error
	// (which is returned as it is, wrapped): a cut connection loses nothing. Any
	// other error takes nothing, and the handle is the old one.
	// fault.ErrConflict if the handle has not taken off bytes, fs.ErrNotExist if
	// the store knows nothing of the upload any more, fault.ErrQuota.
	// size is the length of the whole, -1 if it is not known yet.
	Append(ctx context.Context, handle string, off, size int64, body io.Reader) (next string, n int64, err error)

	// Finish publishes the upload as p. Of o it heeds If and Commit, as Put does;
	// Size, the length of the whole: fault.ErrTruncated if other than what came;
	// and SHA256, of the whole as the caller worked it out. The rest of Meta is
	// Begin's. A failure leaves the upload, which can be finished later.
	//
	// p may be another path than Begin's. A store that has bound the bytes to
	// that name already says fault.ErrConflict, and nothing is lost; never for an
	// upload that began Loose.
	// Other errors as for Put and Append.
	Finish(ctx context.Context, handle string, p vpath.Path, o PutOptions) (Info, error)

	// Finished tells whether p is what a Finish of this handle has made, whose
	// answer was lost.
	Finished(ctx context.Context, handle string, p vpath.Path, o PutOptions) (Info, bool, error)

	// Fetch reads what an upload without a name holds. Nothing can be appended to
	// it any more; it can still be finished. The caller closes the reader.
	// fs.ErrNotExist as for Append.
	Fetch(ctx context.Context, handle string) (io.ReadCloser, error)

	// Abort ends the upload and frees its room. One that is gone is no failure.
	Abort(ctx context.Context, handle string) error
}

// Neighbour knows the trees of its own storage: an upload that was begun in one of
// them can be finished in another.
type Neighbour interface {
	IsBeside(other Backend) bool
}
