package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/fault"
	"portico/identity"
	"portico/identity/session"
	"portico/internal/memstate"
	"portico/store"
	"portico/store/sqlite"
)

// house is two replicas over one store and one directory.
type house struct {
	t      *testing.T
	state  *memstate.State
	people people
	now    time.Time
	stamps map[string]string
	a, b   *session.Keeper
}

// people is a directory.
type people map[string]identity.Identity

func (p people) ByID(_ context.Context, id string) (identity.Identity, error) {
	who, ok := p[id]
	switch {
	case id == "away":
		return identity.Identity{}, fmt.Errorf("directory: %w", fault.ErrUnavailable)
	case !ok:
		return identity.Identity{}, identity.ErrRefused
	}
	return who, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{
		t: t, state: memstate.New(), now: time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), stamps: map[string]string{},
		people: people{
			"id-ann": {ID: "id-ann", Login: "ann", Name: "Ann", Groups: []identity.Membership{{Group: "staff"}, {Group: "lawyers", Through: "staff"}}},
			"id-bob": {ID: "id-bob", Login: "bob"},
		},
	}
	o := session.Options{
		State: h.state, People: h.people, Rand: rand.Reader,
		Clock: func() time.Time { return h.now },
		Stamp: func(id string) string { return h.stamps[id] },
	}
	h.a, h.b = session.New(o), session.New(o)
	return h
}

// TestOnSQLite plays a life on the real store: in memory, a moment that loses its
// fraction or a sum that loses a byte would not be seen.
func TestOnSQLite(t *testing.T) {
	disk, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "portico.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	h := newHouse(t)
	o := session.Options{State: disk, People: h.people, Rand: rand.Reader, Clock: func() time.Time { return h.now }}
	h.a, h.b = session.New(o), session.New(o)

	first := h.start("id-ann", "", "partners")
	if who, err := h.b.Find(t.Context(), first); err != nil || len(who.Groups) != 3 {
		t.Errorf("Find = %v, %v, want three groups", who.Groups, err)
	}
	for range 3 {
		h.now = h.now.Add(session.Idle - time.Second)
		h.is("in use", first, "id-ann")
	}
	second := h.start("id-ann", first)
	h.is("the old id", first, "")
	h.is("the new id", second, "id-ann")
	other := h.start("id-bob", "")
	if err := h.b.EndAll(t.Context(), "id-ann"); err != nil {
		t.Fatal(err)
	}
	h.is("ended everywhere", second, "")
	if err := h.b.End(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	h.is("ended", other, "")
	idle := h.start("id-bob", "")
	h.now = h.now.Add(session.Idle)
	h.is("idle", idle, "")
}

func (h *house) start(id, old string, groups ...string) string {
	h.t.Helper()
	cookie, err := h.a.Start(h.t.Context(), h.people[id], groups, old)
	if err != nil {
		h.t.Fatalf("Start(%q) = %v", id, err)
	}
	return cookie
}

// is wants a cookie to stand for somebody on both replicas; "" for nobody.
func (h *house) is(what, cookie, want string) {
	h.t.Helper()
	for name, k := range map[string]*session.Keeper{"a": h.a, "b": h.b} {
		who, err := k.Find(h.t.Context(), cookie)
		if want == "" {
			if !errors.Is(err, session.ErrNone) || who.ID != "" {
				h.t.Errorf("%s: Find on %s = %q, %v, want ErrNone", what, name, who.ID, err)
			}
			continue
		}
		if err != nil || who.ID != want {
			h.t.Errorf("%s: Find on %s = %q, %v, want %q", what, name, who.ID, err, want)
		}
	}
}

func TestLife(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "")
	h.is("at once", cookie, "id-ann")
	h.now = h.now.Add(session.Idle - time.Second)
	h.is("just before idle", cookie, "id-ann")
	h.now = h.now.Add(session.Idle - time.Second)
	h.is("used meanwhile", cookie, "id-ann")
	h.now = h.now.Add(session.Idle)
	h.is("idle", cookie, "")
}

func TestAbsolute(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "")
	for range int(session.Absolute/session.Idle)*2 - 1 {
		h.now = h.now.Add(session.Idle / 2)
		h.is("in use", cookie, "id-ann")
	}
	h.now = h.now.Add(session.Idle / 2)
	h.is("after twelve hours", cookie, "")
}

