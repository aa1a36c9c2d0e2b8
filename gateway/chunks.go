package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"portico/files"
	"portico/vpath"
)

// Uploads in chunks, as Nextcloud and ownCloud have them (Nextcloud's developer
// manual, "Chunked file upload", versions 1 and 2; rclone's backend/webdav/chunking.go):
//
//	MKCOL    uploads/LOGIN/ID          with Destination in version 2
//	PUT      uploads/LOGIN/ID/CHUNK    as often as it takes
//	PROPFIND uploads/LOGIN/ID          what has come, to go on after a break
//	MOVE     uploads/LOGIN/ID/.file    to Destination: the file is there
//	DELETE   uploads/LOGIN/ID          or nothing of it
const (
	wholeName = ".file"

	chunkMethods = "OPTIONS, MKCOL, PUT, PROPFIND, MOVE, DELETE"
	maxFolder    = 128 // bytes of a client's name for an upload
)

// Chunker is the part of a Tree that takes uploads in chunks.
type Chunker interface {
	BeginChunks(ctx context.Context, folder string, wish files.ChunkWish) error
	PutChunk(ctx context.Context, folder string, id files.ChunkID, body io.Reader, sum *files.UploadSum) (created bool, err error)
	Chunks(ctx context.Context, folder string) (files.ChunkFolder, error)
	ChunkFolders(ctx context.Context) ([]files.ChunkFolder, error)
	JoinChunks(ctx context.Context, folder string, dst vpath.Path, o files.JoinOptions) (n files.Node, created bool, err error)
	DropChunks(ctx context.Context, folder string) error
	DropChunk(ctx context.Context, folder string, id files.ChunkID) error
}

var (
	_ Chunker = (*files.Tree)(nil)
	_ Chunker = (*files.Window)(nil)
)

// chunkAddress is an address below uploads/LOGIN.
type chunkAddress struct {
	inside string // as it was sent

	path          vpath.Path
	folder, chunk string // "" for what is above
	tree          Chunker
}

// serveChunks routes by method and by how deep the address lies.
func (h *Handler) serveChunks(w http.ResponseWriter, r *http.Request, q *request) (err error) {
	a := q.chunks
	if a.path, q.slash, err = vpath.ParseEscaped(a.inside); err != nil {
		return err
	}
	a.folder, a.chunk = a.path.Top(), a.path.Tail().Top()
	tree, ok := q.tree.(Chunker)
	if !ok || a.path.Depth() > 2 || len(a.folder) > maxFolder {
		return refuse(http.StatusNotFound, "There is nothing at this address.")
	}
	a.tree = tree
	if q.guard, err = q.parseGuard(r); err != nil {
		return err
	}
	switch depth := a.path.Depth(); {
	case r.Method == "PROPFIND":
		return h.listChunks(w, r, q)
	case r.Method == "MKCOL" && depth == 1:
		return h.beginChunks(w, r, q)
	case r.Method == http.MethodPut && depth == 2:
		return h.putChunk(w, r, q)
	case r.Method == "MOVE" && a.chunk == wholeName:
		return h.joinChunks(w, r, q)
	case r.Method == http.MethodDelete && depth > 0:
		return h.dropChunks(w, r, q)
	}
	w.Header().Set("Allow", chunkMethods)
	return refuse(http.StatusMethodNotAllowed, "An upload in chunks is made with MKCOL, PUT and MOVE of %s. Its chunks cannot be read.", wholeName)
}

