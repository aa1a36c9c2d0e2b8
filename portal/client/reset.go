package client

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"portico/lang"
	"portico/portal/web"
)

// askPage asks for a mail address, and says afterwards that a mail is on its way.
type askPage struct {
	Mail  string
	Asked bool
	Wrong string
}

func (p *pages) resetForm(w http.ResponseWriter, r *http.Request) {
	p.showAsk(w, r, http.StatusOK, askPage{Mail: r.URL.Query().Get("mail")})
}

func (p *pages) showAsk(w http.ResponseWriter, r *http.Request, status int, page askPage) {
	p.kit.Show(w, r, status, "client/ask", lang.ID("New password"), page)
}

// askReset answers the same whoever it is (THREATS.md row 64).
func (p *pages) askReset(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	mail := strings.TrimSpace(r.PostForm.Get("mail"))
	if !strings.Contains(mail, "@") {
		p.showAsk(w, r, http.StatusUnprocessableEntity, askPage{Mail: mail, Wrong: p.text(r, "Type your mail address, such as name@firm.example.")})
		return
	}
	if err := p.Sharing.AskReset(r.Context(), mail, p.kit.Address(r)); err != nil {
		p.failThrottled(w, r, err)
		return
	}
	p.showAsk(w, r, http.StatusOK, askPage{Mail: mail, Asked: true})
}

// resetPage sets a new password.
type resetPage struct {
	Mail   string
	Action string
	Wrong  string
}

func (p *pages) newPassword(w http.ResponseWriter, r *http.Request) {
	p.showReset(w, r, http.StatusOK, "")
}

func (p *pages) showReset(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	mail, err := p.Sharing.ResetFor(r.Context(), r.PathValue("secret"), p.kit.Address(r))
	if err != nil {
		p.failReset(w, r, err)
		return
	}
	page := resetPage{Mail: mail, Action: "/reset/" + url.PathEscape(r.PathValue("secret")), Wrong: wrong}
	p.kit.Render(w, r, status, web.Page{Name: "client/reset", Title: lang.ID("New password"), Plain: true, Data: page})
}

func (p *pages) reset(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	who, err := p.Sharing.Reset(r.Context(), r.PathValue("secret"), r.PostForm.Get("password"), p.kit.Address(r))
	switch {
	case err == nil:
		p.begin(w, r, who, "reset", "/portal/", p.text(r, "Your password is changed. You are signed out everywhere else."))
	case errors.Is(err, fs.ErrInvalid):
		p.showReset(w, r, http.StatusUnprocessableEntity, p.passwordRule(r, r.PostForm.Get("password")))
	default:
		p.failReset(w, r, err)
	}
}

func (p *pages) failReset(w http.ResponseWriter, r *http.Request, err error) {
	p.failSecret(w, r, err, lang.ID("A link for a new password is good for half an hour, and once. Ask for a new one on the page to sign in."))
}
