package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/lang"
)

// Needs is what a route asks before its handler runs. The zero value is no
// answer: a route that forgot to say is a fault at start.
type Needs int

// What a route may ask.
const (
	_           Needs = iota
	Anyone            // signed in or not
	SignedIn          // staff and customers
	StaffOnly         // members of the firm
	ContactOnly       // customers
	LinkHolder        // who has the address of a link: the handler asks sharing
)

// Route is one way in.
type Route struct {
	Pattern string // of net/http, with its method
	Needs   Needs
	Handler http.HandlerFunc
	API     bool // for programs: JSON, and Basic beside the session

	still bool // the same for everybody, so that nobody is asked who they are
	Own   bool // of API: an app password is not enough, it takes the person's own
}

// Handler serves routes, and answers for all that is none of them. It panics on a
// route without a permission: that is a door without a lock.
func (k *Kit) Handler(routes ...Route) http.Handler {
	mux := http.NewServeMux()
	seen := map[string]bool{}
	for _, r := range append(routes, k.own()...) {
		if r.Needs < Anyone || r.Needs > LinkHolder {
			panic(fmt.Sprintf("portal: the route %q does not say whom it needs", r.Pattern))
		}
		mux.Handle(r.Pattern, k.guard(r))
		seen[r.Pattern] = true
	}
	for path, allow := range methods(seen) {
		mux.Handle(path, k.guard(Route{Needs: Anyone, Handler: k.otherwise(allow)}))
	}
	if !seen["/"] {
		mux.Handle("/", k.guard(Route{Needs: Anyone, Handler: k.Absent}))
	}
	// The app guards its whole mux likewise. Here it has a page that says so.
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(k.guard(Route{Needs: Anyone, Handler: k.Foreign}))
	return headers(cross.Handler(mux))
}

// guard asks what the route needs, and runs it.
func (k *Kit) guard(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", k.RequestID(r.Context())) // which Problem names
		v, ok := k.admit(w, r, route)
		if !ok {
			return
		}
		v.route = route
		route.Handler(w, r.WithContext(context.WithValue(r.Context(), key{}, v)))
	})
}

// admit judges who comes; where it is not ok, it has answered.
func (k *Kit) admit(w http.ResponseWriter, r *http.Request, route Route) (v *visit, ok bool) {
	if route.still {
		return &visit{}, true
	}
	if route.API && route.Needs != Anyone && route.Needs != LinkHolder {
		return k.admitCaller(w, r, route)
	}
	v, err := k.visit(r)
	switch {
	case route.Needs == Anyone || route.Needs == LinkHolder:
		if err != nil { // a store that is away is no reason for such a page not to open
			k.Log.WarnContext(r.Context(), "session unknown", "err", err)
		}
		return v, true
	case err != nil:
		k.Fail(w, r, err)
		return nil, false
	case !v.known:
		k.toLogin(w, r)
		return nil, false
	case route.Needs == StaffOnly && v.who.Contact, route.Needs == ContactOnly && !v.who.Contact:
		k.elsewhere(w, r, v)
		return nil, false
	}
	return v, true
}

func (k *Kit) admitCaller(w http.ResponseWriter, r *http.Request, route Route) (*visit, bool) {
	who, err := k.Caller(r, route.Own)
	if err != nil {
		status, sentence := k.Refused(w, r, err)
		Problem(w, status, sentence)
		return nil, false
	}
	v := k.visitOf(r, who)
	switch {
	case route.Needs == StaffOnly && who.Contact, route.Needs == ContactOnly && !who.Contact:
		Problem(w, http.StatusNotFound, "There is no such route for you.")
		return nil, false
	case who.Limit.ReadOnly && !safe(r.Method): // here, so that no room can forget it
		Problem(w, http.StatusForbidden, "This app password is for reading alone.")
		return nil, false
	}
	return v, true
}

// safe tells the methods that change nothing (RFC 9110 §9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// toLogin sends nobody to sign in, and back. A form that was open for too long is
// not sent again by a redirect: the page says so.
func (k *Kit) toLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	k.Trouble(w, r, http.StatusUnauthorized, lang.ID("You were signed out meanwhile"), lang.ID("Nothing was changed. Sign in and do it again."))
}

// elsewhere sends customers who come to a page of the staff to their own, and the
// other way round. What is not theirs is as absent to them as what never was.
func (k *Kit) elsewhere(w http.ResponseWriter, r *http.Request, v *visit) {
	first, _, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && (first == "files" || first == "portal") {
		http.Redirect(w, r, Home(v.who), http.StatusSeeOther)
		return
	}
	k.Absent(w, r.WithContext(context.WithValue(r.Context(), key{}, v)))
}

// methods gives for each path the methods that it takes, as in Allow. Without a
// pattern for the others "/" would take them, and say that nothing is there.
func methods(patterns map[string]bool) map[string]string {
	all := map[string]string{}
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
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
	for path := range all {
		if patterns[path] { // it takes them all already
			delete(all, path)
		}
	}
	return all
}

// headers sets those of THREATS.md §4.3: nothing but what is ours, in no frame
// but our own previews, and kept by no cache. form-action 'self' is also why the
// way to an outside provider is a link: Chromium holds the redirect after a form
// to it.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "+
			"frame-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// Absent is what is not there.
func (k *Kit) Absent(w http.ResponseWriter, r *http.Request) {
	if k.isAPI(r) {
		Problem(w, http.StatusNotFound, "There is no such route. The document at /api/v1/openapi.yaml names them all.")
		return
	}
	k.Trouble(w, r, http.StatusNotFound, lang.ID("There is nothing here"), lang.ID("The address may be mistyped, or what was here has gone."))
}

// otherwise answers the methods that a path does not have.
func (k *Kit) otherwise(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		if k.isAPI(r) {
			Problem(w, http.StatusMethodNotAllowed, "This route takes "+strings.ReplaceAll(allow, ", ", " and ")+".")
			return
		}
		k.Trouble(w, r, http.StatusMethodNotAllowed, lang.ID("This page does not work that way"), lang.ID("Open it from a link or a form of ours."))
	}
}

// Foreign is a request that another site made the browser send.
func (k *Kit) Foreign(w http.ResponseWriter, r *http.Request) {
	if k.isAPI(r) {
		Problem(w, http.StatusForbidden, "This request came from another site, and was not done.")
		return
	}
	k.Trouble(w, r, http.StatusForbidden, lang.ID("This came from another site"), lang.ID("A page of another site sent this request, and nothing was done. Begin again from here."))
}

// isAPI tells a request of a program.
func (k *Kit) isAPI(r *http.Request) bool {
	return k.of(r).route.API || strings.HasPrefix(r.URL.Path, "/api/")
}

// Via is the door that a request came to, for the audit.
func Via(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return "api"
	}
	return "page"
}

// clip bounds what a client may write into the audit, at a whole character.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxAgent)], "") }

const maxAgent = 256 // bytes

// Agent is what a client says that it is, for the audit.
func Agent(r *http.Request) string { return clip(r.UserAgent()) }
