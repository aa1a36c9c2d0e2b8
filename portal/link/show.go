package link

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"portico/fault"
	"portico/files"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

// crumb is a folder above the one that is shown.
type crumb struct{ Name, Href string }

// row is a thing in a folder.
type row struct {
	files.Node
	Kind string
	Href string
	Raw  string // the download, "" for none
}

// Name is its leaf name.
func (r row) Name() string { return r.Path.Name() }

// page is what a link's page shows.
type page struct {
	sharing.LinkTerms
	Name   string // of what is shown
	Crumbs []crumb
	Rows   []row
	Zip    string
	Drop   *drop
	Sent   []sharing.DepositView
	Inbox  bool
	File   *file
}

// drop is where a visitor may deposit.
type drop struct {
	sharing.LinkTerms
	Action   string
	NameAt   string
	NeedName bool
	Accept   string // of a file field
	Kinds    string // the same, to read
	Uploads  string // address of resumable uploads, "" for none
	Path     string
}

// file is one that is shown.
type file struct {
	Show  string // how: image, pdf, text, audio, video; "" for not at all
	View  string // address of the preview
	Text  string
	Cut   bool
	Raw   string
	Kind  string
	Size  int64
	Large bool  // too large to be shown, and nothing else
	Most  int64 // that is shown
	Keeps bool  // the player need not offer to save it
}

// top shows what a link opens: the one thing itself, or the list of several.
func (p *pages) top(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here := vpath.Path{}
	if mounts := v.Room().Mounts(); len(mounts) == 1 {
		here, _ = v.Room().Share(mounts[0].Grant.ID)
	}
	p.showAt(w, r, v, here)
}

// show shows a folder or a file of the link.
func (p *pages) show(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here, err := path(r)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.showAt(w, r, v, here)
}

