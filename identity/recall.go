package identity

import (
	"context"
	"errors"
	"time"
)

// RecallOptions are what a Recall needs; Size has a default.
type RecallOptions struct {
	// Ask finds somebody by the text that is asked for; its errors are those of
	// Directory.ByLogin.
	Ask   func(ctx context.Context, text string) (Identity, error)
	Clock func() time.Time
	Term  time.Duration // how long an answer is kept
	Size  int           // answers; 10,000 if zero
}

// Recall remembers for one term who was found by a text, and that nobody was. A
// Lookup forgets the latter at once, since somebody may wait to be let in; who
// asks for a mail address mostly asks for a customer's, and would cost the firm's
// directory a search each time.
type Recall struct {
	o    RecallOptions
	memo *memo[string]
}

// NewRecall makes an empty one.
func NewRecall(o RecallOptions) *Recall {
	if o.Size == 0 {
		o.Size = 10_000
	}
	return &Recall{o: o, memo: newMemo[string](o.Clock, o.Size, func(_ Identity, err error) time.Duration {
		if err == nil || errors.Is(err, ErrRefused) {
			return o.Term
		}
		return 0 // a directory that is away has said nothing
	})}
}

// Find gives what is known, or asks. Do not change the Groups: all share them.
func (r *Recall) Find(ctx context.Context, text string) (Identity, error) {
	return r.memo.do(ctx, text, func(ctx context.Context) (Identity, error) { return r.o.Ask(ctx, text) })
}

// Flush forgets everything. Change the people first, then flush.
func (r *Recall) Flush() { r.memo.flush() }
