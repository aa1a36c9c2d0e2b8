package staff

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"portico/fault"
	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/vpath"
)

// rename gives one thing another name. It can be undone, and so is not asked about.
func (p *pages) rename(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	t, err := p.tree(r)
	var to vpath.Path
	if err == nil && len(f.items) != 1 {
		err = fault.Tell(fs.ErrInvalid, "Choose one thing to rename.")
	}
	if err == nil {
		to, err = childOf(f.in, r.PostForm.Get("name"))
	}
	if err == nil {
		_, err = t.Move(r.Context(), f.items[0], to, files.TransferOptions{})
	}
	if err != nil {
		p.back(w, r, f.in, err)
		return
	}
	p.done(w, r, f.in, web.Said{
		Message: p.kit.Text(r).T("{old} is now called {new}.", "old", f.names[0], "new", to.Name()),
		Undo:    "/do/rename", Fields: map[string]string{"in": f.in.String(), "item": to.Name(), "name": f.names[0]},
	})
}

// placePage asks where things are to go.
type placePage struct {
	Do     string // "copy" or "move"
	In     string
	Names  []string
	To     string
	Here   crumb
	Crumbs []crumb
	Rows   []row
	Can    can
}

// place is the page of the folder chooser. It goes from folder to folder by the
// buttons of one form, since what was chosen may be too much for an address.
func (p *pages) place(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	if len(f.items) == 0 {
		p.back(w, r, f.in, fault.Tell(fs.ErrInvalid, "Nothing is chosen."))
		return
	}
	to, err := vpath.Parse(orRoot(r.PostForm.Get("to")))
	if !r.PostForm.Has("to") {
		to = f.in
	}
	t, terr := p.tree(r)
	if err == nil {
		err = terr
	}
	var self files.Node
	var list []files.Node
	if err == nil {
		self, list, err = t.Find(r.Context(), to, true, files.Want{})
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	chosen := map[vpath.Path]bool{}
	for _, item := range f.items {
		chosen[item] = true
	}
	var folders []files.Node
	for _, n := range list {
		if n.Dir && !chosen[n.Path] { // nothing goes into itself
			folders = append(folders, n)
		}
	}
	l := p.lister(r)
	sortNodes(folders, order{By: "name"}, l.text.Tag())
	page := placePage{
		Do: "copy", In: f.in.String(), Names: f.names, To: to.String(), Can: canOf(t.Rights(to)), Rows: l.rows(folders),
		Here: crumb{Name: p.titleOf(r, self)},
	}
	if r.PostForm.Get("do") == "move" {
		page.Do = "move"
	}
	if !to.IsRoot() {
		page.Crumbs = append([]crumb{{Name: l.text.T("Workspaces"), Href: "/"}}, placeCrumbs(to.Parent(), p.titles(r))...)
	}
	title := lang.ID("Copy to…")
	if page.Do == "move" {
		title = lang.ID("Move to…")
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/place", Title: title, Here: "/files/" + f.in.Top(), Data: page})
}

// placeCrumbs are the folders above as the chooser's form names them.
func placeCrumbs(p vpath.Path, titles map[string]string) []crumb {
	all := crumbs("", p, titles, "")
	i := 0
	for a := range p.Ancestors() {
		if !a.IsRoot() {
			i++
		}
	}
	for a := range p.Ancestors() {
		if !a.IsRoot() {
			all[a.Depth()-1].Href = a.String()
		}
	}
	return all[:i]
}

// transfer copies or moves what was chosen, one after the other. What stands in
// the way is left: a copy gets a free name, and nothing is replaced.
func (p *pages) transfer(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	to, err := vpath.Parse(orRoot(r.PostForm.Get("to")))
	t, terr := p.tree(r)
	if err == nil {
		err = terr
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	move := r.URL.Path == "/do/move"
	n := 0
	for _, item := range f.items {
		if err = transferOne(r.Context(), t, item, to, move); err != nil {
			break
		}
		n++
	}
	p.transferred(w, r, f, to, move, n, err)
}

func (p *pages) transferred(w http.ResponseWriter, r *http.Request, f form, to vpath.Path, move bool, n int, err error) {
	text := p.kit.Text(r)
	said := web.Said{Message: text.N("{n} things copied.", n)}
	if move {
		said.Message = text.N("{n} things moved.", n)
	}
	switch {
	case err != nil && n == 0:
		p.back(w, r, f.in, err)
		return
	case err != nil:
		said.Message += " " + p.kit.Explain(r, err)
	case move && n == 1 && to != f.in:
		said.Undo, said.Fields = "/do/move", map[string]string{"in": to.String(), "item": f.names[0], "to": f.in.String()}
	}
	p.done(w, r, to, said)
}

// transferOne copies or moves one thing into a folder.
func transferOne(ctx context.Context, t *files.Tree, item, to vpath.Path, move bool) error {
	if move && item.Parent() == to {
		return fault.Tell(fault.ErrConflict, "%s is there already", item.Name())
	}
	name := item.Name()
	for try := 1; ; try++ {
		dst, err := to.Child(name)
		if err != nil {
			return err
		}
		if move {
			_, err = t.Move(ctx, item, dst, files.TransferOptions{})
			return err
		}
		if dst != item {
			_, err = t.Copy(ctx, item, dst, files.TransferOptions{})
		}
		if dst != item && !isTaken(err) || try == maxTries {
			return err
		}
		name = numbered(item.Name(), try+1)
	}
}

// maxTries bounds the search for a free name.
const maxTries = 100

// isTaken tells that something stands in the way.
func isTaken(err error) bool {
	return errors.Is(err, fs.ErrExist) || errors.Is(err, fault.ErrPrecondition)
}

// surePage asks before what cannot be undone.
type surePage struct {
	In        string
	InName    string
	Names     []string
	Files     int
	Folders   int
	Uncounted bool // there is more than was counted
	Back      string
}

// sure counts what would be lost, and asks.
func (p *pages) sure(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	t, err := p.tree(r)
	if err == nil && len(f.items) == 0 {
		err = fault.Tell(fs.ErrInvalid, "Nothing is chosen.")
	}
	if err != nil {
		p.back(w, r, f.in, err)
		return
	}
	page := surePage{In: f.in.String(), InName: f.in.Name(), Names: f.names, Back: web.Href("/files", f.in) + "/"}
	c := &files.Walk{In: t, Left: maxCount}
	err = c.Each(r.Context(), f.items, func(n files.Node) error {
		if n.Dir {
			page.Folders++
		} else {
			page.Files++
		}
		return nil
	})
	if page.Uncounted = errors.Is(err, files.ErrEnough); err != nil && !page.Uncounted {
		p.back(w, r, f.in, err)
		return
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/sure", Title: lang.ID("Delete"), Here: "/files/" + f.in.Top(), Data: page})
}

// maxCount is how many things are counted before "more than".
const maxCount = 20_000

// delete deletes what was chosen.
func (p *pages) delete(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	t, err := p.tree(r)
	n := 0
	for _, item := range f.items {
		if err != nil {
			break
		}
		if err = t.Delete(r.Context(), item, files.Guard{}); err == nil {
			n++
		}
	}
	if err != nil && n == 0 {
		p.back(w, r, f.in, err)
		return
	}
	said := p.kit.Text(r).N("{n} things deleted.", n)
	if err != nil {
		said += " " + p.kit.Explain(r, err)
	}
	p.done(w, r, f.in, web.Said{Message: said})
}

// At is the path of a row, as forms name it.
func (r row) At() string { return r.node.Path.String() }

// Back is where whoever changes their mind goes.
func (p placePage) Back() string {
	in, err := vpath.Parse(p.In)
	if err != nil {
		return "/files/"
	}
	return web.Href("/files", in) + "/"
}
