// Package client has the pages of the firm's customers: what is shared with them,
// what they sent, and how they come in: invitations and new passwords.
//
// They see the firm's files through their files.Window alone: no page has a name
// or a path of what lies above a thing that was shared, nor of anybody but who
// shared it.
package client

import (
	"context"
	"embed"
	"io/fs"
	"net/http"

	"portico/files"
	"portico/identity"
	"portico/lang"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
)

//go:embed all:pages assets
var embedded embed.FS

// Files is the one door: *files.Service.
type Files interface {
	Window(ctx context.Context, p files.Principal) (*files.Window, error)
}

// Notices are the list of what somebody was told: *notify.Notifier.
type Notices interface {
	List(ctx context.Context, to string, limit int) ([]store.Notice, error)
	MarkRead(ctx context.Context, to string) error
	// Words are a notice's title, a sentence or nothing, and the path that it leads
	// to or nothing; without a title it is not shown.
	Words(text *lang.Text, n store.Notice) (title, body, link string)
}

// Options are what the pages stand on.
type Options struct {
	Files   Files
	Sharing *sharing.Service
	Notices Notices // nil for none

	// Uploads is the address of resumable uploads, "" for none.
	Uploads string
	// Ended, if set, hears that somebody's sessions are over, and proofs of an old
	// password with them.
	Ended func(who identity.Identity)
}

// pages is all of it.
type pages struct {
	Options
	kit    *web.Kit
	zips   *content.Busy
	hashes chan struct{} // turns for files that strangers have hashed
}

// Limits of what one process does at once.
const (
	zipsAtOnce   = 2 // of one person
	hashesAtOnce = 2
)

// Room gives the routes of the customers' pages.
func Room(o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		p := &pages{Options: o, kit: k, zips: content.NewBusy(zipsAtOnce), hashes: make(chan struct{}, hashesAtOnce)}
		k.Templates("client", folder("pages"))
		k.Assets(folder("assets"))
		return p.routes()
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
	add := func(needs web.Needs, pattern string, h http.HandlerFunc) {
		all = append(all, web.Route{Pattern: pattern, Needs: needs, Handler: h})
	}
	add(web.ContactOnly, "GET /portal/{$}", p.home)
	add(web.ContactOnly, "POST /portal/offers/{id}", p.answer)
	add(web.ContactOnly, "GET /portal/s/{grant}", p.open)
	add(web.ContactOnly, "GET /portal/s/{grant}/{path...}", p.open)
	add(web.ContactOnly, "POST /portal/s/{grant}", p.replace)
	add(web.ContactOnly, "POST /portal/s/{grant}/{path...}", p.take)
	add(web.ContactOnly, "GET /portal/raw/{grant}", p.raw)
	add(web.ContactOnly, "GET /portal/raw/{grant}/{path...}", p.raw)
	add(web.ContactOnly, "GET /portal/zip/{grant}/{path...}", p.zip)
	for _, at := range []string{"/portal/label/{grant}", "/portal/label/{grant}/{path...}"} {
		add(web.ContactOnly, "GET "+at, p.labels)
		add(web.ContactOnly, "POST "+at, p.label)
	}
	add(web.ContactOnly, "GET /portal/deposits", p.deposits)
	add(web.ContactOnly, "POST /portal/deposits/{id}/back", p.takeBack)
	add(web.ContactOnly, "GET /portal/receipts/{id}", p.receipt)
	add(web.ContactOnly, "GET /portal/account", p.account)
	add(web.ContactOnly, "POST /portal/account/password", p.setPassword)

	add(web.SignedIn, "POST /account/preferences", p.setPreferences)
	if p.Notices != nil {
		add(web.SignedIn, "GET /notices", p.notices)
		add(web.SignedIn, "POST /notices", p.readNotices)
	}

	add(web.Anyone, "GET /verify", p.verifyForm)
	add(web.Anyone, "POST /verify", p.verify)
	add(web.Anyone, "GET /invite/{secret}", p.invitation)
	add(web.Anyone, "POST /invite/{secret}", p.acceptInvitation)
	add(web.Anyone, "GET /reset", p.resetForm)
	add(web.Anyone, "POST /reset", p.askReset)
	add(web.Anyone, "GET /reset/{secret}", p.newPassword)
	add(web.Anyone, "POST /reset/{secret}", p.reset)
	return all
}

// text is a text in the language of who asks.
func (p *pages) text(r *http.Request, id string, args ...any) string {
	return p.kit.Text(r).T(id, args...)
}

// brand is how the firm of a workspace looks.
func (p *pages) brand(workspace string) web.Brand {
	if p.kit.Brand == nil {
		return web.Brand{}
	}
	return p.kit.Brand(workspace)
}

// done goes to a page of ours, with a line that says what was done.
func (p *pages) done(w http.ResponseWriter, r *http.Request, to, said string) {
	p.kit.Say(w, web.Said{Message: said})
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // callers give paths of ours
}
