package link

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"portico/fault"
	"portico/identity"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
)

// lockedPage asks for a password. It has nothing of the link (CVE-2026-27611).
type lockedPage struct {
	Action string
	Wrong  string
}

func (p *pages) showLocked(w http.ResponseWriter, r *http.Request, v *sharing.Visit, status int, wrong string) {
	w.Header().Set("WWW-Authenticate", `Form realm="link"`) // a 401 must have one; browsers ask nothing for this
	p.render(w, r, v, status, web.Page{Name: "link/locked", Data: lockedPage{at(r, "/unlock"), wrong}})
}

// unlock takes the password.
func (p *pages) unlock(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	k := p.knock(r)
	k.Password = r.PostForm.Get("password")
	v, cookie, err := p.Sharing.Unlock(r.Context(), k)
	switch {
	case errors.Is(err, identity.ErrRefused) && v != nil:
		p.showLocked(w, r, v, http.StatusUnauthorized, p.kit.Text(r).T("The password is wrong."))
	case err != nil:
		p.fail(w, r, v, err)
	default:
		p.cookie(r).Set(w, cookie)
		http.Redirect(w, r, at(r, ""), http.StatusSeeOther)
	}
}

// throttled is the answer to who guesses.
func (p *pages) throttled(w http.ResponseWriter, r *http.Request, t *identity.ThrottledError) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int((t.After+999_999_999)/1_000_000_000))))
	if !wantsPage(r) {
		plain(w, http.StatusTooManyRequests, "Too many wrong tries. Try again later.")
		return
	}
	p.kit.Trouble(w, r, http.StatusTooManyRequests, lang.ID("Too many wrong tries"), lang.ID("Wait some minutes, and try again."))
}

// ended is the answer of a link that opens nothing any more. It is the same for
// all reasons that are not the visitor's business.
func (p *pages) ended(w http.ResponseWriter, r *http.Request, err error) {
	if !wantsPage(r) {
		plain(w, http.StatusGone, p.sentence(r, err))
		return
	}
	p.kit.Trouble(w, r, http.StatusGone, lang.ID("This link has ended"), lang.ID("Ask who sent it to you for a new one."))
}

// mailPage asks for a mail address, and then for the code that was sent to it.
type mailPage struct {
	Action string
	Asked  string
	Wrong  string
}

func (p *pages) showMail(w http.ResponseWriter, r *http.Request, v *sharing.Visit, status int, wrong string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Form realm="link"`)
	}
	page := mailPage{Action: at(r, "/code"), Asked: v.Asked(), Wrong: wrong}
	if r.URL.Query().Has("other") {
		page.Asked = ""
	}
	p.render(w, r, v, status, web.Page{Name: "link/mail", Data: page})
}

// code takes an address, or the code that was sent to it.
func (p *pages) code(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	v, err := p.Sharing.OpenLink(r.Context(), p.knock(r))
	switch {
	case err == nil: // there is nothing to prove any more
		http.Redirect(w, r, at(r, ""), http.StatusSeeOther)
		return
	case !errors.Is(err, sharing.ErrMail):
		p.fail(w, r, v, err)
		return
	}
	var cookie string
	if code := r.PostForm.Get("code"); code != "" {
		cookie, err = v.ProveCode(r.Context(), code)
	} else {
		cookie, err = v.AskCode(r.Context(), r.PostForm.Get("mail"))
	}
	switch {
	case errors.Is(err, identity.ErrRefused):
		p.showMail(w, r, v, http.StatusUnauthorized, p.kit.Text(r).T("The code is wrong, or its time is over."))
	case errors.Is(err, fs.ErrInvalid):
		p.showMail(w, r, v, http.StatusUnprocessableEntity, p.kit.Text(r).T("That is not a mail address."))
	case err != nil:
		p.fail(w, r, v, err)
	default:
		p.cookie(r).Set(w, cookie)
		http.Redirect(w, r, at(r, ""), http.StatusSeeOther)
	}
}

// name takes the name of who deposits.
func (p *pages) name(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	name := r.PostForm.Get("name")
	if name == "" {
		p.fail(w, r, v, fault.Tell(fs.ErrInvalid, "Write your name."))
		return
	}
	if !p.begin(w, r, v, name) {
		return
	}
	http.Redirect(w, r, at(r, ""), http.StatusSeeOther)
}

// begin tells a visitor from others by a cookie; where it is not ok, it has
// answered.
func (p *pages) begin(w http.ResponseWriter, r *http.Request, v *sharing.Visit, name string) (ok bool) {
	cookie, err := v.Begin(r.Context(), name)
	if err != nil {
		p.fail(w, r, v, err)
		return false
	}
	if cookie != "" {
		p.cookie(r).Set(w, cookie)
	}
	return true
}
