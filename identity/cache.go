package identity

import (
	"container/list"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"portico/fault"
)

// CacheOptions are what a Cache needs; TTL and Size have defaults.
type CacheOptions struct {
	Next  Provider
	Clock func() time.Time
	Rand  io.Reader
	TTL   time.Duration // 5 minutes if zero
	Size  int           // entries; 10,000 if zero
}

// Cache remembers who proved what, so that a drive, which sends its password
// with each request, costs microseconds and not a hash or a bind.
//
// It holds no password: the key of an entry is an HMAC of the login and the
// password together, under a key that lives and dies with the process. So an
// entry answers to exactly the pair that was proved, and looking it up in a map
// tells nothing by its time: nobody outside can choose an HMAC.
//
// Only what Next said yes to is kept. A wrong password always goes to Next.
type Cache struct {
	o    CacheOptions
	macs sync.Pool

	mu      sync.Mutex
	entries map[pair]*list.Element // of *entry
	recent  *list.List             // the one used last in front
	flights map[pair]*flight
	stats   CacheStats
}

// CacheStats are for the metrics.
type CacheStats struct {
	Hits, Misses uint64
	Size         int // entries now
}

// pair stands for one login with one password.
type pair [sha256.Size]byte

type entry struct {
	key     pair
	who     Identity
	expires time.Time
}

var _ Provider = (*Cache)(nil)

// NewCache makes an empty cache. It fails where Rand does.
func NewCache(o CacheOptions) (*Cache, error) {
	if o.TTL == 0 {
		o.TTL = 5 * time.Minute
	}
	if o.Size == 0 {
		o.Size = 10_000
	}
	secret := make([]byte, sha256.Size)
	if _, err := io.ReadFull(o.Rand, secret); err != nil {
		return nil, fmt.Errorf("identity: cache: %w", err)
	}
	c := &Cache{o: o}
	c.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	c.Flush()
	return c, nil
}

// Authenticate is of Provider. Those who present the same at once wait for one
// answer. Do not change the Groups of the Identity: all share them.
func (c *Cache) Authenticate(ctx context.Context, login Login, password string) (Identity, error) {
	if !Presentable(login, password) {
		return Identity{}, ErrRefused
	}
	key := c.key(login, password)
	who, f := c.look(ctx, key, login, password)
	if f == nil {
		return who, nil
	}
	select {
	case <-f.done:
		return f.who, f.err
	case <-ctx.Done():
		c.leave(f)
		return Identity{}, fmt.Errorf("identity: %w", ctx.Err())
	}
}

// Flush forgets everything. What is being proved at this moment is told to
// those who asked, and not kept; nobody who comes later shares it. Change the
// users first, then flush.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = make(map[pair]*list.Element)
	c.recent = list.New()
	c.flights = make(map[pair]*flight)
}

// Stats are the counts at this moment.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Size = len(c.entries)
	return s
}

// key needs no length in front: Presentable lets no NUL into a login, so that
// the first one ends it.
func (c *Cache) key(login Login, password string) pair {
	m, _ := c.macs.Get().(*mac) // nothing else is put in
	defer c.macs.Put(m)
	b := append(m.in[:0], login...)
	b = append(b, 0)
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
	in  [MaxLogin + 1 + MaxPassword]byte
	out pair
}

// look gives the entry, or the flight to wait for.
func (c *Cache) look(ctx context.Context, key pair, login Login, password string) (Identity, *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entry(key); ok {
		c.stats.Hits++
		return e.who, nil
	}
	c.stats.Misses++
	f := c.flights[key]
	if f == nil {
		f = &flight{key: key, done: make(chan struct{})}
		ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		c.flights[key] = f
		go c.fly(ctx, f, login, password)
	}
	f.waiting++
	return Identity{}, f
}

// entry finds what has not expired. The term runs from the proof, not from the
// last use, so that a password which was changed elsewhere ends for sure.
func (c *Cache) entry(key pair) (*entry, bool) {
	at, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	e, _ := at.Value.(*entry) // nothing else is in the list
	if !c.o.Clock().Before(e.expires) {
		c.recent.Remove(at)
		delete(c.entries, key)
		return nil, false
	}
	c.recent.MoveToFront(at)
	return e, true
}

// keep adds an entry, and lets go of the one that was used longest ago.
func (c *Cache) keep(e *entry) {
	c.entries[e.key] = c.recent.PushFront(e)
	for len(c.entries) > c.o.Size {
		last := c.recent.Back()
		old, _ := c.recent.Remove(last).(*entry)
		delete(c.entries, old.key)
	}
}

// flight is one proof under way, for all who wait for it. who and err are set
// before done is closed.
type flight struct {
	key     pair
	cancel  context.CancelFunc
	waiting int
	done    chan struct{}
	who     Identity
	err     error
}

// fly asks Next. It has a goroutine of its own, because the one who asked first
// may leave before the others do.
func (c *Cache) fly(ctx context.Context, f *flight, login Login, password string) {
	defer f.cancel()
	asked := c.o.Clock()
	who, err := c.ask(ctx, login, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	f.who, f.err = who, err
	// A flight that is not in the map any more was flushed, or left by all.
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
		if err == nil {
			c.keep(&entry{key: f.key, who: who, expires: asked.Add(c.o.TTL)})
		}
	}
	close(f.done)
}

// ask turns what must not happen into an error: a panic here has no server
// above that would catch it, and nobody is nobody.
func (c *Cache) ask(ctx context.Context, login Login, password string) (who Identity, err error) {
	defer func() {
		if v := recover(); v != nil {
			who, err = Identity{}, fmt.Errorf("identity: the directory's code panicked: %v: %w", v, fault.ErrUnavailable)
		}
	}()
	who, err = c.o.Next.Authenticate(ctx, login, password)
	if err == nil && who.ID == "" {
		err = errors.Join(errors.New("identity: the directory gave a person without an ID"), fault.ErrUnavailable)
	}
	return who, err
}

// leave ends a flight that nobody waits for.
func (c *Cache) leave(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting > 0 {
		return
	}
	f.cancel()
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
	}
}
