package files

import (
	"context"
	"errors"
	"io"

	"portico/audit"
	"portico/vpath"
)

// BeginUpload starts an upload to p: see Tree.BeginUpload.
func (w *Window) BeginUpload(ctx context.Context, p vpath.Path, wish UploadWish) (UploadState, error) {
	full, m, err := w.target(p)
	if err != nil {
		return UploadState{}, w.missed(ctx, audit.Put, p, err)
	}
	st, err := w.t.BeginUpload(ctx, full, wish)
	return w.upload(st, m, p.Name()), w.sayUpload(err, p, m)
}

// UploadAt tells how far an upload has come: see Tree.UploadAt.
func (w *Window) UploadAt(ctx context.Context, id string) (UploadState, error) {
	return w.uploading(ctx, id, func() (UploadState, error) { return w.t.UploadAt(ctx, id) })
}

// AppendUpload takes a piece: see Tree.AppendUpload.
func (w *Window) AppendUpload(ctx context.Context, id string, offset int64, body io.Reader, sum *UploadSum) (UploadState, error) {
	return w.uploading(ctx, id, func() (UploadState, error) { return w.t.AppendUpload(ctx, id, offset, body, sum) })
}

// SizeUpload tells the size of an upload that began without one.
func (w *Window) SizeUpload(ctx context.Context, id string, size int64) (UploadState, error) {
	return w.uploading(ctx, id, func() (UploadState, error) { return w.t.SizeUpload(ctx, id, size) })
}

// DropUpload ends an upload, also one to what is no longer shared.
func (w *Window) DropUpload(ctx context.Context, id string) error {
	return w.sayUpload(w.t.DropUpload(ctx, id), vpath.Path{}, nil)
}

// uploading does something with an upload, which lies in one of the mounts.
func (w *Window) uploading(ctx context.Context, id string, do func() (UploadState, error)) (UploadState, error) {
	row, n, err := w.t.uploadOf(ctx, id)
	if err != nil {
		return UploadState{}, w.sayUpload(err, vpath.Path{}, nil)
	}
	for _, m := range w.mounts {
		if m.full.Contains(row.Path) {
			st, err := do()
			return w.upload(st, m, n.Name), w.sayUpload(err, w.sentTo(row.Path, m, n.Name), m)
		}
	}
	return UploadState{}, errNoUpload() // it is not shared any more
}

// upload is a state with paths of the window; sent is the name that was asked for.
func (w *Window) upload(st UploadState, m *mount, sent string) UploadState {
	if st.ID == "" {
		return st
	}
	st.Path = w.sentTo(st.Path, m, sent)
	if st.Node != nil {
		n := w.node(m, *st.Node)
		n.Path = w.sentTo(st.Node.Path, m, sent)
		st.Node = &n
	}
	return st
}

// sentTo is where an upload goes, as the window shows it. Where its sender sees
// nothing, neither a free name nor a folder that has one tells what is there.
func (w *Window) sentTo(full vpath.Path, m *mount, sent string) vpath.Path {
	if w.t.isBlind(full.Parent()) {
		if at, err := m.at.Child(sent); err == nil {
			return at
		}
	}
	return w.show(full, m)
}

// sayUpload is say, but for what names no path and speaks of the upload alone.
func (w *Window) sayUpload(err error, p vpath.Path, m *mount) error {
	if _, ok := errors.AsType[*plainError](err); ok || isCut(err) {
		return err
	}
	return w.say(err, p, m)
}
