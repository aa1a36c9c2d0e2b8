package client

import (
	"errors"
	"io/fs"
	"net/http"

	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
)

// labelPage is the form of a customer's own labels on a thing.
type labelPage struct {
	Crumbs  []crumb
	Name    string
	Action  string
	Back    string
	Labels  []sharing.LabelView
	Palette []web.LabelColor
}

// labels shows those on a thing, and the form of a new one.
func (p *pages) labels(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok {
		return
	}
	labels, err := p.labelsOn(r, s)
	if err == nil {
		_, err = s.win.Stat(r.Context(), s.path)
	}
	if err != nil {
		p.noLabel(w, r, err)
		return
	}
	about := s.about()
	page := labelPage{
		Crumbs: about.Crumbs, Name: about.Name, Labels: labels, Palette: web.LabelColors(), Action: labelOf(s), Back: s.above(),
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{
		Name: "client/label", Title: lang.ID("Labels"), Brand: p.brand(s.grant.Path.Top()), Here: "/portal/", Data: page,
	})
}

// label sets or drops one of a customer's own. Nobody else sees it, whoever shares
// the thing with them.
func (p *pages) label(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok || !p.kit.ReadForm(w, r) {
		return
	}
	var err error
	if gone := r.PostForm.Get("drop"); gone != "" {
		err = p.Sharing.DropLabel(r.Context(), p.kit.By(r), s.path, gone)
	} else {
		err = p.Sharing.SetLabel(r.Context(), p.kit.By(r), s.path, r.PostForm.Get("name"), r.PostForm.Get("color"))
	}
	if err != nil {
		p.noLabel(w, r, err)
		return
	}
	http.Redirect(w, r, labelOf(s), http.StatusSeeOther) //nolint:gosec // a path of ours
}

func (p *pages) noLabel(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		p.notShared(w, r)
		return
	}
	p.kit.Fail(w, r, err)
}

// labelsOn are those on one thing.
func (p *pages) labelsOn(r *http.Request, s spot) ([]sharing.LabelView, error) {
	// They come with its folder's; above all that is shared is the root.
	all, err := p.Sharing.Labels(r.Context(), p.kit.By(r), s.path.Parent())
	return all[s.path], err
}

// labelOf is where the labels of something are.
func labelOf(s spot) string {
	if s.under.IsRoot() {
		return "/portal/label/" + s.id
	}
	return s.href("label", s.under)
}

// above is the list that a thing stands in.
func (s spot) above() string {
	if s.under.IsRoot() {
		return "/portal/"
	}
	return spot{id: s.id, under: s.under.Parent()}.page(true)
}
