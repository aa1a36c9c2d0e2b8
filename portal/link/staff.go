package link

import (
	"context"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

// Links is what the staff does with links, of package sharing.
type Links interface {
	MakeLink(ctx context.Context, by sharing.By, w sharing.LinkWish) (sharing.LinkView, string, error)
	ChangeLink(ctx context.Context, by sharing.By, id string, w sharing.LinkWish) (sharing.LinkView, error)
	RevokeLink(ctx context.Context, by sharing.By, id string) error
	RenewLink(ctx context.Context, by sharing.By, id string) (sharing.LinkView, string, error)
	LinksOf(ctx context.Context, by sharing.By) ([]sharing.LinkView, error)
	Link(ctx context.Context, by sharing.By, id string) (sharing.LinkView, error)
}

// staffRoutes are the pages on which the staff makes and keeps links.
func (p *pages) staffRoutes() []web.Route {
	var all []web.Route
	add := func(pattern string, h http.HandlerFunc) {
		all = append(all, web.Route{Pattern: pattern, Needs: web.StaffOnly, Handler: h})
	}
	add("GET /links", p.list)
	add("POST /links", p.make)
	add("GET /links/new", p.newForm)
	add("POST /links/new", p.newForm) // from a selection, which may be long
	add("GET /link/{id}", p.one)
	add("POST /link/{id}", p.change)
	add("POST /link/{id}/revoke", p.revoke)
	add("POST /link/{id}/renew", p.renew)
	return all
}

// list shows the links that somebody made.
func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	all, err := p.Links.LinksOf(r.Context(), p.kit.By(r))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "link/list", Title: lang.ID("Links"), Here: "/links", Data: all})
}

// linkForm is the form of a new link, or of one that is changed.
type linkForm struct {
	sharing.LinkView
	Action  string
	Items   []sharing.LinkItem
	Folders bool // all items are folders: deposits can be taken
	Wrong   string
	Today   string
	Until   string
	Allowed string
	Types   string
	FileMB  int64
	AllMB   int64
	New     bool
	Message string
}

// mega is what sizes are typed in.
const mega = 1 << 20

func (p *pages) formOf(v sharing.LinkView) linkForm {
	f := linkForm{
		LinkView: v, Action: "/link/" + v.ID, Items: v.Items, Folders: true, Today: p.kit.Clock().In(p.kit.Zone()).Format(time.DateOnly),
		Allowed: strings.Join(v.Allowed, ", "), Types: strings.Join(v.Types, ", "), FileMB: v.MaxFileBytes / mega, AllMB: v.MaxBytes / mega,
	}
	for _, item := range v.Items {
		f.Folders = f.Folders && item.Dir
	}
	if !v.Until.IsZero() {
		f.Until = v.Until.In(p.kit.Zone()).Format(time.DateOnly)
	}
	return f
}

