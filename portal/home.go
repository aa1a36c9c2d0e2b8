package portal

import (
	"net/http"
	"net/url"
	"strings"

	"portico/identity"
	"portico/lang"
)

// mount is what tells how to open a drive.
type mount struct {
	Drive  string // the address, without a slash at the end, which Windows dislikes
	Host   string
	Path   string // of Drive
	TLS    bool
	Login  string // NAME where it is not known
	Secret string // of a new app password; PASSWORD where there is none

	AppPasswords bool // it takes no others
}

// mountAt is for one workspace, or all with "".
func mountAt(public *url.URL, workspace string) mount {
	at := public.JoinPath("dav")
	if workspace != "" {
		at = at.JoinPath(url.PathEscape(workspace))
	}
	return mount{Drive: at.String(), Host: public.Host, Path: "/" + strings.TrimPrefix(at.EscapedPath(), "/"), TLS: public.Scheme == "https", Login: "NAME", Secret: "PASSWORD"}
}

// mountOf is for somebody's drive: a customer's is what is shared with them.
func mountOf(public *url.URL, who identity.Identity, workspace string) mount {
	m := mountAt(public, workspace)
	if who.Contact {
		m = mountAt(public, "shared")
	}
	if who.Login != "" {
		m.Login = string(who.Login)
	}
	return m
}

// home is the page at "/". Those who are signed in see a way on; a store that is
// away is no reason not to tell the others how to mount. A customer has no drive of
// the firm: what concerns them is on their own pages.
func (p *portal) home(w http.ResponseWriter, r *http.Request) {
	if who, known := p.kit.Who(r); known && who.Contact {
		http.Redirect(w, r, "/portal/", http.StatusSeeOther)
		return
	}
	drive := mountAt(p.Public, "")
	drive.AppPasswords = p.OutsideOnly
	p.kit.Show(w, r, http.StatusOK, "home", lang.ID("Your drive"), drive)
}
