package gateway

import (
	"net/http"

	"portico/files"
)

// maxOwner bounds the owner that a client gives with a lock (THREATS.md M13).
const maxOwner = 1 << 10

// handleLock takes a lock, or with an empty body refreshes one.
func (h *Handler) handleLock(w http.ResponseWriter, r *http.Request, q *request) error {
	d, err := parseDepth(r.Header.Values("Depth"), depthInfinity)
	if err != nil {
		return err
	}
	if d.levels == 1 {
		return refuse(http.StatusBadRequest, "LOCK takes Depth: 0 or infinity.") // RFC 4918 §9.10.3
	}
	doc, err := readXML(r)
	if err != nil {
		return err
	}
	o := files.LockOptions{
		Infinite: d.levels == depthInfinity,
		Timeout:  parseTimeout(r.Header.Get("Timeout")),
		Guard:    q.guard,
	}
	// RFC 4918 §9.10.2: without a body it is no new lock but the renewal of one.
	if doc == nil {
		return h.refresh(w, r, q, o)
	}
	if err := parseLockInfo(doc, &o); err != nil {
		return err
	}
	l, created, err := q.tree.Lock(r.Context(), q.path, o)
	if err != nil {
		return err
	}
	// RFC 4918 §9.10.1: in a header, and in the body as well.
	w.Header().Set("Lock-Token", "<"+l.Token+">")
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return h.writeLock(w, q, l, status)
}

// refresh gives a lock a new term. Its token comes in the If header (RFC 4918
// §9.10.2) and stays the same; the answer has no Lock-Token header.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request, q *request, o files.LockOptions) error {
	if len(q.guard.If) == 0 && len(q.guard.Tokens) == 0 {
		return refuse(http.StatusBadRequest, "A LOCK without a body refreshes a lock: it needs the lock's token in an If header.")
	}
	l, err := q.tree.Refresh(r.Context(), q.path, o)
	if err != nil {
		return err
	}
	return h.writeLock(w, q, l, http.StatusOK)
}

// parseLockInfo reads a lockinfo element (RFC 4918 §14.11).
func parseLockInfo(doc *element, o *files.LockOptions) error {
	scope, kind := doc.child("lockscope"), doc.child("locktype")
	if !doc.is("lockinfo") || scope == nil || kind == nil || kind.child("write") == nil {
		return refuse(http.StatusBadRequest, "The body is not a lockinfo for a write lock.")
	}
	o.Shared = scope.child("shared") != nil
	if o.Shared == (scope.child("exclusive") != nil) {
		return refuse(http.StatusBadRequest, "A lock is either exclusive or shared.")
	}
	if owner := doc.child("owner"); owner != nil {
		// x/net gives it back as it came, without the namespaces that it uses,
		// and so breaks the answers that show it.
		o.OwnerXML = fragment(owner)
	}
	if len(o.OwnerXML) > maxOwner {
		return refuse(http.StatusRequestEntityTooLarge, "The owner of a lock may have 1 KiB at most.")
	}
	return nil
}

// writeLock answers with the lock as it has been granted: its real term, which
// is often shorter than the one asked for, is what the client's refreshing goes by.
func (h *Handler) writeLock(w http.ResponseWriter, q *request, l files.Lock, status int) error {
	a := h.startXML(w, q)
	a.b = append(a.b, `<D:prop xmlns:D="DAV:"><D:lockdiscovery>`...)
	a.b = q.appendActiveLock(a.b, &l, q.slash || l.Root != q.path)
	a.b = append(a.b, "</D:lockdiscovery></D:prop>\n"...)
	return a.end(status)
}
