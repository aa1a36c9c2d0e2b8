package gateway

import (
	"net/http"
	"strings"
)

// handleDelete removes a file, or a folder with all below it.
func (h *Handler) handleDelete(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := q.wholeTree(r); err != nil {
		return err
	}
	if err := q.tree.Delete(r.Context(), q.path, q.guard); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// wholeTree refuses a Depth other than infinity for a folder: DELETE and MOVE
// always act on all of it (RFC 4918 §9.6.1, §9.9.2), and a client that says
// otherwise expects something else to happen. For a file Depth means nothing.
func (q *request) wholeTree(r *http.Request) error {
	d, err := parseDepth(r.Header.Values("Depth"), depthInfinity)
	if err != nil || d.levels == depthInfinity {
		return err
	}
	n, err := q.tree.Stat(r.Context(), q.path)
	if err == nil && n.Dir {
		err = refuse(http.StatusBadRequest, "%s acts on a folder as a whole: leave Depth out, or send infinity.", strings.ToUpper(r.Method))
	}
	return err
}
