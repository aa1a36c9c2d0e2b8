package apppass

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"portico/fault"
	"portico/identity"
	"portico/internal/memstate"
	"portico/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	*Keeper
	at    atomic.Int64
	state *memstate.State
	log   strings.Builder
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{state: memstate.New()}
	b.at.Store(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixNano())
	b.Keeper = New(Options{Store: b.state, Clock: b.now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) now() time.Time          { return time.Unix(0, b.at.Load()).UTC() }
func (b *bench) advance(d time.Duration) { b.at.Add(int64(d)) }

var ann = identity.Identity{ID: "user:ann", Login: "ann"}

func nothing(store.Tx, store.AppPassword) error { return nil }

func (b *bench) make(t *testing.T, w Wish) (string, store.AppPassword) {
	t.Helper()
	secret, p, err := b.Make(t.Context(), ann, w, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return secret, p
}

func TestMake(t *testing.T) {
	b := newBench(t)
	expires := b.now().Add(time.Hour)
	var told store.AppPassword
	secret, p, err := b.Make(t.Context(), ann, Wish{
		Name: "Ann's laptop", Limit: identity.Limit{Workspace: "firm", ReadOnly: true}, Expires: expires,
	}, func(tx store.Tx, p store.AppPassword) error {
		told = p
		list, err := tx.AppPasswordsOf(t.Context(), ann.ID)
		if len(list) != 1 || err != nil {
			t.Errorf("in the transaction there are %v, %v", list, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := store.AppPassword{
		ID: p.ID, Sum: p.Sum, Owner: "user:ann", Login: "ann", Name: "Ann's laptop",
		Workspace: "firm", ReadOnly: true, Created: b.now(), Expires: expires,
	}
	for what, got := range map[string]store.AppPassword{"Make": p, "also": told} {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	found, err := b.Find(t.Context(), secret)
	if d := cmp.Diff(want, found); err != nil || d != "" {
		t.Errorf("Find = %v (-want +got):\n%s", err, d)
	}
	list, err := b.List(t.Context(), ann.ID)
	if d := cmp.Diff([]store.AppPassword{want}, list); err != nil || d != "" {
		t.Errorf("List = %v (-want +got):\n%s", err, d)
	}
	if p.Sum == sha256.Sum256([]byte(p.ID)) || strings.Contains(fmt.Sprintf("%+v", p), secret[len(Prefix):len(Prefix)+10]) {
		t.Error("the store can tell the secret")
	}
}

// TestForm: what scanners look for, and what people may mistype.
func TestForm(t *testing.T) {
	b := newBench(t)
	secret, p := b.make(t, Wish{Name: "x"})
	if len(secret) != 38 || !strings.HasPrefix(secret, "gwp_") || strings.Trim(secret[4:], alphabet) != "" {
		t.Errorf("an app password is %q", secret)
	}
	for _, s := range []string{strings.ToUpper(secret), "gwp_" + strings.NewReplacer("1", "l", "0", "O").Replace(secret[4:])} {
		if found, err := b.Find(t.Context(), s); err != nil || found.ID != p.ID {
			t.Errorf("Find(%q) = %v", s, err)
		}
	}
	for i := len(Prefix); i < len(secret); i++ { // a letter that was mistyped
		bad := []byte(secret)
		bad[i] = alphabet[(strings.IndexByte(alphabet, bad[i])+7)%32]
		if _, ok := parse(string(bad)); ok && i >= len(Prefix)+bodyLen {
			t.Errorf("%q has the wrong check and is taken", bad)
		}
		if found, err := b.Find(t.Context(), string(bad)); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Find with a wrong letter = %q, %v", found.ID, err)
		}
	}
	for _, s := range []string{"", "gwp_", "gwp", secret + "0", secret[:len(secret)-1], secret[4:], "gwp-" + secret[4:], " " + secret, secret[:20] + "-" + secret[20:], secret[:10] + "é" + secret[12:], secret[:10] + "u" + secret[11:]} {
		if _, err := b.Find(t.Context(), s); !errors.Is(err, ErrUnusable) {
			t.Errorf("Find(%q) = %v, want ErrUnusable", s, err)
		}
	}
	for s, want := range map[string]bool{secret: true, "GWP_x": true, "gwp_": true, "gwp": false, "": false, "correct horse": false, "xgwp_": false} {
		if got := Looks(s); got != want {
			t.Errorf("Looks(%q) = %t", s, got)
		}
	}
}

// TestTypingErrors: nearly all are told from a guess.
func TestTypingErrors(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		body := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), bodyLen, bodyLen, -1).Draw(r, "body")
		good := Prefix + body + check(body)
		sum, ok := parse(good)
		if !ok || sum != sha256.Sum256([]byte(body)) {
			r.Fatalf("parse(%q) = %t", good, ok)
		}
		other := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), bodyLen, bodyLen, -1).Draw(r, "other")
		if check(other) != check(body) {
			if _, ok := parse(Prefix + other + check(body)); ok {
				r.Fatalf("parse takes %q with the check of %q", other, body)
			}
		}
	})
}

