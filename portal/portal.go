// Package portal serves Portico's pages and its JSON API: the page that tells how
// to mount the drive, sign-in, a person's own account, and app passwords.
//
// Every page is whole without a script. Scripts add what a page can do without:
// a button that copies, a password that can be shown.
package portal

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"portico/files"
	"portico/identity"
	"portico/identity/oidc"
	"portico/identity/session"
	"portico/lang"
	"portico/portal/web"
	"portico/store"
)

// Workspace is a drive that somebody may see.
type Workspace = web.Workspace

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
	Catalog   *lang.Catalog
	Rooms     []web.Room // the pages of staff, customers and links

	// Arrived, if set, hears of each who has signed in with a password.
	Arrived func(ctx context.Context, who identity.Identity) error
	// Forgotten is the page for who has forgotten their password, "" for none.
	Forgotten string

	// OutsideOnly takes no passwords, on the pages or at the API: one alone would
	// make an app password, past the second factor that the provider asks for.
	OutsideOnly bool

	// Workspaces gives those that somebody may see, by title.
	Workspaces func(ctx context.Context, who identity.Identity) ([]Workspace, error)

	// What the kit takes: see web.Options.
	Principal   func(identity.Identity) files.Principal
	Preferences func(ctx context.Context, id string) (store.Preferences, error)
	Unread      func(ctx context.Context, who identity.Identity) (int, error)
	Brand       func(workspace string) web.Brand
	Firm        func(ctx context.Context, who identity.Identity) (string, error)
	Brands      func() []web.Brand
	Language    func() string
	Zone        func() *time.Location

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
	kit  *web.Kit
	sid  session.Cookie
	flow session.Cookie // of a sign-in at the outside provider
}

// New makes the handler of "/", /assets/, /login, /logout, /auth/oidc/, /account
// and /api/v1/, and of what the rooms bring.
func New(o Options) http.Handler {
	p := newPortal(o)
	all := p.routes()
	for _, room := range o.Rooms {
		all = append(all, room(p.kit)...)
	}
	return p.kit.Handler(all...)
}

func newPortal(o Options) *portal {
	p := &portal{
		Options: o,
		sid:     session.NewCookie(o.Public, "sid", 0),
		flow:    session.NewCookie(o.Public, "flow", oidc.Life),
	}
	p.kit = web.New(web.Options{
		Public: o.Public, Catalog: o.Catalog, Sessions: o.Sessions, Principal: o.Principal, Caller: p.caller, Refused: p.refuseCaller,
		Workspaces: o.Workspaces, Preferences: o.Preferences, Unread: o.Unread, Brand: o.Brand, Firm: o.Firm, Brands: o.Brands,
		Language: o.Language, Zone: o.Zone,
		Begin: func(w http.ResponseWriter, r *http.Request, who identity.Identity, how string) error {
			return p.begin(w, r, who, nil, how, nil)
		},
		RequestID: o.RequestID, Address: o.Address, Clock: o.Clock, Log: o.Log,
	})
	p.kit.Templates("", pages())
	return p
}

// routes are those of this package. A test holds them against the OpenAPI document.
func (p *portal) routes() []web.Route {
	r := []web.Route{
		{Pattern: "GET /{$}", Needs: web.Anyone, Handler: p.home},
		{Pattern: "GET /login", Needs: web.Anyone, Handler: p.loginPage},
		{Pattern: "POST /login", Needs: web.Anyone, Handler: p.login},
		{Pattern: "POST /logout", Needs: web.Anyone, Handler: p.logout},
		{Pattern: "GET /account", Needs: web.SignedIn, Handler: p.account},
		{Pattern: "GET /portal/mount", Needs: web.ContactOnly, Handler: p.drive},
		{Pattern: "POST /account/passwords", Needs: web.SignedIn, Handler: p.makePassword},
		{Pattern: "POST /account/passwords/{id}/revoke", Needs: web.SignedIn, Handler: p.revokePassword},

		{Pattern: "/api/v1", Needs: web.Anyone, API: true, Handler: p.kit.Absent}, // net/http would redirect it
		{Pattern: "/api/v1/", Needs: web.Anyone, API: true, Handler: p.kit.Absent},
		{Pattern: "GET /api/v1/app-passwords", Needs: web.SignedIn, API: true, Own: true, Handler: p.apiList},
		{Pattern: "POST /api/v1/app-passwords", Needs: web.SignedIn, API: true, Own: true, Handler: p.apiMake},
		{Pattern: "DELETE /api/v1/app-passwords/{id}", Needs: web.SignedIn, API: true, Own: true, Handler: p.apiRevoke},
	}
	if p.Outside != nil {
		r = append(r,
			web.Route{Pattern: "GET /auth/oidc/start", Needs: web.Anyone, Handler: p.outsideStart},
			web.Route{Pattern: "GET /auth/oidc/callback", Needs: web.Anyone, Handler: p.outsideBack})
	}
	return r
}
