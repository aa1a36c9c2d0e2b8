package gateway_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/acl"
	"portico/backends"
	"portico/backends/local"
	"portico/backends/mem"
	"portico/backends/s3"
	"portico/files"
	"portico/gateway"
	"portico/gateway/gatewaytest"
	"portico/internal/parts"
	"portico/store/sqlite"
	"portico/vpath"
)

// office is a running server whose rules change, over a storage of any kind:
//
//	ann    owner of /firm
//	bob    viewer, of what the rules leave him
//	ida    member: sees and changes what is hers
//	carol  a customer
type office struct {
	tb      testing.TB
	server  *httptest.Server
	service *files.Service
	firm    backends.Backend
	rounds  int
	later   atomic.Int64 // the clock is so much ahead
}

func newOffice(tb testing.TB, storage backends.Storage) *office {
	tb.Helper()
	o := &office{tb: tb}
	var err error
	if o.firm, err = storage.At(vpath.Must("/firm")); err != nil {
		tb.Fatal(err)
	}
	state, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	o.service = files.New(files.Options{
		State: state, Audit: &recorder{}, Rand: rand.Reader, Log: log, Giver: giver,
		Clock: func() time.Time { return time.Now().Add(time.Duration(o.later.Load())) },
	})
	o.server = httptest.NewServer(gateway.New(gateway.Options{Files: o.service, Gate: customers{&people{}}, Log: log}))
	tb.Cleanup(func() {
		o.server.Close()
		if err := state.Close(); err != nil {
			tb.Error(err)
		}
	})
	return o
}

func (o *office) as(login string) *gatewaytest.User {
	return gatewaytest.As(o.tb, o.server.URL+"/dav", login, password)
}

// rules puts other rules in force. hide takes a folder from bob and ida, ours takes
// it from all but ann.
func (o *office) rules(hide, ours []string) {
	o.tb.Helper()
	role := func(name string) acl.Role { r, _ := acl.RoleNamed(name); return r }
	firm := vpath.Must("/firm")
	spec := acl.Spec{Grants: []acl.Grant{
		{Path: firm, Subject: acl.User("ann"), Role: role("owner")},
		{Path: firm, Subject: acl.User("bob"), Role: role("viewer")},
		{Path: firm, Subject: acl.User("ida"), Role: role("member")},
	}}
	for _, p := range hide {
		for _, login := range []string{"bob", "ida"} {
			spec.Denies = append(spec.Denies, acl.Deny{Path: vpath.Must(p), Subject: acl.User(login), Rights: role("owner").Rights})
		}
	}
	for _, p := range ours {
		spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must(p)})
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		o.tb.Fatal(err)
	}
	o.service.Apply(policy, []files.Workspace{{Name: "firm", Title: "Firm", Backend: o.firm}})
}

// share gives carol a thing, if it is there.
func (o *office) share(p string) {
	o.tb.Helper()
	tree, err := o.service.As(context.Background(), files.Staff(files.Person{ID: "id-ann", Login: "ann", Name: "Ann"}))
	if err != nil {
		o.tb.Fatal(err)
	}
	_, _ = tree.Give(context.Background(), []files.Gift{{Path: vpath.Must(p), Subject: "contact:carol@acme.example", Role: "viewer"}})
}

// plant writes a file behind the server's back.
func (o *office) plant(p, content string) {
	_, _ = o.firm.Put(context.Background(), vpath.Must(strings.TrimPrefix(p, "/firm")), strings.NewReader(content), backends.PutOptions{Size: int64(len(content))})
}

// unplant removes one.
func (o *office) unplant(p string) {
	_ = o.firm.Remove(context.Background(), vpath.Must(strings.TrimPrefix(p, "/firm")))
}

// fresh is a folder for one round.
func (o *office) fresh() string {
	o.tb.Helper()
	o.rounds++
	o.rules(nil, nil)
	base := fmt.Sprintf("/firm/round%d", o.rounds)
	o.as("ann").Do("MKCOL", base, "").Want(201)
	return base
}

// The storages that a model runs over.
func memStorage(testing.TB) backends.Storage { return mem.New() }

func localStorage(tb testing.TB) backends.Storage {
	tb.Helper()
	s, err := local.Open(local.Options{Dir: tb.TempDir(), Rand: rand.Reader, Clock: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func minioStorage(tb testing.TB) backends.Storage {
	tb.Helper()
	store := parts.MinIO(tb)
	store.MakeBucket(tb, "sync")
	s, err := s3.Open(tb.Context(), s3.Options{
		Endpoint: store.Endpoint, Bucket: "sync", AccessKey: store.AccessKey, SecretKey: store.SecretKey, MinIO: true,
		Budget: backends.NewBudget(64 << 20), Clock: time.Now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}
