package gateway

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

// Partial updates are SabreDAV's PATCH with X-Update-Range (sabre.io/dav/http-patch)
// and PUT with Content-Range (RFC 9110 §14.5). They are off where the config does not
// ask for them: a client that tries finds out by our refusal, and sends the whole.

const (
	partialType    = "application/x-sabredav-partialupdate"
	partialFeature = "sabredav-partialupdate" // in the DAV header
)

// Patcher is the part of a Tree that changes files in part.
type Patcher interface {
	Patch(ctx context.Context, p vpath.Path, body io.Reader, o files.PatchOptions) (files.Node, error)
}

var (
	_ Patcher = (*files.Tree)(nil)
	_ Patcher = (*files.Window)(nil)
	_ Patcher = (*sharing.Room)(nil)
)

// handlePatch changes a part of a file.
func (h *Handler) handlePatch(w http.ResponseWriter, r *http.Request, q *request) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != partialType {
		return refuse(http.StatusUnsupportedMediaType, "PATCH takes a part of a file as %s.", partialType)
	}
	if err := needLength(r); err != nil {
		return err
	}
	o, err := parseUpdateRange(r.Header.Get("X-Update-Range"), r.ContentLength)
	if err != nil {
		return err
	}
	return h.patch(w, r, q, o)
}

// putPart is PUT with Content-Range.
func (h *Handler) putPart(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := needLength(r); err != nil {
		return err
	}
	o, err := parseContentRange(r.Header.Values("Content-Range"), r.ContentLength)
	if err != nil {
		return err
	}
	return h.patch(w, r, q, o)
}

func needLength(r *http.Request) error {
	if r.ContentLength < 0 {
		return refuse(http.StatusLengthRequired, "A part of a file needs a Content-Length.")
	}
	return nil
}

func (h *Handler) patch(w http.ResponseWriter, r *http.Request, q *request, o files.PatchOptions) error {
	tree, ok := q.tree.(Patcher)
	if !ok {
		return refuse(http.StatusForbidden, "A part of a file cannot be stored here: send all of it.")
	}
	if strings.TrimSpace(r.Header.Get("OC-Checksum")) != "" {
		return refuse(http.StatusBadRequest, "OC-Checksum with a part of a file can mean the part or the whole, and nobody has said which: leave it out, or send all of the file.")
	}
	o.Size, o.MaxSize, o.Guard = r.ContentLength, h.MaxUpload, q.guard
	n, err := tree.Patch(r.Context(), q.path, &upload{body: r.Body, size: o.Size, limit: h.MaxUpload}, o)
	if err != nil {
		return err
	}
	setValidators(w.Header(), n)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// errUpdateRange is for what cannot be read.
func errUpdateRange() error {
	return refuse(http.StatusBadRequest, "X-Update-Range is none of append, bytes=FIRST-LAST, bytes=FIRST- and bytes=-COUNT.")
}

// parseUpdateRange reads X-Update-Range.
func parseUpdateRange(header string, length int64) (o files.PatchOptions, err error) {
	header = strings.ToLower(strings.ReplaceAll(header, " ", ""))
	if header == "append" {
		return files.PatchOptions{Append: true}, nil
	}
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	switch {
	case !ok || !dash || first == "" && last == "" || first != "" && !isDigits(first) || last != "" && !isDigits(last):
		return o, errUpdateRange()
	case first == "": // the last bytes, and perhaps more
		n, _ := parseBytes(last)
		if n == 0 {
			return files.PatchOptions{Append: true}, nil
		}
		return files.PatchOptions{Off: -n}, nil
	}
	off, _ := parseBytes(first)
	if last != "" {
		end, _ := parseBytes(last)
		err = fits(off, end, length)
	}
	return files.PatchOptions{Off: off}, err
}

// fits holds a range to the length of the body. SabreDAV has 416 for it.
func fits(first, last, length int64) error {
	if last < first || last-first != length-1 {
		return refuse(http.StatusRequestedRangeNotSatisfiable, "The range has another length than the body of the request, which has %d bytes.", length)
	}
	return nil
}

// parseContentRange reads "bytes FIRST-LAST/SIZE", of which SIZE may be *.
func parseContentRange(headers []string, length int64) (o files.PatchOptions, err error) {
	unread := refuse(http.StatusBadRequest, "Content-Range is not written as in bytes 0-99/1000 or bytes 0-99/*.")
	unit, spec, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	span, total, slash := strings.Cut(strings.TrimSpace(spec), "/")
	first, last, dash := strings.Cut(span, "-")
	if len(headers) > 1 || !strings.EqualFold(unit, "bytes") || !slash || !dash || !isDigits(first) || !isDigits(last) {
		return o, unread
	}
	off, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return o, unread
	}
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return o, unread
	}
	if total != "*" {
		size, err := strconv.ParseInt(total, 10, 64)
		if err != nil || !isDigits(total) || size <= end {
			return o, unread
		}
	}
	return files.PatchOptions{Off: off}, fits(off, end, length)
}
