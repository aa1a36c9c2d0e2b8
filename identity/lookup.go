package identity

import (
	"context"
	"errors"
	"time"
)

// LookupOptions are what a Lookup needs; Size has a default.
type LookupOptions struct {
	Next  Directory
	Clock func() time.Time
	Term  func(Identity) time.Duration // how long the answer about a person may be kept
	Size  int                          // entries; 10,000 if zero
}

// refusalTerm is how long a Lookup keeps that somebody is not there. It spares
// the directory a drive of somebody who has left and that asks all day, and is
// over before one who has just signed in anew looks at a second page.
const refusalTerm = time.Second

// Lookup is a Directory that remembers what Next said of people, for the term of
// their directory: somebody who lost a group there has lost it here then. While
// the directory is away, what has not expired is still answered (THREATS.md §4.5).
type Lookup struct {
	o    LookupOptions
	memo *memo[question]
}

// question is what is looked up.
type question struct {
	byID bool
	text string
}

var _ Directory = (*Lookup)(nil)

// NewLookup makes an empty one.
func NewLookup(o LookupOptions) *Lookup {
	if o.Size == 0 {
		o.Size = 10_000
	}
	return &Lookup{o: o, memo: newMemo[question](o.Clock, o.Size, func(who Identity, err error) time.Duration {
		switch {
		case err == nil:
			return o.Term(who)
		case errors.Is(err, ErrRefused):
			return refusalTerm
		}
		return 0
	})}
}

// Authenticate asks Next: a password is nothing to be looked up.
func (l *Lookup) Authenticate(ctx context.Context, login Login, password string) (Identity, error) {
	return l.o.Next.Authenticate(ctx, login, password)
}

// ByLogin is of Directory. Do not change the Groups: all share them.
func (l *Lookup) ByLogin(ctx context.Context, login Login) (Identity, error) {
	if !login.plain() {
		return Identity{}, ErrRefused
	}
	return l.memo.do(ctx, question{text: login.Key()}, func(ctx context.Context) (Identity, error) {
		return l.o.Next.ByLogin(ctx, login)
	})
}

// ByID is of Directory. Do not change the Groups: all share them.
func (l *Lookup) ByID(ctx context.Context, id string) (Identity, error) {
	if id == "" {
		return Identity{}, ErrRefused
	}
	return l.memo.do(ctx, question{byID: true, text: id}, func(ctx context.Context) (Identity, error) {
		return l.o.Next.ByID(ctx, id)
	})
}

// Flush forgets everything. Change the people first, then flush.
func (l *Lookup) Flush() { l.memo.flush() }

// Stats are the counts at this moment.
func (l *Lookup) Stats() CacheStats { return l.memo.counts() }