// TestUnlike (THREATS.md row 61): many, and no two alike.
func TestUnlike(t *testing.T) {
	seen := make(map[string]bool)
	for range 100_000 {
		secret, _, err := newSecret(rand.Reader)
		if err != nil || seen[secret] {
			t.Fatalf("newSecret = %q again, %v", secret, err)
		}
		seen[secret] = true
	}
	k := New(Options{Store: memstate.New(), Clock: time.Now, Rand: iotest.ErrReader(errors.New("no entropy"))})
	if secret, _, err := k.Make(t.Context(), ann, Wish{Name: "x"}, nothing); err == nil || secret != "" {
		t.Errorf("Make without a random source = %q, %v", secret, err)
	}
}

func TestMakeRefuses(t *testing.T) {
	b := newBench(t)
	good := Wish{Name: "x"}
	limited, keyed := ann, ann
	limited.Limit.ReadOnly = true
	keyed.Key = "an app password"
	for name, c := range map[string]struct {
		owner identity.Identity
		wish  Wish
		want  error
	}{
		"no name":          {ann, Wish{}, fs.ErrInvalid},
		"a long name":      {ann, Wish{Name: strings.Repeat("é", 101)}, fs.ErrInvalid},
		"a line break":     {ann, Wish{Name: "a\nb"}, fs.ErrInvalid},
		"a space at front": {ann, Wish{Name: " a"}, fs.ErrInvalid},
		"a hidden letter":  {ann, Wish{Name: "a\u202eb"}, fs.ErrInvalid},
		"no text":          {ann, Wish{Name: "a\xff"}, fs.ErrInvalid},
		"expired":          {ann, Wish{Name: "x", Expires: b.now()}, fs.ErrInvalid},
		"nobody":           {identity.Identity{}, good, fs.ErrInvalid},
		"limited":          {limited, good, fs.ErrPermission},
		"by app password":  {keyed, good, fs.ErrPermission},
	} {
		secret, _, err := b.Make(t.Context(), c.owner, c.wish, func(store.Tx, store.AppPassword) error {
			t.Errorf("%s: recorded", name)
			return nil
		})
		if !errors.Is(err, c.want) || fault.Told(err) == "" || secret != "" {
			t.Errorf("%s: Make = %q, %v, want %v with a sentence", name, secret, err, c.want)
		}
	}
	b.make(t, Wish{Name: strings.Repeat("é", 100)})
	for range MaxPerPerson - 1 {
		b.make(t, good)
	}
	if _, _, err := b.Make(t.Context(), ann, good, nothing); !errors.Is(err, fault.ErrConflict) || fault.Told(err) == "" {
		t.Errorf("Make of number %d = %v, want ErrConflict with a sentence", MaxPerPerson+1, err)
	}
	if _, _, err := b.Make(t.Context(), identity.Identity{ID: "user:bob", Login: "bob"}, good, nothing); err != nil {
		t.Errorf("bob has none, and Make = %v", err)
	}
}

// TestUnrecordedIsUndone: what cannot be audited is not done.
func TestUnrecordedIsUndone(t *testing.T) {
	b := newBench(t)
	full := errors.New("audit: disk full")
	no := func(store.Tx, store.AppPassword) error { return full }
	if secret, _, err := b.Make(t.Context(), ann, Wish{Name: "x"}, no); !errors.Is(err, full) || secret != "" {
		t.Errorf("Make = %q, %v", secret, err)
	}
	if list, _ := b.List(t.Context(), ann.ID); len(list) != 0 {
		t.Errorf("there are %v", list)
	}
	secret, p := b.make(t, Wish{Name: "x"})
	if err := b.Revoke(t.Context(), ann.ID, p.ID, no); !errors.Is(err, full) {
		t.Errorf("Revoke = %v", err)
	}
	if _, err := b.Find(t.Context(), secret); err != nil {
		t.Errorf("Find = %v after a Revoke that failed", err)
	}
}

