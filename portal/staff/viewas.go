package staff

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/portal/web"
)

// viewAs shows a folder exactly as the drive of somebody else does. Nothing can be
// done in it: the tree is for reading, and the page has no button.
func (p *pages) viewAs(w http.ResponseWriter, r *http.Request) {
	here, _, err := at(r)
	login := r.URL.Query().Get("who")
	if err != nil || p.Person == nil || login == "" {
		p.kit.Absent(w, r)
		return
	}
	who, err := p.Person(r.Context(), login)
	if errors.Is(err, identity.ErrRefused) {
		err = fs.ErrNotExist
	}
	var t *files.Tree
	if err == nil {
		t, err = p.Files.ViewAs(r.Context(), p.kit.Principal(r), who)
	}
	var self files.Node
	var list []files.Node
	if err == nil {
		self, list, err = t.Find(r.Context(), here, true, wanted(r))
	}
	if err == nil && !self.Dir {
		err = fault.ErrNotDir // their files are listed, and not opened
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	l := p.lister(r)
	l.under, l.query = "/as", url.Values{"who": {login}}.Encode()
	page, err := p.folderPage(r, l, t, self, list)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	for i := range page.Rows {
		if !page.Rows[i].Dir {
			page.Rows[i].Href = ""
		}
	}
	page.Order.who = login
	page.Can, page.RowsAt, page.Uploads, page.Shares = can{}, "", "", false
	if page.As = who.Name; page.As == "" {
		page.As = login
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/folder", Title: page.Name, Wide: true, Here: "/files/" + here.Top(), Data: page})
}
