package link_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/acl/acltest"
	"portico/audit/audittest"
	"portico/backends/mem"
	"portico/files"
	"portico/gateway"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/session"
	"portico/identity/throttle"
	"portico/lang"
	"portico/notify"
	"portico/portal/link"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// rules: ann manages the clients, root all; nobody but hal sees /firm/HR.
const rules = `
workspaces:
  firm:
    folders:
      /:             {grant: {"user:root": owner}}
      /Clients:      {grant: {"user:ann": manager}}
      /Clients/Acme/priv: {deny: {"user:ann": [all]}}
      /HR:           {inherit: false, grant: {"user:hal": manager}}
`

const linkPassword = "four black horses run"

// clock is one that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is replicas of a server, with pages and drive, over one store.
type house struct {
	testing.TB
	clock    *clock
	people   *identitytest.Fake
	back     *mem.Storage
	log      *strings.Builder
	audit    *audittest.Recorder
	mu       sync.Mutex
	mails    []notify.Notice
	replicas []*replica
}

// replica is one process.
type replica struct {
	*house
	state  store.State
	files  *files.Service
	sh     *sharing.Service
	server *httptest.Server
}

func openSQLite(tb testing.TB) store.State {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// newHouse is a house of one replica, over SQLite unless states are given.
func newHouse(tb testing.TB, states ...store.State) *house {
	tb.Helper()
	h := &house{TB: tb, clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, log: &strings.Builder{}, audit: &audittest.Recorder{}}
	h.people = identitytest.NewFakeOf("id-user:")
	for _, login := range []string{"ann", "root", "hal", "bob"} {
		h.people.Set(identitytest.Person{Login: identity.Login(login), Name: strings.ToUpper(login[:1]) + login[1:] + " Maes", Email: login + "@firm.example", Password: "portico-demo"})
	}
	h.back = mem.NewWith(mem.Options{})
	if len(states) == 0 {
		states = []store.State{openSQLite(tb)}
	}
	for _, s := range states {
		h.replicas = append(h.replicas, h.replica(s))
	}
	for _, p := range []string{"/firm/Clients", "/firm/Clients/Acme", "/firm/Clients/Acme/2025", "/firm/Clients/Acme/priv", "/firm/Clients/In", "/firm/HR"} {
		h.mkdir(p)
	}
	h.write("/firm/Clients/Acme/canary-letter.txt", "canary text")
	h.write("/firm/Clients/Acme/2025/plan.pdf", "%PDF-1.4 plan")
	h.write("/firm/Clients/Acme/priv/hidden.txt", "hidden")
	h.write("/firm/Clients/Acme/page.html", "<script>alert(1)</script>")
	h.write("/firm/Clients/sibling.txt", "sibling")
	h.write("/firm/Clients/In/known.pdf", "known")
	return h
}

func (h *house) replica(state store.State) *replica {
	h.Helper()
	x := &replica{house: h, state: state}
	log := slog.New(slog.NewTextHandler(locked{&h.mu, h.log}, nil))
	queue := identity.NewQueue(2, 64)
	x.files = files.New(files.Options{
		State: state, Audit: h.audit, Clock: h.clock.Now, Rand: rand.Reader, Log: log, Giver: h.giver,
		Deposited: func(ctx context.Context, tx store.Tx, d store.Deposit) error { return x.sh.Deposited(ctx, tx, d) },
		Opened:    func(ctx context.Context, tx store.Tx, o files.Opening) error { return x.sh.Opened(ctx, tx, o) },
	})
	var err error
	public := &url.URL{Scheme: "http", Host: "files.firm.example"}
	throttles := throttle.New(throttle.Options{Store: state, Clock: h.clock.Now, Log: log})
	x.sh, err = sharing.New(sharing.Options{
		State: state, Files: x.files, Tell: h, People: h.people, Queue: queue, Throttle: throttles, Principal: gateway.Principal,
		Colleague: func(context.Context, string) (identity.Identity, bool, error) { return identity.Identity{}, false, nil },
		Title:     func(string) string { return "Peeters & Co" }, Firm: "Peeters & Co", Base: func() *url.URL { return public }, Secret: []byte(strings.Repeat("s", 32)),
		Clock: h.clock.Now, Rand: rand.Reader, Log: log,
	})
	if err != nil {
		h.Fatal(err)
	}
	catalog, err := lang.New()
	if err != nil {
		h.Fatal(err)
	}
	address := func(r *http.Request) string {
		if a := r.Header.Get("X-Test-Address"); a != "" {
			return a
		}
		return "192.0.2.1"
	}
	kit := web.New(web.Options{
		Public: public, Catalog: catalog, Sessions: sessions{h.people}, Principal: gateway.Principal,
		Brand:     func(string) web.Brand { return web.Brand{Name: "Peeters & Co"} },
		RequestID: func(context.Context) string { return "request-1" }, Address: address, Clock: h.clock.Now, Log: log,
	})
	dav := gateway.New(gateway.Options{Files: x.files, Gate: gate{h.people, throttles}, Log: log, Links: x.sh.OpenLink, Address: address})
	mux := http.NewServeMux()
	mux.Handle("/", kit.Handler(link.Room(link.Options{Sharing: x.sh, Links: x.sh, Tree: x.files.As})(kit)...))
	x.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/dav") {
			dav.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	h.Cleanup(x.server.Close)
	x.apply()
	if state.Shared() {
		ctx, stop := context.WithCancel(h.Context())
		var done sync.WaitGroup
		done.Go(func() { x.files.Follow(ctx) })
		h.Cleanup(func() {
			stop()
			done.Wait()
		})
		h.settled(func() bool { return x.files.Stale() == nil })
	}
	return x
}

// locked is a writer that many use.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// sessions takes the cookie at its word: it is the login.
type sessions struct{ people *identitytest.Fake }

func (s sessions) Find(ctx context.Context, cookie string) (identity.Identity, error) {
	if cookie == "" {
		return identity.Identity{}, session.ErrNone
	}
	return s.people.ByLogin(ctx, identity.Login(cookie))
}

// gate throttles by address as the real one does.
type gate struct {
	people    *identitytest.Fake
	throttles *throttle.Throttle
}

func (g gate) SignIn(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	try, err := g.throttles.Begin(ctx, in.Login, in.Address)
	if err != nil {
		return identity.Identity{}, err
	}
	who, err := g.people.Authenticate(ctx, in.Login, in.Password)
	if err != nil {
		_, failed := try.Failed(ctx)
		return who, errors.Join(err, failed)
	}
	return who, try.Proved(ctx)
}

func (x *replica) apply() {
	x.Helper()
	r := &acltest.Rules{}
	if err := yaml.Unmarshal([]byte(rules), r); err != nil {
		x.Fatal(err)
	}
	spec, err := r.Spec()
	if err != nil {
		x.Fatal(err)
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		x.Fatal(err)
	}
	b, err := x.back.At(vpath.Must("/firm"))
	if err != nil {
		x.Fatal(err)
	}
	x.files.Apply(policy, []files.Workspace{{Name: "firm", Title: "Peeters & Co", Backend: b}})
}

func (h *house) giver(ctx context.Context, id string) (files.Person, error) {
	who, err := h.people.ByID(ctx, id)
	if err != nil {
		return files.Person{}, fs.ErrNotExist
	}
	return gateway.Person(who), nil
}

// Tell keeps notices.
func (h *house) Tell(_ store.Tx, n notify.Notice) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mails = append(h.mails, n)
	return nil
}

