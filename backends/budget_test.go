package backends_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"portico/backends"
)

// TestBudgetKeepsAShareForSmallAmounts fills the budget with large amounts: a
// small one passes by, and the next large one waits for its turn.
func TestBudgetKeepsAShareForSmallAmounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := backends.NewBudget(64 << 20)
		first, err := b.Take(t.Context(), 56<<20)
		if err != nil {
			t.Fatal(err)
		}
		small, err := b.Take(t.Context(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		small()
		if _, ok := b.TryTake(16 << 20); ok {
			t.Error("TryTake got more than there is")
		}
		taken := false
		go func() {
			release, err := b.Take(t.Context(), 100<<20) // more than there can be: all of it
			if err != nil {
				t.Error(err)
				return
			}
			taken = true
			release()
		}()
		synctest.Wait()
		if taken {
			t.Error("Take did not wait")
		}
		first()
		synctest.Wait()
		if !taken {
			t.Error("Take went on waiting")
		}
		if release, ok := b.TryTake(16 << 20); !ok {
			t.Error("TryTake got nothing of a free budget")
		} else {
			release()
		}
	})
}

// TestBudgetWaitEnds gives up the wait with the context, and holds nothing then.
func TestBudgetWaitEnds(t *testing.T) {
	b := backends.NewBudget(64 << 20)
	release, err := b.Take(t.Context(), 56<<20)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Take(ctx, 16<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("Take with an ended context: %v", err)
	}
	release()
	if _, ok := b.TryTake(56 << 20); !ok {
		t.Error("the one that gave up holds something")
	}
}
