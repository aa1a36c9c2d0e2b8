package client

import (
	"errors"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portico/fault"
	"portico/identity"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
)

// invitePage is an invitation to accept.
type invitePage struct {
	sharing.Invitation
	Action string
	SignIn string            // where somebody with a password signs in
	Mine   bool              // who it is for is signed in: one button accepts
	Other  string            // somebody else is
	Typed  string            // the name, as it was typed
	Wrong  map[string]string // a sentence for each field
}

// invitation shows what a secret invites to.
func (p *pages) invitation(w http.ResponseWriter, r *http.Request) {
	p.showInvitation(w, r, http.StatusOK, "", nil)
}

func (p *pages) showInvitation(w http.ResponseWriter, r *http.Request, status int, typed string, wrong map[string]string) {
	at := "/invite/" + url.PathEscape(r.PathValue("secret"))
	i, err := p.Sharing.Invitation(r.Context(), r.PathValue("secret"), p.kit.Address(r))
	if err != nil {
		p.failSecret(w, r, err, lang.ID("Ask who invited you for a new invitation: it is one click for them."))
		return
	}
	page := invitePage{Invitation: i, Action: at, SignIn: "/login?next=" + url.QueryEscape(at), Typed: typed, Wrong: wrong}
	if page.Typed == "" {
		page.Typed = i.Name
	}
	if who, ok := p.kit.Who(r); ok {
		page.Mine = who.Contact && who.Email == i.Mail
		if !page.Mine {
			page.Other = string(who.Login)
		}
	}
	p.kit.Render(w, r, status, web.Page{Name: "client/invite", Title: lang.ID("Invitation"), Brand: p.brand(i.Workspace), Plain: true, Data: page})
}

// acceptInvitation sets the first password, or has somebody with one accept.
func (p *pages) acceptInvitation(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	if _, signedIn := p.kit.Who(r); signedIn {
		p.acceptAs(w, r)
		return
	}
	name, password := r.PostForm.Get("name"), r.PostForm.Get("password")
	if strings.TrimSpace(name) == "" {
		p.showInvitation(w, r, http.StatusUnprocessableEntity, name, map[string]string{"name": p.text(r, "Type your name.")})
		return
	}
	who, err := p.Sharing.AcceptInvitation(r.Context(), r.PathValue("secret"), name, password, p.kit.Address(r))
	switch {
	case err == nil:
		p.begin(w, r, who, "invitation", "/portal/", p.text(r, "Welcome, {name}.", "name", who.Name))
	case errors.Is(err, sharing.ErrSignIn):
		http.Redirect(w, r, "/invite/"+url.PathEscape(r.PathValue("secret")), http.StatusSeeOther)
	case errors.Is(err, fs.ErrInvalid) && identity.CheckNew(password) == nil:
		p.showInvitation(w, r, http.StatusUnprocessableEntity, name, map[string]string{"name": p.text(r, "This name cannot be used. Use letters and spaces.")})
	case errors.Is(err, fs.ErrInvalid):
		p.showInvitation(w, r, http.StatusUnprocessableEntity, name, map[string]string{"password": p.passwordRule(r, password)})
	default:
		p.failSecret(w, r, err, lang.ID("Ask who invited you for a new invitation: it is one click for them."))
	}
}

// acceptAs is for who is signed in already. Another's invitation is refused
// (THREATS.md row 65).
func (p *pages) acceptAs(w http.ResponseWriter, r *http.Request) {
	err := p.Sharing.Accept(r.Context(), p.kit.By(r), r.PathValue("secret"))
	switch {
	case err == nil:
		p.done(w, r, "/portal/", p.text(r, "Accepted. You find it below."))
	case errors.Is(err, fs.ErrPermission):
		p.kit.Trouble(w, r, http.StatusForbidden, lang.ID("This invitation is for somebody else"), lang.ID("You are signed in with another address. Sign out, and open the link in the mail again."))
	default:
		p.failSecret(w, r, err, lang.ID("Ask who invited you for a new invitation: it is one click for them."))
	}
}

// failSecret answers an error about what was sent by mail: 410 for what was good
// once, with how to come by a new one.
func (p *pages) failSecret(w http.ResponseWriter, r *http.Request, err error, mend string) {
	switch {
	case errors.Is(err, sharing.ErrGone):
		p.kit.Trouble(w, r, http.StatusGone, lang.ID("This link has ended"), mend)
	case errors.Is(err, fs.ErrNotExist):
		p.kit.Trouble(w, r, http.StatusNotFound, lang.ID("This link is not known"), lang.ID("A piece of it may be missing. Open it from the mail again, or copy all of it."))
	default:
		p.failThrottled(w, r, err)
	}
}

// failThrottled answers an error that may be one of somebody who tries too much.
func (p *pages) failThrottled(w http.ResponseWriter, r *http.Request, err error) {
	throttled, ok := errors.AsType[*identity.ThrottledError](err)
	if !ok {
		p.kit.Fail(w, r, err)
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(max(int(math.Ceil(throttled.After.Seconds())), 1)))
	p.kit.Fail(w, r, fault.Tell(fault.ErrBusy, "There were too many attempts. Try again in %s.", p.kit.Text(r).Wait(throttled.After)))
}
