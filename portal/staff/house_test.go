package staff_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends/mem"
	"portico/files"
	"portico/identity"
	"portico/identity/session"
	"portico/lang"
	"portico/portal/staff"
	"portico/portal/web"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// house is a server with the staff's pages over a tree in memory. The cookie is
// the login.
type house struct {
	t     *testing.T
	state store.State
	files *files.Service
	http.Handler
}

// sessions takes the cookie at its word.
type sessions struct{}

func (sessions) Find(_ context.Context, cookie string) (identity.Identity, error) {
	if cookie == "" {
		return identity.Identity{}, session.ErrNone
	}
	return person(cookie), nil
}

func person(login string) identity.Identity {
	return identity.Identity{
		ID: "user:" + login, Login: identity.Login(login), Name: strings.ToUpper(login[:1]) + login[1:] + " Maes", Email: login + "@firm.example",
		Contact: strings.Contains(login, "@"),
	}
}

func principal(who identity.Identity) files.Principal {
	return files.Staff(files.Person{ID: who.ID, Login: string(who.Login), Name: who.Name})
}

type silent struct{}

func (silent) Record(context.Context, audit.Event) error           { return nil }
func (silent) Intend(context.Context, audit.Event) (string, error) { return "", nil }
func (silent) Forget(context.Context, store.Tx, string) error      { return nil }
func (silent) Append(store.Tx, audit.Event) error                  { return nil }

func newHouse(t *testing.T, change ...func(*staff.Options)) *house {
	t.Helper()
	return newHouseWith(t, silent{}, change...)
}

func newHouseWith(t *testing.T, rec audit.Recorder, change ...func(*staff.Options)) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	h := &house{t: t, state: state}
	h.files = files.New(files.Options{State: h.state, Audit: rec, Clock: time.Now, Rand: rand.Reader, Log: log})
	h.files.Apply(policy(t), workspaces(t))
	catalog, err := lang.New()
	if err != nil {
		t.Fatal(err)
	}
	k := web.New(web.Options{
		Public: &url.URL{Scheme: "http", Host: "files.firm.example"}, Catalog: catalog, Sessions: sessions{}, Principal: principal,
		RequestID: func(context.Context) string { return "request-1" }, Address: func(*http.Request) string { return "192.0.2.1" },
		Clock: time.Now, Log: log, Workspaces: h.workspaces,
	})
	o := staff.Options{
		Files: h.files,
		Name:  func(_ context.Context, id string) string { return person(strings.TrimPrefix(id, "user:")).Name },
		Person: func(_ context.Context, login string) (files.Person, error) {
			if login == "nobody" {
				return files.Person{}, identity.ErrRefused
			}
			return files.Person{ID: "user:" + login, Login: login, Name: person(login).Name}, nil
		},
	}
	for _, f := range change {
		f(&o)
	}
	h.Handler = k.Handler(staff.Room(o)(k)...)
	return h
}

// workspaces are those that somebody sees, as the left bar has them.
func (h *house) workspaces(ctx context.Context, who identity.Identity) (list []web.Workspace, err error) {
	t, err := h.files.As(ctx, principal(who))
	if err != nil {
		return nil, err
	}
	_, nodes, err := t.Find(ctx, vpath.Path{}, true, files.Want{})
	for _, n := range nodes {
		list = append(list, web.Workspace{Name: n.Path.Name(), Title: n.Title})
	}
	return list, err
}

