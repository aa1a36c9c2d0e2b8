package gateway

import (
	"errors"
	"io"
	"net/http"
)

// handleMkcol makes a folder. A body would be a request for more than that,
// which nobody has defined (RFC 4918 §9.3.1: 415); a chunked body counts, too.
func (h *Handler) handleMkcol(w http.ResponseWriter, r *http.Request, q *request) error {
	if n, err := r.Body.Read(make([]byte, 1)); n > 0 {
		return refuse(http.StatusUnsupportedMediaType, "MKCOL takes no body.")
	} else if err != nil && !errors.Is(err, io.EOF) {
		return badBody(err)
	}
	if err := q.tree.Mkdir(r.Context(), q.path, q.guard); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}
