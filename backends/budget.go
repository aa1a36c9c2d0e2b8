package backends

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Budget bounds the bytes that all uploads of the process may hold in memory
// together. One Budget is shared by all storages.
//
// An eighth of it is for small amounts alone: large uploads over slow lines hold
// theirs for an hour, and a letter must not wait for them.
type Budget struct{ large, small share }

type share struct {
	total int64
	sem   *semaphore.Weighted
}

// smallAmount is what the small share is for, in bytes.
const smallAmount = 1 << 20

// NewBudget makes a budget of total bytes.
func NewBudget(total int64) *Budget {
	small := total / 8
	return &Budget{
		large: share{total - small, semaphore.NewWeighted(total - small)},
		small: share{small, semaphore.NewWeighted(small)},
	}
}

func (b *Budget) shareFor(n int64) share {
	if n <= smallAmount {
		return b.small
	}
	return b.large
}

// Take waits until n bytes are free, or all of their share where n is more, and
// returns the function that gives them back.
func (b *Budget) Take(ctx context.Context, n int64) (release func(), err error) {
	s := b.shareFor(n)
	n = min(n, s.total)
	if err := s.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { s.sem.Release(n) }, nil
}

// TryTake is Take for what can be done without: it does not wait.
func (b *Budget) TryTake(n int64) (release func(), ok bool) {
	s := b.shareFor(n)
	if !s.sem.TryAcquire(n) {
		return nil, false
	}
	return func() { s.sem.Release(n) }, true
}
