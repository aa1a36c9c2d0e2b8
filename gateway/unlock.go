package gateway

import "net/http"

// handleUnlock ends a lock. That the token belongs to the address and to the
// caller is package files' matter: x/net checks neither.
func (h *Handler) handleUnlock(w http.ResponseWriter, r *http.Request, q *request) error {
	token, ok := parseLockToken(r.Header.Get("Lock-Token"))
	if !ok {
		return refuse(http.StatusBadRequest, "UNLOCK needs the lock's token in a Lock-Token header, in angle brackets.")
	}
	if err := q.tree.Unlock(r.Context(), q.path, token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