// TestSeenIsWrittenOnceAMinute wants requests not to cost a write each.
func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "")
	before := h.state.Updates()
	for range 120 {
		h.now = h.now.Add(time.Second)
		h.is("busy", cookie, "id-ann")
	}
	if got := h.state.Updates() - before; got != 2 {
		t.Errorf("two minutes of requests wrote %d times, want 2", got)
	}
}

// TestRow34Fixation: an id from before the sign-in, planted or real, is worth
// nothing after it.
func TestRow34Fixation(t *testing.T) {
	h := newHouse(t)
	h.is("planted", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "")
	attacker := h.start("id-bob", "")
	victim := h.start("id-ann", attacker)
	if victim == attacker {
		t.Error("the id was kept at the sign-in")
	}
	h.is("the old id", attacker, "")
	h.is("the new one", victim, "id-ann")
}

// TestRow62Ends: a copied cookie ends with the session, with the password and
// with the person, on every replica.
func TestRow62Ends(t *testing.T) {
	for name, end := range map[string]func(h *house, cookie string) error{
		"logout":       func(h *house, cookie string) error { return h.a.End(t.Context(), cookie) },
		"everywhere":   func(h *house, _ string) error { return h.a.EndAll(t.Context(), "id-ann") },
		"new password": func(h *house, _ string) error { h.stamps["id-ann"] = "2"; return nil },
		"left":         func(h *house, _ string) error { delete(h.people, "id-ann"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			cookie, other := h.start("id-ann", ""), h.start("id-bob", "")
			if err := end(h, cookie); err != nil {
				t.Fatal(err)
			}
			h.is("ann", cookie, "")
			h.is("bob", other, "id-bob")
		})
	}
}

func TestEndOfOneLeavesTheOther(t *testing.T) {
	h := newHouse(t)
	laptop, phone := h.start("id-ann", ""), h.start("id-ann", "")
	if err := h.b.End(t.Context(), laptop); err != nil {
		t.Fatal(err)
	}
	h.is("laptop", laptop, "")
	h.is("phone", phone, "id-ann")
}

// TestGroups wants the provider's groups beside the directory's, each once, and
// the directory's own list as it was.
func TestGroups(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "", "staff", "partners", "partners")
	who, err := h.b.Find(t.Context(), cookie)
	if err != nil {
		t.Fatal(err)
	}
	want := []identity.Membership{{Group: "staff"}, {Group: "lawyers", Through: "staff"}, {Group: "partners"}}
	if d := cmp.Diff(want, who.Groups); d != "" {
		t.Errorf("Groups (-want +got):\n%s", d)
	}
	if n := len(h.people["id-ann"].Groups); n != 2 {
		t.Errorf("the directory's list has %d groups now, want 2", n)
	}
}

// TestOnlyTheSumIsKept wants nothing in the store that signs anybody in.
func TestOnlyTheSumIsKept(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "")
	for _, s := range h.state.Sessions() {
		if kept := fmt.Sprintf("%s %s %s", s.Sum, s.Data, s.Owner); bytes.Contains([]byte(kept), []byte(cookie)) {
			t.Errorf("the store holds the cookie: %q", kept)
		}
	}
}

// TestAway wants 503 and no sign-out where the store or the directory is away.
func TestAway(t *testing.T) {
	h := newHouse(t)
	h.people["away"] = identity.Identity{ID: "away"}
	cookie, other := h.start("id-ann", ""), h.start("away", "")
	if _, err := h.a.Find(t.Context(), other); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, session.ErrNone) {
		t.Errorf("Find without a directory = %v, want ErrUnavailable", err)
	}
	h.state.Fail(fault.ErrUnavailable)
	for name, err := range map[string]error{
		"Find":   second(h.a.Find(t.Context(), cookie)),
		"Start":  second(h.a.Start(t.Context(), h.people["id-ann"], nil, "")),
		"End":    h.a.End(t.Context(), cookie),
		"EndAll": h.a.EndAll(t.Context(), "id-ann"),
	} {
		if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s without a store = %v, want ErrUnavailable", name, err)
		}
	}
	h.state.Fail(nil)
	h.is("afterwards", cookie, "id-ann")
	h.now = h.now.Add(2 * time.Minute) // Seen is due
	h.state.Fail(fault.ErrUnavailable)
	if _, err := h.a.Find(t.Context(), cookie); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Find that cannot write Seen = %v, want ErrUnavailable", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestAlso wants what is committed with a session to decide over it.
