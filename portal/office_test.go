package portal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/acl/acltest"
	"portico/audit/audittest"
	"portico/backends"
	"portico/backends/mem"
	"portico/files"
	"portico/gateway"
	"portico/identity"
	"portico/identity/apppass"
	customers "portico/identity/contacts"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/identity/session"
	"portico/identity/static"
	"portico/identity/throttle"
	"portico/lang"
	"portico/notify"
	"portico/portal"
	"portico/portal/api"
	"portico/portal/client"
	"portico/portal/contacts"
	"portico/portal/link"
	"portico/portal/mount"
	"portico/portal/staff"
	"portico/portal/tus"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// officeRules: root owns the firm, ann manages its clients, eve edits them, bob and
// dan read; nobody but hal sees HR, and the lab is hal's.
const officeRules = `
workspaces:
  firm:
    folders:
      /:        {grant: {"user:root": owner}}
      /Clients: {grant: {"user:ann": manager, "user:eve": editor, "user:bob": viewer, "user:dan": viewer}}
      /HR:      {inherit: false, grant: {"user:hal": manager}}
  lab:
    folders:
      /: {grant: {"user:hal": owner}}
`

// The customers of the office: carol has Acme and an empty In to deposit in, stan
// has nothing of the firm's.
const (
	carol = "carol@acme.example"
	stan  = "stan@else.example"
	word  = "seven green boats sail"
)

// office is the whole portal and the drive, over a real store.
type office struct {
	testing.TB
	*httptest.Server
	state    *sqlite.Store
	files    *files.Service
	sharing  *sharing.Service
	notices  *notify.Notifier
	contacts *customers.Directory
	queue    *identity.Queue
	people   *people.Chain
	gate     *gate.Gate
	keeper   *apppass.Keeper
	log      *buffer
	mails    *buffer
	routes   []web.Route
	count    atomic.Int64
	later    atomic.Int64 // by how much the clock is ahead
}

func newOffice(tb testing.TB) *office {
	tb.Helper()
	o := &office{TB: tb, log: &buffer{}, mails: &buffer{}, queue: identity.NewQueue(2, 64)}
	var err error
	o.state, err = sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	o.ok(err)
	tb.Cleanup(func() { _ = o.state.Close() })
	log := slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.contacts = customers.New(customers.Options{State: o.state, Queue: o.queue})
	o.files = files.New(files.Options{
		State: o.state, Audit: &audittest.Recorder{}, Clock: o.clock, Rand: rand.Reader, Log: log, Giver: o.giver,
		Deposited: func(ctx context.Context, tx store.Tx, d store.Deposit) error { return o.sharing.Deposited(ctx, tx, d) },
		Opened:    func(ctx context.Context, tx store.Tx, x files.Opening) error { return o.sharing.Opened(ctx, tx, x) },
	})
	o.employ(log, "ann", "eve", "bob", "root", "hal", "dan")
	o.notices = notify.New(notify.Options{
		State: o.state, Clock: o.clock, Rand: rand.Reader, Log: log, Catalog: officeCatalog(tb), From: "portico@firm.example",
		Public: func() *url.URL { return o.public() },
	})
	o.Server = httptest.NewUnstartedServer(nil)
	o.share(log)
	o.build(log)
	o.Start()
	tb.Cleanup(o.Close)
	o.furnish()
	return o
}

func (o *office) ok(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) public() *url.URL {
	return &url.URL{Scheme: "http", Host: o.Listener.Addr().String()}
}

func (o *office) clock() time.Time { return time.Now().Add(time.Duration(o.later.Load())) }

