package session

import (
	"net/http"
	"net/url"
	"time"
)

// Cookie is how a browser holds a secret of ours.
type Cookie struct {
	Name   string
	Secure bool
	Life   time.Duration // 0: until the browser ends
}

// NewCookie is the cookie of a name at the address that people use. Over TLS its
// name begins with __Host-: a browser takes such a one from our host alone, over
// TLS alone and for all paths, so that no neighbour on a sub-domain can plant it
// (RFC 6265bis §4.1.3.2). Without TLS a browser refuses both that prefix and
// Secure. Then the name is bare; that is for loopback, where no one listens in.
func NewCookie(public *url.URL, name string, life time.Duration) Cookie {
	if public.Scheme == "https" {
		return Cookie{Name: "__Host-" + name, Secure: true, Life: life}
	}
	return Cookie{Name: name, Life: life}
}

// Value is what the browser sent, "" for nothing. Two of one name are nothing
// too: one of them is not ours, and which one cannot be known.
func (c Cookie) Value(r *http.Request) string {
	all := r.CookiesNamed(c.Name)
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}

// Set gives the browser a value. Lax, since a mail's link to a page must find
// its reader signed in; a form of another site does not get it.
func (c Cookie) Set(w http.ResponseWriter, value string) {
	http.SetCookie(w, c.cookie(value, int(c.Life/time.Second)))
}

// Clear takes it away.
func (c Cookie) Clear(w http.ResponseWriter) { http.SetCookie(w, c.cookie("", -1)) }

func (c Cookie) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set over TLS; without, a browser would drop the cookie
		Name: c.Name, Value: value, Path: "/", MaxAge: age,
		Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
