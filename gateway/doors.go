package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"portico/identity"
	"portico/vpath"
)

// Clients made for Nextcloud and ownCloud look for the drive at addresses of those
// servers. They are other doors to the same tree, for the person alone whose login
// stands in them; nobody learns at another's whether there is such a person.
const (
	filesName   = "files"   // /dav/files/LOGIN/… is /dav/…
	uploadsName = "uploads" // /dav/uploads/LOGIN/… are their uploads in chunks

	cloudDav    = "/remote.php/dav"    // holds those two
	cloudWebdav = "/remote.php/webdav" // is /dav
)

// IsDrive tells the addresses that a Handler mounted at /dav serves.
func IsDrive(path string) bool {
	for _, at := range []string{"/dav", cloudDav, cloudWebdav} {
		if rest, ok := strings.CutPrefix(path, at); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return isApp(path)
}

// locate finds the door of a request, and the path behind it.
func (h *Handler) locate(escaped string) (d drive, inside string, ok bool) {
	d = h.drive
	if inside, ok = d.strip(escaped); ok {
		return d, inside, true
	}
	if d.prefix = cloudWebdav; h.Prefix == "/dav" {
		inside, ok = d.strip(escaped)
	}
	if ok || h.Prefix != "/dav" {
		return d, inside, ok
	}
	d.prefix = cloudDav
	inside, ok = d.strip(escaped)
	first, _, _ := strings.Cut(strings.TrimPrefix(inside, "/"), "/")
	return d, inside, ok && (first == filesName || first == uploadsName)
}

// personal is a path below the address of one person.
type personal struct {
	kind string // filesName or uploadsName
	user string // as it was sent, escaped
	rest string // begins with a slash
}

// parsePersonal is false for all other addresses.
func parsePersonal(inside string) (p personal, ok bool) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(inside, "/"), "/")
	user, rest, _ := strings.Cut(rest, "/")
	return personal{kind: kind, user: user, rest: "/" + rest}, user != "" && (kind == filesName || kind == uploadsName)
}

// isOf tells whether the address is that person's.
func (p personal) isOf(login identity.Login) bool {
	user, err := url.PathUnescape(p.user)
	return err == nil && vpath.Fold(user) == vpath.Fold(string(login))
}

// enterDoor takes the part of a personal address off a path. What is left is what
// /dav/… would be.
func (q *request) enterDoor(inside string, who identity.Identity) (rest string, err error) {
	p, ok := parsePersonal(inside)
	if !ok {
		return inside, nil
	}
	if !p.isOf(who.Login) {
		return "", refuse(http.StatusNotFound, "There is nothing at this address.")
	}
	root := q.prefix
	own, err := vpath.Path{}.Child(string(who.Login))
	if err != nil {
		return "", refuse(http.StatusNotFound, "There is nothing at this address.")
	}
	q.prefix = root + "/" + p.kind + own.Escaped()
	q.also = []door{{root: root, login: who.Login}}
	if p.kind == filesName {
		return p.rest, nil
	}
	// The file that an upload becomes may be named by any door.
	q.also = append(q.also, door{root: cloudDav, login: who.Login}, door{root: "/dav", login: who.Login}, door{root: cloudWebdav}, door{root: "/dav"})
	q.chunks, q.aside = &chunkAddress{inside: p.rest}, true
	return "/", nil
}

// within narrows a drive to one of its folders.
func (q *request) within(name string) {
	if q.chunks == nil {
		q.prefix += "/" + name
	}
	for i := range q.also {
		q.also[i].folder = "/" + name
	}
}

// door is an address of the drive, or of one of its folders.
type door struct {
	root   string
	login  identity.Login // whose door it is, "" for one without a name
	folder string
}

// strip takes it off an escaped path. A login may be written in several ways.
func (d door) strip(escaped string) (inside string, ok bool) {
	inside, ok = (&drive{prefix: d.root}).strip(escaped)
	if ok && d.login != "" {
		var p personal
		p, ok = parsePersonal(inside)
		ok = ok && p.kind == filesName && p.isOf(d.login)
		inside = p.rest
	}
	if !ok {
		return "", false
	}
	return (&drive{prefix: d.folder}).strip(inside)
}
