package files

import (
	"context"
	"io"

	"portico/audit"
	"portico/vpath"
)

// BeginChunks starts an upload in chunks: see Tree.BeginChunks.
func (w *Window) BeginChunks(ctx context.Context, folder string, wish ChunkWish) error {
	if wish.Path.IsRoot() {
		return w.sayUpload(w.t.BeginChunks(ctx, folder, wish), vpath.Path{}, nil)
	}
	asked := wish.Path
	full, m, err := w.target(asked)
	if err != nil {
		return w.missed(ctx, audit.Put, asked, err)
	}
	wish.Path = full
	return w.sayUpload(w.t.BeginChunks(ctx, folder, wish), asked, m)
}

// PutChunk takes one chunk: see Tree.PutChunk.
func (w *Window) PutChunk(ctx context.Context, folder string, id ChunkID, body io.Reader, sum *UploadSum) (created bool, err error) {
	created, err = w.t.PutChunk(ctx, folder, id, body, sum)
	if err == nil {
		return created, nil
	}
	at, m := w.chunksTo(ctx, folder)
	return false, w.sayUpload(err, at, m)
}

// chunksTo is where an upload in chunks goes, nothing where nobody has told.
func (w *Window) chunksTo(ctx context.Context, folder string) (vpath.Path, *mount) {
	_, n, err := w.t.openChunks(ctx, w.t.s.State, folder)
	if err != nil || n.Chunks.To == "" {
		return vpath.Path{}, nil
	}
	full, err := vpath.Parse(n.Chunks.To)
	for _, m := range w.mounts {
		if err == nil && m.full.Contains(full) {
			return w.show(full, m), m
		}
	}
	return vpath.Path{}, nil
}

// Chunks tells what has come of an upload.
func (w *Window) Chunks(ctx context.Context, folder string) (ChunkFolder, error) {
	f, err := w.t.Chunks(ctx, folder)
	return f, w.sayUpload(err, vpath.Path{}, nil)
}

// ChunkFolders are the principal's uploads.
func (w *Window) ChunkFolders(ctx context.Context) ([]ChunkFolder, error) {
	list, err := w.t.ChunkFolders(ctx)
	return list, w.sayUpload(err, vpath.Path{}, nil)
}

// JoinChunks makes a file of an upload: see Tree.JoinChunks.
func (w *Window) JoinChunks(ctx context.Context, folder string, dst vpath.Path, o JoinOptions) (n Node, created bool, err error) {
	full, m, err := w.target(dst)
	if err != nil {
		return Node{}, false, w.missed(ctx, audit.Put, dst, err)
	}
	o.Guard = w.guard(o.Guard)
	n, created, err = w.t.JoinChunks(ctx, folder, full, o)
	if err != nil {
		return Node{}, false, w.sayUpload(err, dst, m)
	}
	n = w.node(m, n)
	if w.t.isBlind(full.Parent()) {
		n.Path = dst // a free name would tell what is there
	}
	return n, created, nil
}

// DropChunks ends an upload.
func (w *Window) DropChunks(ctx context.Context, folder string) error {
	return w.sayUpload(w.t.DropChunks(ctx, folder), vpath.Path{}, nil)
}

// DropChunk removes a chunk that waits.
func (w *Window) DropChunk(ctx context.Context, folder string, id ChunkID) error {
	return w.sayUpload(w.t.DropChunk(ctx, folder, id), vpath.Path{}, nil)
}
