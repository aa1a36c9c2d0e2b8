package gateway

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/webdav"

	"portico/files"
)

// Limits of one PROPPATCH (THREATS.md §4.1).
const (
	maxPatchProps = 32
	maxPropBytes  = 8 << 10
)

// patch is one property of a PROPPATCH, and what becomes of it.
type patch struct {
	name   xml.Name
	change files.PropChange
	status int // http.StatusOK, or why not
}

// handleProppatch sets and removes dead properties, all of them or none. That a
// property cannot be set is said inside a 207, never as the status of the
// request: Windows takes a bare 403 for a failed copy and removes the file.
func (h *Handler) handleProppatch(w http.ResponseWriter, r *http.Request, q *request) error {
	doc, err := readXML(r)
	if err != nil {
		return err
	}
	patches, err := parsePatches(doc)
	if err != nil {
		return err
	}
	if err := q.checkTimes(r, patches); err != nil {
		return err
	}
	if settle(patches) {
		changes := make([]files.PropChange, len(patches))
		for i, p := range patches {
			changes[i] = p.change
		}
		err = q.tree.PatchProps(r.Context(), q.path, changes, q.guard)
	} else {
		// Nothing is changed, but who may not see the thing must not learn of it.
		_, err = q.tree.Stat(r.Context(), q.path)
	}
	if err != nil {
		return err
	}
	return h.writePatches(w, q, patches)
}

// parsePatches reads a propertyupdate in the order of the document (RFC 4918
// §9.2). An empty set or remove is no fault: Cyberduck sends one.
func parsePatches(doc *element) ([]patch, error) {
	if doc == nil || !doc.is("propertyupdate") {
		return nil, refuse(http.StatusBadRequest, "The body is not a propertyupdate.")
	}
	lives := liveProps()
	var list []patch
	for _, step := range doc.children() {
		// Elements of other namespaces are passed over (RFC 4918 §17).
		if !step.is("set") && !step.is("remove") {
			continue
		}
		for _, prop := range step.children() {
			if !prop.is("prop") {
				continue
			}
			for _, e := range prop.children() {
				list = append(list, newPatch(e, step.is("remove"), len(list), lives))
			}
		}
	}
	return list, nil
}

// newPatch judges the property that comes after n others.
func newPatch(e *element, remove bool, n int, lives []liveProp) patch {
	p := patch{name: e.name, status: http.StatusOK}
	p.change.Remove, p.change.Space, p.change.Local = remove, e.name.Space, e.name.Local
	// A remove may hold a value, which counts for nothing; x/net answers 400.
	// What comes after the last that can be kept is not looked at.
	if !remove && n < maxPatchProps {
		p.change.XML = fragment(e)
	}
	switch {
	case e.is("getlastmodified") && !remove, e.is("lastmodified") && !remove:
		p.setTime(e)
	// RFC 4918 §9.2.1: 403 for what no client may set, 507 for want of room.
	case findLive(lives, e.name) != nil:
		p.status = http.StatusForbidden
	case n >= maxPatchProps || len(p.change.XML) > maxPropBytes:
		p.status = webdav.StatusInsufficientStorage
	}
	return p
}

// setTime makes p a change of the file's own time: WinSCP sets getlastmodified, and
// rclone, where it is not told "accepted" to X-OC-Mtime, lastmodified with the seconds.
// RFC 4918 §9.2.1: 409 for a value that is none.
func (p *patch) setTime(e *element) {
	value := strings.TrimSpace(e.text())
	t := parseDate(value)
	if seconds, ok := parseMtime(value); ok {
		t = seconds
	}
	p.change = files.PropChange{ModTime: t}
	if t.IsZero() {
		p.status = http.StatusConflict
	}
}

// checkTimes refuses the time of a folder, which is the storage's own.
func (q *request) checkTimes(r *http.Request, patches []patch) error {
	timed := func(p patch) bool { return !p.change.ModTime.IsZero() }
	if !slices.ContainsFunc(patches, timed) {
		return nil
	}
	n, err := q.tree.Stat(r.Context(), q.path)
	if err != nil || !n.Dir {
		return err
	}
	for i := range patches {
		if timed(patches[i]) {
			patches[i].status = http.StatusForbidden
		}
	}
	return nil
}

// settle tells whether all can be done; if not, those that could are marked as
// failed for the others' sake (424).
func settle(patches []patch) bool {
	sound := true
	for _, p := range patches {
		sound = sound && p.status == http.StatusOK
	}
	for i := range patches {
		if !sound && patches[i].status == http.StatusOK {
			patches[i].status = webdav.StatusFailedDependency
		}
	}
	return sound
}

// writePatches answers with a propstat for each status.
func (h *Handler) writePatches(w http.ResponseWriter, q *request, patches []patch) error {
	a := h.startXML(w, q)
	a.b = append(append(a.b, openMultistatus+"<D:response><D:href>"...), q.href(q.path, q.slash)...)
	a.b = append(a.b, "</D:href>"...)
	written := false
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusConflict, webdav.StatusInsufficientStorage, webdav.StatusFailedDependency} {
		written = a.propstat(patches, status) || written
	}
	if !written { // RFC 4918 §14.24 wants one propstat at least
		a.b = append(appendStatus(append(a.b, openPropstat+"</D:prop>"...), http.StatusOK), "</D:propstat>"...)
	}
	a.b = append(a.b, "</D:response>"+closeMultistatus...)
	return a.end(webdav.StatusMulti)
}

// propstat names the properties with a status, if there are any.
func (a *answer) propstat(patches []patch, status int) bool {
	start := len(a.b)
	a.b = append(a.b, openPropstat...)
	empty := len(a.b)
	for _, p := range patches {
		if p.status == status {
			a.b = append(a.b, emptyTag(p.name)...)
		}
	}
	if len(a.b) == empty {
		a.b = a.b[:start]
		return false
	}
	a.b = appendStatus(append(a.b, "</D:prop>"...), status)
	if status == http.StatusForbidden {
		a.b = append(a.b, "<D:error><D:cannot-modify-protected-property/></D:error>"...)
	}
	a.b = append(a.b, "</D:propstat>"...)
	return true
}
