package gateway_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/gateway"
	"portico/gateway/gatewaytest"
	"portico/identity"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// house is a running server with two workspaces, /firm and /lab:
//
//	ann     owner of both
//	bob     viewer of /firm, editor of /firm/Clients
//	ida     may drop files into /firm/Inbox, and sees nothing
//	mallory may do nothing
type house struct {
	tb     testing.TB
	server *httptest.Server
	store  *mem.Storage
	people *people
	state  *sqlite.Store
	log    *logSink

	service *files.Service
	audit   recorder
}

// settings change a house before it stands.
type settings struct {
	mem     mem.Options
	gateway gateway.Options
	gate    func(*house) identity.Gate // instead of the people
	state   func(store.State) store.State
}

const password = "portico-demo"

func newHouse(tb testing.TB, change ...func(*settings)) *house {
	tb.Helper()
	s := settings{gateway: gateway.Options{Realm: "Portico"}}
	for _, c := range change {
		c(&s)
	}
	h := &house{tb: tb, store: mem.NewWith(s.mem), people: &people{}, log: &logSink{}}
	var err error
	if h.state, err = sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{}); err != nil {
		tb.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	state := store.State(h.state)
	if s.state != nil {
		state = s.state(state)
	}
	h.service = files.New(files.Options{State: state, Audit: &h.audit, Clock: time.Now, Rand: rand.Reader, Log: log, Giver: giver})
	h.service.Apply(policy(tb), h.workspaces())
	s.gateway.Files, s.gateway.Gate, s.gateway.Log = h.service, h.people, log
	if s.gate != nil {
		s.gateway.Gate = s.gate(h)
	}
	h.server = httptest.NewServer(gateway.New(s.gateway))
	tb.Cleanup(func() {
		h.server.Close()
		if err := h.state.Close(); err != nil {
			tb.Error(err)
		}
	})
	return h
}

// giver is whoever gave something: all of the house are still there.
func giver(_ context.Context, id string) (files.Person, error) {
	login := strings.TrimPrefix(id, "id-")
	return files.Person{ID: id, Login: login, Name: login}, nil
}

func (h *house) workspaces() []files.Workspace {
	var list []files.Workspace
	for name, title := range map[string]string{"firm": "Peeters & Co", "lab": "Lab"} {
		b, err := h.store.At(vpath.Must("/" + name))
		if err != nil {
			h.tb.Fatal(err)
		}
		list = append(list, files.Workspace{Name: name, Title: title, Backend: b, Quota: 1 << 20})
	}
	return list
}

func policy(tb testing.TB) *acl.Policy {
	tb.Helper()
	grant := func(path, login, name string) acl.Grant {
		role, ok := acl.RoleNamed(name)
		if !ok {
			tb.Fatalf("no role %s", name)
		}
		return acl.Grant{Path: vpath.Must(path), Subject: acl.User(login), Role: role}
	}
	p, err := acl.Compile(acl.Spec{Grants: []acl.Grant{
		grant("/firm", "ann", "owner"), grant("/lab", "ann", "owner"),
		grant("/firm", "bob", "viewer"), grant("/firm/Clients", "bob", "editor"),
		grant("/firm/Inbox", "ida", "inbox"),
		{Path: vpath.Must("/firm"), Subject: acl.GroupOf("readers"), Role: grant("/firm", "", "viewer").Role},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// as is a user of the house's drive.
func (h *house) as(login string) *gatewaytest.User {
	h.tb.Helper()
	return h.with(login, password)
}

// with is a user with a password of their own.
func (h *house) with(login, password string) *gatewaytest.User {
	h.tb.Helper()
	return gatewaytest.As(h.tb, h.server.URL+"/dav", login, password)
}

// at is a request to the server outside of the drive.
func (h *house) at(path string) *gatewaytest.User {
	h.tb.Helper()
	return gatewaytest.As(h.tb, h.server.URL+path, "ann", password)
}

// people are everybody with the one password, as a gate.
type people struct {
	asked atomic.Int64
	err   error
	last  atomic.Pointer[identity.SignIn]
	with  identity.Identity // what everybody has beside their name
}

func (p *people) SignIn(_ context.Context, in identity.SignIn) (identity.Identity, error) {
	p.asked.Add(1)
	p.last.Store(&in)
	if p.err != nil {
		return identity.Identity{}, p.err
	}
	names := map[identity.Login]string{"ann": "Ann Peeters", "bob": "Bob Maes", "ida": "Ida", "mallory": "Mallory"}
	name, ok := names[in.Login]
	if !ok || in.Password != password {
		return identity.Identity{}, identity.ErrRefused
	}
	who := p.with
	who.ID, who.Login, who.Name = "id-"+string(in.Login), in.Login, name
	return who, nil
}

// recorder is an audit that keeps the last event.
type recorder struct{ last atomic.Pointer[audit.Event] }

// Record keeps a read or a refusal.
func (r *recorder) Record(_ context.Context, e audit.Event) error {
	r.last.Store(&e)
	return nil
}

// Intend promises nothing: what is recorded here is recorded.
func (*recorder) Intend(context.Context, audit.Event) (string, error) { return "", nil }

// Forget forgets nothing.
func (*recorder) Forget(context.Context, store.Tx, string) error { return nil }

// Append keeps a change.
func (r *recorder) Append(_ store.Tx, e audit.Event) error {
	r.last.Store(&e)
	return nil
}

// logSink counts the lines of the log.
type logSink struct{ lines atomic.Int64 }

func (l *logSink) Write(p []byte) (int, error) {
	l.lines.Add(1)
	return len(p), nil
}

var errDisk = errors.Join(fault.ErrUnavailable, errors.New("disk 7 of rack 12 does not answer"))
