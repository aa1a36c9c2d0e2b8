// Package tus takes uploads that go on after a lost connection: the tus protocol
// 1.0 (https://tus.io/protocols/resumable-upload), with the extensions creation,
// creation-with-upload, creation-defer-length, expiration, termination and
// checksum. It speaks HTTP and nothing else: package files keeps, judges and
// publishes.
//
// Upload-Metadata has the words path (the folder), filename, lastModified
// (milliseconds since 1970, as a browser's File has it), exists (ask, keep or
// replace) and relativePath (of a file in a folder that was dropped: the folders
// above it are made). The answer to the last piece has Portico-Path, where the
// file is now, and for a deposit Portico-Receipt.
package tus

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/lang"
	"portico/vpath"
)

// The protocol's own words.
const (
	version    = "1.0.0"
	extensions = "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum"
	algorithms = "sha1,sha256"
	pieceType  = "application/offset+octet-stream"
)

// Tree is where uploads go, as one principal may use it: *files.Tree, or what
// holds it to more limits.
type Tree interface {
	Stat(ctx context.Context, p vpath.Path) (files.Node, error)
	Mkdir(ctx context.Context, p vpath.Path, g files.Guard) error
	BeginUpload(ctx context.Context, p vpath.Path, wish files.UploadWish) (files.UploadState, error)
	UploadAt(ctx context.Context, id string) (files.UploadState, error)
	AppendUpload(ctx context.Context, id string, offset int64, body io.Reader, sum *files.UploadSum) (files.UploadState, error)
	SizeUpload(ctx context.Context, id string, size int64) (files.UploadState, error)
	DropUpload(ctx context.Context, id string) error
}

// Options are what a handler stands on.
type Options struct {
	// Tree is whose request it is. Its error is answered like any other, by Fail
	// if that is set.
	Tree func(*http.Request) (Tree, error)
	Fail func(http.ResponseWriter, *http.Request, error)

	// Text is the language of who asks; nil is English.
	Text func(*http.Request) *lang.Text
	// Locked tells who has a locked file, and since when; nil is "Somebody has locked
	// it".
	Locked func(*http.Request, *files.LockedError) string

	Prefix  string // "/api/v1/uploads"
	MaxSize int64  // bytes of one file
	Log     *slog.Logger
}

// New makes the handler for Prefix and all below it.
func New(o Options) http.Handler { return &handler{Options: o} }

type handler struct {
	Options
	sending sendings
}

// ServeHTTP implements http.Handler. Tus-Resumable is in every answer but that
// to OPTIONS.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if other := r.Header.Get("X-HTTP-Method-Override"); method == http.MethodPost && other != "" {
		method = other // for clients behind proxies that know GET and POST alone
	}
	if method == http.MethodOptions {
		h.options(w)
		return
	}
	w.Header().Set("Tus-Resumable", version)
	w.Header().Set("Cache-Control", "no-store")
	if err := h.serve(w, r, method); err != nil {
		h.fail(w, r, err)
	}
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, method string) error {
	id, ok := h.id(r.URL.Path)
	if !ok {
		return refuse(http.StatusNotFound, "There is nothing at this address.")
	}
	act, allow := h.action(method, id)
	if act == nil {
		w.Header().Set("Allow", allow)
		return refuse(http.StatusMethodNotAllowed, "This address does not know the method "+method+".")
	}
	if r.Header.Get("Tus-Resumable") != version {
		w.Header().Set("Tus-Version", version)
		return refuse(http.StatusPreconditionFailed, "This server speaks version "+version+" of the tus protocol.")
	}
	tree, err := h.Tree(r)
	if err != nil {
		return &outsideError{err}
	}
	return act(w, r, tree, id)
}

// id is what stands behind the prefix, "" for nothing.
func (h *handler) id(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, h.Prefix)
	id, _ := strings.CutPrefix(rest, "/")
	return id, ok && (rest == "" || rest[0] == '/') && !strings.Contains(id, "/")
}

// action answers one request.
type action func(w http.ResponseWriter, r *http.Request, t Tree, id string) error

func (h *handler) action(method, id string) (act action, allow string) {
	if id == "" {
		if method == http.MethodPost {
			return h.create, ""
		}
		return nil, "OPTIONS, POST"
	}
	switch method {
	case http.MethodHead:
		return h.head, ""
	case http.MethodPatch:
		return h.patch, ""
	case http.MethodDelete:
		return h.remove, ""
	}
	return nil, "OPTIONS, HEAD, PATCH, DELETE"
}

