package contacts

import (
	"errors"
	"io/fs"
	"net/http"

	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// contactPage is one contact.
type contactPage struct {
	sharing.ContactView
	Href    string
	Here    space
	State   state
	Form    form
	Folders []Place
	Open    bool // they can be shared with
	Waits   bool // for the invitation to be accepted
	Mails   bool
	Address string // of the invitation, where no mail takes it to them
}

// Place is a folder with the way to it.
type Place struct{ Path, Name, Href string }

func placeOf(f vpath.Path, title string) Place {
	p := Place{Path: f.String(), Name: f.String(), Href: web.Href("/files", f) + "/"}
	if f.Depth() == 1 {
		p.Name = title
	} else {
		p.Name = f.Tail().String()[1:]
	}
	return p
}

func (p *pages) contact(w http.ResponseWriter, r *http.Request) {
	p.showContact(w, r, http.StatusOK, nil, "")
}

// showContact shows one; f, if not nil, is a card that was not taken.
func (p *pages) showContact(w http.ResponseWriter, r *http.Request, status int, f *form, address string) {
	workspace := r.PathValue("workspace")
	v, err := p.Sharing.Contact(r.Context(), p.kit.By(r), workspace, r.PathValue("mail"))
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	c := v.Contact
	page := contactPage{
		ContactView: v, Href: href(workspace, c.Mail), Here: p.space(r, workspace), State: stateOf(c.State), Mails: p.Mails, Address: address,
		Open: c.State == store.Active || c.State == store.Invited, Waits: c.State == store.Invited,
		Form: form{Mail: c.Mail, Name: c.Name, Organisation: c.Organisation, Language: c.Language, Notes: c.Notes},
	}
	if f != nil {
		page.Form = *f
	}
	for _, folder := range c.Folders {
		page.Folders = append(page.Folders, placeOf(folder, page.Here.Title))
	}
	title := c.Name
	if title == "" {
		title = c.Mail
	}
	p.kit.Render(w, r, status, web.Page{Name: "contacts/contact", Title: title, Here: "/contacts/", Brand: p.brand(workspace), Data: page})
}

// space is a workspace with its title.
func (p *pages) space(r *http.Request, name string) space {
	list, err := p.kit.Workspaces(r)
	if err == nil { // its name does as well
		for _, s := range list {
			if s.Name == name && s.Title != "" {
				return space{name, s.Title}
			}
		}
	}
	return space{name, name}
}

// put writes the card.
func (p *pages) put(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	f := formOf(r)
	f.Mail = r.PathValue("mail") // what they are known by is no field
	_, err := p.Sharing.PutContact(r.Context(), p.kit.By(r), f.wish(r.PathValue("workspace")))
	switch {
	case err == nil:
		p.done(w, r, href(r.PathValue("workspace"), f.Mail), p.kit.Text(r).T("The card is kept."))
	case errors.Is(err, fs.ErrInvalid):
		f.Wrong = p.kit.Explain(r, err)
		p.showContact(w, r, http.StatusUnprocessableEntity, &f, "")
	default:
		p.back(w, r, err)
	}
}

// invite sends the invitation again, or shows its address where no mail is sent.
func (p *pages) invite(w http.ResponseWriter, r *http.Request) {
	workspace, mail := r.PathValue("workspace"), r.PathValue("mail")
	if !p.Mails {
		// The answer to the form and no page of its own: the secret is kept nowhere
		// that a second page could read it from.
		address, err := p.Sharing.InviteLink(r.Context(), p.kit.By(r), workspace, mail)
		if err != nil {
			p.back(w, r, err)
			return
		}
		p.showContact(w, r, http.StatusOK, nil, address)
		return
	}
	if err := p.Sharing.InviteAgain(r.Context(), p.kit.By(r), workspace, mail); err != nil {
		p.back(w, r, err)
		return
	}
	p.done(w, r, href(workspace, mail), p.kit.Text(r).T("A new invitation is on its way to {mail}.", "mail", mail))
}

// closeAccess takes everything from a contact.
func (p *pages) closeAccess(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	workspace, mail := r.PathValue("workspace"), r.PathValue("mail")
	if err := p.Sharing.CloseAccess(r.Context(), p.kit.By(r), workspace, mail, r.PostForm.Get("tell") != ""); err != nil {
		p.back(w, r, err)
		return
	}
	p.done(w, r, href(workspace, mail), p.kit.Text(r).T("The access of {mail} is closed.", "mail", mail))
}

// stop ends shares of a contact.
func (p *pages) stop(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	text, ids := p.kit.Text(r), r.PostForm["share"]
	to := href(r.PathValue("workspace"), r.PathValue("mail"))
	if len(ids) == 0 {
		p.done(w, r, to, text.T("Nothing is chosen."))
		return
	}
	if err := p.Sharing.Stop(r.Context(), p.kit.By(r), ids, r.PostForm.Get("tell") != ""); err != nil {
		p.back(w, r, err)
		return
	}
	p.done(w, r, to, text.N("{n} shares are stopped.", len(ids)))
}
