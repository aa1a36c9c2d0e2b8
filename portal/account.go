package portal

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/lang"
	"portico/portal/mount"
	"portico/portal/web"
	"portico/store"
)

// accountPage is what /account shows.
type accountPage struct {
	Groups    []string
	Passwords []store.AppPassword
	Spaces    []Workspace
	Drive     string
	Form      wishForm
	Choices   *web.Choices // nil where nobody keeps them
}

// wishForm is the form for an app password, as it was filled in.
type wishForm struct {
	Name, Workspace, Expires string
	ReadOnly                 bool
	Wrong                    map[string]string
}

// account is of staff; customers have a page of their own for themselves, and one
// for their drive.
func (p *portal) account(w http.ResponseWriter, r *http.Request) {
	if who, _ := p.kit.Who(r); who.Contact {
		http.Redirect(w, r, "/portal/account", http.StatusSeeOther)
		return
	}
	p.showAccount(w, r, http.StatusOK, wishForm{Expires: "1y"})
}

func (p *portal) showAccount(w http.ResponseWriter, r *http.Request, status int, f wishForm) {
	who, _ := p.kit.Who(r)
	list, err := p.Passwords.List(r.Context(), who.ID)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	spaces, err := p.Workspaces(r.Context(), who)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page := accountPage{Passwords: list, Spaces: spaces, Drive: mount.Of(p.Public, who, "").Drive, Form: f}
	if p.Preferences != nil {
		choices := p.kit.Choices(r)
		page.Choices = &choices
	}
	for _, m := range who.Groups {
		page.Groups = append(page.Groups, m.Group)
	}
	for field, wrong := range f.Wrong { // the API takes the same wishes, and says them in English
		f.Wrong[field] = p.kit.Text(r).T(wrong)
	}
	if who.Contact {
		p.kit.Show(w, r, status, "drive", lang.ID("Open it as a drive"), drivePage{page, mount.Of(p.Public, who, "")})
		return
	}
	p.kit.Show(w, r, status, "account", lang.ID("Your account"), page)
}

// drivePage tells a customer how to open what is shared with them as a drive.
type drivePage struct {
	accountPage
	Mount mount.Drive
}

func (p *portal) drive(w http.ResponseWriter, r *http.Request) {
	p.showAccount(w, r, http.StatusOK, wishForm{Expires: "1y"})
}

// devices is the page that has somebody's app passwords.
func devices(who identity.Identity) string {
	if who.Contact {
		return "/portal/mount"
	}
	return "/account"
}

// madePage shows a new app password. It is the answer to the form and no page of
// its own, since the secret is kept nowhere that a second page could read it from.
type madePage struct {
	store.AppPassword
	Mount mount.Drive
	Back  string
}

func (p *portal) makePassword(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	if !p.kit.ReadForm(w, r) {
		return
	}
	f := wishForm{
		Name: strings.TrimSpace(r.PostForm.Get("name")), Workspace: r.PostForm.Get("workspace"), Expires: r.PostForm.Get("expires"),
		ReadOnly: r.PostForm.Get("read_only") != "",
	}
	wish, wrong, err := p.wish(r, who, f)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	if f.Wrong = wrong; len(wrong) > 0 {
		p.showAccount(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	secret, made, err := p.make(r, who, wish)
	if fault.Told(err) != "" && !errors.Is(err, fault.ErrUnavailable) {
		f.Wrong = map[string]string{"name": p.kit.Explain(r, err)}
		p.showAccount(w, r, refusedWish(err), f)
		return
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page := madePage{AppPassword: made, Mount: mount.Of(p.Public, who, made.Workspace), Back: devices(who)}
	page.Mount.Login, page.Mount.Secret = string(who.Login), secret
	p.kit.Show(w, r, http.StatusOK, "made", lang.ID("New app password"), page)
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
		wrong["workspace"] = lang.ID("There is no such workspace. Choose one that you can see.")
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

func (p *portal) revokePassword(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	err := p.revoke(r, who, r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.kit.Trouble(w, r, http.StatusNotFound, lang.ID("There is no such app password"), lang.ID("It may have been revoked already. Go back to your account."))
	case err != nil:
		p.kit.Fail(w, r, err)
	default:
		p.kit.Say(w, web.Said{Message: p.kit.Text(r).T("The app password is revoked. What used it is signed out.")})
		http.Redirect(w, r, devices(who), http.StatusSeeOther)
	}
}