func (h *house) by(login string) sharing.By {
	h.Helper()
	who, err := h.people.ByLogin(h.Context(), identity.Login(login))
	h.ok(err)
	return sharing.By{Principal: gateway.Principal(who), ID: who.ID, Name: who.Name, Mail: who.Email}
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) tree() *files.Tree {
	h.Helper()
	t, err := h.replicas[0].files.As(h.Context(), h.by("root").Principal)
	h.ok(err)
	return t
}

func (h *house) mkdir(p string) {
	h.Helper()
	if p == "/firm/HR" {
		return
	}
	h.ok(h.tree().Mkdir(h.Context(), vpath.Must(p), files.Guard{}))
}

func (h *house) write(p, text string) {
	h.Helper()
	_, _, err := h.tree().Put(h.Context(), vpath.Must(p), strings.NewReader(text), files.PutOptions{Size: int64(len(text))})
	h.ok(err)
}

// link makes a link of ann's.
func (h *house) link(wish sharing.LinkWish, items ...string) (sharing.LinkView, string) {
	h.Helper()
	for _, p := range items {
		wish.Items = append(wish.Items, vpath.Must(p))
	}
	if wish.Mode == "" {
		wish.Mode = sharing.LinkRead
	}
	v, token, err := h.replicas[0].sh.MakeLink(h.Context(), h.by("ann"), wish)
	h.ok(err)
	return v, token
}