func (p *pages) showAt(w http.ResponseWriter, r *http.Request, v *sharing.Visit, here vpath.Path) {
	self, below, err := v.Room().Find(r.Context(), here, true, files.Want{})
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if takes(v, here) || v.Terms().Downloads >= 0 {
		// So that they are told from others, and go on where they were cut off.
		if !v.Known() && !p.begin(w, r, v, "") {
			return
		}
	}
	show := page{LinkTerms: v.Terms(), Name: p.nameOf(r, self), Crumbs: p.crumbs(r, v, here)}
	if self.Dir {
		err = p.fill(r, v, &show, here, below)
	} else {
		show.File = p.file(r, v, self)
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.render(w, r, v, http.StatusOK, web.Page{Name: "link/page", Title: show.Name, Data: show})
}

// nameOf is a thing's name; the list of several has none.
func (p *pages) nameOf(r *http.Request, n files.Node) string {
	if n.Path.IsRoot() {
		return p.kit.Text(r).T("Documents")
	}
	return n.Path.Name()
}

// fill adds what lies in a folder, and what a visitor may do there.
func (p *pages) fill(r *http.Request, v *sharing.Visit, show *page, here vpath.Path, below []files.Node) error {
	sorted(below, p.kit.Text(r).Tag())
	reads := holds(v.Room().Rights(here), "read") || here.IsRoot() && show.Mode != sharing.LinkInbox
	for _, n := range below {
		one := row{Node: n, Kind: content.Kind(n), Href: web.Href(at(r, "/f"), n.Path)}
		if !n.Dir && !show.ViewOnly {
			one.Raw = web.Href(at(r, "/d"), n.Path)
		}
		show.Rows = append(show.Rows, one)
	}
	if reads && !show.ViewOnly && len(below) > 0 {
		show.Zip = at(r, "/zip")
		if !here.IsRoot() {
			show.Zip = at(r, "/zip?in=") + url.QueryEscape(here.String())
		}
	}
	if takes(v, here) {
		show.Drop = &drop{
			LinkTerms: show.LinkTerms, Action: strings.TrimSuffix(web.Href(at(r, "/put"), here), "/"), NameAt: at(r, "/name"),
			NeedName: show.AskName && show.LinkTerms.Name == "", Accept: strings.Join(show.Types, ","), Kinds: strings.Join(show.Types, ", "), Path: here.String(), Uploads: at(r, "/uploads"),
		}
	}
	show.Inbox = show.Mode == sharing.LinkInbox
	var err error
	show.Sent, err = v.Deposits(r.Context())
	return err
}

// takes tells whether a visitor may put something into a folder.
func takes(v *sharing.Visit, here vpath.Path) bool {
	return v.Terms().Mode != sharing.LinkRead && !here.IsRoot() && holds(v.Room().Rights(here), "create")
}

func holds(rights []string, word string) bool { return slices.Contains(rights, word) }

// sorted puts folders first, and names as people of the language look for them.
func sorted(list []files.Node, tag string) {
	c := collate.New(language.Make(tag), collate.Numeric)
	slices.SortFunc(list, func(a, b files.Node) int {
		if a.Dir != b.Dir {
			if a.Dir {
				return -1
			}
			return 1
		}
		return c.CompareString(a.Path.Name(), b.Path.Name())
	})
}

// crumbs are the folders above here, from what the link opens on.
func (p *pages) crumbs(r *http.Request, v *sharing.Visit, here vpath.Path) (list []crumb) {
	if here.IsRoot() {
		return nil
	}
	single := len(v.Room().Mounts()) == 1
	for up := here.Parent(); !up.IsRoot(); up = up.Parent() {
		href := web.Href(at(r, "/f"), up)
		if single && up.Depth() == 1 {
			href = at(r, "")
		}
		list = append(list, crumb{up.Name(), href})
	}
	if !single {
		list = append(list, crumb{p.kit.Text(r).T("Documents"), at(r, "")})
	}
	slices.Reverse(list)
	return list
}

// file is how a file is shown.
func (p *pages) file(r *http.Request, v *sharing.Visit, n files.Node) *file {
	terms := v.Terms()
	f := &file{Kind: content.Kind(n), Size: n.Size, Most: sharing.MaxPreview, Keeps: terms.ViewOnly || terms.Downloads >= 0}
	if !terms.ViewOnly {
		f.Raw = web.Href(at(r, "/d"), n.Path)
	}
	ok, large := v.Room().Shows(n)
	if f.Large = large; !ok {
		return f
	}
	f.View = web.Href(at(r, "/v"), n.Path)
	if f.Show = content.Showable(n); f.Show == "" || f.Show == "text" {
		f.Show = "text"
		f.Text, f.Cut = content.Text(r.Context(), v.Room().Previews(), n.Path)
	}
	return f
}

// preview gives the bytes that a page shows, or the piece that a player asks for.
func (p *pages) preview(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here, err := path(r)
	if err == nil {
		err = content.Send(shown{w, here.Name()}, r, v.Room().Previews(), here)
	}
	if err != nil {
		p.fail(w, r, v, err)
	}
}

// shown is an answer that a page shows. What it is is said by its name, from a short
// list, and it runs nothing; no cache keeps it.
type shown struct {
	http.ResponseWriter
	name string
}

// WriteHeader is of http.ResponseWriter.
func (s shown) WriteHeader(status int) {
	if status < 300 {
		h, kind := s.Header(), sharing.PreviewType(s.name)
		h.Set("Content-Type", kind)
		h.Set("Content-Disposition", files.Disposition(s.name, true))
		h.Set("Content-Security-Policy", content.Policy(kind))
		h.Set("Cache-Control", "private, no-store")
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s shown) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// download sends a file, or a range of it.
func (p *pages) download(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here, err := path(r)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	var door content.Door = v.Room()
	if r.Method == http.MethodHead { // which is no download
		if door, err = v.Room().Looking(); err != nil {
			p.fail(w, r, v, err)
			return
		}
	}
	err = content.Send(saved{w}, r, door, here)
	if err != nil {
		p.fail(w, r, v, err)
	}
}

// saved is an answer that is always saved as a file, and kept by no cache: what
// comes by a link may be from anybody.
type saved struct{ http.ResponseWriter }

// WriteHeader is of http.ResponseWriter.
func (s saved) WriteHeader(status int) {
	if status < 300 {
		h := s.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
		h.Set("Content-Disposition", strings.Replace(h.Get("Content-Disposition"), "inline", "attachment", 1))
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s saved) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// zip sends all of a folder, or all that the link opens. It is one download.
func (p *pages) zip(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here, err := vpath.Parse("/" + strings.TrimPrefix(r.URL.Query().Get("in"), "/"))
	if err == nil {
		_, err = v.Room().Stat(r.Context(), here)
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	done, ok := p.zips.Begin(v.Principal().Subject() + " " + p.kit.Address(r))
	if !ok {
		p.fail(w, r, v, fault.Tell(fault.ErrBusy, "Two downloads of several files are under way already. Wait until one has ended."))
		return
	}
	defer done()
	items, base, name := []vpath.Path{here}, here.Parent(), here.Name()
	if here.IsRoot() {
		items, name = nil, "documents"
		for _, m := range v.Room().Mounts() {
			at, _ := v.Room().Share(m.Grant.ID)
			items = append(items, at)
		}
	}
	archive, err := v.Room().Archive(r.Context(), here.String())
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	whole := false
	defer func() { //nolint:contextcheck // it ends after the request
		if err := archive.End(r.Context(), whole); err != nil {
			p.kit.Log.ErrorContext(r.Context(), "an archive of a link is not counted", "err", err)
		}
	}()
	if err := content.Zip(w, r, archive, name, base, items...); err != nil {
		p.fail(w, r, v, err)
		return
	}
	whole = r.Method != http.MethodHead // Zip cuts the connection where it cannot end one
}
