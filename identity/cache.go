package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"
)

// CacheOptions are what a Cache needs; all but Clock and Rand may be left out.
type CacheOptions struct {
	Next  Provider // whom Authenticate asks; Prove brings its own
	Clock func() time.Time
	Rand  io.Reader
	Size  int // entries; 10,000 if zero

	// Term is how long the proof of a person may be kept: the directory that they
	// are in says it. Nil for TTL, which is 5 minutes if zero.
	Term func(Identity) time.Duration
	TTL  time.Duration
}

// Cache remembers who proved what, so that a drive, which sends its password
// with each request, costs microseconds and not a hash or a bind.
//
// It holds no password: the key of an entry is an HMAC of the login, the
// password and the place together, under a key that lives and dies with the
// process. So an entry answers to exactly what was proved, and looking it up in
// a map tells nothing by its time: nobody outside can choose an HMAC.
//
// The place is where the proof came from (package gate gives the address). It
// is in the key so that nobody elsewhere can try passwords against the memory,
// where no throttle would count them.
//
// Only what was said yes to is kept. A wrong password is always asked about.
type Cache struct {
	o    CacheOptions
	macs sync.Pool
	memo *memo[pair]

	mu     sync.Mutex
	proofs *recent[pair, time.Time] // see Vouch
}

// CacheStats are for the metrics.
type CacheStats struct {
	Hits, Misses uint64
	Size         int // entries now
}

// pair stands for one login with one password, at one place.
type pair [sha256.Size]byte

var _ Provider = (*Cache)(nil)

// NewCache makes an empty cache. It fails where Rand does.
func NewCache(o CacheOptions) (*Cache, error) {
	if o.TTL == 0 {
		o.TTL = 5 * time.Minute
	}
	if o.Size == 0 {
		o.Size = 10_000
	}
	if o.Term == nil {
		o.Term = func(Identity) time.Duration { return o.TTL }
	}
	secret := make([]byte, sha256.Size)
	if _, err := io.ReadFull(o.Rand, secret); err != nil {
		return nil, fmt.Errorf("identity: cache: %w", err)
	}
	c := &Cache{o: o, proofs: newRecent[pair, time.Time](o.Size)}
	c.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	c.memo = newMemo[pair](o.Clock, o.Size, func(who Identity, err error) time.Duration {
		if err != nil {
			return 0
		}
		return o.Term(who)
	})
	return c, nil
}

// Authenticate is of Provider. Those who present the same at once wait for one
// answer. Do not change the Groups of the Identity: all share them.
func (c *Cache) Authenticate(ctx context.Context, login Login, password string) (Identity, error) {
	if who, ok := c.Known("", login, password); ok {
		return who, nil
	}
	return c.Prove(ctx, "", login, password, func(ctx context.Context) (Identity, error) {
		return c.o.Next.Authenticate(ctx, login, password)
	})
}

// Known answers from memory alone, in no time.
func (c *Cache) Known(place string, login Login, password string) (Identity, bool) {
	if !Presentable(login, password) {
		return Identity{}, false
	}
	return c.memo.peek(c.key(place, login, password))
}

// Prove gives what is known, or calls prove and keeps its yes. Those who present
// the same at the same place at once wait for one answer, so that the ten
// connections of a drive that starts are one attempt.
func (c *Cache) Prove(ctx context.Context, place string, login Login, password string, prove func(context.Context) (Identity, error)) (Identity, error) {
	if !Presentable(login, password) {
		return Identity{}, ErrRefused
	}
	return c.memo.do(ctx, c.key(place, login, password), prove)
}

// Vouch notes that this pair was proved here at that moment. The note outlives
// the entry and Flush: it lets nobody in. It tells a throttle that these are no
// guesses, so that who guesses at the same address does not keep a drive from
// having its password looked at again.
func (c *Cache) Vouch(place string, login Login, password string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proofs.put(c.key(place, login, password), at)
}

// Vouched tells when the pair was vouched for last.
func (c *Cache) Vouched(place string, login Login, password string) (at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proofs.get(c.key(place, login, password))
}

// Disown takes a note back: the password was right once and is no more.
func (c *Cache) Disown(place string, login Login, password string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proofs.drop(c.key(place, login, password))
}

// Flush forgets all entries. What is being proved at this moment is told to
// those who asked, and not kept; nobody who comes later shares it. Change the
// users first, then flush.
func (c *Cache) Flush() { c.memo.flush() }

// Stats are the counts at this moment.
func (c *Cache) Stats() CacheStats { return c.memo.counts() }

// key needs no lengths: a place has no NUL, and Presentable lets none into a
// login or a password.
func (c *Cache) key(place string, login Login, password string) pair {
	m, _ := c.macs.Get().(*mac) // nothing else is put in
	defer c.macs.Put(m)
	b := append(append(m.in[:0], place...), 0)
	b = append(append(b, login...), 0)
	b = append(b, password...)
	m.Reset()
	_, _ = m.Write(b) // a hash.Hash never fails
	clear(b)
	m.Sum(m.out[:0])
	return m.out
}

// mac keeps the room for one HMAC, so that a warm request allocates none.
type mac struct {
	hash.Hash
	in  [maxPlace + 1 + MaxLogin + 1 + MaxPassword]byte
	out pair
}

// maxPlace is the longest place that costs no allocation: an IPv6 network.
const maxPlace = 43