// items are the things that a form or an address names: paths, or names in a folder.
func items(r *http.Request) (list []vpath.Path, err error) {
	for _, one := range r.Form["path"] {
		p, err := vpath.Parse(one)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	in := r.Form.Get("in")
	if in == "" {
		return list, nil
	}
	folder, err := vpath.Parse(in)
	if err != nil {
		return nil, err
	}
	for _, name := range r.Form["item"] {
		p, err := folder.Child(name)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// newForm shows the form for a new link.
func (p *pages) newForm(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	list, err := items(r)
	if err == nil && len(list) == 0 {
		err = fault.Tell(fs.ErrInvalid, "Nothing is chosen.")
	}
	f := p.formOf(sharing.LinkView{Mode: sharing.LinkRead})
	if err == nil {
		f.Items, f.Folders, err = p.lookAt(r, list)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	f.New, f.Action, f.Contact = true, "/links", r.Form.Get("contact")
	p.showForm(w, r, http.StatusOK, f)
}

// lookAt finds out what the things of a new link are.
func (p *pages) lookAt(r *http.Request, list []vpath.Path) (found []sharing.LinkItem, folders bool, err error) {
	tree, err := p.Tree(r.Context(), p.kit.Principal(r))
	if err != nil {
		return nil, false, err
	}
	folders = true
	for _, at := range list {
		n, err := tree.Stat(r.Context(), at)
		if err != nil {
			return nil, false, err
		}
		found = append(found, sharing.LinkItem{Path: at, Dir: n.Dir})
		folders = folders && n.Dir
	}
	return found, folders, nil
}

func (p *pages) showForm(w http.ResponseWriter, r *http.Request, status int, f linkForm) {
	title := lang.ID("Link")
	if f.New {
		title = lang.ID("New link")
	}
	p.kit.Render(w, r, status, web.Page{Name: "link/edit", Title: title, Here: "/links", Data: f})
}

// wish reads the form.
func (p *pages) wish(r *http.Request) (w sharing.LinkWish, err error) {
	f := r.PostForm
	number := func(name string) (n int64) {
		if s := strings.TrimSpace(f.Get(name)); s != "" && err == nil {
			if n, err = strconv.ParseInt(s, 10, 32); err != nil {
				err = fault.Tell(fs.ErrInvalid, "“%s” is not a number.", s)
			}
		}
		return n
	}
	w = sharing.LinkWish{
		Name: f.Get("name"), Contact: strings.TrimSpace(f.Get("contact")), Mode: f.Get("mode"), Message: f.Get("message"),
		Password: f.Get("password"), KeepPassword: f.Get("password") == "" && f.Get("unlock") == "", AskMail: f.Has("ask_mail"),
		Allowed: words(f.Get("allowed")), ViewOnly: f.Has("view_only"), MaxDownloads: int(number("downloads")),
		AskName: f.Has("ask_name"), Subfolders: f.Has("subfolders"), MaxFiles: int(number("files")),
		MaxFileBytes: number("file_mb") * mega, MaxBytes: number("all_mb") * mega, Types: words(f.Get("types")),
	}
	if day := f.Get("until"); day != "" && err == nil {
		if w.Until, err = time.ParseInLocation(time.DateOnly, day, p.kit.Zone()); err != nil {
			err = fault.Tell(fs.ErrInvalid, "That is not a date.")
		}
	}
	return w, err
}

// words are what commas, semicolons, spaces and line ends part.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \r\n\t", r) })
}

// make makes a link, and shows its address this once.
func (p *pages) make(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	wish, err := p.wish(r)
	wish.KeepPassword = false
	if err == nil {
		wish.Items, err = items(r)
	}
	var v sharing.LinkView
	var token string
	if err == nil {
		v, token, err = p.Links.MakeLink(r.Context(), p.kit.By(r), wish)
	}
	if err != nil {
		p.again(w, r, sharing.LinkView{}, wish, err)
		return
	}
	p.made(w, r, v, token)
}

// again shows the form with what was typed, and what is wrong.
func (p *pages) again(w http.ResponseWriter, r *http.Request, v sharing.LinkView, wish sharing.LinkWish, err error) {
	fresh := v.ID == ""
	v.Name, v.Contact, v.Mode, v.Until, v.AskMail, v.Allowed = wish.Name, wish.Contact, wish.Mode, wish.Until, wish.AskMail, wish.Allowed
	v.ViewOnly, v.MaxDownloads, v.AskName, v.Subfolders = wish.ViewOnly, wish.MaxDownloads, wish.AskName, wish.Subfolders
	v.MaxFiles, v.MaxBytes, v.MaxFileBytes, v.Types = wish.MaxFiles, wish.MaxBytes, wish.MaxFileBytes, wish.Types
	f := p.formOf(v)
	f.Message, f.Wrong = wish.Message, p.kit.Explain(r, err)
	if fresh {
		found, folders, lost := p.lookAt(r, wish.Items)
		if lost != nil || len(found) == 0 {
			p.kit.Fail(w, r, err)
			return
		}
		f.New, f.Action, f.Items, f.Folders = true, "/links", found, folders
	}
	p.showForm(w, r, web.Status(err), f)
}

// madePage shows the address of a link, which nobody can look up again.
type madePage struct {
	sharing.LinkView
	Address string
	Drive   string
	QR      template.HTML
}

func (p *pages) made(w http.ResponseWriter, r *http.Request, v sharing.LinkView, token string) {
	page := madePage{LinkView: v, Address: p.address("/s/" + token), Drive: p.address("/dav/link/" + token + "/")}
	var err error
	if page.QR, err = QR(page.Address, p.kit.Text(r).T("The address as a picture for a telephone")); err != nil {
		p.kit.Log.ErrorContext(r.Context(), "no picture of a link", "err", err) // the address is enough
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "link/made", Title: lang.ID("The link is ready"), Here: "/links", Data: page})
}

func (p *pages) address(path string) string {
	u := url.URL{Scheme: p.kit.Public.Scheme, Host: p.kit.Public.Host, Path: path}
	return u.String()
}

// one shows a link, to be changed.
func (p *pages) one(w http.ResponseWriter, r *http.Request) {
	v, err := p.Links.Link(r.Context(), p.kit.By(r), r.PathValue("id"))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.showForm(w, r, http.StatusOK, p.formOf(v))
}

func (p *pages) change(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	wish, err := p.wish(r)
	if err == nil {
		_, err = p.Links.ChangeLink(r.Context(), p.kit.By(r), r.PathValue("id"), wish)
	}
	if err == nil {
		p.done(w, r, p.kit.Text(r).T("The link is changed."))
		return
	}
	v, lost := p.Links.Link(r.Context(), p.kit.By(r), r.PathValue("id"))
	if lost != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.again(w, r, v, wish, err)
}

func (p *pages) revoke(w http.ResponseWriter, r *http.Request) {
	if err := p.Links.RevokeLink(r.Context(), p.kit.By(r), r.PathValue("id")); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.done(w, r, p.kit.Text(r).T("The link opens nothing any more."))
}

func (p *pages) renew(w http.ResponseWriter, r *http.Request) {
	v, token, err := p.Links.RenewLink(r.Context(), p.kit.By(r), r.PathValue("id"))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.made(w, r, v, token)
}

func (p *pages) done(w http.ResponseWriter, r *http.Request, said string) {
	p.kit.Say(w, web.Said{Message: said})
	http.Redirect(w, r, "/links", http.StatusSeeOther)
}
