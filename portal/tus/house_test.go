package tus_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/acl"
	"portico/audit/audittest"
	"portico/backends"
	"portico/backends/mem"
	"portico/files"
	"portico/internal/parts"
	"portico/portal/tus"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// house is a server whose people are who they say in the header User: ann owns
// /firm, bob reads it, ida drops into /firm/Drop and sees nothing there.
type house struct {
	*testing.T
	url     string
	server  *httptest.Server
	service *files.Service
	back    backends.Backend
	storage backends.Storage
}

// settings are what a test chooses.
type settings struct {
	storage backends.Storage // in memory if nil
	state   store.State      // SQLite if nil
	max     int64
	wrap    func(http.Handler) http.Handler
	quota   int64
}

func newHouse(t *testing.T, s settings) *house {
	t.Helper()
	if s.storage == nil {
		s.storage = mem.New()
	}
	if s.state == nil {
		s.state = sqliteState(t)
	}
	h := &house{T: t, storage: s.storage}
	var err error
	if h.back, err = s.storage.At(vpath.Must("/firm")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/Clients", "/Drop"} {
		_, _ = h.back.Mkdir(t.Context(), vpath.Must(name), backends.Meta{}) // there in a second house
	}
	h.service = files.New(files.Options{
		State: s.state, Audit: &audittest.Recorder{}, Clock: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	h.service.Apply(policy(t), []files.Workspace{{Name: "firm", Title: "Firm", Backend: h.back, Quota: s.quota}})
	if err := h.service.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.follow()
	handler := tus.New(tus.Options{Tree: h.tree, Prefix: "/api/v1/uploads", MaxSize: s.max, Log: slog.New(slog.DiscardHandler)})
	if s.wrap != nil {
		handler = s.wrap(handler)
	}
	h.server = httptest.NewServer(handler)
	t.Cleanup(h.server.Close)
	h.url = h.server.URL + "/api/v1/uploads"
	return h
}

// follow hears of what other servers do, until the test ends.
func (h *house) follow() {
	ctx, stop := context.WithCancel(context.WithoutCancel(h.Context()))
	var running sync.WaitGroup
	running.Go(func() { h.service.Follow(ctx) })
	h.Cleanup(func() { stop(); running.Wait() })
}

func sqliteState(t *testing.T) store.State {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
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
	p, err := acl.Compile(acl.Spec{Grants: []acl.Grant{
		grant("/firm", "ann", "owner"), grant("/firm", "bob", "viewer"), grant("/firm/Drop", "ida", "inbox"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) tree(r *http.Request) (tus.Tree, error) {
	login := r.Header.Get("User")
	if login == "" {
		login = "ann"
	}
	p := files.Staff(files.Person{ID: "id:" + login, Login: login, Name: login})
	p.Via = "api"
	return h.service.As(r.Context(), p)
}

// answer is what the server said.
type answer struct {
	*testing.T
	what   string
	status int
	head   http.Header
	body   string
}

// send sends one request with the headers that follow, name and value.
func (h *house) send(method, at string, body io.Reader, headers ...string) *answer {
	h.Helper()
	if strings.HasPrefix(at, "/") {
		at = h.server.URL + at
	}
	r, err := http.NewRequestWithContext(h.Context(), method, at, body)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Tus-Resumable", "1.0.0")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	resp, err := h.server.Client().Do(r)
	if err != nil {
		h.Fatalf("%s %s: %v", method, at, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return &answer{h.T, method + " " + r.URL.Path, resp.StatusCode, resp.Header, string(text)}
}

// want wants a status, and of an error a problem with a sentence.
func (a *answer) want(status int) *answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s = %d %s, want %d", a.what, a.status, a.body, status)
	}
	if a.head.Get("Tus-Resumable") != "1.0.0" && !strings.HasPrefix(a.what, "OPTIONS") {
		a.Errorf("%s: Tus-Resumable is %q", a.what, a.head.Get("Tus-Resumable"))
	}
	if status < 400 || strings.HasPrefix(a.what, "HEAD") {
		return a
	}
	var p struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != status || p.Detail == "" || a.head.Get("Content-Type") != "application/problem+json" {
		a.Errorf("%s: %q is no problem with a sentence (%v)", a.what, a.body, err)
	}
	return a
}

// header wants a header.
func (a *answer) header(name, want string) *answer {
	a.Helper()
	if got := a.head.Get(name); got != want {
		a.Errorf("%s: %s is %q, want %q", a.what, name, got, want)
	}
	return a
}

// meta is Upload-Metadata of keys and values.
func meta(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(all, ",")
}

// create begins an upload to /firm/Clients/name.
func (h *house) create(name, size string, more ...string) string {
	h.Helper()
	headers := append([]string{"Upload-Length", size, "Upload-Metadata", meta("path", "/firm/Clients", "filename", name)}, more...)
	return h.send("POST", h.url, nil, headers...).want(http.StatusCreated).head.Get("Location")
}

// patch sends a piece.
func (h *house) patch(at, offset, piece string, more ...string) *answer {
	h.Helper()
	return h.send("PATCH", at, strings.NewReader(piece), append([]string{"Content-Type", "application/offset+octet-stream", "Upload-Offset", offset}, more...)...)
}

// holds wants a file in the storage.
func (h *house) holds(path, want string) {
	h.Helper()
	rc, _, err := h.back.Open(context.WithoutCancel(h.Context()), vpath.Must(path), backends.Range{})
	if err != nil {
		h.Fatalf("Open(%s): %v", path, err)
	}
	defer rc.Close()
	got, err := io.ReadAll(rc)
	if err != nil || string(got) != want {
		h.Errorf("%s holds %d bytes, want the %d that were sent (%v)", path, len(got), len(want), err)
	}
}

// lacks wants nothing at path.
func (h *house) lacks(path string) {
	h.Helper()
	if _, err := h.back.Stat(h.Context(), vpath.Must(path)); err == nil {
		h.Errorf("%s exists", path)
	}
}

// idle wants nothing that Reap could find.
func (h *house) idle() {
	h.Helper()
	if n, err := h.storage.Reap(h.Context(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)); n != 0 || err != nil {
		h.Errorf("Reap found %d, %v", n, err)
	}
}
