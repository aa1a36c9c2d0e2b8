package gateway

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"portico/files"
)

// writeIndex shows a folder to whoever opens its address in a browser, with
// what they may see of it. LibreOffice, Office and sardine ask a folder by GET
// or HEAD to find out whether it exists.
func (h *Handler) writeIndex(w http.ResponseWriter, r *http.Request, q *request) error {
	self, below, leave, err := h.find(r, q, true, files.Want{})
	if err != nil {
		return err
	}
	defer leave()
	if !self.Dir {
		return errNotFolder()
	}
	page := q.indexPage(self, below)
	setIndexHeaders(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	q.begun = true
	w.WriteHeader(http.StatusOK)
	_, err = w.Write([]byte(page))
	return err
}

// indexPage is the page. It links to addresses of the drive alone, which a
// browser answers with a download, and holds no script.
func (d *drive) indexPage(self files.Node, below []files.Node) string {
	var b strings.Builder
	name := html.EscapeString(self.Path.String())
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + name + "</title></head><body><h1>" + name + "</h1>\n<ul>\n")
	for _, n := range below {
		label := n.Path.Name()
		if n.Dir {
			label += "/"
		}
		b.WriteString(`<li><a href="` + d.href(n.Path, n.Dir) + `">` + html.EscapeString(label) + "</a></li>\n")
	}
	b.WriteString("</ul></body></html>\n")
	return b.String()
}

// setIndexHeaders forbid the page all that it does not need, for the day that a
// name slips through unescaped. It is not stored, since it shows who may see what.
func setIndexHeaders(head http.Header) {
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "private, no-store")
}
