package unlock

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/identity"
	"portico/internal/memstate"
	"portico/store"
)

type bench struct {
	*Keeper
	state    *memstate.State
	now      time.Time
	mu       sync.Mutex
	pardoned []identity.Login
	refuse   error
}

func newBench() *bench {
	b := &bench{state: memstate.New(), now: time.Date(2027, 3, 12, 9, 30, 0, 0, time.UTC)}
	b.Keeper = New(Options{
		Store: b.state, Clock: func() time.Time { return b.now }, Rand: rand.Reader,
		Pardon: func(_ context.Context, _ store.Tx, login identity.Login) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.refuse == nil {
				b.pardoned = append(b.pardoned, login)
			}
			return b.refuse
		},
	})
	return b
}

func (b *bench) link(t *testing.T, login identity.Login) (secret string) {
	t.Helper()
	err := b.state.Update(t.Context(), func(tx store.Tx) (err error) {
		secret, _, err = b.Make(tx, login)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestALinkIsGoodOnce(t *testing.T) {
	t.Parallel()
	b := newBench()
	secret := b.link(t, "Ann")
	for range 2 { // a look spends nothing
		if err := b.Good(t.Context(), secret); err != nil {
			t.Errorf("Good = %v", err)
		}
	}
	var g sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 8 {
		g.Go(func() {
			err := b.Use(t.Context(), secret)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), secret):
				t.Errorf("Use = %v, want fs.ErrNotExist without the secret", err)
			}
		})
	}
	g.Wait()
	if done != 1 || len(b.pardoned) != 1 || b.pardoned[0] != "Ann" {
		t.Errorf("used %d times, pardoned %v; want once, for Ann", done, b.pardoned)
	}
	if err := b.Good(t.Context(), secret); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Good after use = %v", err)
	}
}

func TestALinkThatIsNotGood(t *testing.T) {
	t.Parallel()
	b := newBench()
	old := b.link(t, "ann")
	secret := b.link(t, "ann")
	other := store.Ticket{Sum: sumOf("gwu_other"), Kind: "reset", Subject: "ann", Expires: b.now.Add(time.Hour)}
	if err := b.state.Update(t.Context(), func(tx store.Tx) error { return tx.PutTicket(other) }); err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]string{"an older one": old, "nothing": "", "a guess": "gwu_x", "of another kind": "gwu_other", "with more": secret + "A", "without its beginning": secret[4:]} {
		if err := b.Good(t.Context(), s); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Good = %v, want fs.ErrNotExist", what, err)
		}
		if err := b.Use(t.Context(), s); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Use = %v, want fs.ErrNotExist", what, err)
		}
	}
	b.now = b.now.Add(Life)
	if err := b.Use(t.Context(), secret); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after a day: Use = %v, want fs.ErrNotExist", err)
	}
	if len(b.pardoned) != 0 {
		t.Errorf("pardoned %v", b.pardoned)
	}
}

// Where the pardon fails, the link is not spent.
func TestALinkIsNotSpentForNothing(t *testing.T) {
	t.Parallel()
	b := newBench()
	secret := b.link(t, "ann")
	b.refuse = errors.New("no audit")
	if err := b.Use(t.Context(), secret); !errors.Is(err, b.refuse) {
		t.Errorf("Use = %v, want %v", err, b.refuse)
	}
	b.refuse = nil
	if err := b.Use(t.Context(), secret); err != nil {
		t.Errorf("Use = %v", err)
	}
}

func sumOf(s string) store.Sum { return sha256.Sum256([]byte(s)) }
