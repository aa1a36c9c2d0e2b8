package client

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"unicode/utf8"

	"portico/identity"
	"portico/lang"
	"portico/notify"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
)

// accountPage is a customer's own.
type accountPage struct {
	Choices web.Choices
	Wrong   map[string]string // a sentence for each field
}

func (p *pages) account(w http.ResponseWriter, r *http.Request) {
	p.showAccount(w, r, http.StatusOK, nil)
}

func (p *pages) showAccount(w http.ResponseWriter, r *http.Request, status int, wrong map[string]string) {
	p.kit.Show(w, r, status, "client/account", lang.ID("Your account"), accountPage{p.kit.Choices(r), wrong})
}

// setPassword changes the password. All sessions end with it, and this browser is
// signed in anew.
func (p *pages) setPassword(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	who, _ := p.kit.Who(r)
	err := p.Sharing.SetPassword(r.Context(), p.kit.By(r), r.PostForm.Get("old"), r.PostForm.Get("new"))
	switch {
	case err == nil:
		p.begin(w, r, who, "new password", "/portal/account", p.text(r, "Your password is changed. You are signed out everywhere else."))
	case errors.Is(err, identity.ErrRefused):
		p.showAccount(w, r, http.StatusForbidden, map[string]string{"old": p.text(r, "This is not your current password.")})
	case errors.Is(err, fs.ErrInvalid):
		p.showAccount(w, r, http.StatusUnprocessableEntity, map[string]string{"new": p.passwordRule(r, r.PostForm.Get("new"))})
	default:
		p.failThrottled(w, r, err)
	}
}

// passwordRule is why a password cannot be one: identity.CheckNew in the reader's
// language.
func (p *pages) passwordRule(r *http.Request, password string) string {
	text := p.kit.Text(r)
	switch {
	case utf8.RuneCountInString(password) < identity.MinPassword:
		return text.T("It needs at least {n} characters. A few words together are easy to remember.", "n", identity.MinPassword)
	case len(password) > identity.MaxPassword:
		return text.T("It is too long. Use a shorter one.")
	default:
		return text.T("Attackers try this one first. Use a few words that do not belong together.")
	}
}

// begin signs somebody in at this browser and goes on to a page.
func (p *pages) begin(w http.ResponseWriter, r *http.Request, who identity.Identity, how, to, said string) {
	if p.Ended != nil {
		p.Ended(who)
	}
	if err := p.kit.Begin(w, r, who, how); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.done(w, r, to, said)
}

// setPreferences keeps what staff and customers choose for themselves.
func (p *pages) setPreferences(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	who, _ := p.kit.Who(r)
	wish := sharing.PreferencesWish{Language: r.PostForm.Get("language"), Theme: r.PostForm.Get("theme")}
	for _, e := range p.kit.Choices(r).Mails {
		if !slices.Contains(r.PostForm["mail"], e.Event) {
			wish.Muted = append(wish.Muted, notify.Event(e.Event))
		}
	}
	if err := p.Sharing.SetPreferences(r.Context(), p.kit.By(r), wish); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Choose(w, wish.Language, wish.Theme)
	text := p.kit.Text(r)
	if wish.Language != "" { // the line is for the page after this one
		text = p.kit.Catalog.For(wish.Language)
	}
	to := "/account"
	if who.Contact {
		to = "/portal/account"
	}
	p.done(w, r, to, text.T("Your choices are kept."))
}

// maxNotices is how many the page has.
const maxNotices = 100

// notice is one that can be read.
type notice struct {
	store.Notice
	Title, Body, Link string
}

// notices are what somebody was told.
func (p *pages) notices(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	list, err := p.Notices.List(r.Context(), who.ID, maxNotices)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	var all []notice
	for _, n := range list {
		one := notice{Notice: n}
		if one.Title, one.Body, one.Link = p.Notices.Words(p.kit.Text(r), n); one.Title != "" {
			all = append(all, one)
		}
	}
	p.kit.Show(w, r, http.StatusOK, "client/notices", lang.ID("Notices"), all)
}

func (p *pages) readNotices(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	if err := p.Notices.MarkRead(r.Context(), who.ID); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/notices", http.StatusSeeOther)
}
