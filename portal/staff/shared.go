package staff

import (
	"net/http"

	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// sharedPage is what was shared with somebody.
type sharedPage struct {
	Offers []shareLine
	Shares []shareLine
}

// shareLine is one share.
type shareLine struct {
	sharing.ShareView
	Kind, Href, Mode, Initials string
	Color                      int
}

func (p *pages) shared(w http.ResponseWriter, r *http.Request) {
	list, err := p.Sharing.ForMe(r.Context(), p.kit.By(r))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	var page sharedPage
	for _, v := range list {
		line := shareLine{ShareView: v, Kind: "file", Mode: modeName(v.Mode), Initials: web.Initials(v.From.Name), Color: web.Color(v.From.Name)}
		if v.Dir {
			line.Kind = "folder"
		}
		if v.State == store.Offered {
			page.Offers = append(page.Offers, line)
			continue
		}
		if line.Href = web.Href("/files", v.Item); v.Dir {
			line.Href += "/"
		}
		page.Shares = append(page.Shares, line)
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/shared", Title: lang.ID("Shared with me"), Data: page})
}

// modeName is a mode for people to read: the id of a text.
func modeName(mode string) string {
	switch mode {
	case sharing.Edit:
		return lang.ID("May edit and deposit")
	case sharing.Deposit:
		return lang.ID("Deposit only")
	}
	return lang.ID("Read only")
}

// answer accepts or declines an offer.
func (p *pages) answer(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	accept := r.PostForm.Get("answer") == "accept"
	if err := p.Sharing.Answer(r.Context(), p.kit.By(r), r.PathValue("id"), accept); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	text := p.kit.Text(r)
	said := text.T("Declined. Whoever offered it is told.")
	if accept {
		said = text.T("Accepted. It is in the list now.")
	}
	p.kit.Say(w, web.Said{Message: said})
	http.Redirect(w, r, "/shared", http.StatusSeeOther)
}

// labelPage is the form of one's labels on a thing.
type labelPage struct {
	In, Item string
	Labels   []sharing.LabelView
	Palette  []web.LabelColor
	Back     string
}

// label sets or drops one of one's own labels, or shows the form where none is
// named.
func (p *pages) label(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	if len(f.items) != 1 {
		p.kit.Absent(w, r)
		return
	}
	by, item := p.kit.By(r), f.items[0]
	var err error
	switch name, gone := r.PostForm.Get("name"), r.PostForm.Get("drop"); {
	case gone != "":
		err = p.Sharing.DropLabel(r.Context(), by, item, gone)
	case name != "":
		err = p.Sharing.SetLabel(r.Context(), by, item, name, r.PostForm.Get("color"))
	}
	var labels map[vpath.Path][]sharing.LabelView
	if err == nil {
		labels, err = p.Sharing.Labels(r.Context(), by, f.in)
	}
	if err != nil {
		p.back(w, r, f.in, err)
		return
	}
	page := labelPage{In: f.in.String(), Item: f.names[0], Labels: labels[item], Palette: web.LabelColors(), Back: web.Href("/files", f.in) + "/"}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/label", Title: lang.ID("Labels"), Here: "/files/" + f.in.Top(), Data: page})
}
