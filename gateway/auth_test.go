package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/identity"
)

// TestSignInTells wants the gate to know where the request came from, and that
// it is a drive's.
func TestSignInTells(t *testing.T) {
	h := newHouse(t, func(s *settings) {
		s.gateway.Address = func(*http.Request) string { return "192.0.2.7" }
	})
	h.as("ann").Get("/firm/").Want(200)
	want := identity.SignIn{Login: "ann", Password: password, Address: "192.0.2.7", Drive: true, Via: "dav"}
	if d := cmp.Diff(want, *h.people.last.Load()); d != "" {
		t.Errorf("SignIn (-want +got):\n%s", d)
	}
}

// TestSignInRefused holds what a drive is told by the gate.
func TestSignInRefused(t *testing.T) {
	h := newHouse(t)
	h.people.err = identity.ErrAppPassword
	h.as("ann").Get("/firm/x.txt").Want(401).WantIn("app passwords alone").WantIn("/account").WantIn("portico app-password create").
		WantHeader("WWW-Authenticate", `Basic realm="Portico", charset="UTF-8"`)
	h.people.err = &identity.ThrottledError{After: 1500 * time.Millisecond}
	h.as("ann").Get("/firm/x.txt").Want(429).WantHeader("Retry-After", "2").WantHeader("WWW-Authenticate", "").WantIn("too many wrong passwords")
	h.people.err = nil
	h.as("ann").Get("/firm/x.txt").Want(404)
}

// TestAppPasswordIsLimited wants what an app password holds back held back, its
// groups carried, and its ID in the audit.
func TestAppPasswordIsLimited(t *testing.T) {
	h := newHouse(t)
	h.as("ann").Put("/firm/a.txt", "a").Want(201)
	h.as("ann").Put("/lab/a.txt", "a").Want(201)
	locked := h.as("ann").Do("LOCK", "/firm/a.txt", `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`).Want(200)
	h.people.with = identity.Identity{Key: "key1", Limit: identity.Limit{Workspace: "firm", ReadOnly: true}}
	ann := h.as("ann")
	ann.Get("/firm/a.txt").Want(200)
	if got := h.audit.last.Load().Actor.Key; got != "key1" {
		t.Errorf("the audit names the app password %q, want key1", got)
	}
	ann.Put("/firm/a.txt", "b").Want(403)
	ann.Put("/firm/b.txt", "b").Want(403)
	ann.Do("DELETE", "/firm/a.txt", "").Want(403)
	ann.Get("/lab/a.txt").Want(404)
	// The lock of another device of hers keeps others from what is open there.
	ann.Do("UNLOCK", "/firm/a.txt", "", "Lock-Token: "+locked.Header.Get("Lock-Token")).Want(403).WantIn("only lets read")
}

// TestGroupsOfTheDirectory wants a group that the directory names, and one that
// it names through another, to give rights.
func TestGroupsOfTheDirectory(t *testing.T) {
	h := newHouse(t)
	h.as("ann").Put("/firm/a.txt", "a").Want(201)
	h.as("mallory").Get("/firm/a.txt").Want(404)
	h.people.with = identity.Identity{Groups: []identity.Membership{{Group: "interns"}, {Group: "readers", Through: "interns"}}}
	h.as("mallory").Get("/firm/a.txt").Want(200)
	h.as("mallory").Put("/firm/a.txt", "b").Want(403)
	h.people.with = identity.Identity{Groups: []identity.Membership{{Group: "interns"}}}
	h.as("mallory").Get("/firm/a.txt").Want(404)
}
