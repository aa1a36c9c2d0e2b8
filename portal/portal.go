// Package portal serves Portico's pages and its JSON API: the page that tells how
// to mount the drive, sign-in, a person's own account, and app passwords.
//
// Every page is whole without a script. Scripts add what a page can do without:
// a button that copies, a password that can be shown.
package portal

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/identity"
	"portico/identity/oidc"
	"portico/identity/session"
)

// Limits of what a request may carry (THREATS.md §4.1).
const (
	maxForm = 64 << 10
	maxJSON = 1 << 20
)

// Workspace is a drive that somebody may see.
type Workspace struct{ Name, Title string }

// Sessions keep people signed in: *session.Keeper.
type Sessions interface {
	Start(ctx context.Context, who identity.Identity, groups []string, old string, also ...session.Also) (cookie string, err error)
	Find(ctx context.Context, cookie string) (identity.Identity, error)
	End(ctx context.Context, cookie string, also ...session.Also) error
}

// Outside is a provider that signs people in for us: *oidc.Provider.
type Outside interface {
	Title() string
	Begin(ctx context.Context, next string) (flow, to string, err error)
	Finish(ctx context.Context, flow string, q url.Values) (oidc.SignedIn, error)
}

// Options are what the pages stand on.
type Options struct {
	Public    *url.URL // the address that people use
	Gate      identity.Gate
	Sessions  Sessions
	Passwords AppPasswords
	Outside   Outside // nil for none

	// Workspaces gives those that somebody may see, by title.
	Workspaces func(ctx context.Context, who identity.Identity) ([]Workspace, error)

	// Record tells the audit of what was refused, Append of a change, in the
	// transaction that makes it.
	Record func(ctx context.Context, e Event) error
	Append func(e Event) session.Also

	RequestID func(context.Context) string
	Address   func(*http.Request) string // of the client
	Clock     func() time.Time
	Log       *slog.Logger
}

// portal is the handler.
type portal struct {
	Options
	pages *pages
	sid   session.Cookie
	flow  session.Cookie // of a sign-in at the outside provider
}

// New makes the handler of "/", /assets/, /login, /logout, /auth/oidc/, /account
// and /api/v1/.
func New(o Options) http.Handler {
	p := &portal{
		Options: o, pages: newPages(),
		sid:  session.NewCookie(o.Public, "sid", 0),
		flow: session.NewCookie(o.Public, "flow", oidc.Life),
	}
	mux := http.NewServeMux()
	routes := p.routes()
	for pattern, h := range routes {
		mux.Handle(pattern, h)
	}
	for path, allow := range methods(routes) {
		mux.Handle(path, p.otherwise(allow))
	}
	// The app guards its whole mux likewise. Here it has a page that says so.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(p.foreign))
	return guarded(guard.Handler(mux))
}

// routes are all that there is. A test holds them against the OpenAPI document.
func (p *portal) routes() map[string]http.HandlerFunc {
	r := map[string]http.HandlerFunc{
		"/":                                   p.absent,
		"GET /{$}":                            p.home,
		"GET /assets/style.css":               asset("style.css"),
		"GET /assets/portico.js":              asset("portico.js"),
		"GET /login":                          p.loginPage,
		"POST /login":                         p.login,
		"POST /logout":                        p.logout,
		"GET /account":                        p.signedIn(p.account),
		"POST /account/passwords":             p.signedIn(p.makePassword),
		"POST /account/passwords/{id}/revoke": p.signedIn(p.revokePassword),

		"/api/v1":                           p.apiAbsent, // net/http would redirect it
		"/api/v1/":                          p.apiAbsent,
		"GET /api/v1/openapi.yaml":          p.openAPI,
		"GET /api/v1/app-passwords":         p.api(p.apiList),
		"POST /api/v1/app-passwords":        p.api(p.apiMake),
		"DELETE /api/v1/app-passwords/{id}": p.api(p.apiRevoke),
	}
	if p.Outside != nil {
		r["GET /auth/oidc/start"] = p.outsideStart
		r["GET /auth/oidc/callback"] = p.outsideBack
	}
	return r
}

// methods gives for each path the methods that it takes, as in Allow. Without a
// pattern for the others "/" would take them, and say that nothing is there.
func methods(routes map[string]http.HandlerFunc) map[string]string {
	all := map[string]string{}
	for _, pattern := range slices.Sorted(maps.Keys(routes)) {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok {
			continue
		}
		if method == http.MethodGet {
			method = "GET, HEAD" // net/http gives HEAD to GET
		}
		if all[path] != "" {
			method = all[path] + ", " + method
		}
		all[path] = method
	}
	return all
}

// guarded sets the headers of THREATS.md §4.3: nothing but what is ours, in no
// frame, and kept by no cache. form-action 'self' is also why the way to the
// outside provider is a link: Chromium holds the redirect after a form to it.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// absent is what is not there.
func (p *portal) absent(w http.ResponseWriter, r *http.Request) {
	p.trouble(w, r, http.StatusNotFound, "There is nothing here", "The address may have a slip of the keys, or what was here has gone.")
}

// otherwise answers the methods that a path does not have.
func (p *portal) otherwise(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		if isAPI(r) {
			fail(w, http.StatusMethodNotAllowed, "This route takes "+strings.ReplaceAll(allow, ", ", " and ")+".")
			return
		}
		p.trouble(w, r, http.StatusMethodNotAllowed, "This page does not work that way", "Open it from a link or a form of ours.")
	}
}

// foreign is a request that another site made the browser send.
func (p *portal) foreign(w http.ResponseWriter, r *http.Request) {
	if isAPI(r) {
		fail(w, http.StatusForbidden, "This request came from another site, and was not done.")
		return
	}
	p.trouble(w, r, http.StatusForbidden, "This came from another site", "A page of another site sent this request, and nothing was done. Begin again from here.")
}
