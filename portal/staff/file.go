package staff

import (
	"net/http"

	"portico/files"
	"portico/portal/content"
	"portico/portal/web"
)

// filePage is one file.
type filePage struct {
	Path    string
	In      string // its folder, as forms name it
	Row     row
	Crumbs  []crumb
	Can     can
	Show    string // how it can be shown, "" if it cannot
	Raw     string
	Text    string // of a text
	Cut     bool   // there is more of it
	Details *details
	As      string
	Shares  bool

	NoAccess string // the sentence, where it may not be read
	AskAt    string // where access is asked for, "" where nobody can be asked
}

func (p *pages) showFile(w http.ResponseWriter, r *http.Request, t *files.Tree, n files.Node) {
	l := p.lister(r)
	var err error
	if l.extra, err = p.extras(r, n.Path); err != nil {
		p.fail(w, r, n.Path, err)
		return
	}
	page := filePage{
		Path: n.Path.String(), In: n.Path.Parent().String(), Row: l.row(n), Crumbs: crumbs("/files", n.Path.Parent(), p.titles(r), ""),
		Can: canOf(t.Rights(n.Path)), Show: content.Showable(n), Raw: web.Href("/raw", n.Path), Shares: p.Sharing != nil,
	}
	if page.NoAccess, page.AskAt, err = p.refusal(r, t, n.Path, "read"); err != nil {
		p.fail(w, r, n.Path, err)
		return
	}
	if page.NoAccess != "" {
		page.Can.Read = false // they may read here what they made themself, and this they did not
	}
	if page.Show == "text" {
		page.Text, page.Cut = content.Text(r.Context(), t, n.Path)
	}
	d, err := p.detailsOf(r, t, n.Path)
	if err != nil {
		p.fail(w, r, n.Path, err)
		return
	}
	if page.NoAccess != "" {
		d.AskAt = "" // the page says it, larger
	}
	page.Details = &d
	p.kit.Render(w, r, http.StatusOK, web.Page{
		Name: "staff/file", Title: n.Path.Name(), Wide: true, Here: "/files/" + n.Path.Top(), Brand: p.brand(n.Path.Top()), Data: page,
	})
}