// beginChunks is MKCOL.
func (h *Handler) beginChunks(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := noBody(r); err != nil {
		return err
	}
	wish := files.ChunkWish{MaxSize: h.MaxUpload}
	var err error
	if wish.Size, err = totalLength(r); err != nil {
		return err
	}
	if r.Header.Get("Destination") != "" {
		if wish.Path, err = q.destination(r); err != nil {
			return err
		}
		if wish.Path.IsRoot() {
			return refuse(http.StatusConflict, "The destination of an upload is a file.")
		}
	}
	if err := q.chunks.tree.BeginChunks(r.Context(), q.chunks.folder, wish); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// putChunk is PUT.
func (h *Handler) putChunk(w http.ResponseWriter, r *http.Request, q *request) error {
	if r.Header.Get("Content-Range") != "" {
		return refuse(http.StatusBadRequest, "A part of a chunk cannot be stored: send all of it.")
	}
	id, err := parseChunk(q.chunks.chunk)
	if err != nil {
		return err
	}
	size, err := h.announced(r)
	if err != nil {
		return err
	}
	sum, err := parseChecksum(r.Header.Get("OC-Checksum"))
	if err != nil {
		return err
	}
	body := &upload{body: r.Body, size: size, limit: h.MaxUpload}
	created, err := q.chunks.tree.PutChunk(r.Context(), q.chunks.folder, id, body, sum)
	if err != nil {
		return err
	}
	w.WriteHeader(createdStatus(created))
	return nil
}

// joinChunks is MOVE of .file.
func (h *Handler) joinChunks(w http.ResponseWriter, r *http.Request, q *request) error {
	dst, err := q.destination(r)
	if err != nil {
		return err
	}
	overwrite, err := parseOverwrite(r.Header.Get("Overwrite"))
	if err != nil {
		return err
	}
	o := files.JoinOptions{Guard: q.guard}
	if !overwrite {
		o.Guard.NoneMatch = []string{"*"}
	}
	if o.Size, err = totalLength(r); err != nil {
		return err
	}
	if o.Sum, err = parseChecksum(r.Header.Get("OC-Checksum")); err != nil {
		return err
	}
	o.ModTime, _ = parseMtime(r.Header.Get("X-OC-Mtime"))
	n, created, err := q.chunks.tree.JoinChunks(r.Context(), q.chunks.folder, dst, o)
	if err != nil {
		return err
	}
	tellStored(w, n, created, o.ModTime)
	return nil
}

// dropChunks is DELETE, of an upload or of a chunk that waits.
func (h *Handler) dropChunks(w http.ResponseWriter, r *http.Request, q *request) error {
	var err error
	if q.chunks.chunk == "" {
		err = q.chunks.tree.DropChunks(r.Context(), q.chunks.folder)
	} else {
		var id files.ChunkID
		if id, err = parseChunk(q.chunks.chunk); err == nil {
			err = q.chunks.tree.DropChunk(r.Context(), q.chunks.folder, id)
		}
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listChunks is PROPFIND.
func (h *Handler) listChunks(w http.ResponseWriter, r *http.Request, q *request) error {
	lives := liveProps()
	d, query, err := parsePropfind(r, lives)
	if err != nil {
		return err
	}
	self, below, err := q.chunks.find(r.Context())
	if err != nil {
		return err
	}
	p := &page{ctx: r.Context(), answer: h.startXML(w, q), query: query, lives: lives, quota: files.Quota{Available: -1, Used: -1}}
	switch {
	case d.levels == 0:
		below = nil
	case d.membersOnly:
		return p.write(below)
	}
	return p.write(append([]files.Node{self}, below...))
}

// find describes what lies at the address: the list of uploads, one of them with
// its chunks, or one chunk.
func (a *chunkAddress) find(ctx context.Context) (self files.Node, below []files.Node, err error) {
	self = files.Node{Path: a.path, Dir: true}
	if a.path.IsRoot() {
		list, err := a.tree.ChunkFolders(ctx)
		for _, f := range list {
			if at, err := a.path.Child(f.Name); err == nil {
				below = append(below, files.Node{Path: at, Dir: true, ModTime: f.Begun})
			}
		}
		return self, below, err
	}
	f, err := a.tree.Chunks(ctx, a.folder)
	if err != nil {
		return self, nil, err
	}
	self.ModTime = f.Begun
	for _, c := range f.Chunks {
		at, err := a.path.Child(c.Name)
		if a.chunk == c.Name {
			return files.Node{Path: a.path, Size: c.Size, ModTime: c.Taken}, nil, nil
		}
		if err == nil {
			below = append(below, files.Node{Path: at, Size: c.Size, ModTime: c.Taken})
		}
	}
	if a.chunk != "" {
		return self, nil, refuse(http.StatusNotFound, "There is nothing at this address.")
	}
	return self, below, nil
}

// parseChunk reads the name of a chunk: its number, as Nextcloud's clients count, or
// where it begins, alone (ownCloud's clients) or with where it ends (rclone).
func parseChunk(name string) (id files.ChunkID, err error) {
	const digits = 18 // fit an int64
	first, last, ranged := strings.Cut(name, "-")
	if !isDigits(first) || len(first) > digits || ranged && (!isDigits(last) || len(last) > digits) {
		return id, refuse(http.StatusBadRequest, "A chunk is called by its number, or by the bytes that it holds, as in 1 or 0-9999.")
	}
	id = files.ChunkID{Text: name, IsOffset: ranged}
	if id.Number, err = strconv.ParseInt(first, 10, 64); err != nil {
		return id, badNumber("the name of a chunk")
	}
	return id, nil
}

func badNumber(of string) error { return refuse(http.StatusBadRequest, "%s is not a number.", of) }

// totalLength is the length of the whole, -1 if the client does not tell it.
func totalLength(r *http.Request) (int64, error) {
	s := strings.TrimSpace(r.Header.Get("OC-Total-Length"))
	if s == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if !isDigits(s) || err != nil {
		return 0, badNumber("OC-Total-Length")
	}
	return n, nil
}

// parseChecksum is parseChecksums of what package files holds to its sum by itself. The
// first that we know counts, none if we know none.
func parseChecksum(header string) (*files.UploadSum, error) {
	sums, err := parseChecksums(header)
	if err != nil || len(sums) == 0 {
		return nil, err
	}
	raw, err := hex.DecodeString(sums[0].want)
	return &files.UploadSum{Algorithm: strings.ToLower(sums[0].name), Sum: raw}, err
}

// noBody refuses a body. It would be a request for more, which nobody has defined
// (RFC 4918 §9.3.1: 415); a chunked body counts, too.
func noBody(r *http.Request) error {
	if n, err := r.Body.Read(make([]byte, 1)); n > 0 {
		return refuse(http.StatusUnsupportedMediaType, "MKCOL takes no body.")
	} else if err != nil && !errors.Is(err, io.EOF) {
		return badBody(err)
	}
	return nil
}
