package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/audit"
	"portico/identity"
	"portico/portal"
	"portico/store"
)

// TestPeopleEvent wants what the pages tell to stand where the audit looks for it.
func TestPeopleEvent(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	e := portal.Event{
		Time: at, Action: "app-password", Who: identity.Identity{ID: "user:ann", Login: "ann"}, Login: "ann", Via: "api", Object: "key-1",
		Allowed: true, Why: "made", RequestID: "r", Address: "192.0.2.1", Agent: "curl",
	}
	want := audit.Event{
		Time: at, RequestID: "r", Address: "192.0.2.1", Agent: "curl", Action: audit.AppPassword, Dest: "key-1", Allowed: true, Why: "made",
		Actor: audit.Actor{Type: audit.Staff, ID: "user:ann", Login: "ann", Via: "api"},
	}
	if d := cmp.Diff(want, peopleEvent(e)); d != "" {
		t.Errorf("event (-want +got):\n%s", d)
	}
	e.Who.Key = "key-2"
	if got := peopleEvent(e).Actor; got.Type != audit.ByAppPassword || got.Key != "key-2" {
		t.Errorf("the actor with an app password is %+v", got)
	}
}

// TestActionsAreOfTheAudit wants the pages' words to be those of the audit.
func TestActionsAreOfTheAudit(t *testing.T) {
	for _, a := range []audit.Action{audit.SignIn, audit.SignOut, audit.AppPassword} {
		if got := peopleEvent(portal.Event{Action: string(a)}); got.Action != a || got.Action.IsRead() {
			t.Errorf("%q = %+v", a, got)
		}
	}
}

// TestSignInFailed wants a wrong password recorded with the door that it came to.
// A record that cannot be kept is told to the log, without the login.
func TestSignInFailed(t *testing.T) {
	h := build(t)
	in := identity.SignIn{Login: "ann", Password: "canary-password", Address: "127.0.0.1", Via: "api"}
	ctx := context.WithValue(t.Context(), requestIDKey{}, "r-1")
	h.signInFailed(ctx, in)
	want := []string{`api sign-in login="ann" id="" allowed=false: the name or the password is wrong`}
	if d := cmp.Diff(want, h.events()); d != "" {
		t.Errorf("the audit (-want +got):\n%s", d)
	}
	if err := h.state.Close(); err != nil {
		t.Fatal(err)
	}
	in.Login = "canary-login"
	h.signInFailed(ctx, in)
	if log := h.log.String(); !strings.Contains(log, "a refused sign-in is not recorded") || strings.Contains(log, "canary") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestRecordPeople wants what was refused and what was changed on record.
func TestRecordPeople(t *testing.T) {
	h := build(t)
	e := portal.Event{
		Time: time.Now(), Action: "sign-in", Address: "127.0.0.1", RequestID: "r-1", Via: "page",
		Who: identity.Identity{ID: "oidc:7", Login: "somebody from outside"}, Login: "somebody from outside",
	}
	if err := h.recordPeople(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	e.Allowed = true
	if err := h.state.Update(t.Context(), func(tx store.Tx) error { return h.appendPeople(e)(tx) }); err != nil {
		t.Fatal(err)
	}
	const row = `page sign-in login="somebody from outside" id="oidc:7" allowed=`
	if d := cmp.Diff([]string{row + "false: ", row + "true: "}, h.events()); d != "" {
		t.Errorf("the audit (-want +got):\n%s", d)
	}
}
