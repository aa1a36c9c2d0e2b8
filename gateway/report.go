package gateway

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/webdav"

	"portico/fault"
	"portico/files"
)

// handleReport answers what has changed in a folder since a client last asked
// (sync-collection, RFC 6578). Other reports (RFC 3253 §3.6) are not there.
func (h *Handler) handleReport(w http.ResponseWriter, r *http.Request, q *request) error {
	doc, err := readXML(r)
	if err != nil {
		return err
	}
	switch {
	case doc == nil:
		return refuse(http.StatusBadRequest, "A REPORT needs a body that says which.")
	case !doc.is("sync-collection"):
		return errNoReport()
	}
	lives := liveProps()
	query := query{}
	if prop := doc.child("prop"); prop != nil {
		if err := query.want(prop.children(), lives); err != nil {
			return err
		}
	}
	ask, err := parseSync(doc, r.Header.Values("Depth"))
	if err != nil {
		return err
	}
	if _, is := q.tree.(lobby); is && ask.Deep {
		return &refusal{http.StatusForbidden, "sync-traversal-supported", "What was shared with you is asked for at its own address."}
	}
	if err := q.checkIf(r); err != nil {
		return err
	}
	ask.At, ask.Door, ask.Want = q.path, q.doorName(), query.lookups()
	changes, err := h.Files.Changes(r.Context(), q.tree, ask)
	if errors.Is(err, fault.ErrNotDir) {
		return errNoReport()
	}
	if err != nil {
		return err
	}
	room, err := q.quota(r, query)
	if err != nil {
		return err
	}
	p := &page{ctx: r.Context(), answer: h.startXML(w, q), query: query, lives: lives, quota: room}
	return p.changes(changes)
}

// errNoReport is the precondition of RFC 3253 §3.6.
func errNoReport() error {
	return &refusal{http.StatusForbidden, "supported-report", "Folders have the report sync-collection, and there is no other."}
}

// doorName is the view that a path of this request belongs to. The token of a link is
// left out: it is a secret, and the link is known as who asks.
func (q *request) doorName() string {
	if q.link {
		return linkName
	}
	return q.prefix
}

// parseSync reads a sync-collection element (RFC 6578 §6.1).
func parseSync(doc *element, depths []string) (s files.Sync, err error) {
	if s.Deep, err = parseLevel(doc, depths); err != nil {
		return s, err
	}
	// Without the element it is a client that begins.
	if token := doc.child("sync-token"); token != nil {
		s.Token = strings.TrimSpace(token.text())
	}
	n, limited, err := parseLimit(doc)
	if limited && n == 0 {
		// It would never get on (RFC 6578 §3.6, §3.7).
		return s, errLimit()
	}
	s.Limit = n
	return s, err
}

// parseLevel reads how deep a sync goes. The Depth of the report is 0, as
// everything is in the level (RFC 6578 §3.3); clients of the drafts before have no
// level, and give it as the Depth (Appendix A).
func parseLevel(doc *element, depths []string) (deep bool, err error) {
	d, err := parseDepth(depths, 0)
	if err != nil {
		return false, err
	}
	level := doc.child("sync-level")
	if level == nil {
		if d.levels == 0 {
			return false, refuse(http.StatusBadRequest, "A sync-collection needs a sync-level.")
		}
		return d.levels == depthInfinity, nil
	}
	if d.levels != 0 {
		return false, refuse(http.StatusBadRequest, "The Depth of a sync-collection is 0: how deep it goes says its sync-level.")
	}
	switch strings.ToLower(strings.TrimSpace(level.text())) {
	case "1":
		return false, nil
	case "infinite", "infinity": // the second is what drafts had, and some clients kept
		return true, nil
	}
	return false, refuse(http.StatusBadRequest, "The sync-level is neither 1 nor infinite.")
}

// parseLimit reads a limit element (RFC 5323 §5.17), if there is one.
func parseLimit(doc *element) (n int, limited bool, err error) {
	limit := doc.child("limit")
	if limit == nil {
		return 0, false, nil
	}
	results := limit.child("nresults")
	if results == nil {
		return 0, true, refuse(http.StatusBadRequest, "The limit has no nresults.")
	}
	digits := strings.TrimSpace(results.text())
	if !isDigits(digits) {
		return 0, true, refuse(http.StatusBadRequest, "The nresults of the limit is not a number.")
	}
	if n, err = strconv.Atoi(digits); err != nil { // more than there can be
		n = math.MaxInt
	}
	return n, true, nil
}

// errLimit is the precondition of RFC 6578 §3.7.
func errLimit() error {
	return &refusal{http.StatusInsufficientStorage, "number-of-matches-within-limits", "A limit of 0 leaves no room for an answer."}
}

// changes answers a sync.
func (p *page) changes(c files.Changes) error {
	p.b = append(p.b, openMultistatus...)
	node := func(i int) *files.Node { return &c.List[i].Node }
	for i := range c.List {
		one := &c.List[i]
		if err := p.fill(i, len(c.List), node); err != nil {
			return err
		}
		if one.Gone { // RFC 6578 §3.5.2: a status, and no propstat
			p.bare(p.q.href(one.Path, one.Dir), http.StatusNotFound)
		} else {
			p.response(&one.Node)
		}
		if err := p.send(webdav.StatusMulti); err != nil {
			return err
		}
		one.Props = nil
	}
	if c.More {
		p.cut(p.q.href(p.q.path, true))
	}
	p.b = appendText(append(p.b, "<D:sync-token>"...), c.Token)
	p.b = append(append(p.b, "</D:sync-token>"...), closeMultistatus...)
	return p.end(webdav.StatusMulti)
}

// bare writes a response without properties.
func (a *answer) bare(href string, status int) {
	a.b = append(append(append(a.b, "<D:response><D:href>"...), href...), "</D:href>"...)
	a.b = append(appendStatus(a.b, status), "</D:response>"...)
}

// cut says that the answer is not all (RFC 6578 §3.6, RFC 5323 §2.3.1).
func (a *answer) cut(href string) {
	a.b = append(append(append(a.b, "<D:response><D:href>"...), href...), "</D:href>"...)
	a.b = appendStatus(a.b, http.StatusInsufficientStorage)
	a.b = append(a.b, "<D:error><D:number-of-matches-within-limits/></D:error></D:response>"...)
}
