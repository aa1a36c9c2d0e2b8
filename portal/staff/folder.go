package staff

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"

	"portico/fault"
	"portico/files"
	"portico/portal/web"
	"portico/vpath"
)

// folderPage is a folder, or the list of workspaces.
type folderPage struct {
	Path     string // as forms name it
	Name     string
	Href     string
	Root     bool
	Crumbs   []crumb
	Can      can
	Order    order
	Rows     []row
	Total    int
	First    int // of the rows, counted from 1
	Pages    []pageLink
	RowsAt   string // where scripts find the other rows
	Shares   bool   // there is a column for them
	Uploads  string
	Details  *details
	As       string // whose view this is, "" for one's own
	Search   *searchPage
	NoAccess string // the sentence, where the folder may be passed and not listed
	AskAt    string // where access is asked for, "" where nobody can be asked
}

// pageLink leads to a part of a long list.
type pageLink struct {
	Number int
	Href   string
	Here   bool
}

// show is a folder or a file.
func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	_, slash, err := at(r)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	if slash {
		p.showFolder(w, r, t, here)
		return
	}
	n, err := t.Stat(r.Context(), here)
	switch {
	case err != nil:
		p.fail(w, r, here, err)
	case n.Dir:
		http.Redirect(w, r, web.Href("/files", here)+"/", http.StatusSeeOther) //nolint:gosec // a path of ours
	default:
		p.showFile(w, r, t, n)
	}
}

func (p *pages) showFolder(w http.ResponseWriter, r *http.Request, t *files.Tree, here vpath.Path) {
	self, list, err := t.Find(r.Context(), here, true, wanted(r))
	if err == nil && !self.Dir {
		http.Redirect(w, r, web.Href("/files", here), http.StatusSeeOther) //nolint:gosec // a path of ours
		return
	}
	if err != nil {
		p.fail(w, r, here, err)
		return
	}
	l := p.lister(r)
	if l.extra, err = p.extras(r, here); err != nil {
		p.fail(w, r, here, err)
		return
	}
	page, err := p.folderPage(r, l, t, self, list)
	if err == nil {
		page.NoAccess, page.AskAt, err = p.refusal(r, t, here, "list")
	}
	if err == nil {
		err = p.addDetails(r, t, here, &page)
	}
	if err != nil {
		p.fail(w, r, here, err)
		return
	}
	p.render(w, r, page)
}

