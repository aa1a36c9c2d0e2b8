package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// transferFunc is files.Tree.Copy or Move.
type transferFunc func(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error)

// handleCopy copies a file or a folder; with Depth: 0 a folder without its members.
func (h *Handler) handleCopy(w http.ResponseWriter, r *http.Request, q *request) error {
	d, err := parseDepth(r.Header.Values("Depth"), depthInfinity)
	if err != nil {
		return err
	}
	if d.levels == 1 {
		return refuse(http.StatusBadRequest, "COPY takes Depth: 0 or infinity.") // RFC 4918 §9.8.3
	}
	return h.transfer(w, r, q, q.tree.Copy, d.levels == 0)
}

// handleMove moves a file, or a folder with all below it.
func (h *Handler) handleMove(w http.ResponseWriter, r *http.Request, q *request) error {
	if err := q.wholeTree(r); err != nil {
		return err
	}
	return h.transfer(w, r, q, q.tree.Move, false)
}

// transfer is what COPY and MOVE share: both headers, and the answer.
func (h *Handler) transfer(w http.ResponseWriter, r *http.Request, q *request, do transferFunc, shallow bool) error {
	dst, err := q.destination(r)
	if err != nil {
		return err
	}
	// Both paths have been brought into their one form by now: whether they are
	// the same, or one lies in the other, is a question with one answer.
	overwrite, err := parseOverwrite(r.Header.Get("Overwrite"))
	if err != nil {
		return err
	}
	if dst == q.path {
		// RFC 4918 §9.8.5, §9.9.4. x/net compares the raw strings, so that
		// COPY /a to /a/ deletes /a.
		return refuse(http.StatusForbidden, "The source and the destination are the same.")
	}
	o := files.TransferOptions{Overwrite: overwrite, Shallow: shallow, Guard: q.guard}
	o.ModTime, _ = parseMtime(r.Header.Get("X-OC-Mtime"))
	landed, err := do(r.Context(), q.path, dst, o)
	if !overwrite && errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: %w", fault.ErrPrecondition, err) // RFC 4918 §9.8.5: 412
	}
	if err != nil {
		return err
	}
	if landed.Timed {
		tellTimed(w)
	}
	w.WriteHeader(createdStatus(landed.Created))
	return nil
}

// createdStatus is 201 for a new thing and 204 for one that was replaced.
func createdStatus(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusNoContent
}

// parseOverwrite reads the Overwrite header. Absent means yes (RFC 4918 §10.6):
// macOS never sends it, and its safe-save moves onto the old file.
func parseOverwrite(s string) (bool, error) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "", "T":
		return true, nil
	case "F":
		return false, nil
	}
	return false, refuse(http.StatusBadRequest, "The Overwrite header is neither T nor F.")
}
