package contacts

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
)

// listPage are the contacts of a workspace.
type listPage struct {
	Spaces []space // those where the one who asks has contacts
	Here   space
	Query  string
	Rows   []row
	Total  int
	Form   form
	Open   bool // the form is
}

// space is a workspace to choose.
type space struct{ Name, Title string }

// row is a contact in the list.
type row struct {
	store.Contact
	Href  string
	State state
}

// form is a contact's card, as it was filled in.
type form struct {
	Mail, Name, Organisation, Language, Notes string
	Wrong                                     string
}

func formOf(r *http.Request) form {
	f := r.PostForm
	return form{Mail: strings.TrimSpace(f.Get("mail")), Name: f.Get("name"), Organisation: f.Get("organisation"), Language: f.Get("language"), Notes: f.Get("notes")}
}

func (f form) wish(workspace string) sharing.ContactWish {
	return sharing.ContactWish{Workspace: workspace, Mail: f.Mail, Name: f.Name, Organisation: f.Organisation, Language: f.Language, Notes: f.Notes}
}

func (p *pages) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.showList(w, r, http.StatusOK, q.Get("w"), form{Mail: q.Get("mail")}, q.Has("add"))
}

func (p *pages) showList(w http.ResponseWriter, r *http.Request, status int, workspace string, f form, open bool) {
	page := listPage{Query: strings.TrimSpace(r.URL.Query().Get("q")), Form: f, Open: open}
	all, err := p.desks(r, workspace, &page)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page.Total = len(all)
	for _, c := range all {
		if matches(c, page.Query) {
			page.Rows = append(page.Rows, row{c, href(c.Workspace, c.Mail), stateOf(c.State)})
		}
	}
	p.kit.Render(w, r, status, web.Page{
		Name: "contacts/list", Title: lang.ID("Contacts"), Wide: true, Here: "/contacts/", Brand: p.brand(page.Here.Name), Data: page,
	})
}

// desks finds the workspaces where somebody works with contacts, and the contacts
// of the one that was asked for, or of the first.
func (p *pages) desks(r *http.Request, want string, page *listPage) (all []store.Contact, err error) {
	spaces, err := p.kit.Workspaces(r)
	if err != nil {
		return nil, err
	}
	if want != "" && !slices.ContainsFunc(spaces, func(s web.Workspace) bool { return s.Name == want }) {
		return nil, fs.ErrNotExist
	}
	var refused error
	for _, s := range spaces {
		here := space{s.Name, s.Title}
		if here.Title == "" {
			here.Title = s.Name
		}
		found, err := p.Sharing.Contacts(r.Context(), p.kit.By(r), s.Name)
		if errors.Is(err, fs.ErrPermission) {
			if s.Name == want || refused == nil {
				refused = err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		page.Spaces = append(page.Spaces, here)
		if s.Name == want || want == "" && page.Here.Name == "" {
			page.Here, all = here, found
		}
	}
	if page.Here.Name == "" && refused != nil {
		return nil, refused
	}
	return all, nil
}

// matches finds a text in what people know somebody by.
func matches(c store.Contact, text string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if !strings.Contains(strings.ToLower(c.Name+" "+c.Mail+" "+c.Organisation), word) {
			return false
		}
	}
	return true
}

// add writes the card of a new contact, and goes on to choose folders for them.
func (p *pages) add(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	workspace, f := r.PostForm.Get("workspace"), formOf(r)
	c, err := p.Sharing.PutContact(r.Context(), p.kit.By(r), f.wish(workspace))
	switch {
	case err == nil:
		p.done(w, r, href(workspace, c.Mail), p.kit.Text(r).T("{mail} is a contact now. Open access to share with them.", "mail", c.Mail))
	case errors.Is(err, fs.ErrInvalid), errors.Is(err, fs.ErrExist):
		f.Wrong = p.kit.Explain(r, err)
		p.showList(w, r, http.StatusUnprocessableEntity, workspace, f, true)
	default:
		p.kit.Fail(w, r, err)
	}
}
