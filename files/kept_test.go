package files

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/audit"
	"portico/audit/audittest"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// keeping is a Service with an audit whose secret is n times a letter.
func keeping(t *testing.T, state store.State, secret string) *Service {
	t.Helper()
	at := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	log, err := audit.New(audit.Options{Store: state, Key: []byte(strings.Repeat(secret, 32)), Clock: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{State: state, Audit: log, Clock: at, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
}

// TestJournalNamesNobody: who moves something is sealed in the journal, too, and
// a change of the secret does not hold the move up.
func TestJournalNamesNobody(t *testing.T) {
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	s := keeping(t, state, "k")
	e := audit.Event{Time: s.Clock(), Actor: audit.Actor{Type: audit.Staff, ID: "canary-id", Login: "canary"}, Action: audit.Move, Path: "/a", Dest: "/b", Allowed: true}
	m := store.Move{ID: "m", From: vpath.Must("/a"), To: vpath.Must("/b")}
	if m.Audit, err = s.keep(e, m.ID); err != nil || bytes.Contains(m.Audit, []byte("canary")) {
		t.Fatalf("keep = %s, %v", m.Audit, err)
	}
	if d := cmp.Diff(e, s.kept(m)); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	got := keeping(t, state, "o").kept(m)
	if got.Action != audit.Move || got.Path != "/a" || got.Dest != "/b" || got.Actor.Type != audit.SystemItself || !strings.Contains(got.Why, "audit.key") {
		t.Errorf("kept with another secret = %+v", got)
	}
	// One of before, and an audit that seals nothing.
	if m.Audit, err = audit.Encode(e); err != nil || !cmp.Equal(s.kept(m), e) {
		t.Errorf("kept of what Encode made = %+v, %v", s.kept(m), err)
	}
	s.Audit = &audittest.Recorder{}
	if m.Audit, err = s.keep(e, m.ID); err != nil || !cmp.Equal(s.kept(m), e) {
		t.Errorf("kept without seals = %+v, %v", s.kept(m), err)
	}
}
