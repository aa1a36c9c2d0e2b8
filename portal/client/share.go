package client

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"portico/fault"
	"portico/files"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// spot is a place in a share, as an address names it.
type spot struct {
	win   *files.Window
	grant store.Grant
	id    string     // of the grant that the address names
	path  vpath.Path // in the window
	under vpath.Path // in the share
	slash bool       // the address ends in one
	can   can
}

// Href is the page of something in the share.
func (s spot) href(room string, under vpath.Path) string {
	return web.Href("/portal/"+room+"/"+s.id, under)
}

// page is the address of this place; a folder's ends in a slash.
func (s spot) page(dir bool) string {
	if s.under.IsRoot() {
		return "/portal/s/" + s.id + slashed(dir)
	}
	return s.href("s", s.under) + slashed(dir)
}

func slashed(dir bool) string {
	if dir {
		return "/"
	}
	return ""
}

// at finds the place that an address names; where it is not ok, it has answered.
func (p *pages) at(w http.ResponseWriter, r *http.Request) (s spot, ok bool) {
	s, err := p.find(r)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.notShared(w, r)
	case err != nil:
		p.kit.Fail(w, r, err)
	}
	return s, err == nil
}

func (p *pages) find(r *http.Request) (s spot, err error) {
	s.id = r.PathValue("grant")
	// The escaped form: a name may hold an escaped slash, which is refused, and
	// net/http has made it a slash in the value that it gives.
	parts := strings.SplitN(r.URL.EscapedPath(), "/", 5) // "", "portal", room, grant, the rest
	rest := ""
	if len(parts) == 5 {
		rest = parts[4]
		s.slash = rest == "" || strings.HasSuffix(rest, "/")
	}
	if s.under, _, err = vpath.ParseEscaped("/" + rest); err != nil {
		return s, err
	}
	if s.win, err = p.Files.Window(r.Context(), p.kit.Principal(r)); err != nil {
		return s, err
	}
	mount, shared := s.win.Share(s.id)
	if !shared {
		return s, fs.ErrNotExist
	}
	if s.path, err = mount.Join(s.under); err != nil {
		return s, err
	}
	for _, m := range s.win.Mounts() {
		if m.Name == mount.Name() {
			s.grant = m.Grant
		}
	}
	s.can = canOf(s.win.Rights(s.path))
	return s, nil
}

// open shows a folder or a file.
func (p *pages) open(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok {
		return
	}
	n, err := s.win.Stat(r.Context(), s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.notShared(w, r)
	case err != nil:
		p.kit.Fail(w, r, err)
	case n.Dir != s.slash:
		http.Redirect(w, r, s.page(n.Dir), http.StatusSeeOther) //nolint:gosec // a path of ours
	case n.Dir:
		p.showFolder(w, r, s)
	default:
		p.showFile(w, r, s, n)
	}
}

// About is what stands above every page of a share.
type About struct {
	Name    string
	Top     bool // this is what was shared itself
	From    string
	Message string
	Until   time.Time
	Crumbs  []crumb
}

// crumb is a folder above, no higher than what was shared.
type crumb struct{ Name, Href string }

func (s spot) about() About {
	a := About{Name: s.path.Name(), Top: s.under.IsRoot(), From: s.grant.GiverName, Message: s.grant.Message, Until: s.grant.Until}
	for p := s.path; p.Depth() > 1; {
		p = p.Parent()
		at := spot{id: s.id, under: p.Tail()}
		a.Crumbs = append(a.Crumbs, crumb{p.Name(), at.page(true)})
	}
	slices.Reverse(a.Crumbs)
	return a
}

// folderPage is a folder that was shared, or one in it.
type folderPage struct {
	About
	Rows  []row
	Blind bool // an inbox: their own receipts alone
	Sent  []Deposit
	Drop  *dropArea
	Zip   string
}

// row is a thing in a folder.
type row struct {
	Name, Href, Kind string
	Dir              bool
	Size             int64
	Time             time.Time
	Raw              string // to save it; "" for a folder
	Sent             *Deposit
	Labels           []sharing.LabelView
	LabelAt          string // the form of them
}

