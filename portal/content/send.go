package content

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// Send sends a file, or the range of it that was asked for. An error comes before
// the first byte, and is the caller's to answer.
func Send(w http.ResponseWriter, r *http.Request, d Door, at vpath.Path) error {
	rg, ranged := oneRange(r.Header.Get("Range"))
	if since := r.Header.Get("If-Range"); ranged && since != "" {
		n, err := d.Stat(r.Context(), at)
		if ranged = err == nil && since == `"`+n.ETag+`"`; !ranged {
			rg = files.Range{}
		}
	}
	body, n, err := d.Open(r.Context(), at, rg)
	if errors.Is(err, fault.ErrRange) {
		if n.Size > 0 {
			w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(n.Size, 10))
			http.Error(w, "The file has no such range.", http.StatusRequestedRangeNotSatisfiable)
			return nil
		}
		ranged = false // some players ask for a range of every file, an empty one too
		body, n, err = d.Open(r.Context(), at, files.Range{})
	}
	if err != nil {
		return fmt.Errorf("content: send: %w", err)
	}
	defer body.Close() //nolint:errcheck // all that was wanted of it has been read
	send(w, r, body, n, rg, ranged)
	return nil
}

// send sends what was opened.
func send(w http.ResponseWriter, r *http.Request, body io.Reader, n files.Node, rg files.Range, ranged bool) {
	setHeaders(w.Header(), n, r.URL.Query().Has("download"))
	if m := r.Header.Get("If-None-Match"); m != "" && m == `"`+n.ETag+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	status, size := http.StatusOK, n.Size
	if ranged {
		off, length, ok := rg.Resolve(n.Size)
		if !ok {
			http.Error(w, "The file has no such range.", http.StatusRequestedRangeNotSatisfiable)
			return
		}
		status, size = http.StatusPartialContent, length
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, off+length-1, n.Size))
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if sent, err := io.Copy(w, body); err != nil || sent < size {
		panic(http.ErrAbortHandler) // the client must not take it for all
	}
}

// oneRange reads a Range header of one range. Of several the whole is sent, as
// RFC 9110 §14.2 allows.
func oneRange(header string) (rg files.Range, ok bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	from, to, cut := strings.Cut(spec, "-")
	if !ok || !cut || strings.Contains(spec, ",") {
		return files.Range{}, false
	}
	if from == "" {
		n, err := strconv.ParseInt(to, 10, 64)
		return files.Range{Off: -n}, err == nil && n > 0
	}
	off, err := strconv.ParseInt(from, 10, 64)
	if err != nil || off < 0 {
		return files.Range{}, false
	}
	if to == "" {
		return files.Range{Off: off}, true
	}
	end, err := strconv.ParseInt(to, 10, 64)
	if err != nil || end < off {
		return files.Range{}, false
	}
	return files.Range{Off: off, Len: end - off + 1}, true
}
