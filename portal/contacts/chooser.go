package contacts

import (
	"net/http"
	"slices"

	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// chooserPage is where the folders of a contact are chosen, one level at a time.
// What is chosen on other levels is kept in the form.
type chooserPage struct {
	Href   string
	Mail   string
	Name   string
	Here   space
	At     Place
	AtName string
	Up     []Place // the folders above, from the workspace down
	Rows   []choice
	Chosen []Place // elsewhere
	Opens  bool    // it opens the access, and sends the invitation
	Ends   []sharing.ShareView
	Hidden int
	Mails  bool
	Wrong  string
}

// choice is a folder to choose, or to look into.
type choice struct {
	Place
	On bool
}

func (p *pages) chooser(w http.ResponseWriter, r *http.Request) {
	v, err := p.Sharing.Contact(r.Context(), p.kit.By(r), r.PathValue("workspace"), r.PathValue("mail"))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.showChooser(w, r, http.StatusOK, v, chosen{folders: v.Contact.Folders, at: vpath.Must("/" + v.Contact.Workspace)})
}

// chosen is what the form holds.
type chosen struct {
	folders []vpath.Path
	at      vpath.Path
	save    bool
	sure    bool // they have read what ends
}

func chosenOf(r *http.Request, workspace string) (c chosen, err error) {
	top, err := vpath.Path{}.Child(workspace)
	if err != nil {
		return c, err
	}
	c.at, c.save, c.sure = top, r.PostForm.Get("do") == "save", r.PostForm.Get("sure") != ""
	at := r.PostForm.Get("at")
	if at == "" {
		at = r.PostForm.Get("here")
	}
	if at != "" {
		if c.at, err = vpath.Parse(at); err != nil {
			return c, err
		}
	}
	for _, text := range r.PostForm["folder"] {
		f, err := vpath.Parse(text)
		if err != nil {
			return c, err
		}
		if !slices.Contains(c.folders, f) {
			c.folders = append(c.folders, f)
		}
	}
	return c, nil
}

// choose goes to another level, or keeps what was chosen.
func (p *pages) choose(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	workspace, mail := r.PathValue("workspace"), r.PathValue("mail")
	v, err := p.Sharing.Contact(r.Context(), p.kit.By(r), workspace, mail)
	var c chosen
	if err == nil {
		c, err = chosenOf(r, workspace)
	}
	switch {
	case err != nil:
		p.kit.Fail(w, r, err)
	case !c.save:
		p.showChooser(w, r, http.StatusOK, v, c)
	case opens(v.Contact):
		p.openAccess(w, r, v, c)
	default:
		p.setFolders(w, r, v, c)
	}
}

// opens tells whether choosing folders lets somebody in.
func opens(c store.Contact) bool { return c.State != store.Invited && c.State != store.Active }

func (p *pages) openAccess(w http.ResponseWriter, r *http.Request, v sharing.ContactView, c chosen) {
	err := p.Sharing.OpenAccess(r.Context(), p.kit.By(r), v.Contact.Workspace, v.Contact.Mail, c.folders)
	if err != nil {
		p.again(w, r, v, c, err)
		return
	}
	said := p.kit.Text(r).T("The access is open. An invitation is on its way to {mail}.", "mail", v.Contact.Mail)
	if !p.Mails {
		said = p.kit.Text(r).T("The access is open. Make the invitation link below and give it to {mail}.", "mail", v.Contact.Mail)
	}
	p.done(w, r, href(v.Contact.Workspace, v.Contact.Mail), said)
}

// setFolders asks first where shares would end.
func (p *pages) setFolders(w http.ResponseWriter, r *http.Request, v sharing.ContactView, c chosen) {
	by := p.kit.By(r)
	if !c.sure {
		ends, err := p.Sharing.Outside(r.Context(), by, v.Contact.Workspace, v.Contact.Mail, c.folders)
		if err != nil {
			p.again(w, r, v, c, err)
			return
		}
		if len(ends) > 0 {
			p.render(w, r, http.StatusOK, v, c, func(page *chooserPage) { page.Ends = ends })
			return
		}
	}
	if err := p.Sharing.SetFolders(r.Context(), by, v.Contact.Workspace, v.Contact.Mail, c.folders); err != nil {
		p.again(w, r, v, c, err)
		return
	}
	p.done(w, r, href(v.Contact.Workspace, v.Contact.Mail), p.kit.Text(r).T("The folders are kept."))
}

// again shows the chooser with what went wrong.
func (p *pages) again(w http.ResponseWriter, r *http.Request, v sharing.ContactView, c chosen, err error) {
	status := web.Status(err)
	if status >= http.StatusInternalServerError || status == http.StatusNotFound {
		p.kit.Fail(w, r, err)
		return
	}
	p.render(w, r, status, v, c, func(page *chooserPage) { page.Wrong = p.kit.Explain(r, err) })
}

func (p *pages) showChooser(w http.ResponseWriter, r *http.Request, status int, v sharing.ContactView, c chosen) {
	p.render(w, r, status, v, c, func(*chooserPage) {})
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, v sharing.ContactView, c chosen, change func(*chooserPage)) {
	page := chooserPage{
		Href: href(v.Contact.Workspace, v.Contact.Mail), Mail: v.Contact.Mail, Name: v.Contact.Name, Here: p.space(r, v.Contact.Workspace),
		Opens: opens(v.Contact), Hidden: v.Hidden, Mails: p.Mails,
	}
	if page.Name == "" {
		page.Name = page.Mail
	}
	if err := p.level(r, c, &page); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	change(&page)
	p.kit.Render(w, r, status, web.Page{
		Name: "contacts/folders", Title: lang.ID("Folders"), Here: "/contacts/", Brand: p.brand(v.Contact.Workspace), Data: page,
	})
}

// level fills in the folders of one level, and what is chosen elsewhere.
func (p *pages) level(r *http.Request, c chosen, page *chooserPage) error {
	tree, err := p.Files.As(r.Context(), p.kit.Principal(r))
	if err != nil {
		return err
	}
	_, list, err := tree.Find(r.Context(), c.at, true, files.Want{})
	if err != nil {
		return err
	}
	page.At = placeOf(c.at, page.Here.Title)
	if page.AtName = page.At.Name; c.at.Depth() > 1 {
		page.AtName = c.at.Name()
	}
	for at := c.at; at.Depth() > 1; {
		at = at.Parent()
		up := placeOf(at, page.Here.Title)
		if at.Depth() > 1 {
			up.Name = at.Name()
		}
		page.Up = append(page.Up, up)
	}
	slices.Reverse(page.Up)
	shown := map[vpath.Path]bool{}
	for _, n := range list {
		if !n.Dir {
			continue
		}
		one := choice{Place: placeOf(n.Path, ""), On: slices.Contains(c.folders, n.Path)}
		one.Name = n.Path.Name()
		page.Rows = append(page.Rows, one)
		shown[n.Path] = true
	}
	for _, f := range c.folders {
		if !shown[f] {
			page.Chosen = append(page.Chosen, placeOf(f, page.Here.Title))
		}
	}
	return nil
}