func (p *pages) showFolder(w http.ResponseWriter, r *http.Request, s spot) {
	page := folderPage{About: s.about(), Blind: s.grant.Role == "inbox"}
	sent, err := p.sent(r)
	if err == nil && page.Blind {
		page.Sent = slices.DeleteFunc(sent, func(d Deposit) bool { return d.Grant != s.grant.ID })
	}
	if err == nil && !page.Blind {
		page.Rows, err = p.rows(r, s, sent)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	if s.can.Create {
		d := p.dropInto(s.page(true), s.path)
		page.Drop = &d
	}
	if len(page.Rows) > 0 && s.can.Read {
		page.Zip = s.href("zip", s.under)
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{
		Name: "client/folder", Title: page.Name, Brand: p.brand(s.grant.Path.Top()), Here: "/portal/", Data: page,
	})
}

// rows are the members of a folder.
func (p *pages) rows(r *http.Request, s spot, sent []Deposit) ([]row, error) {
	_, list, err := s.win.Find(r.Context(), s.path, true, files.Want{})
	if err != nil {
		return nil, err
	}
	labels, err := p.Sharing.Labels(r.Context(), p.kit.By(r), s.path)
	if err != nil {
		return nil, err
	}
	mine := map[vpath.Path]*Deposit{}
	for i := range sent {
		if sent[i].TakeBack {
			mine[sent[i].Item] = &sent[i]
		}
	}
	sortNodes(list, p.kit.Text(r).Tag())
	var rows []row
	for _, n := range list {
		under, err := s.under.Child(n.Path.Name())
		if err != nil {
			return nil, err
		}
		one := row{
			Name: n.Path.Name(), Href: s.href("s", under) + slashed(n.Dir), Kind: content.Kind(n), Dir: n.Dir, Size: n.Size, Time: n.ModTime,
			Sent: mine[n.Path], Labels: labels[n.Path], LabelAt: s.href("label", under),
		}
		if !n.Dir {
			one.Raw = s.href("raw", under) + "?download"
		}
		rows = append(rows, one)
	}
	return rows, nil
}

// sortNodes puts folders first, and names as the language sorts them, numbers in
// them by their value.
func sortNodes(list []files.Node, tag string) {
	c := collate.New(language.Make(tag), collate.Numeric, collate.IgnoreCase)
	slices.SortStableFunc(list, func(a, b files.Node) int {
		if a.Dir != b.Dir {
			if a.Dir {
				return -1
			}
			return 1
		}
		return c.CompareString(a.Path.Name(), b.Path.Name())
	})
}

// filePage is a file that was shared, or one in a folder that was.
type filePage struct {
	About
	Kind    string
	Size    int64
	Time    time.Time
	Raw     string
	Show    string // how it can be shown, "" if it cannot
	Text    string // of a text
	Cut     bool   // there is more of it
	ETag    string
	Replace string // where a new version goes; "" where they may not
	Sent    *Deposit
	Labels  []sharing.LabelView
	LabelAt string
}

func (p *pages) showFile(w http.ResponseWriter, r *http.Request, s spot, n files.Node) {
	page := filePage{
		About: s.about(), Kind: content.Kind(n), Size: n.Size, Time: n.ModTime, Raw: rawOf(s), Show: content.Showable(n), ETag: n.ETag,
		LabelAt: labelOf(s),
	}
	if page.Show == "text" {
		page.Text, page.Cut = content.Text(r.Context(), s.win, s.path)
	}
	sent, err := p.sent(r)
	if err == nil {
		page.Labels, err = p.labelsOn(r, s)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	for i := range sent {
		if sent[i].Item == s.path && !sent[i].Gone {
			page.Sent = &sent[i]
			break
		}
	}
	if s.can.Write {
		page.Replace = s.page(false)
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{
		Name: "client/file", Title: page.Name, Brand: p.brand(s.grant.Path.Top()), Here: "/portal/", Wide: page.Show != "", Data: page,
	})
}

// rawOf is where the bytes of a file are.
func rawOf(s spot) string {
	if s.under.IsRoot() {
		return "/portal/raw/" + s.id
	}
	return s.href("raw", s.under)
}

// raw sends a file.
func (p *pages) raw(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok {
		return
	}
	err := content.Send(w, r, s.win, s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.notShared(w, r)
	case err != nil:
		p.kit.Fail(w, r, err)
	}
}

// zip sends a folder.
func (p *pages) zip(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok {
		return
	}
	who, _ := p.kit.Who(r)
	done, ok := p.zips.Begin(who.ID)
	if !ok {
		p.kit.Fail(w, r, fault.Tell(fault.ErrBusy, "Two downloads of folders are under way already. Wait until one has ended."))
		return
	}
	defer done()
	if err := content.Zip(w, r, s.win, s.path.Name(), s.path.Parent(), s.path); err != nil {
		p.kit.Fail(w, r, err)
	}
}