func TestAlso(t *testing.T) {
	h := newHouse(t)
	full := errors.New("the audit is full")
	no := func(store.Tx) error { return full }
	if _, err := h.a.Start(t.Context(), h.people["id-ann"], nil, "", no); !errors.Is(err, full) {
		t.Errorf("Start = %v, want the error of also", err)
	}
	if n := len(h.state.Sessions()); n != 0 {
		t.Errorf("%d sessions without a trace", n)
	}
	cookie := h.start("id-ann", "")
	if err := h.a.End(t.Context(), cookie, no); !errors.Is(err, full) {
		t.Errorf("End = %v, want the error of also", err)
	}
	if err := h.a.EndAll(t.Context(), "id-ann", no); !errors.Is(err, full) {
		t.Errorf("EndAll = %v, want the error of also", err)
	}
	h.is("not ended", cookie, "id-ann")
	calls := 0
	yes := func(store.Tx) error { calls++; return nil }
	if err := h.a.End(t.Context(), cookie, yes, yes); err != nil || calls != 2 {
		t.Errorf("End = %v after %d calls, want 2", err, calls)
	}
}

// TestTidies wants expired sessions to go, and not with each sign-in.
func TestTidies(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.start("id-ann", "")
	}
	h.now = h.now.Add(session.Absolute)
	h.start("id-bob", "")
	if n := len(h.state.Sessions()); n != 1 {
		t.Errorf("%d sessions are left, want 1", n)
	}
}

func TestNoRandomness(t *testing.T) {
	h := newHouse(t)
	k := session.New(session.Options{State: h.state, People: h.people, Clock: time.Now, Rand: bytes.NewReader([]byte("short"))})
	if cookie, err := k.Start(t.Context(), h.people["id-ann"], nil, ""); err == nil || cookie != "" {
		t.Errorf("Start without randomness = %q, %v", cookie, err)
	}
}

// TestRow61Unique: ids are 256 bits of the random source, and none comes twice.
func TestRow61Unique(t *testing.T) {
	h := newHouse(t)
	seen := map[string]bool{}
	for range 1000 {
		cookie := h.start("id-ann", "")
		if len(cookie) != 43 || seen[cookie] {
			t.Fatalf("the cookie %q is short or was given before", cookie)
		}
		seen[cookie] = true
	}
}

// TestFindForged: no other text than the very cookie is somebody.
func TestFindForged(t *testing.T) {
	h := newHouse(t)
	cookie := h.start("id-ann", "")
	rapid.Check(t, func(rt *rapid.T) {
		forged := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`[A-Za-z0-9_-]{43}`),
			rapid.Map(rapid.IntRange(0, len(cookie)-1), func(i int) string { return cookie[:i] + "_" + cookie[i+1:] }),
			rapid.SampledFrom([]string{cookie + "=", cookie + " ", " " + cookie, cookie[:42], cookie + "A", ""}),
		).Draw(rt, "forged")
		if forged == cookie {
			return
		}
		if who, err := h.a.Find(t.Context(), forged); !errors.Is(err, session.ErrNone) {
			rt.Fatalf("Find(%q) = %q, %v, want ErrNone", forged, who.ID, err)
		}
	})
}

func TestCookie(t *testing.T) {
	at := func(raw string) *url.URL {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, c := range []struct{ public, want string }{
		{"https://files.firm.example", "__Host-sid=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"http://127.0.0.1:8080", "sid=v; Path=/; HttpOnly; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		cookie := session.NewCookie(at(c.public), "sid", 0)
		cookie.Set(w, "v")
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("at %s: Set-Cookie %q, want %q", c.public, got, c.want)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		if got := cookie.Value(r); got != "" {
			t.Errorf("Value of nothing = %q", got)
		}
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "one"})
		if got := cookie.Value(r); got != "one" {
			t.Errorf("Value = %q, want one", got)
		}
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "planted"})
		if got := cookie.Value(r); got != "" {
			t.Errorf("Value of two = %q, want none", got)
		}
		w = httptest.NewRecorder()
		cookie.Clear(w)
		if got := w.Result().Cookies(); len(got) != 1 || got[0].MaxAge >= 0 || got[0].Value != "" {
			t.Errorf("Clear sent %v", got)
		}
	}
}
