package web

import (
	"net/http"
	"strings"
	"time"

	"portico/lang"
)

// What a browser keeps for itself, beside the session. They are no secrets, and
// scripts write the zone.
const (
	zoneCookie  = "zone"  // the browser's time zone, such as "Europe/Brussels"
	langCookie  = "lang"  // a language chosen before signing in
	themeCookie = "theme" // "light" or "dark"
)

// Text is the language of who asks, in the time zone of their browser: what they
// chose, else what their browser asks for.
func (k *Kit) Text(r *http.Request) *lang.Text {
	v := k.of(r)
	if v.text == nil {
		v.text = k.Catalog.For(k.Chosen(r).Language, cookie(r, langCookie), r.Header.Get("Accept-Language")).In(zone(cookie(r, zoneCookie)))
	}
	return v.text
}

// theme is "light", "dark" or "" for the system's.
func (k *Kit) theme(r *http.Request) string {
	for _, s := range []string{k.Chosen(r).Theme, cookie(r, themeCookie)} {
		if s == "light" || s == "dark" {
			return s
		}
	}
	return ""
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) > maxZone {
		return ""
	}
	return c.Value
}

// maxZone is longer than the name of any time zone.
const maxZone = 64

// zone reads the name of a time zone, UTC where it is none. It comes from a cookie:
// "Local" would tell where the server stands.
func zone(name string) *time.Location {
	name = strings.ReplaceAll(name, "%2F", "/")
	if name == "Local" {
		return time.UTC
	}
	at, err := time.LoadLocation(name) // refuses what leaves its folder
	if err != nil {
		return time.UTC
	}
	return at
}

// Choose gives the browser what somebody chose, for the pages before they sign in.
// "" takes a choice back.
func (k *Kit) Choose(w http.ResponseWriter, language, theme string) {
	for name, value := range map[string]string{langCookie: language, themeCookie: theme} {
		c := &http.Cookie{ //nolint:gosec // Secure is set over TLS; without, a browser would drop the cookie
			Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 60 * 60, Secure: k.Public.Scheme == "https", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		}
		if value == "" {
			c.MaxAge = -1
		}
		http.SetCookie(w, c)
	}
}
