// Package portaltest is a firm with customers, for tests of pages: the real rooms
// of files and sharing over a backend in memory and SQLite, with real sign-in.
package portaltest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends/mem"
	"portico/files"
	"portico/gateway"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/contacts"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/identity/session"
	"portico/identity/static"
	"portico/identity/throttle"
	"portico/lang"
	"portico/notify"
	"portico/portal"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// Password is everybody's.
const Password = "seven green boats sail"

// Secret words that no customer may ever see: names of folders above what is
// shared, of people who did not share it, and of other customers.
const (
	Above    = "Canaryclients"
	Sibling  = "Canarysibling"
	Stranger = "Canarystaff"
)

// Firm is a server with all that stands behind it.
type Firm struct {
	*httptest.Server
	T       testing.TB
	State   store.State
	Files   *files.Service
	Sharing *sharing.Service
	Mails   bool // what Tell wrote goes out by mail

	mu   sync.Mutex
	now  time.Time
	told int
}

// New starts one. Rooms are made over it.
func New(t testing.TB, rooms func(*Firm) []web.Room) *Firm {
	t.Helper()
	f := &Firm{T: t, now: time.Date(2027, 3, 12, 13, 5, 0, 0, time.UTC)}
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	f.ok(err)
	f.State = state
	log := slog.New(slog.DiscardHandler)
	queue := identity.NewQueue(2, 64)
	users, err := static.New(staff(t), queue)
	f.ok(err)
	chain, err := people.New(people.Options{
		Users:    people.Source{Directory: users, Prefix: "user:", Term: time.Minute},
		Contacts: people.Source{Directory: contacts.New(contacts.Options{State: state, Queue: queue}), Prefix: identity.ContactPrefix, Term: 10 * time.Second},
	})
	f.ok(err)
	slow := throttle.New(throttle.Options{Store: state, Clock: f.Clock, Log: log})
	keeper := apppass.New(apppass.Options{Store: state, Clock: f.Clock, Rand: rand.Reader, Log: log})
	g, err := gate.New(gate.Options{
		Settings: gate.Settings{People: chain, Term: chain.Term}, AppPasswords: keeper, Clock: f.Clock, Rand: rand.Reader, Log: log, Throttle: slow,
	})
	f.ok(err)
	f.openFiles(log)
	base := &url.URL{Scheme: "http", Host: "files.firm.example"}
	f.Sharing, err = sharing.New(sharing.Options{
		State: state, Files: f.Files, Tell: f, Throttle: slow, Queue: queue, People: chain, Principal: gateway.Principal,
		Colleague: func(ctx context.Context, mail string) (identity.Identity, bool, error) {
			return colleague(ctx, users, mail)
		},
		Title: title, Firm: "Peeters & Co", Base: func() *url.URL { return base }, Changed: g.Flush, Secret: []byte(strings.Repeat("s", 32)),
		Clock: f.Clock, Rand: rand.Reader, Log: log,
	})
	f.ok(err)
	var pages http.Handler
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(w, r) }))
	t.Cleanup(func() { f.Close(); _ = keeper.Close(); _ = state.Close() })
	public, err := url.Parse(f.URL)
	f.ok(err)
	catalog, err := lang.New()
	f.ok(err)
	pages = portal.New(portal.Options{
		Public: public, Gate: g, Passwords: keeper, Workspaces: f.workspaces, Catalog: catalog,
		Sessions: session.New(session.Options{State: state, People: g.People(), Clock: f.Clock, Rand: rand.Reader}),
		Rooms:    rooms(f), Principal: gateway.Principal, Forgotten: "/reset",
		Preferences: func(ctx context.Context, id string) (store.Preferences, error) { return state.PreferencesOf(ctx, id) },
		Unread:      func(ctx context.Context, who identity.Identity) (int, error) { return state.UnreadTo(ctx, who.ID) },
		Brand:       brand, Brands: func() []web.Brand { return []web.Brand{brand("firm"), brand("notary")} },
		Firm: func(ctx context.Context, who identity.Identity) (string, error) {
			return f.Sharing.FirmOf(ctx, sharing.By{Mail: who.Email, Contact: who.Contact})
		},
		Arrived: func(ctx context.Context, who identity.Identity) error {
			return f.Sharing.SignedIn(ctx, sharing.By{Principal: gateway.Principal(who), ID: who.ID, Name: who.Name, Mail: who.Email, Contact: who.Contact})
		},
		Record:    func(context.Context, portal.Event) error { return nil },
		Append:    func(portal.Event) session.Also { return func(store.Tx) error { return nil } },
		RequestID: func(context.Context) string { return "request-1" }, Address: address, Clock: f.Clock, Log: log,
	})
	f.fill()
	return f
}

