package backends

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Budget bounds the bytes that all uploads of the process may hold in memory
// together. One Budget is shared by all storages.
type Budget struct {
	total int64
	sem   *semaphore.Weighted
}

// NewBudget makes a budget of total bytes.
func NewBudget(total int64) *Budget {
	return &Budget{total: total, sem: semaphore.NewWeighted(total)}
}

// Take waits until n bytes are free, or all of the budget where n is more, and
// returns the function that gives them back.
func (b *Budget) Take(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, b.total)
	if err := b.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { b.sem.Release(n) }, nil
}
