// Package portal serves Portico's pages. For now that is the one page that tells
// a visitor how to mount the drive.
package portal

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed pages
var pages embed.FS

// Home is the page at "/", with its style sheet below /assets/. public is the
// address that people use.
func Home(public *url.URL) http.Handler {
	page := template.Must(template.ParseFS(pages, "pages/home.html"))
	data := home{
		Drive: public.JoinPath("dav").String(), Host: public.Host, TLS: public.Scheme == "https",
	}
	mux := http.NewServeMux()
	// By name: a file server would list the folder, and redirect what is not in it.
	mux.HandleFunc("GET /assets/style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pages, "pages/assets/style.css")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, data) // the client has gone
	})
	return guarded(mux)
}

// home is what the page shows.
type home struct {
	Drive string // without a slash at the end, which Windows dislikes
	Host  string
	TLS   bool
}

// guarded sets the headers of THREATS.md §4.3: nothing but our own style, and in
// no frame.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
