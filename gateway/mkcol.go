package gateway

import "net/http"

// handleMkcol makes a folder.
func (h *Handler) handleMkcol(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := noBody(r); err != nil {
		return err
	}
	if err := q.tree.Mkdir(r.Context(), q.path, q.guard); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}
