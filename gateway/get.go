package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"portico/fault"
	"portico/files"
)

// errChanged is a file that was replaced between two looks at it.
var errChanged = errors.New("the file changed while it was read")

// handleHead answers as GET would, from Stat alone. A Range means nothing to it
// (RFC 9110 §14.2).
func (h *Handler) handleHead(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := q.checkIf(r); err != nil {
		return err
	}
	n, err := q.tree.Stat(r.Context(), q.path)
	if err != nil {
		return err
	}
	if n.Dir {
		setIndexHeaders(w.Header())
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if done, err := q.conditions(w, n); done || err != nil {
		return err
	}
	setContentHeaders(w.Header(), n, n.Size)
	q.keepNothing(w)
	w.WriteHeader(http.StatusOK)
	return nil
}

// handleGet sends a file, parts of it, or the index of a folder.
func (h *Handler) handleGet(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := q.checkIf(r); err != nil {
		return err
	}
	if q.slash {
		return h.writeIndex(w, r, q)
	}
	for range 3 { // a file that is written to all the time
		err := h.sendFile(w, r, q)
		if errors.Is(err, fault.ErrIsDir) {
			return h.writeIndex(w, r, q)
		}
		if !errors.Is(err, errChanged) || q.begun {
			return err
		}
	}
	return fmt.Errorf("gateway: get: %w: %w", fault.ErrUnavailable, errChanged)
}

// sendFile looks at the file first where the answer depends on what it is;
// else, one Open does it all.
func (h *Handler) sendFile(w http.ResponseWriter, r *http.Request, q *request) error {
	ranges := parseRange(r.Header.Get("Range"))
	ifRange := r.Header.Get("If-Range")
	var seen files.Node
	if isHTTP(q.guard) || len(ranges) > 1 || len(ranges) == 1 && ifRange != "" {
		var err error
		if seen, err = q.tree.Stat(r.Context(), q.path); err != nil {
			return err
		}
		if seen.Dir {
			return fault.ErrIsDir
		}
		if done, err := q.conditions(w, seen); done || err != nil {
			return err
		}
		if !rangeStands(ifRange, seen) {
			ranges = nil
		}
	}
	// From here on, seen.ETag is the version that the answer has been decided for.
	switch len(ranges) {
	case 0:
		return q.send(w, r, seen.ETag, files.Range{})
	case 1:
		return q.sendRange(w, r, seen.ETag, ranges[0])
	}
	return q.sendRanges(w, r, seen, ranges)
}

// conditions answers the request if a condition of it decides it.
func (q *request) conditions(w http.ResponseWriter, n files.Node) (done bool, err error) {
	switch judgeRead(q.guard, n) {
	case http.StatusPreconditionFailed:
		return true, fault.ErrPrecondition
	case http.StatusNotModified:
		setValidators(w.Header(), n)
		setCaching(w.Header())
		w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	return false, nil
}

// open is files.Tree.Open of the version with the given ETag, "" for any.
func (q *request) open(r *http.Request, etag string, rg files.Range) (io.ReadCloser, files.Node, error) {
	body, n, err := q.tree.Open(r.Context(), q.path, rg)
	if err == nil && etag != "" && n.ETag != etag {
		_ = body.Close() // nothing was read of it
		return nil, n, errChanged
	}
	return body, n, err
}

// send sends the whole file. io.Copy finds sendfile, where the reader is a file.
func (q *request) send(w http.ResponseWriter, r *http.Request, etag string, all files.Range) error {
	body, n, err := q.open(r, etag, all)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // all that was wanted of it has been read
	setContentHeaders(w.Header(), n, n.Size)
	return q.copy(w, http.StatusOK, body, n.Size)
}

// sendRange sends one range. The size that Content-Range tells comes with the
// bytes themselves, from one and the same version.
func (q *request) sendRange(w http.ResponseWriter, r *http.Request, etag string, rg files.Range) error {
	body, n, err := q.open(r, etag, rg)
	if errors.Is(err, fault.ErrRange) {
		return q.outside(w, r, n)
	}
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // all that was wanted of it has been read
	// The same arithmetic as the store's, over the size that came with the bytes.
	off, size, ok := rg.Resolve(n.Size)
	if !ok { // the file has become shorter, and the store did not see it
		return errChanged
	}
	setContentHeaders(w.Header(), n, size)
	w.Header().Set("Content-Range", contentRange(off, size, n.Size))
	return q.copy(w, http.StatusPartialContent, body, size)
}

// outside answers a range beyond the end. An empty file is sent as a whole: some
// clients ask for a range of every file (LibreOffice for 0-0), and net/http does
// the same.
func (q *request) outside(w http.ResponseWriter, r *http.Request, n files.Node) error {
	if n.Size == 0 {
		return q.send(w, r, n.ETag, files.Range{})
	}
	w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(n.Size, 10))
	return fault.ErrRange
}

// copy sends size bytes of body. From here on an error cuts the connection.
func (q *request) copy(w http.ResponseWriter, status int, body io.Reader, size int64) error {
	q.begun = true
	q.keepNothing(w)
	w.WriteHeader(status)
	n, err := io.Copy(w, body)
	// A store that gives less than it said: the client must not take it for all.
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("gateway: get: %w", err)
	}
	return nil
}

// contentRange is the header's value for size bytes from off.
func contentRange(off, size, whole int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", off, off+size-1, whole)
}

// setContentHeaders are the headers of everything that users have put here. It
// may be a page with a script in it, so it is never shown in the server's own
// name: saved, not opened; never sniffed; without scripts if opened all the same.
func setContentHeaders(head http.Header, n files.Node, size int64) {
	setValidators(head, n)
	setCaching(head)
	kind := n.ContentType
	if kind == "" {
		kind = "application/octet-stream"
	}
	head.Set("Content-Type", kind)
	head.Set("Content-Length", strconv.FormatInt(size, 10))
	head.Set("Content-Disposition", files.Disposition(n.Path.Name(), false))
	head.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Accept-Ranges", "bytes")
	// The clients of ownCloud hold what they get to it. Those that a sender proved are
	// in oc:checksums alone: they would cost a question to the state store here.
	if n.SHA256 != "" {
		head.Set("OC-Checksum", "SHA256:"+n.SHA256)
	}
}

// setCaching lets a client keep what it has and makes it ask each time: the right
// to read may have ended. Word opens a file for reading only when it is given
// 304 without this (FubarDev/webdav-server issue 41).
func setCaching(head http.Header) { head.Set("Cache-Control", "private, no-cache") }