// employ makes the gate, with these people; it may be called again.
func (o *office) employ(log *slog.Logger, logins ...string) {
	o.Helper()
	users := make([]static.User, 0, len(logins))
	for _, login := range logins {
		users = append(users, static.User{
			ID: "user:" + login, Login: identity.Login(login), Name: strings.ToUpper(login[:1]) + login[1:],
			Email: login + "@firm.example", Hash: identitytest.Hash(o, word),
		})
	}
	directory, err := static.New(users, o.queue)
	o.ok(err)
	o.people, err = people.New(people.Options{
		Users: people.Source{Directory: directory, Prefix: "user:", Term: time.Minute},
		Firm:  people.Source{Directory: o.contacts, Prefix: identity.ContactPrefix, Term: time.Second},
	})
	o.ok(err)
	settings := gate.Settings{People: o.people, Term: o.people.Term}
	if o.gate != nil {
		o.gate.Apply(settings)
		return
	}
	o.keeper = apppass.New(apppass.Options{Store: o.state, Clock: o.clock, Rand: rand.Reader, Log: log})
	o.Cleanup(func() { _ = o.keeper.Close() })
	o.gate, err = gate.New(gate.Options{
		Settings: settings, AppPasswords: o.keeper, Clock: o.clock, Rand: rand.Reader, Log: log,
		Throttle: throttle.New(throttle.Options{Store: o.state, Clock: o.clock, Log: log}),
		Failed:   func(context.Context, identity.SignIn) {},
	})
	o.ok(err)
}

func (o *office) giver(ctx context.Context, id string) (files.Person, error) {
	who, err := o.people.ByID(ctx, id)
	if err != nil || who.Contact {
		return files.Person{}, fs.ErrNotExist
	}
	return gateway.Person(who), nil
}

// Tell keeps what is told as well, since mails carry the secrets that a test uses.
func (o *office) Tell(tx store.Tx, n notify.Notice) error {
	for _, k := range slices.Sorted(maps.Keys(n.Data)) {
		fmt.Fprintf(o.mails, "%s %s %s=%s\n", n.Event, n.Mail, k, n.Data[k])
	}
	return o.notices.Tell(tx, n)
}

func (o *office) share(log *slog.Logger) {
	o.Helper()
	var err error
	o.sharing, err = sharing.New(sharing.Options{
		State: o.state, Files: o.files, Tell: o, People: o.people, Queue: o.queue,
		Throttle: throttle.New(throttle.Options{Store: o.state, Clock: o.clock, Log: log}), Principal: gateway.Principal,
		Colleague: func(ctx context.Context, mail string) (identity.Identity, bool, error) {
			login, ok := strings.CutSuffix(mail, "@firm.example")
			if !ok {
				return identity.Identity{}, false, nil
			}
			who, err := o.people.ByLogin(ctx, identity.Login(login))
			return who, err == nil, nil
		},
		Audit: func(store.Tx, sharing.Deed) error { return nil }, Title: strings.ToUpper, Firm: "Peeters & Co", Base: o.public,
		Secret: []byte(strings.Repeat("s", 32)), Clock: o.clock, Rand: rand.Reader, Log: log,
	})
	o.ok(err)
}

