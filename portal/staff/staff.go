// Package staff has the pages of the firm's own people: workspaces and folders,
// what lies in them and who may do what with it.
//
// Every page reads and writes through the files.Tree of who asks. What they may
// not see is not there, and no button is shown that would be refused.
package staff

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/portal/content"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

//go:embed all:pages assets
var embedded embed.FS

// Files is the one door: *files.Service.
type Files interface {
	As(ctx context.Context, p files.Principal) (*files.Tree, error)
	ViewAs(ctx context.Context, by files.Principal, who files.Person) (*files.Tree, error)
}

// Deed is something that somebody did to a file, for the details.
type Deed struct {
	Time time.Time
	Who  string
	What string // a text's id, such as "changed"
}

// Activity is a part of what was done to a file. It may be empty, and there may be
// older deeds all the same: of a long log only so much is looked at for one page.
type Activity struct {
	Deeds []Deed
	Older string // where they go on, "" at the end
}

// Options are what the pages stand on. Functions may be nil, and then what they
// give is not shown.
type Options struct {
	Files Files

	// Name is who has the ID of a creator, "" for nobody that is known.
	Name func(ctx context.Context, id string) string
	// Person finds a colleague by their login, for "View as…".
	Person func(ctx context.Context, login string) (files.Person, error)
	// Activity tells what was done to a path, the newest first: from "", or from
	// where an answer of before ended. It is asked for those alone who may read the
	// audit there, or hold grant.
	Activity func(ctx context.Context, p vpath.Path, from string, limit int) (Activity, error)
	// Sharing is nil where nothing is shared.
	Sharing Sharing
	// Links tells the links that open a thing, as far as who asks may know of them:
	// sharing.Service.LinksOn.
	Links func(ctx context.Context, by sharing.By, p vpath.Path) ([]sharing.LinkView, error)
	// Ask tells those who can give access to a thing that who asks would like to have
	// it: sharing.Service.AskAccess.
	Ask func(ctx context.Context, by sharing.By, p vpath.Path, message string) error
	// Uploads is the address of resumable uploads, "" for none.
	Uploads string
}

// pages is all of it.
type pages struct {
	Options
	kit  *web.Kit
	busy *content.Busy
}

// Room gives the routes of the staff's pages.
func Room(o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		p := &pages{Options: o, kit: k, busy: content.NewBusy(maxAtOnce)}
		k.Templates("staff", folder("pages"))
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
	add := func(pattern string, h http.HandlerFunc) {
		all = append(all, web.Route{Pattern: pattern, Needs: web.StaffOnly, Handler: h})
	}
	add("GET /files/{path...}", p.show)
	add("POST /files/{path...}", p.put)
	add("GET /raw/{path...}", p.raw)
	add("GET /rows/{path...}", p.rows)
	add("GET /details/{path...}", p.details)
	add("GET /search/{path...}", p.search)
	add("GET /zip/{path...}", p.zipFolder)
	add("POST /zip", p.zipItems)
	add("POST /do/folder", p.mkdir)
	add("POST /do/rename", p.rename)
	add("POST /do/place", p.place)
	add("POST /do/move", p.transfer)
	add("POST /do/copy", p.transfer)
	add("POST /do/sure", p.sure)
	add("POST /do/delete", p.delete)
	add("GET /locks/{path...}", p.locks)
	add("POST /do/unlock", p.unlock)
	add("GET /as/{path...}", p.viewAs)
	if p.Ask != nil {
		add("GET /ask", p.askForm)
		add("POST /ask", p.ask)
	}
	if p.Sharing != nil {
		add("GET /share", p.shareForm)
		add("POST /share", p.shareForm)
		add("POST /share/send", p.share)
		add("GET /share/people", p.suggest)
		add("GET /share/stop", p.stopForm)
		add("POST /share/stop", p.stop)
		add("GET /shared", p.shared)
		add("POST /shared/{id}", p.answer)
		add("POST /label", p.label)
	}
	return all
}

// tree is the files as who asks may see and use them.
func (p *pages) tree(r *http.Request) (*files.Tree, error) {
	return p.Files.As(r.Context(), p.kit.Principal(r))
}

// at is the path in an address, and whether it ends in a slash.
func at(r *http.Request) (path vpath.Path, slash bool, err error) {
	// The escaped form: a name may hold an escaped slash, which is refused, and
	// net/http has made it a slash in the value that it gives.
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	path, _, err = vpath.ParseEscaped("/" + rest)
	return path, rest == "" || strings.HasSuffix(rest, "/"), err
}

// open is the tree of who asks and the path in the address; where it is not ok, it
// has answered.
func (p *pages) open(w http.ResponseWriter, r *http.Request) (t *files.Tree, path vpath.Path, ok bool) {
	path, _, err := at(r)
	if err == nil {
		t, err = p.tree(r)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return nil, path, false
	}
	return t, path, true
}

// nameOf is a creator's name for people to read.
func (p *pages) nameOf(ctx context.Context, known map[string]string, id string) string {
	if id == "" || p.Name == nil {
		return ""
	}
	name, ok := known[id]
	if !ok {
		name = p.Name(ctx, id)
		known[id] = name
	}
	return name
}

// who is the person that asks, for the few places that need more than a tree.
func (p *pages) who(r *http.Request) identity.Identity {
	who, _ := p.kit.Who(r)
	return who
}

// form reads a form of ours, with as many items as a folder may have; where it is
// not ok, it has answered.
func (p *pages) form(w http.ResponseWriter, r *http.Request) (f form, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxItems*(maxName+8))
	if err := r.ParseForm(); err != nil {
		p.kit.BadForm(w, r, err)
		return form{}, false
	}
	f.in, f.err = vpath.Parse(orRoot(r.Form.Get("in")))
	f.names = r.Form["item"]
	if f.err == nil && len(f.names) > maxItems {
		f.err = fault.Tell(fault.ErrTooLarge, "more than %d things were chosen: choose the folder that they are in", maxItems)
	}
	for _, name := range f.names {
		item, err := f.in.Child(name)
		if err != nil && f.err == nil {
			f.err = err
		}
		f.items = append(f.items, item)
	}
	if f.err != nil {
		p.kit.Fail(w, r, f.err)
		return form{}, false
	}
	return f, true
}

// Limits of one form.
const (
	maxItems = 10_000
	maxName  = 3 * 255 // a name, escaped
)

// form is what all forms about things in a folder have.
type form struct {
	in    vpath.Path
	names []string
	items []vpath.Path
	err   error
}

func orRoot(s string) string {
	if s == "" {
		return "/"
	}
	return s
}
