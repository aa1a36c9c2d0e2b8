package sharing_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/acl/acltest"
	"portico/audit/audittest"
	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/identity/contacts"
	"portico/identity/identitytest"
	"portico/identity/throttle"
	"portico/internal/memstate"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// firmRules: ann manages all clients and the lab, eve edits them and may share
// nothing, sam shares and invites in one of them alone, bob reads, hal has HR.
const firmRules = `
workspaces:
  firm:
    folders:
      /:             {grant: {"user:root": owner, "user:bob": viewer}}
      /Clients:      {grant: {"user:ann": manager, "user:eve": editor}}
      /Clients/Beta: {grant: {"user:sam": manager}}
      /HR:           {inherit: false, grant: {"user:hal": manager}}
  lab:
    folders:
      /: {grant: {"user:ann": manager, "user:root": owner}}
`

const (
	carol    = "carol@acme.example"
	dave     = "dave@beta.example"
	password = "seven green boats sail"
)

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

// world is a Service over files and a store, with all that a test looks at.
type world struct {
	testing.TB
	sh       *sharing.Service
	files    *files.Service
	state    store.State
	clock    *clock
	people   *identitytest.Fake
	contacts *contacts.Directory
	back     *mem.Storage
	stored   atomic.Int64 // calls to it
	rules    *acltest.Rules
	deeds    []string
	flushed  int
	refuse   error // of what is told, if set
	told     int
	said     []notify.Notice // all that was told, what was undone as well
	seen     map[string]int  // mails of an address that a test has looked at
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	return newWorldOver(tb, bare{memstate.New()})
}

func newWorldOver(tb testing.TB, state store.State) *world {
	tb.Helper()
	w := &world{TB: tb, state: state, clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, seen: map[string]int{}}
	w.people = identitytest.NewFakeOf("id-user:")
	for _, login := range []string{"ann", "bob", "eve", "sam", "hal", "root"} {
		w.people.Set(identitytest.Person{Login: identity.Login(login), Name: strings.ToUpper(login[:1]) + login[1:], Email: login + "@firm.example"})
	}
	queue := identity.NewQueue(2, 64)
	w.contacts = contacts.New(contacts.Options{State: state, Queue: queue})
	w.files = files.New(files.Options{
		State: state, Audit: &audittest.Recorder{}, Clock: w.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Giver: w.giver,
		Deposited: func(ctx context.Context, tx store.Tx, d store.Deposit) error {
			return w.sh.Deposited(ctx, tx, d)
		},
		Opened: func(ctx context.Context, tx store.Tx, o files.Opening) error { return w.sh.Opened(ctx, tx, o) },
	})
	base, err := url.Parse("https://portico.firm.example")
	if err != nil {
		tb.Fatal(err)
	}
	w.sh, err = sharing.New(sharing.Options{
		State: state, Files: w.files, Tell: w, People: everybody{w.people, w.contacts}, Queue: queue,
		Throttle:  throttle.New(throttle.Options{Store: state, Clock: w.clock.Now, Log: slog.New(slog.DiscardHandler)}),
		Principal: principal, Colleague: w.colleague, Staff: w.staff,
		Audit: func(_ store.Tx, d sharing.Deed) error {
			w.deeds = append(w.deeds, d.By.Name+" "+d.Action+" "+d.About)
			return nil
		},
		Changed: func() { w.flushed++ },
		Title:   func(name string) string { return "The " + name },
		Firm:    "Peeters & Co", Base: func() *url.URL { return base }, Secret: secretOfTests(),
		Clock: w.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.rules = &acltest.Rules{}
	if err := yaml.Unmarshal([]byte(firmRules), w.rules); err != nil {
		tb.Fatal(err)
	}
	w.back = mem.NewWith(mem.Options{OnCall: func(backends.Call) { w.stored.Add(1) }})
	w.apply()
	for _, p := range []string{
		"/firm/Clients", "/firm/Clients/Acme", "/firm/Clients/Acme/2025", "/firm/Clients/Beta", "/firm/Clients/Beta/In",
		"/firm/HR", "/lab/Tests",
	} {
		w.mkdir(p)
	}
	w.write("root", "/firm/Clients/Acme/letter.txt", "dear acme")
	w.write("root", "/firm/HR/pay.txt", "secret")
	return w
}

// secretOfTests is what receipts are signed with here.
func secretOfTests() []byte { return []byte(strings.Repeat("s", 32)) }

// openSQLite is a store of its own for one test.
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

// apply puts the rules into force.
func (w *world) apply() {
	w.Helper()
	spec, err := w.rules.Spec()
	if err != nil {
		w.Fatal(err)
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		w.Fatal(err)
	}
	var list []files.Workspace
	for name := range w.rules.Workspaces {
		b, err := w.back.At(vpath.Must("/" + name))
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, files.Workspace{Name: name, Title: "The " + name, Backend: b})
	}
	w.files.Apply(policy, list)
}

// giver is for package files.
func (w *world) giver(ctx context.Context, id string) (files.Person, error) {
	who, err := w.people.ByID(ctx, id)
	if err != nil {
		return files.Person{}, fs.ErrNotExist
	}
	return files.Person{ID: who.ID, Login: string(who.Login), Name: who.Name}, nil
}

// principal is one of the firm's people, with the groups that a test gives them.
func principal(who identity.Identity) files.Principal {
	p := files.Person{ID: who.ID, Login: string(who.Login), Name: who.Name}
	for _, g := range who.Groups {
		p.Groups = append(p.Groups, files.Membership(g))
	}
	return files.Staff(p)
}

func (w *world) colleague(ctx context.Context, mail string) (identity.Identity, bool, error) {
	login, ok := strings.CutSuffix(mail, "@firm.example")
	if !ok {
		return identity.Identity{}, false, nil
	}
	who, err := w.people.ByLogin(ctx, identity.Login(login))
	if errors.Is(err, identity.ErrRefused) {
		return who, false, nil
	}
	return who, err == nil, err
}

func (w *world) staff(ctx context.Context, text string, _ int) (found []identity.Identity, err error) {
	for _, login := range []string{"ann", "bob", "eve", "sam"} {
		if strings.HasPrefix(login, strings.ToLower(text)) {
			who, err := w.people.ByLogin(ctx, identity.Login(login))
			if err != nil {
				return nil, err
			}
			found = append(found, who)
		}
	}
	return found, nil
}

// everybody are the firm's people and the customers.
type everybody struct {
	firm      *identitytest.Fake
	customers *contacts.Directory
}

func (e everybody) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	who, err := e.firm.ByLogin(ctx, login)
	if errors.Is(err, identity.ErrRefused) {
		return e.customers.ByLogin(ctx, login)
	}
	return who, err
}