func TestRevoke(t *testing.T) {
	b := newBench(t)
	secret, p := b.make(t, Wish{Name: "phone"})
	other, _ := b.make(t, Wish{Name: "laptop"})
	for owner, id := range map[string]string{"user:bob": p.ID, ann.ID: "another"} {
		if err := b.Revoke(t.Context(), owner, id, nothing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Revoke(%q, %q) = %v, want fs.ErrNotExist", owner, id, err)
		}
	}
	var told string
	err := b.Revoke(t.Context(), ann.ID, p.ID, func(_ store.Tx, p store.AppPassword) error { told = p.Name; return nil })
	if err != nil || told != "phone" {
		t.Errorf("Revoke = %v, and tells of %q", err, told)
	}
	if _, err := b.Find(t.Context(), secret); !errors.Is(err, ErrUnknown) {
		t.Errorf("Find = %v, want ErrUnknown", err)
	}
	if _, err := b.Find(t.Context(), other); err != nil {
		t.Errorf("the other one: Find = %v", err)
	}
}

func TestExpiry(t *testing.T) {
	b := newBench(t)
	secret, _ := b.make(t, Wish{Name: "x", Expires: b.now().Add(time.Hour)})
	b.advance(time.Hour - 1)
	if _, err := b.Find(t.Context(), secret); err != nil {
		t.Errorf("Find = %v before the end", err)
	}
	b.advance(1)
	if _, err := b.Find(t.Context(), secret); !errors.Is(err, ErrUnusable) || errors.Is(err, ErrUnknown) {
		t.Errorf("Find = %v at the end, want ErrUnusable", err)
	}
}

func TestStoreAway(t *testing.T) {
	b := newBench(t)
	secret, p := b.make(t, Wish{Name: "x"})
	for _, broken := range []error{fmt.Errorf("sqlite: %w", fault.ErrUnavailable), errors.New("disk I/O error")} {
		b.state.Fail(broken)
		if _, err := b.Find(t.Context(), secret); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("Find = %v, want fault.ErrUnavailable", err)
		}
		if _, err := b.List(t.Context(), ann.ID); !errors.Is(err, broken) {
			t.Errorf("List = %v", err)
		}
		if err := b.Revoke(t.Context(), ann.ID, p.ID, nothing); !errors.Is(err, broken) {
			t.Errorf("Revoke = %v", err)
		}
	}
	b.Used(t.Context(), p, "192.0.2.1")
	b.writer.Wait()
	if log := b.log.String(); !strings.Contains(log, "last use") || strings.Contains(log, secret) {
		t.Errorf("the log says %q", log)
	}
	b.state.Fail(nil)
}

// TestUsed is written in the background, once a minute, whoever asks.
func TestUsed(t *testing.T) {
	b := newBench(t)
	secret, _ := b.make(t, Wish{Name: "x"})
	use := func(from string) {
		t.Helper()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				p, err := b.Find(t.Context(), secret)
				if err != nil {
					t.Error(err)
					return
				}
				b.Used(t.Context(), p, from)
			})
		}
		wg.Wait()
		b.writer.Wait()
	}
	was := func(at time.Time, from string) {
		t.Helper()
		if p, err := b.Find(t.Context(), secret); err != nil || !p.Used.Equal(at) || p.UsedFrom != from {
			t.Errorf("used %v from %s, %v, want %v from %s", p.Used, p.UsedFrom, err, at, from)
		}
	}
	first := b.now()
	use("192.0.2.1")
	was(first, "192.0.2.1")
	b.advance(time.Minute - 1)
	before := b.state.Updates()
	use("192.0.2.2")
	was(first, "192.0.2.1")
	if got := b.state.Updates(); got != before {
		t.Errorf("%d transactions within a minute, want none", got-before)
	}
	b.advance(1)
	use("192.0.2.3")
	was(b.now(), "192.0.2.3")
}

// TestUsedEnds: what was noted is written when Close returns, whether or not the
// request has ended; what comes after is not, and the room for notes is bounded.
func TestUsedEnds(t *testing.T) {
	b := newBench(t)
	secret, p := b.make(t, Wish{Name: "x"})
	ctx, cancel := context.WithCancel(t.Context())
	b.Used(ctx, p, "192.0.2.1")
	cancel()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err := b.Find(t.Context(), secret); err != nil || p.UsedFrom != "192.0.2.1" {
		t.Errorf("used from %q, %v", p.UsedFrom, err)
	}
	before := b.state.Updates()
	b.Used(t.Context(), store.AppPassword{ID: "another"}, "192.0.2.1")
	if err := b.Close(); err != nil || b.state.Updates() != before {
		t.Errorf("Close = %v after %d transactions", err, b.state.Updates()-before)
	}

	full := New(Options{Clock: b.now})
	full.writing = true // none writes
	for i := range 2 * maxUses {
		full.Used(t.Context(), store.AppPassword{ID: strconv.Itoa(i)}, "")
	}
	if len(full.uses) != maxUses {
		t.Errorf("%d notes wait, want %d", len(full.uses), maxUses)
	}
}
