package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"portico/identity"
	"portico/identity/session"
)

// mount is what tells how to open a drive.
type mount struct {
	Drive  string // the address, without a slash at the end, which Windows dislikes
	Host   string
	Path   string // of Drive
	TLS    bool
	Login  string // NAME where it is not known
	Secret string // of a new app password; PASSWORD where there is none
}

// mountAt is for one workspace, or all with "".
func mountAt(public *url.URL, workspace string) mount {
	at := public.JoinPath("dav")
	if workspace != "" {
		at = at.JoinPath(url.PathEscape(workspace))
	}
	return mount{Drive: at.String(), Host: public.Host, Path: "/" + strings.TrimPrefix(at.EscapedPath(), "/"), TLS: public.Scheme == "https", Login: "NAME", Secret: "PASSWORD"}
}

// home is the page at "/". Those who are signed in see a way on; a store that is
// away is no reason not to tell the others how to mount.
func (p *portal) home(w http.ResponseWriter, r *http.Request) {
	var who *identity.Identity
	if cookie := p.sid.Value(r); cookie != "" {
		found, err := p.Sessions.Find(r.Context(), cookie)
		switch {
		case err == nil:
			who = &found
		case !errors.Is(err, session.ErrNone):
			p.Log.WarnContext(r.Context(), "home: session unknown", "err", err)
		}
	}
	p.show(w, r, http.StatusOK, "home", "Your drive on "+p.Public.Host, who, mountAt(p.Public, ""))
}