// options are the portal's, with all rooms.
func (o *office) options(log *slog.Logger) portal.Options {
	person := func(ctx context.Context, login string) (files.Person, error) {
		who, err := o.people.ByLogin(ctx, identity.Login(login))
		return gateway.Person(who), err
	}
	return portal.Options{
		Public: o.public(), Gate: o.gate, Passwords: o.keeper, Catalog: officeCatalog(o), Principal: gateway.Principal, Forgotten: "/reset",
		Sessions: session.New(session.Options{
			State: o.state, People: o.gate.People(), Clock: o.clock, Rand: rand.Reader, Stamp: func(string) string { return "" },
		}),
		Record: func(context.Context, portal.Event) error { return nil },
		Append: func(portal.Event) session.Also { return func(store.Tx) error { return nil } },
		Workspaces: func(ctx context.Context, who identity.Identity) ([]portal.Workspace, error) {
			if who.Contact {
				return nil, nil
			}
			t, err := o.files.As(ctx, gateway.Principal(who))
			if err != nil {
				return nil, err
			}
			_, list, err := t.Find(ctx, vpath.Path{}, true, files.Want{})
			var all []portal.Workspace
			for _, n := range list {
				all = append(all, portal.Workspace{Name: n.Path.Name(), Title: n.Title, Contacts: t.Somewhere(n.Path, "share", "invite")})
			}
			return all, err
		},
		Preferences: o.state.PreferencesOf,
		Unread: func(ctx context.Context, who identity.Identity) (int, error) {
			return o.notices.Unread(ctx, who.ID)
		},
		Rooms: []web.Room{
			api.Room(api.Options{Files: o.files, Sharing: o.sharing, Notices: o.notices, Person: person}),
			staff.Room(staff.Options{Files: o.files, Sharing: o.sharing, Links: o.sharing.LinksOn, Ask: o.sharing.AskAccess, Person: person}),
			client.Room(client.Options{Files: o.files, Sharing: o.sharing, Notices: o.notices}),
			contacts.Room(contacts.Options{Files: o.files, Sharing: o.sharing}),
			link.Room(link.Options{Sharing: o.sharing}),
			mount.Room(mount.New(mount.Options{Store: o.state, Catalog: officeCatalog(o), Clock: o.clock, Log: log})),
			tus.Room(o.uploads, tus.Options{MaxSize: 1 << 20}),
		},
		RequestID: func(context.Context) string { return "request-" + strconv.FormatInt(o.count.Add(1), 10) },
		Address:   address,
		Clock:     o.clock, Log: log,
	}
}

