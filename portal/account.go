package portal

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/store"
)

// accountPage is what /account shows.
type accountPage struct {
	Groups    []string
	Passwords []store.AppPassword
	Spaces    []Workspace
	Drive     string
	Form      wishForm
	Said      string // what was done, after a form
}

// wishForm is the form for an app password, as it was filled in.
type wishForm struct {
	Name, Workspace, Expires string
	ReadOnly                 bool
	Wrong                    map[string]string
}

func (p *portal) account(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	p.showAccount(w, r, http.StatusOK, who, wishForm{Expires: "1y"})
}

func (p *portal) showAccount(w http.ResponseWriter, r *http.Request, status int, who identity.Identity, f wishForm) {
	list, err := p.Passwords.List(r.Context(), who.ID)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	spaces, err := p.Workspaces(r.Context(), who)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	page := accountPage{Passwords: list, Spaces: spaces, Drive: mountAt(p.Public, "").Drive, Form: f}
	for _, m := range who.Groups {
		page.Groups = append(page.Groups, m.Group)
	}
	if r.URL.Query().Get("revoked") != "" {
		page.Said = "The app password is revoked. What used it is signed out."
	}
	p.show(w, r, status, "account", "Your account", &who, page)
}

// madePage shows a new app password. It is the answer to the form and no page of
// its own, since the secret is kept nowhere that a second page could read it from.
type madePage struct {
	store.AppPassword
	Mount mount
}

func (p *portal) makePassword(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.badForm(w, r, err)
		return
	}
	f := wishForm{
		Name: strings.TrimSpace(r.PostForm.Get("name")), Workspace: r.PostForm.Get("workspace"), Expires: r.PostForm.Get("expires"),
		ReadOnly: r.PostForm.Get("read_only") != "",
	}
	wish, wrong, err := p.wish(r, who, f)
	if err != nil {
		p.broken(w, r, err)
		return
	}
	if f.Wrong = wrong; len(wrong) > 0 {
		p.showAccount(w, r, http.StatusUnprocessableEntity, who, f)
		return
	}
	secret, made, err := p.make(r, who, wish)
	if told := fault.Told(err); told != "" && !errors.Is(err, fault.ErrUnavailable) {
		f.Wrong = map[string]string{"name": told}
		p.showAccount(w, r, refusedWish(err), who, f)
		return
	}
	if err != nil {
		p.broken(w, r, err)
		return
	}
	page := madePage{AppPassword: made, Mount: mountAt(p.Public, made.Workspace)}
	page.Mount.Login, page.Mount.Secret = string(who.Login), secret
	p.show(w, r, http.StatusOK, "made", "App password for "+made.Name, &who, page)
}

// wish judges a form, or what came by the API: wrong has a sentence for each
// field that is.
func (p *portal) wish(r *http.Request, who identity.Identity, f wishForm) (wish apppass.Wish, wrong map[string]string, err error) {
	wrong = make(map[string]string)
	if bad := checkName(f.Name); bad != "" {
		wrong["name"] = bad
	}
	expires, bad := parseExpiry(f.Expires, p.Clock())
	if bad != "" {
		wrong["expires"] = bad
	}
	spaces, err := p.Workspaces(r.Context(), who)
	if err != nil {
		return apppass.Wish{}, nil, err
	}
	if !isVisible(f.Workspace, spaces) { // one that is hidden is as absent as any other
		wrong["workspace"] = "There is no such workspace. Choose one that you can see."
	}
	limit := identity.Limit{Workspace: f.Workspace, ReadOnly: f.ReadOnly}
	return apppass.Wish{Name: f.Name, Limit: limit, Expires: expires}, wrong, nil
}

// make makes an app password, and records it.
func (p *portal) make(r *http.Request, who identity.Identity, w apppass.Wish) (secret string, made store.AppPassword, err error) {
	return p.Passwords.Make(r.Context(), who, w, func(tx store.Tx, made store.AppPassword) error {
		return p.appended(r, "app-password", who, made.ID, "made")(tx)
	})
}

// refusedWish is the status of a wish that was not granted.
func refusedWish(err error) int {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	case errors.Is(err, fs.ErrInvalid):
		return http.StatusUnprocessableEntity
	}
	return http.StatusConflict // they have as many as may be
}

// revoke ends one, and records it.
func (p *portal) revoke(r *http.Request, who identity.Identity, id string) error {
	return p.Passwords.Revoke(r.Context(), who.ID, id, func(tx store.Tx, gone store.AppPassword) error {
		return p.appended(r, "app-password", who, gone.ID, "revoked")(tx)
	})
}

func (p *portal) revokePassword(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	err := p.revoke(r, who, r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.trouble(w, r, http.StatusNotFound, "There is no such app password", "It may have been revoked already. Go back to your account.")
	case err != nil:
		p.broken(w, r, err)
	default:
		http.Redirect(w, r, "/account?revoked=1", http.StatusSeeOther)
	}
}
