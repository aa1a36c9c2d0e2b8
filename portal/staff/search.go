package staff

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/cases"

	"portico/files"
	"portico/portal/web"
	"portico/vpath"
)

// Limits of one search.
const (
	maxSeen    = 50_000 // things looked at
	maxFound   = 500
	searchTime = 5 * time.Second
)

// searchPage is what a search by name has found.
type searchPage struct {
	Text string
	Cut  bool // there may be more
}

// errFull ends a search that has found as many as it shows.
var errFull = errors.New("enough was found")

// search looks for a part of a name in a folder and all below that is seen.
func (p *pages) search(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	if text == "" {
		http.Redirect(w, r, web.Href("/files", here)+"/", http.StatusSeeOther) //nolint:gosec // a path of ours
		return
	}
	self, _, err := t.Find(r.Context(), here, false, files.Want{})
	var found []files.Node
	cut := false
	if err == nil {
		found, cut, err = find(r, t, here, text)
	}
	if err != nil {
		p.fail(w, r, here, err)
		return
	}
	l := p.lister(r)
	page, err := p.folderPage(r, l, t, self, found)
	for i := range page.Rows {
		if at, ok := here.Under(page.Rows[i].node.Path.Parent()); ok {
			page.Rows[i].Where = strings.TrimPrefix(at.String(), "/")
		}
	}
	page.Search = &searchPage{Text: text, Cut: cut}
	page.RowsAt = ""
	if err == nil {
		err = p.addDetails(r, t, here, &page)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.render(w, r, page)
}

// find walks until it has seen or found enough, or time is over.
func find(r *http.Request, t *files.Tree, here vpath.Path, text string) (found []files.Node, cut bool, err error) {
	fold := cases.Fold()
	want := fold.String(text)
	c := &files.Walk{In: t, Left: maxSeen, Time: searchTime}
	err = c.Each(r.Context(), []vpath.Path{here}, func(n files.Node) error {
		if n.Path != here && strings.Contains(fold.String(n.Path.Name()), want) {
			found = append(found, n)
		}
		if len(found) == maxFound {
			return errFull
		}
		return nil
	})
	if errors.Is(err, files.ErrEnough) || errors.Is(err, errFull) {
		return found, true, nil
	}
	return found, false, err
}
