package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"portico/vpath"
)

// drive is what is mounted under one prefix of one server.
type drive struct {
	prefix string
	hosts  map[string]bool // by which clients know the server

	also  []door // by which headers may name a path of it, too, the longer ones first
	aside bool   // what lies below prefix is no file: headers name it by the others

	// windows is set for clients that cannot hold every name: see winnames.go.
	windows bool
}

// strip takes the prefix off an escaped path, at the end of an element only:
// /davx is not ours (THREATS.md M7). An encoded letter in the prefix makes it
// another path, as nobody writes it so in good faith.
func (d *drive) strip(escaped string) (inside string, ok bool) {
	rest, ok := strings.CutPrefix(escaped, d.prefix)
	switch {
	case !ok:
		return "", false
	case rest == "":
		return "/", true
	}
	return rest, rest[0] == '/'
}

// stripAny is strip for an address in a header.
func (d *drive) stripAny(escaped string) (inside string, ok bool) {
	if !d.aside {
		inside, ok = d.strip(escaped)
	}
	for i := 0; !ok && i < len(d.also); i++ {
		inside, ok = d.also[i].strip(escaped)
	}
	return inside, ok
}

// href is the address of a thing as an answer gives it: an absolute path,
// percent-encoded, with a slash at the end of a folder.
func (d *drive) href(p vpath.Path, dir bool) string {
	return string(d.appendHref(nil, p, dir))
}

// appendHref is href into a buffer. All addresses of answers are made here, as
// those of requests are read in inside.
func (d *drive) appendHref(b []byte, p vpath.Path, dir bool) []byte {
	b = append(b, d.prefix...)
	if d.windows {
		b = append(b, vpath.Escape(showPath(p))...)
	} else {
		b = append(b, p.Escaped()...)
	}
	if dir && !p.IsRoot() {
		b = append(b, '/')
	}
	return b
}

// inside reads the path of an address behind the prefix, as it was sent.
// Whatever asks for rights gets the one path that comes out of here.
func (d *drive) inside(escaped string) (p vpath.Path, slash bool, err error) {
	if !d.windows {
		return vpath.ParseEscaped(escaped)
	}
	return readWindows(escaped)
}

// address reads an absolute URL or an absolute path, as in Destination and in
// tags of If. elsewhere is set for what lies outside this drive.
func (d *drive) address(r *http.Request, raw string) (p vpath.Path, elsewhere bool, err error) {
	if strings.HasPrefix(raw, "//") {
		return p, false, refuse(http.StatusBadRequest, "The path has an empty element (//).")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "":
		return p, false, refuse(http.StatusBadRequest, "A header holds an address that cannot be read.")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		// A ? or # that a client forgot to encode would cut the name short and
		// store the file under another one.
		return p, false, refuse(http.StatusBadRequest, "The address in a header has a ? or #. In a name, they are written %%3F and %%23.")
	// Another host is no error in an If header: its list just does not hold.
	case u.Scheme != "" || u.Host != "":
		if !d.ours(u, r.Host) {
			return p, true, nil
		}
	}
	inside, ok := d.stripAny(u.EscapedPath())
	if !ok {
		if !strings.HasPrefix(u.Path, "/") {
			return p, false, refuse(http.StatusBadRequest, "A header holds a relative address where an absolute one is needed.")
		}
		return p, true, nil
	}
	p, _, err = d.inside(inside)
	return p, false, err
}

// ours tells whether u names this server: by one of its public addresses, or by
// the name that the client called it by in this very request.
func (d *drive) ours(u *url.URL, requested string) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := plainHost(u.Host)
	return d.hosts[host] || host == plainHost(requested)
}

// plainHost is a host in lower case and without a default port, of either
// scheme: behind a proxy that ends TLS the two sides disagree about it.
func plainHost(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":80", ":443"} {
		if short, ok := strings.CutSuffix(host, port); ok && !strings.HasSuffix(short, ":") {
			return short
		}
	}
	return host
}

// destination is where a COPY or MOVE goes.
func (d *drive) destination(r *http.Request) (vpath.Path, error) {
	raw := r.Header.Get("Destination")
	if raw == "" {
		return vpath.Path{}, refuse(http.StatusBadRequest, "COPY and MOVE need a Destination header.")
	}
	p, elsewhere, err := d.address(r, raw)
	if err == nil && elsewhere {
		// RFC 4918 §9.8.5: another server takes no copies from us.
		err = refuse(http.StatusBadGateway, "The destination lies outside this drive.")
	}
	return p, err
}

// name is the last element of a path as answers show it.
func (d *drive) name(p vpath.Path) string {
	if d.windows {
		return showName(p.Name())
	}
	return p.Name()
}