func (e everybody) ByID(ctx context.Context, id string) (identity.Identity, error) {
	if strings.HasPrefix(id, identity.ContactPrefix) {
		return e.customers.ByID(ctx, id)
	}
	return e.firm.ByID(ctx, id)
}

// by is a member of staff.
func (w *world) by(login string) sharing.By {
	w.Helper()
	who, err := w.people.ByLogin(w.Context(), identity.Login(login))
	if err != nil {
		w.Fatal(err)
	}
	return sharing.By{
		Principal: files.Staff(files.Person{ID: who.ID, Login: login, Name: who.Name}), ID: who.ID, Name: who.Name, Mail: who.Email,
	}
}

// customer is somebody who has accepted.
func customer(who identity.Identity) sharing.By {
	return sharing.By{
		Principal: files.Contact(files.Outsider{ID: who.ID, Mail: who.Email, Name: who.Name}),
		ID:        who.ID, Name: who.Name, Mail: who.Email, Contact: true,
	}
}

// unproved is a customer without a password: for tests of what they see.
func (w *world) unproved(mail string) sharing.By {
	w.Helper()
	a, found, err := w.state.AccountByMail(w.Context(), mail)
	if err != nil {
		w.Fatal(err)
	}
	if !found {
		a.ID = "nobody"
	}
	return customer(identity.Identity{ID: identity.ContactPrefix + a.ID, Email: mail, Name: mail})
}

// joined is a contact of firm who has accepted, with these folders.
func (w *world) joined(mail string, folders ...string) sharing.By {
	w.Helper()
	w.ok(w.sh.OpenAccess(w.Context(), w.by("root"), "firm", mail, paths(folders...)))
	mails := w.wantMails(mail, notify.Invited)
	who, err := w.sh.AcceptInvitation(w.Context(), secret(w, mails[0]), "Carol Jones", password, "192.0.2.1")
	w.ok(err)
	return customer(who)
}

func paths(all ...string) (list []vpath.Path) {
	for _, p := range all {
		list = append(list, vpath.Must(p))
	}
	return list
}

// share shares one thing with one person.
func (w *world) share(login, item, to, mode string) store.Grant {
	w.Helper()
	grants, err := w.sh.Share(w.Context(), w.by(login), sharing.ShareWish{Items: paths(item), To: []string{to}, Mode: mode})
	w.ok(err)
	if len(grants) != 1 {
		w.Fatalf("%d grants for one share", len(grants))
	}
	return grants[0]
}

// sees are the mounts of somebody's window, with their modes.
func (w *world) sees(by sharing.By) []string {
	w.Helper()
	win, err := w.files.Window(w.Context(), by.Principal)
	w.ok(err)
	names := []string{}
	for _, m := range win.Mounts() {
		names = append(names, m.Name)
	}
	return names
}

func (w *world) wantSees(by sharing.By, names ...string) {
	w.Helper()
	if got := w.sees(by); !slices.Equal(got, append([]string{}, names...)) {
		w.Fatalf("%s sees %q, want %q", by.Mail, got, names)
	}
}

func (w *world) tree(login string) *files.Tree {
	w.Helper()
	t, err := w.files.As(w.Context(), w.by(login).Principal)
	w.ok(err)
	return t
}

func (w *world) mkdir(p string) {
	w.Helper()
	if err := w.tree("root").Mkdir(w.Context(), vpath.Must(p), files.Guard{}); err != nil && !errors.Is(err, fs.ErrExist) {
		if hal := w.tree("hal").Mkdir(w.Context(), vpath.Must(p), files.Guard{}); hal != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) write(login, p, body string) {
	w.Helper()
	_, _, err := w.tree(login).Put(w.Context(), vpath.Must(p), strings.NewReader(body), files.PutOptions{Size: int64(len(body))})
	w.ok(err)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused wants an error of a kind, with a sentence that has a word in it.
func (w *world) refused(err, kind error, word string) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Fatalf("error %v, want %v", err, kind)
	}
	if !strings.Contains(fault.Told(err), word) {
		w.Fatalf("the sentence is %q, and says nothing of %q", fault.Told(err), word)
	}
}

func (w *world) contact(workspace, mail string) store.Contact {
	w.Helper()
	c, _, err := w.state.ContactByMail(w.Context(), workspace, mail)
	w.ok(err)
	return c
}
