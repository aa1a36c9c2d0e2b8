// Package link has the pages of a link, /s/{token}/…, for whoever holds its
// address: without an account, with a browser or with plain curl.
//
// Each route goes through sharing.Service.OpenLink, and sees what the link opens
// through sharing.Room alone. Before a link's password is given, nothing of it is
// told but whose firm it is of.
package link

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/identity/session"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

//go:embed all:pages assets
var embedded embed.FS

// Sharing is the room of package sharing, as these pages need it.
type Sharing interface {
	OpenLink(ctx context.Context, k sharing.Knock) (*sharing.Visit, error)
	Unlock(ctx context.Context, k sharing.Knock) (*sharing.Visit, string, error)
}

// Options are what the pages stand on.
type Options struct {
	Sharing   Sharing
	MaxUpload int64 // bytes of one file; 0 for what the link says

	// Links and Tree are for the pages of the staff; without Links there are none.
	Links Links
	Tree  func(ctx context.Context, p files.Principal) (*files.Tree, error) // files.Service.As
}

// maxZips are the archives that one address may fetch at once.
const maxZips = 2

// pages is all of it.
type pages struct {
	Options
	kit  *web.Kit
	zips *content.Busy
	tus  uploads
}

// Room gives the routes of links.
func Room(o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		p := &pages{Options: o, kit: k, zips: content.NewBusy(maxZips)}
		p.tus = p.newUploads()
		k.Templates("link", folder("pages"))
		k.Assets(folder("assets"))
		if p.Links == nil {
			return p.routes()
		}
		return append(p.routes(), p.staffRoutes()...)
	}
}

func folder(name string) fs.FS {
	found, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // the name is ours
	}
	return found
}

func (p *pages) routes() []web.Route {
	var all []web.Route
	add := func(pattern string, h http.HandlerFunc) {
		all = append(all, web.Route{Pattern: pattern, Needs: web.LinkHolder, Handler: unlisted(h)})
	}
	add("GET /s/{token}", p.opened(p.top))
	add("GET /s/{token}/{$}", p.opened(p.top))
	add("GET /s/{token}/f/{path...}", p.opened(p.show))
	add("GET /s/{token}/d/{path...}", p.opened(p.download))
	add("GET /s/{token}/v/{path...}", p.opened(p.preview))
	add("GET /s/{token}/zip", p.opened(p.zip))
	add("POST /s/{token}/unlock", p.unlock)
	add("POST /s/{token}/code", p.code)
	add("POST /s/{token}/name", p.opened(p.name))
	add("POST /s/{token}/put/{path...}", p.opened(p.takeForm))
	add("/s/{token}/uploads", p.opened(p.tus.serve))
	add("/s/{token}/uploads/{id}", p.opened(p.tus.serve))
	add("/s/{token}/{path...}", p.rest) // PUT of a file; net/http takes no narrower pattern beside those above
	return all
}

// unlisted keeps links out of search machines, by whatever page they are found.
func unlisted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Robots-Tag", "noindex")
		next(w, r)
	}
}

// rest is what is none of the above: a file that a program sends, or nothing.
func (p *pages) rest(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		p.opened(p.take)(w, r)
	case http.MethodGet, http.MethodHead:
		p.kit.Absent(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		plain(w, http.StatusMethodNotAllowed, "A link takes files by PUT, and changes by no other method here: mount it as a drive at /dav/link/TOKEN.")
	}
}

// at is the address of a page of the link.
func at(r *http.Request, rest string) string { return "/s/" + r.PathValue("token") + rest }

// cookie is the one of the link in the address.
func (p *pages) cookie(r *http.Request) session.Cookie {
	return session.NewCookie(p.kit.Public, sharing.LinkCookie(r.PathValue("token")), 0)
}

// knock is who asks. The path's token is not decoded: it has nothing to decode.
func (p *pages) knock(r *http.Request) sharing.Knock {
	k := sharing.Knock{
		Token: r.PathValue("token"), Address: p.kit.Address(r), Cookie: p.cookie(r).Value(r),
		Via: "page", Agent: web.Agent(r), RequestID: p.kit.RequestID(r.Context()),
	}
	// Two headers are no credentials: which one is meant cannot be known.
	if name, password, ok := r.BasicAuth(); ok && len(r.Header.Values("Authorization")) == 1 && len(name) <= identity.MaxLogin {
		k.Name, k.Password = name, password
	}
	return k
}

// handler serves a link that is open.
type handler func(w http.ResponseWriter, r *http.Request, v *sharing.Visit)

// opened opens the link, and asks what it asks.
func (p *pages) opened(next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.Sharing.OpenLink(r.Context(), p.knock(r))
		if err != nil {
			p.fail(w, r, v, err)
			return
		}
		next(w, r, v)
	}
}

// path is the path in the address. It is read in its escaped form: net/http has
// decoded an escaped slash.
func path(r *http.Request) (vpath.Path, error) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/", 4)
	if len(parts) < 4 {
		return vpath.Path{}, nil
	}
	p, _, err := vpath.ParseEscaped("/" + parts[3])
	return p, err
}

// wantsPage tells a browser from a program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// fail answers with an error: a page for people, a sentence for programs.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, v *sharing.Visit, err error) {
	throttled, isThrottled := errors.AsType[*identity.ThrottledError](err)
	locked := errors.Is(err, sharing.ErrPassword) || errors.Is(err, identity.ErrRefused)
	switch {
	case isThrottled:
		p.throttled(w, r, throttled)
	case wantsPage(r) && v != nil && locked:
		p.showLocked(w, r, v, http.StatusUnauthorized, "")
	case wantsPage(r) && v != nil && errors.Is(err, sharing.ErrMail):
		p.showMail(w, r, v, http.StatusUnauthorized, "")
	case locked, errors.Is(err, sharing.ErrMail):
		// wget sends credentials when it is asked alone.
		w.Header().Set("WWW-Authenticate", `Basic realm="link", charset="UTF-8"`)
		plain(w, http.StatusUnauthorized, p.sentence(r, err))
	case errors.Is(err, sharing.ErrGone):
		p.ended(w, r, err)
	case wantsPage(r):
		p.kit.Fail(w, r, err)
	default:
		plain(w, status(err), p.kit.Explain(r, err))
	}
}

func (p *pages) sentence(r *http.Request, err error) string {
	text := p.kit.Text(r)
	if said, ok := fault.Said(err); ok {
		return text.Say(said)
	}
	return text.T("This link has a password.")
}

// status is that of an error. A path that is not one is a fault of who sent it.
func status(err error) int {
	if _, ok := errors.AsType[*vpath.Error](err); ok {
		return http.StatusBadRequest
	}
	return web.Status(err)
}

// plain answers a program.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client may have gone
}

// brand is whose firm a link is of.
func (p *pages) brand(v *sharing.Visit) web.Brand {
	if v == nil || p.kit.Brand == nil {
		return web.Brand{}
	}
	return p.kit.Brand(v.Workspace())
}

// render answers with a page of the link.
func (p *pages) render(w http.ResponseWriter, r *http.Request, v *sharing.Visit, status int, page web.Page) {
	page.Plain, page.Brand = true, p.brand(v)
	if page.Title == "" {
		page.Title = page.Brand.Name
	}
	if page.Title == "" {
		page.Title = p.kit.Public.Host
	}
	p.kit.Render(w, r, status, page)
}
