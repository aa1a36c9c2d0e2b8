// Package contacts has the staff's pages about customers: who they are, what they
// may see, and the doors that are opened and closed for them.
package contacts

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
)

//go:embed all:pages
var embedded embed.FS

// Files is the one door: *files.Service.
type Files interface {
	As(ctx context.Context, p files.Principal) (*files.Tree, error)
}

// Options are what the pages stand on.
type Options struct {
	Files   Files
	Sharing *sharing.Service
	// Mails tells whether mail is sent. Where it is not, an invitation's address is
	// shown to whoever invites.
	Mails bool
}

// pages is all of it.
type pages struct {
	Options
	kit *web.Kit
}

// Room gives the routes of the pages about customers.
func Room(o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		p := &pages{Options: o, kit: k}
		found, err := fs.Sub(embedded, "pages")
		if err != nil {
			panic(err) // the name is ours
		}
		k.Templates("contacts", found)
		return p.routes()
	}
}

func (p *pages) routes() []web.Route {
	var all []web.Route
	add := func(pattern string, h http.HandlerFunc) {
		all = append(all, web.Route{Pattern: pattern, Needs: web.StaffOnly, Handler: h})
	}
	add("GET /contacts", p.list)
	add("GET /contacts/{$}", p.list)
	add("POST /contacts", p.add)
	add("GET /contacts/{workspace}/{mail}", p.contact)
	add("POST /contacts/{workspace}/{mail}", p.put)
	add("GET /contacts/{workspace}/{mail}/folders", p.chooser)
	add("POST /contacts/{workspace}/{mail}/folders", p.choose)
	add("POST /contacts/{workspace}/{mail}/invite", p.invite)
	add("POST /contacts/{workspace}/{mail}/close", p.closeAccess)
	add("POST /contacts/{workspace}/{mail}/stop", p.stop)
	return all
}

// href is a contact's page.
func href(workspace, mail string) string {
	return "/contacts/" + url.PathEscape(workspace) + "/" + url.PathEscape(mail)
}

// state is a contact's, as pages show it: a colour and a word.
type state struct{ Class, Word string }

func stateOf(s store.ContactState) state {
	switch s {
	case store.Invited:
		return state{"wait", lang.ID("Invited")}
	case store.Active:
		return state{"ok", lang.ID("Active")}
	case store.Closed:
		return state{"closed", lang.ID("Closed")}
	default:
		return state{"none", lang.ID("No access")}
	}
}

// done goes to a page of ours, with a line that says what was done.
func (p *pages) done(w http.ResponseWriter, r *http.Request, to, said string) {
	p.kit.Say(w, web.Said{Message: said})
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // callers give paths of ours
}

// back goes to a contact's page with what went wrong, where that is theirs to
// mend; else it is a page of its own.
func (p *pages) back(w http.ResponseWriter, r *http.Request, err error) {
	status := web.Status(err)
	if status >= http.StatusInternalServerError || status == http.StatusNotFound || r.Context().Err() != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.done(w, r, href(r.PathValue("workspace"), r.PathValue("mail")), p.kit.Explain(r, err))
}

// brand is how the firm of a workspace looks.
func (p *pages) brand(workspace string) web.Brand {
	if p.kit.Brand == nil {
		return web.Brand{}
	}
	return p.kit.Brand(workspace)
}
