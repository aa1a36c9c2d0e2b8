package client

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// homePage is what a customer begins with.
type homePage struct {
	Firms   []firm
	Several bool      // firms: each has its name above what it shared
	Drop    *dropArea // where there is one place to send documents to
	Sent    bool      // there is a folder to send documents to, or was
}

// firm is what one of them shared.
type firm struct {
	Brand  web.Brand
	Offers []share
	Shares []share
	name   string // of the workspace, for the order
}

// share is one that a customer sees.
type share struct {
	sharing.ShareView
	Href  string
	Kind  string // of its icon
	Does  string // what may be done with it, in a few words
	Drops bool   // documents can be sent there
	Blind bool   // and nothing is seen
	Ends  bool   // within a week

	Labels  []sharing.LabelView
	LabelAt string // the form of them
}

// soon is when the end of a share is worth a colour.
const soon = 7 * 24 * time.Hour

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	views, err := p.Sharing.ForMe(r.Context(), p.kit.By(r))
	var labels map[vpath.Path][]sharing.LabelView
	if err == nil {
		labels, err = p.Sharing.Labels(r.Context(), p.kit.By(r), vpath.Path{})
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page := homePage{Firms: p.firms(r, views, labels)}
	page.Several = len(page.Firms) > 1
	var drops []share
	for _, f := range page.Firms {
		for _, s := range f.Shares {
			if s.Drops {
				drops = append(drops, s)
			}
		}
	}
	page.Sent = len(drops) > 0
	if len(drops) == 1 {
		d := p.dropInto(drops[0].Href+"/", drops[0].Item)
		d.Into = drops[0].Name
		page.Drop = &d
	}
	var brand web.Brand
	if len(page.Firms) == 1 {
		brand = page.Firms[0].Brand
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "client/home", Title: lang.ID("Documents"), Brand: brand, Data: page})
}

// firms groups what was shared by whose it is.
func (p *pages) firms(r *http.Request, views []sharing.ShareView, labels map[vpath.Path][]sharing.LabelView) []firm {
	var all []firm
	for _, v := range views {
		i := slices.IndexFunc(all, func(f firm) bool { return f.name == v.Workspace })
		if i < 0 {
			i = len(all)
			all = append(all, firm{name: v.Workspace, Brand: p.brand(v.Workspace)})
		}
		s := p.share(r, v)
		s.Labels = labels[v.Item]
		if v.State == store.Offered {
			all[i].Offers = append(all[i].Offers, s)
		} else {
			all[i].Shares = append(all[i].Shares, s)
		}
	}
	slices.SortStableFunc(all, func(a, b firm) int { return strings.Compare(a.Brand.Name, b.Brand.Name) })
	return all
}

func (p *pages) share(r *http.Request, v sharing.ShareView) share {
	s := share{ShareView: v, Href: "/portal/s/" + v.ID, Kind: "file", LabelAt: "/portal/label/" + v.ID}
	can := canOf(v.Rights)
	if v.Dir {
		s.Kind = "folder"
		s.Drops = can.Create
	}
	s.Blind = v.Mode == sharing.Deposit
	if s.Blind {
		s.Kind = "inbox"
	}
	s.Does = p.text(r, does(v, can))
	s.Ends = !v.Until.IsZero() && v.Until.Sub(p.kit.Clock()) < soon
	return s
}

// does tells in a few words what a share is for.
func does(v sharing.ShareView, c can) string {
	edits := v.Mode == sharing.Edit
	if v.State != store.Offered { // what it is worth, which may be less than what it was called
		edits = c.Create || c.Write
	}
	switch {
	case v.Mode == sharing.Deposit:
		return lang.ID("You can send documents here")
	case edits && v.Dir:
		return lang.ID("You can read and send documents")
	case edits:
		return lang.ID("You can read and change it")
	default:
		return lang.ID("You can read it")
	}
}

// can are what somebody may do: the buttons.
type can struct{ Create, Read, Write bool }

func canOf(words []string) can {
	has := func(w ...string) bool {
		return slices.ContainsFunc(w, func(s string) bool { return slices.Contains(words, s) })
	}
	return can{Create: has("create"), Read: has("read"), Write: has("write")}
}

// answer accepts or declines what was offered.
func (p *pages) answer(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	accept := r.PostForm.Get("answer") == "accept"
	if !accept && r.PostForm.Get("answer") != "decline" {
		p.kit.BadForm(w, r, errors.New("no answer"))
		return
	}
	err := p.Sharing.Answer(r.Context(), p.kit.By(r), r.PathValue("id"), accept)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.notShared(w, r)
	case err != nil:
		p.kit.Fail(w, r, err)
	case accept:
		p.done(w, r, "/portal/", p.text(r, "Accepted. You find it below."))
	default:
		p.done(w, r, "/portal/", p.text(r, "Declined. It is not shared with you."))
	}
}

// notShared is what was shared, or never was: the answer is the same.
func (p *pages) notShared(w http.ResponseWriter, r *http.Request) {
	p.kit.Trouble(w, r, http.StatusNotFound, lang.ID("This is not shared with you"),
		lang.ID("It may have ended, or was taken back or moved. Your start page has all that is shared with you now."))
}
