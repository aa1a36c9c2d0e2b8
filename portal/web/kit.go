// Package web is what all pages share: the frame around them, the language and
// time zone of whoever reads, routes that say who may come, the one table of
// errors, and the style sheet, icons and scripts.
//
// Every page is whole without a script. Scripts add what a page can do without.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"portico/files"
	"portico/identity"
	"portico/identity/session"
	"portico/lang"
	"portico/sharing"
	"portico/store"
)

// Sessions finds who is signed in: *session.Keeper.
type Sessions interface {
	Find(ctx context.Context, cookie string) (identity.Identity, error)
}

// Workspace is a drive that somebody may see.
type Workspace struct {
	Name, Title string
	// Contacts tells that they may let customers in somewhere in it, and so have a
	// list of them.
	Contacts bool
}

// Options are what the kit stands on. Nil functions give nothing.
type Options struct {
	Public   *url.URL // the address that people use
	Catalog  *lang.Catalog
	Sessions Sessions

	// Principal is somebody as package files knows them: gateway.Principal.
	Principal func(identity.Identity) files.Principal
	// Caller is who asks by the API: with a password, or a session; where own is
	// set, an app password is an error. Refused is the status and sentence of an
	// error; it sets the headers that belong.
	Caller  func(r *http.Request, own bool) (identity.Identity, error)
	Refused func(w http.ResponseWriter, r *http.Request, err error) (status int, sentence string)
	// Begin signs somebody in at this browser, for the rooms where people come in by
	// another door than /login. how is for the audit.
	Begin func(w http.ResponseWriter, r *http.Request, who identity.Identity, how string) error
	// Workspaces gives those that somebody may see, by title: the left bar of staff.
	Workspaces func(ctx context.Context, who identity.Identity) ([]Workspace, error)
	// Preferences are what somebody has chosen, by identity.Identity.ID.
	Preferences func(ctx context.Context, id string) (store.Preferences, error)
	// Unread counts the notices that somebody has not read.
	Unread func(ctx context.Context, who identity.Identity) (int, error)
	// Brand is how a workspace's firm looks; "" is the server's own.
	Brand func(workspace string) Brand
	// Firm is the one workspace that a customer is known to, "" for several: its
	// brand is on those of their pages that belong to none.
	Firm func(ctx context.Context, who identity.Identity) (workspace string, err error)
	// Brands are all of them, whose logos are given to whoever asks.
	Brands func() []Brand
	// Language and Zone are the firm's, for those whose browser does not tell its
	// own; nil is English and UTC.
	Language func() string
	Zone     func() *time.Location

	RequestID func(context.Context) string
	Address   func(*http.Request) string // of the client
	Clock     func() time.Time
	Log       *slog.Logger
}

// Kit is what pages are made with. A room of the portal gets one, adds its
// templates and assets to it and gives its routes.
type Kit struct {
	Options
	pages  map[string]*source
	assets map[string]asset
	made   sync.Map // of pages by name and language
	sid    session.Cookie
	said   session.Cookie
}

// Room is a part of the portal: it takes the kit and gives its routes.
type Room func(*Kit) []Route

// New makes a kit with the pages and assets that all share. It panics on a
// template that cannot be read, which is a fault of the program.
func New(o Options) *Kit {
	if o.Language == nil {
		o.Language = func() string { return "" }
	}
	if o.Zone == nil {
		o.Zone = func() *time.Location { return time.UTC }
	}
	k := &Kit{
		Options: o, pages: map[string]*source{}, assets: map[string]asset{},
		sid:  session.NewCookie(o.Public, "sid", 0),
		said: session.NewCookie(o.Public, "said", time.Minute),
	}
	k.Templates("", sub(embedded, "pages"))
	k.Assets(sub(embedded, "assets"))
	return k
}

// visit is what is known of one request.
type visit struct {
	who   identity.Identity
	known bool
	text  *lang.Text
	route Route

	// Asked for once, by whoever needs them first.
	prefs  func() store.Preferences
	spaces func() ([]Workspace, error)
}

// visitOf is the visit of somebody. What it costs a question to know is asked when
// it is needed: the bytes of a file, or a piece of an upload, have no language.
func (k *Kit) visitOf(r *http.Request, who identity.Identity) *visit {
	return &visit{
		who: who, known: true,
		prefs:  sync.OnceValue(func() store.Preferences { return k.preferencesOf(r, who) }),
		spaces: sync.OnceValues(func() ([]Workspace, error) { return k.workspacesOf(r, who) }),
	}
}

// key of the visit in a request's context.
type key struct{}

// of is the visit of a request; one that came by no route of ours has an empty one.
func (k *Kit) of(r *http.Request) *visit {
	if v, ok := r.Context().Value(key{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// Who is who asks, of a route that needs somebody, or of a page for anyone that
// somebody opens who is signed in.
func (k *Kit) Who(r *http.Request) (identity.Identity, bool) {
	v := k.of(r)
	return v.who, v.known
}

// Principal is who asks, for package files.
func (k *Kit) Principal(r *http.Request) files.Principal {
	who, _ := k.Who(r)
	p := k.Options.Principal(who)
	p.Via, p.Address, p.Agent, p.RequestID = Via(r), k.Address(r), clip(r.UserAgent()), k.RequestID(r.Context())
	return p
}

// By is who acts, for package sharing.
func (k *Kit) By(r *http.Request) sharing.By {
	who, _ := k.Who(r)
	return sharing.By{Principal: k.Principal(r), ID: who.ID, Name: who.Name, Mail: who.Email, Contact: who.Contact}
}

// Chosen are the preferences of who asks.
func (k *Kit) Chosen(r *http.Request) store.Preferences {
	if v := k.of(r); v.prefs != nil {
		return v.prefs()
	}
	return store.Preferences{}
}

// Workspaces are those that who asks may see, by title.
func (k *Kit) Workspaces(r *http.Request) ([]Workspace, error) {
	if v := k.of(r); v.spaces != nil {
		return v.spaces()
	}
	return nil, nil
}

func (k *Kit) workspacesOf(r *http.Request, who identity.Identity) ([]Workspace, error) {
	if k.Options.Workspaces == nil {
		return nil, nil
	}
	return k.Options.Workspaces(r.Context(), who)
}

// visit finds out who opens a page. Nobody is no error.
func (k *Kit) visit(r *http.Request) (*visit, error) {
	cookie := k.sid.Value(r)
	if cookie == "" {
		return &visit{}, nil
	}
	who, err := k.Sessions.Find(r.Context(), cookie)
	switch {
	case errors.Is(err, session.ErrNone):
		return &visit{}, nil
	case err != nil:
		return &visit{}, err
	}
	return k.visitOf(r, who), nil
}

// preferencesOf reads what somebody has chosen. A page in another language is
// better than none.
func (k *Kit) preferencesOf(r *http.Request, who identity.Identity) store.Preferences {
	if k.Preferences == nil {
		return store.Preferences{}
	}
	chosen, err := k.Preferences(r.Context(), who.ID)
	if err != nil {
		k.Log.WarnContext(r.Context(), "preferences unknown", "err", err)
	}
	return chosen
}
