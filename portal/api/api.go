// Package api is /api/v1: all that the pages do, as JSON for programs.
//
// It judges nothing. A route says whom it needs, package web finds out who asks,
// and packages files and sharing decide, as they do for the pages. Errors are
// problem+json (RFC 9457) of the one table in package web. What the answers look
// like is in openapi.yaml, which a test holds against the routes and the answers.
package api

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"strings"
	"time"

	"portico/files"
	"portico/identity"
	"portico/notify"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

// Files is the one door: *files.Service.
type Files interface {
	As(ctx context.Context, p files.Principal) (*files.Tree, error)
	Window(ctx context.Context, p files.Principal) (*files.Window, error)
	ViewAs(ctx context.Context, by files.Principal, who files.Person) (*files.Tree, error)
}

// Options are what the API stands on.
type Options struct {
	Files   Files
	Sharing *sharing.Service
	Notices *notify.Notifier

	// Name is who has the ID of a creator, "" for nobody that is known; may be nil.
	Name func(ctx context.Context, id string) string
	// Person finds a colleague by their login, to see with their eyes; nil for no
	// such thing.
	Person func(ctx context.Context, login string) (files.Person, error)
}

// api is all of it.
type api struct {
	Options
	kit  *web.Kit
	busy *content.Busy
}

// maxAtOnce is how many archives one person may have under way.
const maxAtOnce = 2

// Room gives the routes of the API.
func Room(o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		a := &api{Options: o, kit: k, busy: content.NewBusy(maxAtOnce)}
		return a.routes()
	}
}

// handler answers a request, or gives the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) error

// routes are the routes; those that a customer has too need no more than to be
// signed in.
func (a *api) routes() []web.Route {
	var all []web.Route
	add := func(needs web.Needs, pattern string, h handler) {
		method, path, _ := strings.Cut(pattern, " ")
		all = append(all, web.Route{Pattern: method + " /api/v1" + path, Needs: needs, Handler: a.answer(h), API: true})
	}
	a.fileRoutes(add)
	a.peopleRoutes(add)
	own := len(all) // what follows takes one's own password: an app's is for files and sharing
	add(web.SignedIn, "GET /preferences", a.preferences)
	add(web.SignedIn, "PUT /preferences", a.setPreferences)
	for i := own; i < len(all); i++ {
		all[i].Own = true
	}
	return all
}

// adder takes a route.
type adder func(needs web.Needs, pattern string, h handler)

func (a *api) fileRoutes(add adder) {
	add(web.Anyone, "GET /openapi.yaml", a.document)
	add(web.SignedIn, "GET /me", a.me)
	add(web.SignedIn, "GET /files/{path...}", a.show)
	add(web.SignedIn, "DELETE /files/{path...}", a.remove)
	add(web.SignedIn, "GET /content/{path...}", a.download)
	add(web.SignedIn, "PUT /content/{path...}", a.upload)
	add(web.SignedIn, "GET /zip/{path...}", a.zip)
	add(web.SignedIn, "GET /search/{path...}", a.search)
	add(web.SignedIn, "POST /folders", a.mkdir)
	add(web.SignedIn, "POST /moves", a.move)
	add(web.SignedIn, "POST /copies", a.copy)
	add(web.StaffOnly, "GET /why/{path...}", a.why)
	add(web.StaffOnly, "GET /who/{path...}", a.who)
	add(web.StaffOnly, "GET /locks/{path...}", a.locks)
	add(web.StaffOnly, "DELETE /locks/{path...}", a.breakLock)
	add(web.SignedIn, "GET /labels/{path...}", a.labels)
	add(web.SignedIn, "PUT /labels/{path...}", a.setLabel)
	add(web.SignedIn, "DELETE /labels/{path...}", a.dropLabel)
}