// options tells what the server can do.
func (h *handler) options(w http.ResponseWriter) {
	head := w.Header()
	head.Set("Tus-Version", version)
	head.Set("Tus-Extension", extensions)
	head.Set("Tus-Checksum-Algorithm", algorithms)
	if h.MaxSize > 0 {
		head.Set("Tus-Max-Size", strconv.FormatInt(h.MaxSize, 10))
	}
	w.WriteHeader(http.StatusNoContent)
}

// create begins an upload, with its first piece if there is one.
func (h *handler) create(w http.ResponseWriter, r *http.Request, t Tree, _ string) error {
	size, err := sizeOf(r.Header)
	if err != nil {
		return err
	}
	meta, err := parseMetadata(r.Header.Get("Upload-Metadata"))
	if err != nil {
		return err
	}
	wish := files.UploadWish{Size: size, ModTime: meta.modTime(), Exists: meta.exists(), MaxSize: h.MaxSize}
	if size < -1 || h.MaxSize > 0 && size > h.MaxSize {
		return fault.Tell(fault.ErrTooLarge, "A file may have %d bytes at most on this server.", h.MaxSize)
	}
	p, err := h.target(r.Context(), t, meta)
	if err != nil {
		return err
	}
	st, err := t.BeginUpload(r.Context(), p, wish)
	if err != nil {
		return err
	}
	w.Header().Set("Location", h.Prefix+"/"+st.ID)
	if st.Node == nil && r.Header.Get("Content-Type") == pieceType {
		if st, err = h.take(w, r, t, st.ID, 0); err != nil {
			return err
		}
	}
	h.tell(w, st)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// head tells how far an upload has come. A client that asks has lost its
// connection: what still hangs on that one is counted first.
func (h *handler) head(w http.ResponseWriter, r *http.Request, t Tree, id string) error {
	older := h.sending.of(id) // before the look: what it keeps meanwhile would be missed
	st, err := t.UploadAt(r.Context(), id)
	if older != nil && (err == nil || isBusy(err)) {
		older.end(r.Context())
		st, err = t.UploadAt(r.Context(), id)
	}
	if err != nil {
		return err
	}
	if st.Size < 0 {
		w.Header().Set("Upload-Defer-Length", "1")
	} else {
		w.Header().Set("Upload-Length", strconv.FormatInt(st.Size, 10))
	}
	h.tell(w, st)
	w.WriteHeader(http.StatusOK)
	return nil
}

// patch takes a piece.
func (h *handler) patch(w http.ResponseWriter, r *http.Request, t Tree, id string) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != pieceType {
		return refuse(http.StatusUnsupportedMediaType, "A piece of a file has the type "+pieceType+".")
	}
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		return refuse(http.StatusBadRequest, "Upload-Offset does not say where the piece belongs.")
	}
	if r.Header.Get("Upload-Length") != "" {
		if err := h.resize(r, t, id); err != nil {
			return err
		}
	}
	st, err := h.take(w, r, t, id, offset)
	if err != nil {
		return err
	}
	h.tell(w, st)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// resize heeds the size that an upload began without.
func (h *handler) resize(r *http.Request, t Tree, id string) error {
	size, err := sizeOf(r.Header)
	if err != nil {
		return err
	}
	_, err = t.SizeUpload(r.Context(), id, size)
	return err
}

// take appends the body. Where an older request of this upload hangs, it ends.
func (h *handler) take(w http.ResponseWriter, r *http.Request, t Tree, id string, offset int64) (files.UploadState, error) {
	sum, err := parseSum(r.Header.Get("Upload-Checksum"))
	if err != nil {
		return files.UploadState{}, err
	}
	mine, older := h.sending.enter(w, r, id)
	defer h.sending.leave(id, mine)
	st, err := t.AppendUpload(r.Context(), id, offset, mine, sum)
	if older != nil && isBusy(err) && older.end(r.Context()) {
		st, err = t.AppendUpload(r.Context(), id, offset, mine, sum)
	}
	return st, err
}

// remove ends an upload.
func (h *handler) remove(w http.ResponseWriter, r *http.Request, t Tree, id string) error {
	older := h.sending.of(id)
	err := t.DropUpload(r.Context(), id)
	if older != nil && isBusy(err) && older.end(r.Context()) {
		err = t.DropUpload(r.Context(), id)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tell sets the headers that say how far an upload is.
func (h *handler) tell(w http.ResponseWriter, st files.UploadState) {
	head := w.Header()
	head.Set("Upload-Offset", strconv.FormatInt(st.Offset, 10))
	if st.Node == nil {
		head.Set("Upload-Expires", st.Expires.UTC().Format(http.TimeFormat))
		return
	}
	head.Set("Portico-Path", escape(st.Node.Path))
	if st.Receipt != "" {
		head.Set("Portico-Receipt", st.Receipt)
	}
}

// interruptedWait is how long a request waits for an older one to end.
const interruptedWait = 5 * time.Second
