package gateway

import (
	"cmp"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"

	"portico/files"
)

// span is a range within a file of known size.
type span struct{ off, size int64 }

// resolve brings ranges into a file of the given size. None is left of those
// that lie outside. ok is false for ranges that overlap: sending bytes twice is
// how a small request makes a large answer, so it gets the file once
// (RFC 9110 §14.2, §17.15).
func resolve(ranges []files.Range, size int64) (spans []span, ok bool) {
	for _, rg := range ranges {
		if off, n, inside := rg.Resolve(size); inside {
			spans = append(spans, span{off, n})
		}
	}
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Compare(a.off, b.off) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].off < sorted[i-1].off+sorted[i-1].size {
			return nil, false
		}
	}
	return spans, true
}

// sendRanges sends several ranges, in the order in which they were asked for.
func (q *request) sendRanges(w http.ResponseWriter, r *http.Request, seen files.Node, ranges []files.Range) error {
	spans, ok := resolve(ranges, seen.Size)
	switch {
	case !ok:
		return q.send(w, r, seen.ETag, files.Range{})
	case len(spans) == 0:
		return q.outside(w, r, seen)
	case len(spans) == 1:
		return q.sendRange(w, r, seen.ETag, files.Range{Off: spans[0].off, Len: spans[0].size})
	}
	// The first part is opened before the head goes out: up to here, a file that
	// has changed or gone gives a proper answer.
	first, n, err := q.open(r, seen.ETag, files.Range{Off: spans[0].off, Len: spans[0].size})
	if err != nil {
		return err
	}
	defer first.Close() //nolint:errcheck // all that was wanted of it has been read
	parts := multipart.NewWriter(w)
	size, err := measure(parts.Boundary(), n, spans)
	if err != nil {
		return err
	}
	setContentHeaders(w.Header(), n, size)
	w.Header().Set("Content-Type", "multipart/byteranges; boundary="+parts.Boundary())
	q.begun = true
	w.WriteHeader(http.StatusPartialContent)
	if err := copyPart(parts, n, spans[0], first); err != nil {
		return err
	}
	for _, s := range spans[1:] {
		if err := q.sendPart(r, parts, n, s); err != nil {
			return err
		}
	}
	return parts.Close()
}

// sendPart opens one more range of the same version. If the file has been
// replaced meanwhile the answer is cut: two versions are never mixed.
func (q *request) sendPart(r *http.Request, parts *multipart.Writer, n files.Node, s span) error {
	body, _, err := q.open(r, n.ETag, files.Range{Off: s.off, Len: s.size})
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // all that was wanted of it has been read
	return copyPart(parts, n, s, body)
}

// copyPart writes one part, of exactly the bytes that were measured.
func copyPart(parts *multipart.Writer, n files.Node, s span, body io.Reader) error {
	w, err := parts.CreatePart(partHeader(n, s))
	if err == nil {
		_, err = io.CopyN(w, body, s.size)
	}
	if err == nil {
		// A link's body counts its last piece as sent when the next is asked for.
		_, err = io.Copy(io.Discard, body)
	}
	if err != nil {
		return fmt.Errorf("gateway: get: %w", err)
	}
	return nil
}

// partHeader stands before each part (RFC 9110 §14.6).
func partHeader(n files.Node, s span) textproto.MIMEHeader {
	return textproto.MIMEHeader{
		"Content-Range": {contentRange(s.off, s.size, n.Size)},
		"Content-Type":  {cmp.Or(n.ContentType, "application/octet-stream")},
	}
}

// measure is the length of the whole multipart body.
func measure(boundary string, n files.Node, spans []span) (int64, error) {
	var size counter
	parts := multipart.NewWriter(&size)
	if err := parts.SetBoundary(boundary); err != nil {
		return 0, err
	}
	for _, s := range spans {
		if _, err := parts.CreatePart(partHeader(n, s)); err != nil {
			return 0, err
		}
		size += counter(s.size) // as if the part had been written
	}
	err := parts.Close()
	return int64(size), err
}

// counter counts the bytes written to it.
type counter int64

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
