// Package mount has the page that tells how to open the drive on somebody's own
// system, and the doctor that watches their first requests and says what is wrong.
package mount

import (
	"net/url"
	"strings"

	"portico/identity"
)

// Drive is what tells how to open a drive.
type Drive struct {
	Drive  string // the address, without a slash at the end, which Windows dislikes
	Host   string // with its port
	Path   string // of Drive
	TLS    bool
	Login  string // NAME where it is not known
	Secret string // of a new app password; PASSWORD where there is none

	AppPasswords bool // it takes no others
}

// At is the drive of one workspace, or of all with "".
func At(public *url.URL, workspace string) Drive {
	at := public.JoinPath("dav")
	if workspace != "" {
		at = at.JoinPath(url.PathEscape(workspace))
	}
	return Drive{Drive: at.String(), Host: public.Host, Path: "/" + strings.TrimPrefix(at.EscapedPath(), "/"), TLS: public.Scheme == "https", Login: unknown, Secret: "PASSWORD"}
}

// Of is somebody's drive: a customer's is what is shared with them.
func Of(public *url.URL, who identity.Identity, workspace string) Drive {
	d := At(public, workspace)
	if who.Contact {
		d = At(public, "shared")
	}
	if who.Login != "" {
		d.Login = string(who.Login)
	}
	return d
}

// Name is the host alone, as LibreOffice asks for it.
func (d Drive) Name() string {
	u := url.URL{Host: d.Host}
	return u.Hostname()
}

// Port is asked for beside it.
func (d Drive) Port() string {
	u := url.URL{Host: d.Host}
	switch {
	case u.Port() != "":
		return u.Port()
	case d.TLS:
		return "443"
	}
	return "80"
}

// GNOME is the address as GNOME's Files takes it, with the name in it: that of a
// customer is a mail address, whose @ must be escaped.
func (d Drive) GNOME() string { return d.with("dav") }

// KDE is the address as KDE's programs take it.
func (d Drive) KDE() string { return d.with("webdav") }

func (d Drive) with(scheme string) string {
	if d.TLS {
		scheme += "s"
	}
	who := ""
	if d.Login != unknown {
		who = url.User(d.Login).String() + "@"
	}
	return scheme + "://" + who + d.Host + d.Path + "/"
}
