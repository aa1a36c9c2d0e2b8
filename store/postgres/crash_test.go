package postgres

import (
	"testing"
	"time"

	"portico/internal/parts"
	"portico/vpath"
)

// TestCrashGivesNoClaimTwice: when the server crashes all locks are gone at once,
// those of replicas that do not know of it yet too. Who had a claim must have been
// told before another replica gets it.
func TestCrashGivesNoClaimTwice(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	slow := brisk() // asks for a sign of life as seldom as the real one
	slow.beat, slow.patience, slow.silence = 3*time.Second, 10*time.Second, 15*time.Second
	a := openWith(t, p.DSN, Options{Replica: "a", times: slow})
	b := openWith(t, p.DSN, Options{Replica: "b", times: slow})
	path := vpath.Must("/w/x")
	c, err := a.Claim(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	p.Kill(t)
	p.Start(t)
	eventually(t, "another replica gets the claim", func() bool {
		d, err := b.Claim(t.Context(), path)
		if err != nil {
			return false
		}
		d.Release()
		return true
	})
	select {
	case <-c.Lost():
	default:
		t.Error("both replicas hold the claim")
	}
}
