package portal_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/files"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/identity/session"
	"portico/identity/static"
	"portico/identity/throttle"
	"portico/internal/memstate"
	"portico/internal/parts"
	"portico/lang"
	"portico/portal"
	"portico/portal/api"
	"portico/portal/web"
	"portico/store"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// The passwords of the people of these tests.
const (
	annsPassword = "correct-horse-battery"
	bobsPassword = "another-long-password"
)

// house is two replicas with real gates over one store.
type house struct {
	t     *testing.T
	state *memstate.State
	log   *buffer
	a, b  *replica

	mu      sync.Mutex
	now     time.Time
	stamps  map[string]string
	events  []portal.Event
	noAudit error // what the audit answers
	spaces  error // what the list of workspaces answers
}

// replica is one process.
type replica struct {
	*httptest.Server
	gate *gate.Gate
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHouse(t *testing.T, change ...func(*portal.Options)) *house {
	t.Helper()
	h := &house{t: t, state: memstate.New(), log: &buffer{}, now: time.Now().Truncate(time.Second), stamps: map[string]string{}}
	h.a, h.b = h.replica(change...), h.replica(change...)
	return h
}

// people are the users of the config.
func (h *house) people(users ...static.User) *people.Chain {
	h.t.Helper()
	p, err := static.New(users, identity.NewQueue(2, 64))
	if err != nil {
		h.t.Fatal(err)
	}
	chain, err := people.New(people.Options{Users: people.Source{Directory: p, Prefix: "user:", Term: time.Minute}})
	if err != nil {
		h.t.Fatal(err)
	}
	return chain
}

func everybody(t *testing.T) []static.User {
	t.Helper()
	return []static.User{
		{ID: "user:ann", Login: "ann", Name: "Ann Peeters", Email: "ann@firm.example", Hash: identitytest.Hash(t, annsPassword)},
		{ID: "user:bob", Login: "bob", Name: `Bob <b>"Maes"</b>`, Hash: identitytest.Hash(t, bobsPassword)},
	}
}

func (h *house) settings(users ...static.User) gate.Settings {
	chain := h.people(users...)
	return gate.Settings{People: chain, Term: chain.Term}
}

func (h *house) replica(change ...func(*portal.Options)) *replica {
	h.t.Helper()
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keeper := apppass.New(apppass.Options{Store: h.state, Clock: h.clock, Rand: rand.Reader, Log: log})
	g, err := gate.New(gate.Options{
		Settings: h.settings(everybody(h.t)...), AppPasswords: keeper, Clock: h.clock, Rand: rand.Reader, Log: log,
		Throttle: throttle.New(throttle.Options{Store: h.state, Clock: h.clock, Log: log}),
		Failed: func(_ context.Context, in identity.SignIn) { // as package app does
			_ = h.record(portal.Event{
				Time: h.clock(), Action: "sign-in", Login: in.Login, Via: in.Via, Address: in.Address,
				Why: identity.ErrRefused.Error(), RequestID: "request-1",
			})
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	r := &replica{gate: g}
	var pages http.Handler
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { pages.ServeHTTP(w, q) }))
	h.t.Cleanup(func() { r.Close(); _ = keeper.Close() })
	public, err := url.Parse(r.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	o := portal.Options{
		Public: public, Gate: g, Passwords: keeper, Workspaces: h.workspaces,
		Sessions: session.New(session.Options{State: h.state, People: g.People(), Clock: h.clock, Rand: rand.Reader, Stamp: h.stamp}),
		Record:   func(_ context.Context, e portal.Event) error { return h.record(e) },
		Append: func(e portal.Event) session.Also {
			return func(store.Tx) error { return h.record(e) }
		},
		Catalog:   catalog(h.t),
		Rooms:     []web.Room{api.Room(api.Options{})}, // for its document
		Principal: func(who identity.Identity) files.Principal { return files.Staff(files.Person{ID: who.ID}) },
		RequestID: func(context.Context) string { return "request-1" },
		Address: func(r *http.Request) string {
			if at := r.Header.Get("Test-Address"); at != "" {
				return at
			}
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		},
		Clock: h.clock, Log: log,
	}
	for _, f := range change {
		f(&o)
	}
	pages = portal.New(o)
	return r
}

func catalog(t *testing.T) *lang.Catalog {
	t.Helper()
	c, err := lang.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// workspaces are all of them for ann, and one for the others.
func (h *house) workspaces(_ context.Context, who identity.Identity) ([]portal.Workspace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []portal.Workspace{{Name: "firm", Title: "Peeters & Co"}}
	if who.Login == "ann" {
		list = append(list, portal.Workspace{Name: "secret", Title: "Secret"})
	}
	return list, h.spaces
}

func (h *house) stamp(id string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stamps[id]
}

func (h *house) record(e portal.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.noAudit != nil {
		return h.noAudit
	}
	h.events = append(h.events, e)
	return nil
}

// set changes the house while it runs.
func (h *house) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// wantEvents wants the last events of the audit.
func (h *house) wantEvents(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var got []string
	for _, e := range h.events[max(len(h.events)-len(want), 0):] {
		got = append(got, fmt.Sprintf("%s %s %s allowed=%v why=%s", e.Via, e.Action, e.Login, e.Allowed, e.Why))
		if e.Address == "" || e.RequestID == "" || e.Time.IsZero() {
			h.t.Errorf("the event %+v lacks where, which or when", e)
		}
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("the audit has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// browser is somebody in front of a page.
type browser struct {
	*http.Client
	t    *testing.T
	at   *replica
	from string // address
}

func (h *house) browser(at *replica) *browser {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{t: h.t, at: at, Client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
}

// do sends a request; pairs are headers.
func (b *browser) do(method, path, body string, pairs ...string) answer {
	b.t.Helper()
	at := path
	if strings.HasPrefix(path, "/") {
		at = b.at.URL + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, at, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.from != "" {
		r.Header.Set("Test-Address", b.from)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do("GET", path, "", "Sec-Fetch-Site", "same-origin")
}

// send sends a form as a page of ours does.
func (b *browser) send(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", b.at.URL)
}

func (b *browser) signIn(name, password string) {
	b.t.Helper()
	if got := b.send("/login", "name", name, "password", password); got.status != http.StatusSeeOther {
		b.t.Fatalf("sign in as %s: %d %s", name, got.status, got.sentence())
	}
}

// cookie is the session's.
func (b *browser) cookie() string {
	b.t.Helper()
	u, err := url.Parse(b.at.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "sid" {
			return c.Value
		}
	}
	return ""
}

func (a answer) want(t *testing.T, what string, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d, want %d\n%s", what, a.status, status, a.sentence())
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(a.text), text) {
			t.Errorf("%s: the answer lacks %q:\n%s", what, text, a.sentence())
		}
	}
}

// sentence is a page without its tags.
func (a answer) sentence() string {
	text := regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>`).ReplaceAllString(a.text, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// json reads an answer of the API.
func (a answer) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), into); err != nil {
		t.Fatalf("the answer is no JSON: %v\n%s", err, a.text)
	}
}

// secretIn finds an app password in an answer.
func (a answer) secretIn(t *testing.T) string {
	t.Helper()
	s := regexp.MustCompile(`gwp_[0-9a-z]{34}`).FindString(a.text)
	if s == "" {
		t.Fatalf("there is no app password in %d %s", a.status, a.sentence())
	}
	return s
}

type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
