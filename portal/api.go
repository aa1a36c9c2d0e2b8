package portal

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/session"
	"portico/portal/web"
	"portico/store"
)

// passwordJSON is an app password as the API gives it.
type passwordJSON struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Workspace    string     `json:"workspace"`
	ReadOnly     bool       `json:"read_only"`
	Created      time.Time  `json:"created"`
	Expires      *time.Time `json:"expires"`
	LastUsed     *time.Time `json:"last_used"`
	LastUsedFrom string     `json:"last_used_from"`
	Secret       string     `json:"secret,omitempty"` // in the answer that made it, nowhere else
}

func asJSON(a store.AppPassword) passwordJSON {
	j := passwordJSON{
		ID: a.ID, Name: a.Name, Workspace: a.Workspace, ReadOnly: a.ReadOnly, Created: a.Created.UTC(), LastUsedFrom: a.UsedFrom,
	}
	if !a.Expires.IsZero() {
		at := a.Expires.UTC()
		j.Expires = &at
	}
	if !a.Used.IsZero() {
		at := a.Used.UTC()
		j.LastUsed = &at
	}
	return j
}

// refuseCaller answers a program that did not say who asks, or not well enough. An
// app password is for a drive: one that was stolen must not make others that
// outlive it.
func (p *portal) refuseCaller(w http.ResponseWriter, r *http.Request, err error) (status int, sentence string) {
	status, sentence = p.refuse(w, r, err)
	switch {
	case errors.Is(err, errAppPassword):
		sentence = "An app password cannot manage app passwords, nor what concerns you alone. Use your own password."
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="Portico", charset="UTF-8"`)
	}
	return status, sentence
}

// caller finds out who asks. Where there are credentials, the cookie is not
// looked at: a client that sends both means the first.
func (p *portal) caller(r *http.Request, own bool) (identity.Identity, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		who, err := p.Sessions.Find(r.Context(), p.sid.Value(r))
		if errors.Is(err, session.ErrNone) {
			return identity.Identity{}, identity.ErrRefused
		}
		return who, err
	}
	login, password, ok := identity.Basic(headers)
	if !ok || !identity.Presentable(login, password) {
		return identity.Identity{}, identity.ErrRefused
	}
	if own {
		return p.prove(r, login, password)
	}
	return p.proveAny(r, login, password)
}

func (p *portal) apiList(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	list, err := p.Passwords.List(r.Context(), who.ID)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	all := make([]passwordJSON, 0, len(list))
	for _, a := range list {
		all = append(all, asJSON(a))
	}
	web.Reply(w, http.StatusOK, map[string]any{"app_passwords": all})
}

// wishJSON is all that a client may say. What else it sends is refused and not
// left out: who writes "owner" believes that it does something (CVE-2021-41325).
type wishJSON struct {
	Name      string `json:"name"`
	Workspace string `json:"workspace"`
	ReadOnly  bool   `json:"read_only"`
	Expires   string `json:"expires"`
}

func (p *portal) apiMake(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	var in wishJSON
	if status, sentence := web.ReadJSON(w, r, &in); sentence != "" {
		web.Problem(w, status, sentence)
		return
	}
	f := wishForm{Name: strings.TrimSpace(in.Name), Workspace: in.Workspace, ReadOnly: in.ReadOnly, Expires: in.Expires}
	wish, wrong, err := p.wish(r, who, f)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	for _, field := range []string{"name", "workspace", "expires"} {
		if wrong[field] != "" {
			web.Problem(w, http.StatusUnprocessableEntity, field+": "+wrong[field])
			return
		}
	}
	secret, made, err := p.make(r, who, wish)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	j := asJSON(made)
	j.Secret = secret
	w.Header().Set("Location", "/api/v1/app-passwords/"+made.ID)
	web.Reply(w, http.StatusCreated, j)
}

func (p *portal) apiRevoke(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	err := p.revoke(r, who, r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		web.Problem(w, http.StatusNotFound, "There is no such app password.")
	case err != nil:
		p.apiBroken(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// apiBroken answers a program with an error of the keeper, or of the store.
func (p *portal) apiBroken(w http.ResponseWriter, r *http.Request, err error) {
	if fault.Told(err) != "" && !errors.Is(err, fault.ErrUnavailable) {
		web.Problem(w, refusedWish(err), p.kit.Explain(r, err))
		return
	}
	p.kit.Fail(w, r, err)
}
