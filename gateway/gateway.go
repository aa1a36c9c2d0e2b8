// Package gateway serves the files as WebDAV (RFC 4918, classes 1, 2 and 3).
//
// It parses, maps and writes. What a principal may see and do, which locks are
// in the way, whether the conditions of a write hold: all of that is asked of
// files.Tree, and its errors become a status in one table (errors.go). There is
// one file for each method, and only ServeHTTP writes an error.
//
// Of golang.org/x/net/webdav it uses types and status codes. Its handler says of
// itself that it is not hardened; what each of our handlers does better is said
// where it does it.
package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"portico/files"
	"portico/identity"
	"portico/sharing"
	"portico/vpath"
)

// defaultMaxUpload is the largest file that a PUT may store where Options does not say.
const defaultMaxUpload = 50 << 30

// Options are what a Handler is made of. Files, Gate and Log are required.
type Options struct {
	Files *files.Service
	Gate  identity.Gate
	Log   *slog.Logger

	// Prefix is the path that the drive is mounted at, "/dav" if empty.
	Prefix string

	// PublicURLs are the addresses under which clients know this server. A
	// Destination or a tag of an If header that names another is not ours.
	// Scheme, default ports and case are ignored, because a proxy in front that
	// ends TLS changes them (hacdias/webdav issues 59 and 228).
	PublicURLs []*url.URL

	// MaxUpload is the largest body of a PUT in bytes, 50 GiB if zero.
	MaxUpload int64

	// Realm is what a client shows when it asks for the password.
	Realm string

	// RequestID tells the audit what request this is, nil for none. Address tells
	// it and the Gate who sent it, nil for the peer of the connection.
	RequestID func(context.Context) string
	Address   func(*http.Request) string

	// Links opens a link to whoever holds its address; nil where there are none.
	Links func(context.Context, sharing.Knock) (*sharing.Visit, error)

	// Clock and Zone tell since when a thing is locked: in the firm's hours. Without
	// a Clock the day is told always; without a Zone it is UTC.
	Clock func() time.Time
	Zone  func() *time.Location

	// Watch hears of requests, for who looks for what is wrong with their drive; nil
	// for nobody. Secure tells it whether a request came by TLS, also to a proxy in
	// front; nil goes by the connection.
	Watch  Watcher
	Secure func(*http.Request) bool

	// Partial takes parts of files: see patch.go.
	Partial bool

	// Epoch numbers what is in force of people and rules together, and changes
	// with each reload; nil where they never change.
	Epoch func() uint64
}

// Handler is the drive as an http.Handler.
type Handler struct {
	Options
	admission
	drive
	methods map[string]handler
	buffers sync.Pool // of *[]byte, see xmlwrite.go
}

// handler serves one method. What it returns ServeHTTP writes.
type handler func(http.ResponseWriter, *http.Request, *request) error

// request is what the handlers need of a request, parsed, as one principal.
type request struct {
	drive
	door  drive // by which it came, before anybody knew who it is
	path  vpath.Path
	slash bool // the address ended in a slash, so it speaks of a folder
	guard files.Guard
	tree  Tree
	link  bool // it came by a link

	who  string // ID of who has signed in, "" for nobody
	turn string // whose turns it takes
	sent int64  // bytes of an XML answer

	chunks *chunkAddress // of an upload in chunks, else nil

	// begun is set once the head of an answer is out: what fails after it can
	// only cut the connection.
	begun bool
}

