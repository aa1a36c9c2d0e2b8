package identity

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"portico/fault"
)

// memo keeps answers of a directory for their term, and lets those who ask the
// same at once wait for one answer. Cache and Lookup are made of it.
type memo[K comparable] struct {
	clock func() time.Time
	term  func(Identity, error) time.Duration // how long an answer may be kept; 0 for not at all
	size  int

	mu      sync.Mutex
	answers *recent[K, answer]
	flights map[K]*flight[K]
	stats   CacheStats
}

// answer is what the directory said.
type answer struct {
	who     Identity
	err     error
	expires time.Time
}

// flight is one question under way, for all who wait for it. who and err are set
// before done is closed.
type flight[K comparable] struct {
	key     K
	cancel  context.CancelFunc
	waiting int
	done    chan struct{}
	who     Identity
	err     error
}

// ask is what a flight calls.
type ask func(context.Context) (Identity, error)

func newMemo[K comparable](clock func() time.Time, size int, term func(Identity, error) time.Duration) *memo[K] {
	m := &memo[K]{clock: clock, size: size, term: term}
	m.flush()
	return m
}

// do gives what is known, or asks.
func (m *memo[K]) do(ctx context.Context, key K, next ask) (Identity, error) {
	a, f := m.look(ctx, key, next)
	if f == nil {
		return a.who, a.err
	}
	select {
	case <-f.done:
		return f.who, f.err
	case <-ctx.Done():
		m.leave(f)
		return Identity{}, fmt.Errorf("identity: %w", ctx.Err())
	}
}

// flush forgets everything. What is being asked at this moment is told to those
// who asked, and not kept; nobody who comes later shares it.
func (m *memo[K]) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers = newRecent[K, answer](m.size)
	m.flights = make(map[K]*flight[K])
}

func (m *memo[K]) counts() CacheStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Size = m.answers.len()
	return s
}

// peek answers from memory alone.
func (m *memo[K]) peek(key K) (Identity, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.answer(key)
	if !ok || a.err != nil {
		return Identity{}, false
	}
	m.stats.Hits++
	return a.who, true
}

// look gives the answer, or the flight to wait for.
func (m *memo[K]) look(ctx context.Context, key K, next ask) (answer, *flight[K]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.answer(key); ok {
		m.stats.Hits++
		return a, nil
	}
	m.stats.Misses++
	f := m.flights[key]
	if f == nil {
		f = &flight[K]{key: key, done: make(chan struct{})}
		ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // fly calls it, in any case
		m.flights[key] = f
		go m.fly(ctx, f, next)
	}
	f.waiting++
	return answer{}, f
}

// answer finds what has not expired. The term runs from the question, not from
// the last use, so that what was changed elsewhere ends for sure.
func (m *memo[K]) answer(key K) (answer, bool) {
	a, ok := m.answers.get(key)
	if ok && !m.clock().Before(a.expires) {
		m.answers.drop(key)
		return answer{}, false
	}
	return a, ok
}

// fly asks. It has a goroutine of its own, because the one who asked first may
// leave before the others do.
func (m *memo[K]) fly(ctx context.Context, f *flight[K], next ask) {
	defer f.cancel()
	asked := m.clock()
	who, err := soundly(ctx, next)
	m.mu.Lock()
	defer m.mu.Unlock()
	f.who, f.err = who, err
	// A flight that is not in the map any more was flushed, or left by all.
	if m.flights[f.key] == f {
		delete(m.flights, f.key)
		if term := m.term(who, err); term > 0 {
			m.answers.put(f.key, answer{who: who, err: err, expires: asked.Add(term)})
		}
	}
	close(f.done)
}

// soundly turns what must not happen into an error: a panic here has no server
// above that would catch it, and nobody is nobody.
func soundly(ctx context.Context, next ask) (who Identity, err error) {
	defer func() {
		if v := recover(); v != nil {
			who, err = Identity{}, fmt.Errorf("identity: the directory's code panicked: %v: %w", v, fault.ErrUnavailable)
		}
	}()
	who, err = next(ctx)
	if err == nil && who.ID == "" {
		err = errors.Join(errors.New("identity: the directory gave a person without an ID"), fault.ErrUnavailable)
	}
	return who, err
}

// leave ends a flight that nobody waits for.
func (m *memo[K]) leave(f *flight[K]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.waiting--
	if f.waiting > 0 {
		return
	}
	f.cancel()
	if m.flights[f.key] == f {
		delete(m.flights, f.key)
	}
}

// recent is a map that lets go of what was used longest ago. It has no lock.
type recent[K comparable, V any] struct {
	size  int
	at    map[K]*list.Element // of *item[K, V]
	order *list.List          // the one used last in front
}

type item[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{size: size, at: make(map[K]*list.Element), order: list.New()}
}

func (r *recent[K, V]) len() int { return len(r.at) }

func (r *recent[K, V]) get(key K) (v V, ok bool) {
	e, ok := r.at[key]
	if !ok {
		return v, false
	}
	r.order.MoveToFront(e)
	i, _ := e.Value.(*item[K, V]) // nothing else is in the list
	return i.value, true
}

func (r *recent[K, V]) put(key K, v V) {
	r.drop(key)
	r.at[key] = r.order.PushFront(&item[K, V]{key, v})
	for len(r.at) > r.size {
		i, _ := r.order.Back().Value.(*item[K, V])
		r.drop(i.key)
	}
}

func (r *recent[K, V]) drop(key K) {
	if e, ok := r.at[key]; ok {
		r.order.Remove(e)
		delete(r.at, key)
	}
}