func (a *api) peopleRoutes(add adder) {
	add(web.StaffOnly, "GET /workspaces", a.workspaces)
	add(web.StaffOnly, "GET /workspaces/{workspace}/recipients", a.recipients)
	add(web.StaffOnly, "GET /workspaces/{workspace}/contacts", a.contacts)
	add(web.StaffOnly, "GET /workspaces/{workspace}/contacts/{mail}", a.contact)
	add(web.StaffOnly, "PUT /workspaces/{workspace}/contacts/{mail}", a.putContact)
	add(web.StaffOnly, "PUT /workspaces/{workspace}/contacts/{mail}/folders", a.setFolders)
	add(web.StaffOnly, "POST /workspaces/{workspace}/contacts/{mail}/access", a.openAccess)
	add(web.StaffOnly, "DELETE /workspaces/{workspace}/contacts/{mail}/access", a.closeAccess)
	add(web.StaffOnly, "POST /workspaces/{workspace}/contacts/{mail}/invitation", a.inviteAgain)

	add(web.StaffOnly, "POST /shares", a.share)
	add(web.SignedIn, "GET /shares", a.shares)
	add(web.StaffOnly, "PUT /shares/{id}", a.changeShare)
	add(web.SignedIn, "DELETE /shares/{id}", a.stopShare)
	add(web.SignedIn, "PUT /shares/{id}/answer", a.answerShare)

	add(web.StaffOnly, "POST /access-requests", a.askAccess)

	add(web.StaffOnly, "GET /links", a.links)
	add(web.StaffOnly, "POST /links", a.makeLink)
	add(web.StaffOnly, "GET /links/{id}", a.link)
	add(web.StaffOnly, "PUT /links/{id}", a.changeLink)
	add(web.StaffOnly, "DELETE /links/{id}", a.revokeLink)
	add(web.StaffOnly, "POST /links/{id}/address", a.renewLink)

	add(web.ContactOnly, "GET /deposits", a.deposits)
	add(web.ContactOnly, "GET /deposits/{id}/receipt", a.receipt)
	add(web.Anyone, "POST /receipts/verify", a.verify)

	add(web.SignedIn, "GET /notices", a.notices)
	add(web.SignedIn, "POST /notices/read", a.readNotices)
}

// answer runs a handler and answers with its error.
func (a *api) answer(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		if refused, ok := errors.AsType[*refusedError](err); ok {
			web.Problem(w, refused.status, refused.sentence)
			return
		}
		a.kit.Fail(w, r, err)
	}
}

// door is what somebody may see and use: a *files.Tree, or a *files.Window.
type door interface {
	content.Door
	changer
	Rights(p vpath.Path) []string
}

// changer changes what a door shows.
type changer interface {
	Mkdir(ctx context.Context, p vpath.Path, g files.Guard) error
	Delete(ctx context.Context, p vpath.Path, g files.Guard) error
	Copy(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error)
	Move(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error)
}

// door opens the files of who asks: staff have a tree, customers a window.
func (a *api) door(r *http.Request) (door, error) {
	p := a.kit.Principal(r)
	if who := a.asks(r); who.Contact {
		return a.Files.Window(r.Context(), p)
	}
	return a.Files.As(r.Context(), p)
}

// asks is who asks, of a route that needs somebody.
func (a *api) asks(r *http.Request) identity.Identity {
	who, _ := a.kit.Who(r)
	return who
}

// inReach tells whether an app password lets its owner at things of a workspace.
// Files are judged by package files; this is for lists that are kept by person.
func (a *api) inReach(r *http.Request, workspace string) bool {
	only := a.asks(r).Limit.Workspace
	return only == "" || only == workspace
}

// at is the path in the address. The escaped form is read: a name may hold an
// escaped slash, which is refused, and net/http has made it a slash in the value
// that it gives.
func at(r *http.Request) (vpath.Path, error) {
	rest := r.URL.EscapedPath()
	for range 4 { // "", "api", "v1", the kind of thing
		_, rest, _ = strings.Cut(rest, "/")
	}
	p, _, err := vpath.ParseEscaped("/" + rest)
	return p, err
}

// searchTime bounds how long one request looks.
const searchTime = 5 * time.Second

//go:embed openapi.yaml
var document []byte

// document gives the document that describes this API.
func (a *api) document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(document) // the client may have gone
	return nil
}
