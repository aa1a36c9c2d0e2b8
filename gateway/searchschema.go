package gateway

import (
	"errors"
	"io/fs"
	"net/http"

	"golang.org/x/net/webdav"
)

// describeSearch says what can be searched by (RFC 5323 §4). It is the same
// everywhere.
func (h *Handler) describeSearch(w http.ResponseWriter, r *http.Request, q *request, doc *element) error {
	basic, err := basicsearch(doc)
	if err != nil {
		return err
	}
	var s search
	if err := q.parseScope(r, basic, &s); err != nil {
		return err
	}
	n, err := q.tree.Stat(r.Context(), s.scope)
	if errors.Is(err, fs.ErrNotExist) {
		return errScope()
	}
	if err != nil {
		return err
	}
	a := h.startXML(w, q)
	a.b = append(append(a.b, `<D:multistatus xmlns:D="DAV:" xmlns:xs="http://www.w3.org/2001/XMLSchema"><D:response><D:href>`...), q.href(s.scope, n.Dir)...)
	a.b = appendStatus(append(a.b, "</D:href>"...), http.StatusOK)
	a.b = append(a.b, "<D:query-schema><D:basicsearchschema><D:properties>"...)
	for _, f := range fields() {
		a.b = append(append(append(a.b, "<D:propdesc><D:prop><D:"...), f.name...), "/></D:prop><D:datatype><xs:"...)
		a.b = append(append(a.b, f.kind...), "/></D:datatype><D:searchable/><D:selectable/><D:sortable/></D:propdesc>"...)
	}
	a.b = append(a.b, "<D:propdesc><D:any-other-property/><D:selectable/></D:propdesc></D:properties><D:operators>"...)
	a.b = append(a.b, "<D:opdesc><D:like/><D:operand-property/><D:operand-literal/></D:opdesc>"...)
	a.b = append(a.b, `<D:opdesc allow-pcdata="yes"><D:contains/></D:opdesc>`...)
	a.b = append(append(a.b, "</D:operators></D:basicsearchschema></D:query-schema></D:response>"...), closeMultistatus...)
	return a.end(webdav.StatusMulti)
}