// New makes a Handler. It routes by itself and expects the whole path, the
// prefix included; a ServeMux pattern that cleans or redirects must not stand
// in front, because clients do not follow a redirect of PROPFIND.
func New(o Options) *Handler {
	h := &Handler{Options: o, admission: admission{people: map[string]*turns{}}, drive: drive{hosts: map[string]bool{}}}
	if h.Prefix == "" {
		h.Prefix = "/dav"
	}
	h.prefix = h.Prefix
	if h.MaxUpload == 0 {
		h.MaxUpload = defaultMaxUpload
	}
	if h.Realm == "" {
		h.Realm = "Portico"
	}
	if h.RequestID == nil {
		h.RequestID = func(context.Context) string { return "" }
	}
	if h.Epoch == nil {
		h.Epoch = func() uint64 { return 0 }
	}
	if h.Address == nil {
		h.Address = peer
	}
	if h.Clock == nil {
		h.Clock = func() time.Time { return time.Time{} }
	}
	if h.Zone == nil {
		h.Zone = func() *time.Location { return time.UTC }
	}
	if h.Secure == nil {
		h.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	for _, u := range h.PublicURLs {
		h.hosts[plainHost(u.Host)] = true
	}
	h.buffers.New = func() any { b := make([]byte, 0, 2*flushAt); return &b }
	h.methods = map[string]handler{
		http.MethodGet:    h.handleGet,
		http.MethodHead:   h.handleHead,
		http.MethodPut:    h.handlePut,
		http.MethodDelete: h.handleDelete,
		"MKCOL":           h.handleMkcol,
		"COPY":            h.handleCopy,
		"MOVE":            h.handleMove,
		"PROPFIND":        h.handlePropfind,
		"PROPPATCH":       h.handleProppatch,
		"LOCK":            h.handleLock,
		"UNLOCK":          h.handleUnlock,
		"REPORT":          h.handleReport,
		"SEARCH":          h.handleSearch,
	}
	if h.Partial {
		h.methods[http.MethodPatch] = h.handlePatch
	}
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q request
	err := h.serve(w, r, &q)
	if h.Watch != nil && h.Watch.Watching() { // before fail, which may cut the connection
		h.watch(r, &q, err)
	}
	if err != nil {
		h.fail(w, r, &q, err)
	}
}

// serve asks in this order, cheap and harmless questions first: is it ours, is
// the method known, who is it, is the address sound, does it exist as spoken of.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, q *request) error {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// EscapedPath is the path as it was sent, where Path has %2F decoded.
	d, inside, ok := h.locate(r.URL.EscapedPath())
	d.windows = isWindows(r.UserAgent())
	q.drive, q.door = d, d
	if !ok {
		return h.serveApp(w, r)
	}
	if r.Method == http.MethodOptions {
		h.writeOptions(w)
		return nil
	}
	// An allow-list, which also keeps TRACE away (it would show a client's headers).
	serve, ok := h.methods[r.Method]
	if !ok {
		return refuse(http.StatusMethodNotAllowed, "The drive does not know the method of this request.")
	}
	// Who it is comes before whether the path is sound: those without a login
	// are told nothing at all.
	inside, leave, err := h.enterBy(w, r, q, inside)
	if err != nil {
		return err
	}
	defer leave()
	if q.chunks != nil {
		return h.serveChunks(w, r, q)
	}
	if q.path, q.slash, err = q.inside(inside); err != nil {
		return err
	}
	// All conditions are read here, for each method, so that none is left out.
	if q.guard, err = q.parseGuard(r); err != nil {
		return err
	}
	if err := q.checkFolder(r); err != nil {
		return err
	}
	return serve(w, r, q)
}

// admit finds out who asks, waits for their turn, and takes the rules as they
// stand then. Where a reload came in between, it begins again: the person of an
// old config must not be judged by the rules of a new one, in which the same
// login may be somebody else, and who was taken out meanwhile is out.
func (h *Handler) admit(r *http.Request, q *request, inside string) (rest string, leave func(), err error) {
	for {
		epoch := h.Epoch()
		who, err := h.authenticate(r)
		if err != nil {
			return "", nil, err
		}
		q.who = who.ID
		q.turn = who.ID
		if leave, err = h.enter(r, q.turn); err != nil {
			return "", nil, err
		}
		if rest, err = h.treeOf(r, q, who, inside); err == nil && h.Epoch() == epoch {
			return rest, leave, nil
		}
		leave()
		if err != nil {
			return "", nil, err
		}
	}
}

// checkFolder refuses /a/ as the address of a file a. A file has one address:
// some clients ask for both to find out what a name is (cadaver).
func (q *request) checkFolder(r *http.Request) error {
	switch {
	case !q.slash || q.path.IsRoot():
		return nil
	case r.Method == http.MethodPut:
		return refuse(http.StatusBadRequest, "The address of a file does not end in a slash.")
	case r.Method == "MKCOL", r.Method == "PROPFIND": // may be free; sees for itself
		return nil
	}
	n, err := q.tree.Stat(r.Context(), q.path)
	if err == nil && !n.Dir {
		err = errNotFolder()
	}
	return err
}

// Person is somebody who has signed in, as package files knows them.
func Person(who identity.Identity) files.Person {
	p := files.Person{
		ID: who.ID, Login: string(who.Login), Name: who.Name,
		Only: who.Limit.Workspace, ReadOnly: who.Limit.ReadOnly,
	}
	for _, g := range who.Groups {
		p.Groups = append(p.Groups, files.Membership(g))
	}
	return p
}

// Principal is somebody who has signed in, of the firm or from outside, as package
// files knows them.
func Principal(who identity.Identity) files.Principal {
	p := files.Staff(Person(who))
	if who.Contact {
		p = files.Contact(files.Outsider{
			ID: who.ID, Mail: string(who.Login), Name: who.Name, Only: who.Limit.Workspace, ReadOnly: who.Limit.ReadOnly,
		})
	}
	p.Key = who.Key
	return p
}

// principal is the one who asks, as package files and the audit know them.
func (h *Handler) principal(r *http.Request, who identity.Identity) files.Principal {
	p := Principal(who)
	p.Via = "dav"
	p.Address = h.Address(r)
	p.Agent = clip(r.UserAgent(), 256)
	p.RequestID = h.RequestID(r.Context())
	return p
}

// peer is the address of the connection. Behind a proxy it is the proxy's: there
// Options.Address knows better, as it knows which proxies to trust.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// clip bounds what a client may write into the audit. The name of a client is
// cut at a whole character.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
