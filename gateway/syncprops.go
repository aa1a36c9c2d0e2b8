package gateway

import (
	"errors"
	"net/http"

	"portico/files"
)

// syncToken makes the token of the folder that a PROPFIND is about, if it is asked
// for. It costs a listing and a row of the state, so that the members of the
// folder have none.
func (h *Handler) syncToken(r *http.Request, q *request, query query, self files.Node) (string, error) {
	if !self.Dir || !query.asks("sync-token") {
		return "", nil
	}
	token, err := h.Files.SyncToken(r.Context(), q.tree, files.Sync{At: q.path, Door: q.doorName()})
	if errors.Is(err, files.ErrEnough) {
		return "", nil // a folder too large for a sync has no token
	}
	return token, err
}

// appendSyncToken is RFC 6578 §4.
func appendSyncToken(b []byte, p *page, n *files.Node) ([]byte, bool) {
	return appendText(b, p.token), p.token != "" && n.Path == p.q.path
}

// appendReports is the supported-report-set of RFC 3253 §3.1.5.
func appendReports(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return append(b, "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"...), n.Dir
}

// appendGrammars is the supported-query-grammar-set of RFC 5323 §3.4.
func appendGrammars(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return append(b, "<D:supported-query-grammar><D:grammar><D:basicsearch/></D:grammar></D:supported-query-grammar>"...), n.Dir
}
