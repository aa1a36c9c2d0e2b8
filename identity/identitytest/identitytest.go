// Package identitytest is the suite that each identity.Provider passes, and
// what tests of providers share.
package identitytest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/crypto/argon2"

	"portico/identity"
)

// Person is somebody whom the provider under test shall know.
type Person struct {
	ID          string // where the test does not leave it to the provider
	Login       identity.Login
	Name, Email string
	Password    string
	Groups      []identity.Membership
}

// Open gives a provider that knows these people and nobody else. IDs are its own.
type Open func(t *testing.T, people []Person) identity.Provider

// People are those of the suite.
func People() []Person {
	return []Person{
		{Login: "ann", Name: "Ann Peeters", Email: "ann@firm.example", Password: "correct horse battery"},
		{Login: "Bob.Maes", Name: "Bob Maes", Email: "bob@firm.example", Password: "päßwörd 😀 🔑"},
		{Login: "zoë", Name: "Zoë Claes", Email: "zoe@firm.example", Password: " spaces around "},
	}
}

// Hash is an argon2id hash that is weak, and so quick: tests verify many.
func Hash(t testing.TB, password string) identity.Hash {
	t.Helper()
	salt := []byte("sixteen bytes ok")
	sum := argon2.IDKey([]byte(password), salt, 1, 8<<10, 1, 32)
	b64 := base64.RawStdEncoding
	h, err := identity.ParseHash(fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", b64.EncodeToString(salt), b64.EncodeToString(sum)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Run puts a provider through all that the contract says.
func Run(t *testing.T, open Open) {
	t.Helper()
	p := open(t, People())
	t.Run("proves", func(t *testing.T) { proves(t, p) })
	t.Run("spellings", func(t *testing.T) { spellings(t, p) })
	t.Run("refuses", func(t *testing.T) { refuses(t, p) })
	t.Run("cancelled", func(t *testing.T) { cancelled(t, p) })
	t.Run("at once", func(t *testing.T) { atOnce(t, p) })
}

func proves(t *testing.T, p identity.Provider) {
	t.Helper()
	ids := make(map[string]bool)
	for _, who := range People() {
		first, err := p.Authenticate(t.Context(), who.Login, who.Password)
		if err != nil {
			t.Fatalf("Authenticate(%q) = %v", who.Login, err)
		}
		want := identity.Identity{ID: first.ID, Login: who.Login, Name: who.Name, Email: who.Email}
		if d := cmp.Diff(want, first, cmpopts.IgnoreFields(identity.Identity{}, "Groups")); d != "" {
			t.Errorf("Authenticate(%q) (-want +got):\n%s", who.Login, d)
		}
		if first.ID == "" || ids[first.ID] {
			t.Errorf("Authenticate(%q).ID = %q, which is empty or another's", who.Login, first.ID)
		}
		ids[first.ID] = true
		again, err := p.Authenticate(t.Context(), who.Login, who.Password)
		if err != nil || again.ID != first.ID {
			t.Errorf("again: Authenticate(%q) = %q, %v, want the ID %q", who.Login, again.ID, err, first.ID)
		}
	}
}

// spellings are one person, whom the answer names as the directory does.
func spellings(t *testing.T, p identity.Provider) {
	t.Helper()
	for typed, i := range map[identity.Login]int{"ANN": 0, "Ann": 0, "bob.maes": 1, "BOB.MAES": 1, "ZOË": 2, "zoe\u0308": 2} {
		who := People()[i]
		got, err := p.Authenticate(t.Context(), typed, who.Password)
		if err != nil || got.Login != who.Login {
			t.Errorf("Authenticate(%q) = %q, %v, want %q", typed, got.Login, err, who.Login)
		}
	}
}

// refuses wants one and the same error for all that is wrong.
func refuses(t *testing.T, p identity.Provider) {
	t.Helper()
	ann, bob := People()[0], People()[1]
	type try struct {
		login    identity.Login
		password string
	}
	tries := []try{
		{ann.Login, "wrong horse battery"},
		{ann.Login, bob.Password},
		{bob.Login, ann.Password},
		{ann.Login, ""},
		{ann.Login, "\x00"},
		{ann.Login, ann.Password + "\x00"},
		{ann.Login, ann.Password + "\x00x"},
		{ann.Login, ann.Password + " "},
		{ann.Login, " " + ann.Password},
		{ann.Login, strings.ToUpper(ann.Password)},
		{ann.Login, ann.Password + "\xff"},
		{ann.Login, strings.Repeat("x", 1<<20)},
		{ann.Login, ann.Password + strings.Repeat("x", 256)},
		{"nobody", ann.Password},
		{"", ann.Password},
		{"", ""},
	}
	// What means something to LDAP or to a C library.
	for _, login := range []identity.Login{
		"*", "a*", "an?", "ann)(uid=*", "ann)(|(uid=*", "*)(objectClass=*", `ann\2a`, `ann\`, "ann\x00", "ann\x00x", "\x00ann",
		" ann", "ann ", "\tann", "ann\n", "ann\r\n", "uid=ann,ou=people", "ann,ou=people", "ann@firm.example", "ann/../bob",
		"ann\xff", "ann\u200b", "аnn", "annn", "an", identity.Login(strings.Repeat("a", 1<<16)),
	} {
		tries = append(tries, try{login, ann.Password})
	}
	for _, try := range tries {
		got, err := p.Authenticate(t.Context(), try.login, try.password)
		if !errors.Is(err, identity.ErrRefused) || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("Authenticate(%.40q, %.40q) = %v, want ErrRefused and no more", try.login, try.password, err)
		}
		if d := cmp.Diff(identity.Identity{}, got); d != "" {
			t.Errorf("Authenticate(%.40q, %.40q) was refused and told:\n%s", try.login, try.password, d)
		}
	}
}

// cancelled may answer or not, but must not call a right password wrong, or
// the drive forgets it.
func cancelled(t *testing.T, p identity.Provider) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ann := People()[0]
	if _, err := p.Authenticate(ctx, ann.Login, ann.Password); errors.Is(err, identity.ErrRefused) {
		t.Errorf("Authenticate = %v for a request that has ended", err)
	}
}

func atOnce(t *testing.T, p identity.Provider) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			who, other := People()[i%3], People()[(i+1)%3]
			if got, err := p.Authenticate(t.Context(), who.Login, who.Password); err != nil || got.Login != who.Login {
				t.Errorf("Authenticate(%q) = %q, %v", who.Login, got.Login, err)
			}
			if _, err := p.Authenticate(t.Context(), who.Login, other.Password); !errors.Is(err, identity.ErrRefused) {
				t.Errorf("Authenticate(%q) with another's password = %v, want ErrRefused", who.Login, err)
			}
		})
	}
	wg.Wait()
}
