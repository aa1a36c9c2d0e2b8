package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
)

// handlePut stores a file. All that can be refused is refused before the first
// byte of the body is read, since reading it is what sends "100 Continue".
func (h *Handler) handlePut(w http.ResponseWriter, r *http.Request, q *request) error {
	switch ranged := r.Header.Get("Content-Range") != ""; {
	case ranged && h.Partial:
		return h.putPart(w, r, q)
	case ranged:
		// RFC 9110 §14.5: a server that does not know it must refuse. x/net
		// replaces the whole file by the part.
		return refuse(http.StatusBadRequest, "A part of a file cannot be stored: send all of it.")
	}
	size, err := h.announced(r)
	if err != nil {
		return err
	}
	o := files.PutOptions{Size: size, Guard: q.guard, Waits: r.Header.Get("Expect") != ""}
	sums, err := promised(r, size)
	if err != nil {
		return err
	}
	o.Sums = proved(sums)
	mtime, accepted := parseMtime(r.Header.Get("X-OC-Mtime"))
	// rclone and the ownCloud clients say the time of change in X-OC-Mtime, others
	// in Last-Modified, which a request should not have and some do.
	if o.ModTime = mtime; !accepted {
		o.ModTime = parseDate(r.Header.Get("Last-Modified"))
	}
	n, created, err := q.tree.Put(r.Context(), q.path, &upload{body: r.Body, size: size, limit: h.MaxUpload, sums: sums}, o)
	if err != nil {
		return err
	}
	tellStored(w, n, created, mtime)
	return nil
}

// tellStored answers with the version that is there now, and whether it has the time
// that X-OC-Mtime gave.
func tellStored(w http.ResponseWriter, n files.Node, created bool, mtime time.Time) {
	if !mtime.IsZero() && n.ModTime.Unix() == mtime.Unix() {
		tellTimed(w)
	}
	setValidators(w.Header(), n)
	w.WriteHeader(createdStatus(created))
}

// tellTimed tells that a file has the time that X-OC-Mtime gave. rclone and the clients
// of ownCloud and Nextcloud send it with PUT, COPY and MOVE of a file, and set it by a
// PROPPATCH where the answer does not have this. With MKCOL, or for a folder, it is
// never answered: see files.Landed.
func tellTimed(w http.ResponseWriter) { w.Header().Set("X-OC-Mtime", "accepted") }

// announced is the length that the request promises, -1 if it does not. macOS
// sends chunks, and the length beside them.
func (h *Handler) announced(r *http.Request) (int64, error) {
	// net/http holds a body to its Content-Length; a second promise would be one
	// to break.
	size := r.ContentLength
	if s := strings.TrimSpace(r.Header.Get("X-Expected-Entity-Length")); size < 0 && s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return 0, refuse(http.StatusBadRequest, "X-Expected-Entity-Length is not a number.")
		}
		size = n
	}
	if size > h.MaxUpload {
		return 0, errUpload(h.MaxUpload)
	}
	return size, nil
}

// errUpload names the limit, so that the user knows what to do.
func errUpload(limit int64) error {
	return fault.Tell(fault.ErrTooLarge, "A file may have %d bytes at most on this server.", limit)
}

// upload is the body of a PUT, which ends in io.EOF only if it is whole.
type upload struct {
	body  io.Reader
	size  int64 // announced, -1 if unknown
	limit int64
	read  int64
	sums  []checksum
}

// Read passes the body on and counts it. net/http checks a Content-Length by
// itself; what a client promises in other ways nobody else does.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	u.read += int64(n)
	for _, c := range u.sums {
		_, _ = c.Write(p[:n]) // a hash.Hash never fails
	}
	switch {
	// A body in chunks has no length to refuse it by beforehand.
	case u.read > u.limit:
		return 0, errUpload(u.limit)
	case u.size >= 0 && u.read > u.size:
		return 0, badBody(errors.New("longer than announced"))
	// A store that knows the length may not ask for what comes after the last byte.
	case u.read == u.size && (err == nil || errors.Is(err, io.EOF)):
		if bad := verify(u.sums); bad != nil {
			return 0, bad
		}
		return n, err
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, badBody(err)
	case u.size >= 0 && u.read < u.size:
		return n, badBody(errors.New("shorter than announced"))
	}
	if err := verify(u.sums); err != nil {
		return 0, err
	}
	return n, io.EOF
}

// setValidators tells the client what it needs to ask for this very version again.
func setValidators(head http.Header, n files.Node) {
	if n.ETag != "" {
		head.Set("ETag", `"`+n.ETag+`"`)
	}
	if !n.ModTime.IsZero() {
		head.Set("Last-Modified", n.ModTime.UTC().Format(http.TimeFormat))
	}
}
