package audit

import (
	"context"
	"errors"
	"strings"
	"testing"

	"portico/fault"
	"portico/store"
)

func change() Event {
	return Event{Actor: Actor{ID: "id-ann", Login: "ann"}, Action: Delete, Path: "/firm/a.txt", Allowed: true}
}

func intend(t *testing.T, l *Log) string {
	t.Helper()
	id, err := l.Intend(t.Context(), change())
	if err != nil || id == "" {
		t.Fatalf("Intend = %q, %v", id, err)
	}
	return id
}

func TestIntendEndsWithItsOutcome(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	first, second, third := intend(t, l), intend(t, l), intend(t, l)
	if first == second || len(m.intents) != 3 || m.intents[0].Replica != "gw-1" || !m.intents[0].Began.Equal(c.now()) {
		t.Fatalf("intents = %+v", m.intents)
	}
	e := change()
	e.Intent = first
	if err := m.Update(t.Context(), func(tx store.Tx) error { return errors.Join(l.Append(tx, e), errors.New("undone")) }); err == nil {
		t.Error("Update = nil")
	}
	if len(m.intents) != 3 || len(m.rows["gw-1"]) != 0 {
		t.Errorf("after an undone outcome: intents %v, rows %v", m.intents, m.rows)
	}
	if err := m.Update(t.Context(), func(tx store.Tx) error { return l.Append(tx, e) }); err != nil {
		t.Error(err)
	}
	if err := m.Update(t.Context(), func(tx store.Tx) error { return l.Forget(t.Context(), tx, second) }); err != nil {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel() // the client has hung up, which is why nothing was changed
	if err := l.Forget(gone, nil, third); err != nil {
		t.Error(err)
	}
	if len(m.intents) != 0 || len(m.rows["gw-1"]) != 1 || strings.Contains(string(m.rows["gw-1"][0].JSON), first) {
		t.Errorf("intents %v, rows %v", m.intents, m.rows)
	}
}

func TestIntendRefused(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	m.set(errors.New("disk full"))
	if _, err := l.Intend(t.Context(), change()); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Intend = %v, want fault.ErrUnavailable", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Intend(gone, change()); !errors.Is(err, context.Canceled) {
		t.Errorf("Intend = %v, want context.Canceled", err)
	}
	if err := l.Forget(t.Context(), nil, "x"); err == nil {
		t.Error("Forget = nil")
	}
	l.o.Rand = strings.NewReader("")
	if _, err := l.Intend(t.Context(), change()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Intend without random bytes = %v", err)
	}
	// What may be there all the same is dropped when the store is back.
	m.set(nil)
	m.intents = []store.Intent{{ID: l.doubted[0], Replica: "gw-1"}, {ID: "x"}, {ID: "another"}}
	if err := l.settle(t.Context()); err != nil || len(m.intents) != 1 || len(l.doubted) != 0 {
		t.Errorf("settle = %v, intents %v, doubted %v", err, m.intents, l.doubted)
	}
}

// TestRecover is the crash between an intent and its outcome.
func TestRecover(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	random := &counter{}
	dead := newLog(t, m, c, Options{Rand: random})
	intend(t, dead)
	m.name = "gw-2"
	other := newLog(t, m, c, Options{Rand: random})
	intend(t, other)
	m.name = "gw-1"
	alive := newLog(t, m, c, Options{Rand: random})
	mine := intend(t, alive)
	m.intents = append(m.intents, store.Intent{ID: "broken", Replica: "gw-3", Audit: []byte("{")})

	c.add(1)
	for range 2 { // the second finds nothing
		if err := alive.Recover(t.Context(), []string{"gw-1", "gw-2"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.intents) != 2 || m.intents[0].Replica != "gw-2" || m.intents[1].ID != mine {
		t.Errorf("intents = %+v, want that of gw-2, which is alive, and our own", m.intents)
	}
	if err := alive.Recover(t.Context(), []string{"gw-1"}); err != nil {
		t.Fatal(err)
	}
	if len(m.intents) != 1 || len(m.rows["gw-1"]) != 3 || len(m.claims) != 0 {
		t.Fatalf("intents %+v, rows %v, claims %v", m.intents, m.rows, m.claims)
	}
	var known int
	opener := NewOpener(testKeys(t), m)
	for _, r := range m.rows["gw-1"] {
		row, err := opener.Open(t.Context(), r)
		if err != nil || !strings.Contains(row.Error, "outcome is not known") || !row.Time.Equal(r.Time) {
			t.Errorf("row = %+v, %v", row, err)
		}
		if row.Path == "/firm/a.txt" && row.Actor.Login == "ann" && row.Action == Delete {
			known++
		}
	}
	if known != 2 {
		t.Errorf("%d rows tell what was begun, want 2", known)
	}
	if r := verify(t, m, testKeys(t), nil); !r.OK() || len(r.Warnings) != 0 {
		t.Errorf("faults %v, warnings %v", r.Faults, r.Warnings)
	}
}

// TestRecoverOnce leaves what another replica is at.
func TestRecoverOnce(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	m.intents = []store.Intent{{ID: "a", Replica: "gw-9", Audit: []byte("{}")}}
	claim, _, _ := m.ClaimName(t.Context(), "audit-intents", "gw-9")
	if err := l.Recover(t.Context(), []string{"gw-1"}); err != nil || len(m.intents) != 1 {
		t.Errorf("Recover = %v, intents %v", err, m.intents)
	}
	claim.Release()
	if err := l.Recover(t.Context(), []string{"gw-1"}); err != nil || len(m.intents) != 0 {
		t.Errorf("Recover = %v, intents %v", err, m.intents)
	}
}

// TestLeave is the outage between an intent and its outcome, which the process
// outlives: the row must not wait for its end.
func TestLeave(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	left, done, busy := intend(t, l), intend(t, l), intend(t, l)
	l.Leave(left)
	l.Leave(done)
	e := change()
	e.Intent = done // the commit was done, and only its answer lost
	if err := m.Update(t.Context(), func(tx store.Tx) error { return l.Append(tx, e) }); err != nil {
		t.Fatal(err)
	}
	m.set(errors.New("away"))
	l.look(t.Context(), c.now())
	m.set(nil)
	for range 2 { // the second finds nothing
		l.look(t.Context(), c.now())
	}
	if len(m.intents) != 1 || m.intents[0].ID != busy {
		t.Errorf("intents = %+v, want the one that is under way", m.intents)
	}
	if rows := m.rows["gw-1"]; len(rows) != 2 || !strings.Contains(string(rows[1].JSON), "lost touch with a store") {
		t.Errorf("rows = %+v", rows)
	}
	if r := verify(t, m, testKeys(t), nil); !r.OK() {
		t.Errorf("faults %v", r.Faults)
	}
}