// render shows a folder. Its title is no text of ours, and is not looked up.
func (p *pages) render(w http.ResponseWriter, r *http.Request, page folderPage) {
	here := "/files"
	if path, err := vpath.Parse(page.Path); err == nil && !path.IsRoot() {
		here = "/files/" + path.Top()
	}
	top := ""
	if path, err := vpath.Parse(page.Path); err == nil {
		top = path.Top()
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/folder", Title: page.Name, Wide: true, Here: here, Brand: p.brand(top), Data: page})
}

func (p *pages) brand(workspace string) web.Brand {
	if p.kit.Brand == nil {
		return web.Brand{}
	}
	return p.kit.Brand(workspace)
}

// wanted is what a page needs to know of all in a folder: to sort by name, no more
// than that.
func wanted(r *http.Request) files.Want {
	return files.Want{Names: orderOf(r.URL.Query()).By == "name"}
}

func (p *pages) folderPage(r *http.Request, l *lister, t *files.Tree, self files.Node, list []files.Node) (folderPage, error) {
	o := orderOf(r.URL.Query())
	sortNodes(list, o, l.text.Tag())
	page := folderPage{
		Path: self.Path.String(), Name: p.titleOf(r, self), Href: web.Href(l.under, self.Path) + "/", Root: self.Path.IsRoot(), Order: o,
		Crumbs: crumbs(l.under, self.Path.Parent(), p.titles(r), l.query), Can: canOf(t.Rights(self.Path)), Total: len(list),
		Shares: p.Sharing != nil, Uploads: p.Uploads, RowsAt: web.Href("/rows", self.Path) + "/?" + o.Query(),
	}
	if self.Path.IsRoot() {
		page.Href, page.Crumbs = "/files/", nil
	}
	number := min(pageOf(r.URL.Query()), max((len(list)+perPage-1)/perPage, 1))
	from := (number - 1) * perPage
	page.First = from + 1
	shown, err := t.Describe(r.Context(), self.Path, list[from:min(from+perPage, len(list))])
	page.Rows = l.rows(shown)
	page.Pages = pageLinks(r.URL, len(list), number)
	return page, err
}

// pageLinks lead through a list that is longer than a page.
func pageLinks(u *url.URL, total, here int) []pageLink {
	if total <= perPage {
		return nil
	}
	q := u.Query()
	var all []pageLink
	for n := 1; n <= (total+perPage-1)/perPage; n++ {
		q.Set("page", strconv.Itoa(n))
		all = append(all, pageLink{n, "?" + q.Encode(), n == here})
	}
	return all
}

// titleOf is what a folder is called: the workspaces' list, a workspace's title, or
// its name.
func (p *pages) titleOf(r *http.Request, n files.Node) string {
	switch {
	case n.Path.IsRoot():
		return p.kit.Text(r).T("Workspaces")
	case n.Title != "":
		return n.Title
	}
	return n.Path.Name()
}

// titles are those of the workspaces, by name.
func (p *pages) titles(r *http.Request) map[string]string {
	all := map[string]string{}
	list, err := p.kit.Workspaces(r)
	if err != nil {
		return all // names do as well
	}
	for _, s := range list {
		all[s.Name] = s.Title
	}
	return all
}

// rows are those of a long list from an offset on, for scripts.
func (p *pages) rows(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	_, list, err := t.Find(r.Context(), here, true, files.Want{})
	l := p.lister(r)
	if err == nil {
		l.extra, err = p.extras(r, here)
	}
	if err != nil {
		web.Problem(w, web.Status(err), p.kit.Explain(r, err))
		return
	}
	sortNodes(list, orderOf(r.URL.Query()), l.text.Tag())
	web.Reply(w, http.StatusOK, map[string]any{"rows": l.rows(list)})
}

// mkdir makes a folder.
func (p *pages) mkdir(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	t, err := p.tree(r)
	var made vpath.Path
	if err == nil {
		made, err = childOf(f.in, r.PostForm.Get("name"))
	}
	if err == nil {
		err = t.Mkdir(r.Context(), made, files.Guard{})
	}
	if err != nil {
		p.back(w, r, f.in, err)
		return
	}
	p.done(w, r, f.in, web.Said{Message: p.kit.Text(r).T("The folder {name} is there.", "name", made.Name())})
}

// childOf is a new thing in a folder, with a name that somebody typed.
func childOf(in vpath.Path, name string) (vpath.Path, error) {
	p, err := in.Child(name)
	if err == nil {
		err = p.CheckNew()
	}
	return p, err
}

// done goes back to a folder, with a line that says what was done.
func (p *pages) done(w http.ResponseWriter, r *http.Request, folder vpath.Path, s web.Said) {
	p.kit.Say(w, s)
	http.Redirect(w, r, web.Href("/files", folder)+"/", http.StatusSeeOther) //nolint:gosec // a path of ours
}

// back goes back to a folder with what went wrong, where the folder is still
// there to go back to.
func (p *pages) back(w http.ResponseWriter, r *http.Request, folder vpath.Path, err error) {
	if errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) && fault.Told(err) == "" || r.Context().Err() != nil || web.Status(err) >= http.StatusInternalServerError {
		p.kit.Fail(w, r, err)
		return
	}
	p.done(w, r, folder, web.Said{Message: p.kit.Explain(r, err)})
}

// extras are what a listing shows beside the files.
type extras struct {
	shared map[vpath.Path][]face
	labels map[vpath.Path][]marker
}

func (e extras) of(p vpath.Path) ([]face, []marker) { return e.shared[p], e.labels[p] }

// SearchAt is where the search form goes.
func (f folderPage) SearchAt() string {
	p, err := vpath.Parse(f.Path)
	if err != nil {
		return ""
	}
	return web.Href("/search", p) + "/"
}