// address is where a request says that it comes from: a test is many people.
func address(r *http.Request) string {
	if at := r.Header.Get("Test-Address"); at != "" {
		return at
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// uploads go to the tree of staff, and to the window of customers.
func (o *office) uploads(k *web.Kit, r *http.Request) (tus.Tree, error) {
	if who, _ := k.Who(r); who.Contact {
		return o.files.Window(r.Context(), k.Principal(r))
	}
	return o.files.As(r.Context(), k.Principal(r))
}

func (o *office) build(log *slog.Logger) {
	o.Helper()
	opts := o.options(log)
	o.routes = portal.Routes(opts)
	pages := portal.New(opts)
	dav := gateway.New(gateway.Options{
		Files: o.files, Gate: o.gate, Log: log, Prefix: "/dav", PublicURLs: []*url.URL{o.public()}, Realm: "Portico",
		RequestID: opts.RequestID, Address: address, Links: o.sharing.OpenLink,
	})
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dav" || strings.HasPrefix(r.URL.Path, "/dav/") {
			dav.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	o.Config.Handler = http.NewCrossOriginProtection().Handler(routes)
}

// furnish puts the rules into force, makes folders and lets customers in.
func (o *office) furnish() {
	o.Helper()
	rules := &acltest.Rules{}
	o.ok(yaml.Unmarshal([]byte(officeRules), rules))
	spec, err := rules.Spec()
	o.ok(err)
	policy, err := acl.Compile(spec)
	o.ok(err)
	back := mem.NewWith(mem.Options{})
	var list []files.Workspace
	for _, name := range []string{"firm", "lab"} {
		b, err := back.At(vpath.Must("/" + name))
		o.ok(err)
		list = append(list, files.Workspace{Name: name, Title: strings.ToUpper(name), Backend: b})
	}
	o.files.Apply(policy, list)
	for _, p := range []string{"/firm/Clients", "/firm/Clients/Acme", "/firm/Clients/In", "/firm/Clients/Box"} {
		o.mkdir("root", p)
	}
	// HR is nobody's but hal's, who may not make it: it is there before the firm is.
	hr, err := back.At(vpath.Must("/firm"))
	o.ok(err)
	_, err = hr.Mkdir(o.Context(), vpath.Must("/HR"), backends.Meta{})
	o.ok(err)
	o.write("hal", "/firm/HR/pay.txt", "hidden words")
	o.write("root", "/firm/Clients/Acme/letter.txt", "dear acme")
	o.mkdir("hal", "/lab/Tests")
	o.join("firm", "root", carol, "/firm/Clients")
	o.join("lab", "hal", stan, "/lab/Tests")
	o.give("ann", "/firm/Clients/Acme", "contact:"+carol, sharing.Edit)
	o.give("ann", "/firm/Clients/In", "contact:"+carol, sharing.Deposit)
}

func (o *office) mkdir(login, p string) {
	o.Helper()
	if err := o.tree(login).Mkdir(o.Context(), vpath.Must(p), files.Guard{}); !errors.Is(err, fs.ErrExist) {
		o.ok(err)
	}
}

func (o *office) write(login, p, text string) {
	o.Helper()
	_, _, err := o.tree(login).Put(o.Context(), vpath.Must(p), strings.NewReader(text), files.PutOptions{Size: int64(len(text))})
	o.ok(err)
}

func (o *office) tree(login string) *files.Tree {
	o.Helper()
	t, err := o.files.As(o.Context(), o.by(login).Principal)
	o.ok(err)
	return t
}

// by is somebody by their login or address.
func (o *office) by(login string) sharing.By {
	o.Helper()
	who, err := o.people.ByLogin(o.Context(), identity.Login(login))
	o.ok(err)
	return sharing.By{Principal: gateway.Principal(who), ID: who.ID, Name: who.Name, Mail: who.Email, Contact: who.Contact}
}

// join lets a customer in, with a password.
func (o *office) join(workspace, by, mail, folder string) {
	o.Helper()
	o.ok(o.sharing.OpenAccess(o.Context(), o.by(by), workspace, mail, []vpath.Path{vpath.Must(folder)}))
	_, err := o.sharing.AcceptInvitation(o.Context(), o.mailed(mail, "/invite/"), "Customer", word, "192.0.2.1")
	o.ok(err)
}

// mailed is the newest secret that went to an address.
func (o *office) mailed(mail, under string) string {
	o.Helper()
	lines := strings.Split(o.mails.String(), "\n")
	for _, line := range slices.Backward(lines) {
		if _, secret, ok := strings.Cut(line, under); ok && strings.Contains(line, " "+mail+" ") {
			return secret
		}
	}
	o.Fatalf("no mail to %s has %s", mail, under)
	return ""
}

func (o *office) give(login, item, to, mode string) store.Grant {
	o.Helper()
	grants, err := o.sharing.Share(o.Context(), o.by(login), sharing.ShareWish{Items: []vpath.Path{vpath.Must(item)}, To: []string{to}, Mode: mode})
	o.ok(err)
	return grants[0]
}

// call is one request of a test.
type call struct {
	method, path, body string
	header             http.Header
}

func (o *office) do(c call) answer {
	o.Helper()
	r, err := http.NewRequestWithContext(o.Context(), c.method, o.URL+c.path, strings.NewReader(c.body))
	o.ok(err)
	r.Header = c.header.Clone()
	resp, err := quiet().Do(r)
	o.ok(err)
	defer resp.Body.Close()
	text, err := readAll(resp.Body)
	o.ok(err)
	return answer{resp.StatusCode, resp.Header, text}
}

// quiet follows no redirects.
func quiet() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func readAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	return string(b), err
}

// as calls the API as somebody, by Basic; a body is JSON.
func (o *office) as(login, method, path, body string) answer {
	o.Helper()
	return o.with(login, word, method, path, body)
}

func (o *office) with(login, password, method, path, body string) answer {
	o.Helper()
	h := http.Header{"Authorization": {basic(login, password)}}
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	return o.do(call{method, "/api/v1" + path, body, h})
}

func officeCatalog(tb testing.TB) *lang.Catalog {
	tb.Helper()
	c, err := lang.New()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