func policy(t *testing.T) *acl.Policy {
	t.Helper()
	grant := func(path, login, name string) acl.Grant {
		role, ok := acl.RoleNamed(name)
		if !ok {
			t.Fatalf("no role %s", name)
		}
		return acl.Grant{Path: vpath.Must(path), Subject: acl.User(login), Role: role}
	}
	names, err := acl.NewRole("names", []string{"list"}) // sees what is there, and opens none of it
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := acl.NewRole("theirs", []string{"list", "create", "read:own"}) // opens what they made themself
	if err != nil {
		t.Fatal(err)
	}
	p, err := acl.Compile(acl.Spec{Grants: []acl.Grant{
		grant("/firm", "ann", "owner"), grant("/lab", "ann", "owner"), grant("/firm", "bob", "viewer"), grant("/firm/Clients", "bob", "editor"),
		grant("/firm/Inbox", "ida", "inbox"), grant("/firm/Clients/Beta", "tom", "viewer"),
		grant("/firm/Archive/Old", "tom", "owner"),
		{Path: vpath.Must("/firm/Clients"), Subject: acl.User("lia"), Role: names},
		{Path: vpath.Must("/firm/Clients"), Subject: acl.User("kim"), Role: theirs},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func workspaces(t *testing.T) []files.Workspace {
	t.Helper()
	return workspacesOf(t, mem.New())
}

func workspacesOf(t *testing.T, m *mem.Storage) []files.Workspace {
	t.Helper()
	var list []files.Workspace
	for name, title := range map[string]string{"firm": "Peeters & Co", "lab": "Lab"} {
		b, err := m.At(vpath.Must("/" + name))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, files.Workspace{Name: name, Title: title, Backend: b})
	}
	return list
}

// put makes a file of ann's, with the folders above it.
func (h *house) put(path, text string) {
	h.t.Helper()
	h.putAs("ann", path, text)
}

func (h *house) putAs(login, path, text string) {
	h.t.Helper()
	t, err := h.files.As(h.t.Context(), principal(person(login)))
	if err != nil {
		h.t.Fatal(err)
	}
	p := vpath.Must(path)
	for _, a := range slices.Backward(slices.Collect(p.Parent().Ancestors())) {
		h.mkdir(t, a)
	}
	if _, _, err := t.Put(h.t.Context(), p, strings.NewReader(text), files.PutOptions{Size: int64(len(text))}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) mkdir(t *files.Tree, p vpath.Path) {
	h.t.Helper()
	if p.Depth() < 2 {
		return
	}
	if _, err := t.Stat(h.t.Context(), p); err == nil {
		return
	}
	if err := t.Mkdir(h.t.Context(), p, files.Guard{}); err != nil {
		h.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	t    *testing.T
	what string
}

// do sends a request as somebody, "" for nobody; pairs are headers.
func (h *house) do(login, method, path string, body io.Reader, pairs ...string) (a answer) {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, body)
	if login != "" {
		r.AddCookie(&http.Cookie{Name: "sid", Value: login})
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	a = answer{httptest.NewRecorder(), h.t, fmt.Sprintf("%s %s as %q", method, path, login)}
	h.ServeHTTP(a, r)
	return a
}

func (h *house) get(login, path string, pairs ...string) answer {
	h.t.Helper()
	return h.do(login, "GET", path, nil, pairs...)
}

// send sends a form; names may come more than once.
func (h *house) send(login, path string, fields ...string) answer {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return h.do(login, "POST", path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// follow opens the page that a form leads to.
func (a answer) follow(h *house, login string) answer {
	a.t.Helper()
	a.want(http.StatusSeeOther)
	pairs := []string{}
	for _, c := range a.Result().Cookies() {
		if c.Name == "said" {
			pairs = append(pairs, "Cookie", "sid="+login+"; said="+c.Value)
		}
	}
	return h.get("", a.Header().Get("Location"), pairs...)
}

func (a answer) text() string { return html.UnescapeString(a.Body.String()) }

func (a answer) want(status int, texts ...string) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Errorf("%s: %d, want %d\n%.900s", a.what, a.Code, status, a.text())
	}
	for _, s := range texts {
		if !strings.Contains(a.text(), s) {
			a.t.Errorf("%s: the answer lacks %q", a.what, s)
		}
	}
	return a
}

func (a answer) lacks(texts ...string) {
	a.t.Helper()
	for _, s := range texts {
		if strings.Contains(a.text(), s) {
			a.t.Errorf("%s: the answer has %q", a.what, s)
		}
	}
}
