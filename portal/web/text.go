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
// chose, else what their browser asks for. A program that comes with a password is
// answered in the language that it asks for and else in English, whatever its person
// chose for their own eyes: its logs are read by others.
func (k *Kit) Text(r *http.Request) *lang.Text {
	v := k.of(r)
	if v.text == nil {
		prefs := []string{r.Header.Get("Accept-Language")}
		if r.Header.Get("Authorization") == "" {
			prefs = []string{k.Chosen(r).Language, cookie(r, langCookie), prefs[0], k.Language()}
		}
		v.text = k.Catalog.For(prefs...).In(k.zone(r))
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

// zone is the time zone that a script has read of the browser, and the firm's where
// none has. It comes from a cookie: "Local" would tell where the server stands, and
// "" is UTC to time.LoadLocation.
func (k *Kit) zone(r *http.Request) *time.Location {
	firm := k.Zone()
	name := strings.ReplaceAll(cookie(r, zoneCookie), "%2F", "/")
	if name == "" || name == "Local" {
		return firm
	}
	at, err := time.LoadLocation(name) // refuses what leaves its folder
	if err != nil {
		return firm
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