func address(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

func staff(t testing.TB) (all []static.User) {
	t.Helper()
	for login, name := range map[string]string{"ann": "Ann Peeters", "bob": Stranger + " Maes", "eve": "Eve Claes", "root": "Ruth Root"} {
		all = append(all, static.User{
			ID: "user:" + login, Login: identity.Login(login), Name: name, Email: login + "@firm.example", Hash: identitytest.Hash(t, Password),
		})
	}
	return all
}

func colleague(ctx context.Context, d identity.Directory, mail string) (identity.Identity, bool, error) {
	login, ok := strings.CutSuffix(mail, "@firm.example")
	if !ok {
		return identity.Identity{}, false, nil
	}
	who, err := d.ByLogin(ctx, identity.Login(login))
	if errors.Is(err, identity.ErrRefused) {
		return who, false, nil
	}
	return who, err == nil, err
}

// openFiles makes the tree: ann manages the clients of firm and all of notary, bob
// looks after both, eve reads.
func (f *Firm) openFiles(log *slog.Logger) {
	f.T.Helper()
	f.Files = files.New(files.Options{
		State: f.State, Audit: silent{}, Clock: f.Clock, Rand: rand.Reader, Log: log,
		Giver: func(_ context.Context, id string) (files.Person, error) {
			for _, u := range []string{"ann", "bob", "eve", "root"} {
				if id == "user:"+u {
					return files.Person{ID: id, Login: u}, nil
				}
			}
			return files.Person{}, fs.ErrNotExist
		},
		Deposited: func(ctx context.Context, tx store.Tx, d store.Deposit) error { return f.Sharing.Deposited(ctx, tx, d) },
		Opened:    func(ctx context.Context, tx store.Tx, o files.Opening) error { return f.Sharing.Opened(ctx, tx, o) },
	})
	grant := func(path, login, name string) acl.Grant {
		role, ok := acl.RoleNamed(name)
		if !ok {
			f.T.Fatalf("no role %s", name)
		}
		return acl.Grant{Path: vpath.Must(path), Subject: acl.User(login), Role: role}
	}
	policy, err := acl.Compile(acl.Spec{Grants: []acl.Grant{
		grant("/firm", "root", "owner"), grant("/notary", "root", "owner"), grant("/notary", "ann", "manager"),
		grant("/firm/"+Above, "ann", "manager"), grant("/firm", "bob", "manager"), grant("/firm", "eve", "viewer"),
	}})
	f.ok(err)
	back := mem.New()
	var list []files.Workspace
	for _, name := range []string{"firm", "notary"} {
		b, err := back.At(vpath.Must("/" + name))
		f.ok(err)
		list = append(list, files.Workspace{Name: name, Title: title(name), Backend: b})
	}
	f.Files.Apply(policy, list)
}

func title(workspace string) string {
	return map[string]string{"firm": "Peeters & Co", "notary": "Notary Claes"}[workspace]
}

func brand(workspace string) web.Brand {
	switch workspace {
	case "firm":
		return web.Brand{Name: "Peeters & Co", Colour: "#8a1c3b", Type: "image/svg+xml", Logo: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#8a1c3b"/><path d="M10 24V8h8a5 5 0 0 1 0 10h-4v6z" fill="#fff"/></svg>`}
	case "notary":
		return web.Brand{Name: "Notary Claes", Colour: "#1f6b4a"}
	}
	return web.Brand{Name: "Portico"}
}

func (f *Firm) fill() {
	f.T.Helper()
	for _, p := range []string{"/firm/" + Above, "/firm/" + Above + "/Acme", "/firm/" + Above + "/Acme/2026", "/firm/" + Above + "/" + Sibling, "/notary/Deeds"} {
		f.Mkdir("root", p)
	}
	f.Write("ann", "/firm/"+Above+"/Acme/letter.txt", "Dear Acme")
	f.Write("ann", "/firm/"+Above+"/Acme/2026/accounts.txt", "figures")
	f.Write("root", "/firm/"+Above+"/"+Sibling+"/other.txt", "secret")
	f.Write("ann", "/notary/Deeds/deed.txt", "deed")
}

// Acme is a folder below what no customer may know the name of.
func Acme(below ...string) vpath.Path {
	return vpath.Must("/firm/" + Above + "/Acme" + strings.Join(append([]string{""}, below...), "/"))
}

// Clock is the firm's.
func (f *Firm) Clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Pass lets time pass.
func (f *Firm) Pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *Firm) ok(err error) {
	f.T.Helper()
	if err != nil {
		f.T.Fatal(err)
	}
}

// By is a member of staff.
func (f *Firm) By(login string) sharing.By {
	name := map[string]string{"ann": "Ann Peeters", "bob": Stranger + " Maes", "eve": "Eve Claes", "root": "Ruth Root"}[login]
	return sharing.By{
		Principal: files.Staff(files.Person{ID: "user:" + login, Login: login, Name: name}), ID: "user:" + login, Name: name, Mail: login + "@firm.example",
	}
}

// Tree is the files as staff see them.
func (f *Firm) Tree(login string) *files.Tree {
	f.T.Helper()
	t, err := f.Files.As(f.T.Context(), f.By(login).Principal)
	f.ok(err)
	return t
}

// Mkdir makes a folder.
func (f *Firm) Mkdir(login, path string) {
	f.T.Helper()
	f.ok(f.Tree(login).Mkdir(f.T.Context(), vpath.Must(path), files.Guard{}))
}

// Write stores a file.
func (f *Firm) Write(login, path, body string) {
	f.T.Helper()
	_, _, err := f.Tree(login).Put(f.T.Context(), vpath.Must(path), strings.NewReader(body), files.PutOptions{Size: int64(len(body))})
	f.ok(err)
}

// Read opens a file as staff do.
func (f *Firm) Read(login string, p vpath.Path) error {
	f.T.Helper()
	body, _, err := f.Tree(login).Open(f.T.Context(), p, files.Range{})
	if err != nil {
		return err
	}
	return body.Close()
}

// Share shares something of ann's.
func (f *Firm) Share(w sharing.ShareWish) store.Grant {
	f.T.Helper()
	grants, err := f.Sharing.Share(f.T.Context(), f.By("ann"), w)
	f.ok(err)
	return grants[0]
}

// Invite opens the access of a customer to a folder, and gives the secret of the
// mail.
func (f *Firm) Invite(mail string, folders ...vpath.Path) string {
	f.T.Helper()
	f.ok(f.Sharing.OpenAccess(f.T.Context(), f.By("ann"), folders[0].Top(), mail, folders))
	return f.Secret(mail)
}

// Join invites a customer who accepts.
func (f *Firm) Join(mail, name string, folders ...vpath.Path) {
	f.T.Helper()
	_, err := f.Sharing.AcceptInvitation(f.T.Context(), f.Invite(mail, folders...), name, Password, "192.0.2.7")
	f.ok(err)
}

// Secret is what stands at the end of the link of the last mail to an address, ""
// where there was none.
func (f *Firm) Secret(mail string) string {
	f.T.Helper()
	due, err := f.State.DueMails(f.T.Context(), f.Clock().Add(365*24*time.Hour), 1000)
	f.ok(err)
	last, link := 0, ""
	for _, n := range due {
		var data map[string]string
		f.ok(json.Unmarshal(n.Data, &data))
		number, _ := strconv.Atoi(n.ID[1:])
		if n.Mail == mail && number > last && (n.Event == string(notify.Invited) || n.Event == string(notify.Reset)) {
			last, link = number, data["link"]
		}
	}
	return link[strings.LastIndexByte(link, '/')+1:]
}

// Tell implements sharing.Teller.
func (f *Firm) Tell(tx store.Tx, n notify.Notice) error {
	data, err := json.Marshal(n.Data)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.told++
	id := "n" + strconv.Itoa(f.told)
	f.mu.Unlock()
	return tx.PutNotice(store.Notice{
		ID: id, To: n.To, Mail: n.Mail, Language: n.Language, Event: string(n.Event), Data: data,
		Batch: n.Batch, Created: f.Clock(), Due: f.Clock().Add(n.Delay), Quiet: n.Quiet,
	})
}

// Notices is the list of them.
func (f *Firm) Notices() Notices { return Notices{f} }

// Notices are those that Tell wrote.
type Notices struct{ f *Firm }

// List gives those of somebody.
func (n Notices) List(ctx context.Context, to string, limit int) ([]store.Notice, error) {
	return n.f.State.NoticesTo(ctx, to, limit)
}

// MarkRead marks all of them.
func (n Notices) MarkRead(ctx context.Context, to string) error {
	return n.f.State.Update(ctx, func(tx store.Tx) error { return tx.ReadNotices(to, n.f.Clock()) })
}

// Words are an event's, in short.
func (Notices) Words(_ *lang.Text, x store.Notice) (title, body, link string) {
	var data map[string]string
	if json.Unmarshal(x.Data, &data) != nil {
		return "", "", ""
	}
	return data["by"] + " " + x.Event + " “" + data["item"] + "”", data["message"], "/portal/"
}

func (f *Firm) workspaces(ctx context.Context, who identity.Identity) ([]portal.Workspace, error) {
	if who.Contact {
		return nil, nil
	}
	tree, err := f.Files.As(ctx, gateway.Principal(who))
	if err != nil {
		return nil, err
	}
	_, list, err := tree.Find(ctx, vpath.Path{}, true, files.Want{})
	var all []portal.Workspace
	for _, n := range list {
		all = append(all, portal.Workspace{Name: n.Path.Name(), Title: n.Title, Contacts: tree.Somewhere(n.Path, "share", "invite")})
	}
	return all, err
}

type silent struct{}

func (silent) Record(context.Context, audit.Event) error           { return nil }
func (silent) Intend(context.Context, audit.Event) (string, error) { return "", nil }
func (silent) Forget(context.Context, store.Tx, string) error      { return nil }
func (silent) Append(store.Tx, audit.Event) error                  { return nil }
