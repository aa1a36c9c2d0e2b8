package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/store"
)

// memory is a state with the roles that the audit uses. Other than a real one it
// can be tampered with.
type memory struct {
	store.State // nil: what is not here is not used

	mu      sync.Mutex
	name    string
	down    error // the answer to each Update
	alive   []string
	shared  bool
	rows    map[string][]store.AuditRow
	heads   map[string]store.AuditStream
	cuts    map[string]store.AuditCut
	sinks   map[[2]string]int64
	intents []store.Intent
	claims  map[string]*memoryClaim
	keys    []store.AuditKey
	asked   int // for keys
}

func newMemory(name string) *memory {
	return &memory{
		name: name, rows: map[string][]store.AuditRow{}, heads: map[string]store.AuditStream{},
		cuts: map[string]store.AuditCut{}, sinks: map[[2]string]int64{}, claims: map[string]*memoryClaim{},
	}
}

func (m *memory) Replica() string { return m.name }
func (m *memory) Shared() bool    { return m.shared }

func (m *memory) Alive(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{m.name}, m.alive...), nil
}

type memoryClaim struct {
	m    *memory
	name string
	lost chan struct{}
}

func (c *memoryClaim) Held() bool {
	select {
	case <-c.lost:
		return false
	default:
		return true
	}
}

func (c *memoryClaim) Lost() <-chan struct{} { return c.lost }

func (c *memoryClaim) Release() {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	delete(c.m.claims, c.name)
}

func (m *memory) ClaimName(_ context.Context, kind, name string) (store.Claim, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = kind + "/" + name
	if m.claims[name] != nil {
		return nil, false, nil
	}
	m.claims[name] = &memoryClaim{m, name, make(chan struct{})}
	return m.claims[name], true, nil
}

func (m *memory) set(down error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

// Update undoes what f did where it fails.
func (m *memory) Update(ctx context.Context, f func(store.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(ctx.Err(), m.down); err != nil {
		return err
	}
	rows, heads, cuts, sinks, intents := maps.Clone(m.rows), maps.Clone(m.heads), maps.Clone(m.cuts), maps.Clone(m.sinks), slices.Clone(m.intents)
	keys := slices.Clone(m.keys)
	err := f(memoryTx{m: m})
	if err != nil {
		m.rows, m.heads, m.cuts, m.sinks, m.intents = rows, heads, cuts, sinks, intents
		m.keys = keys
	}
	return err
}

func (m *memory) locked() memoryTx {
	m.mu.Lock()
	return memoryTx{m: m}
}

func (m *memory) Intents(ctx context.Context) ([]store.Intent, error) {
	defer m.mu.Unlock()
	return m.locked().Intents(ctx)
}

func (m *memory) AuditStreams(ctx context.Context) ([]store.AuditStream, error) {
	defer m.mu.Unlock()
	return m.locked().AuditStreams(ctx)
}

func (m *memory) AuditHead(ctx context.Context, stream string) (store.AuditStream, error) {
	defer m.mu.Unlock()
	return m.locked().AuditHead(ctx, stream)
}

func (m *memory) AuditRows(ctx context.Context, stream string, after int64, limit int) ([]store.AuditRow, error) {
	defer m.mu.Unlock()
	return m.locked().AuditRows(ctx, stream, after, limit)
}

func (m *memory) AuditCuts(ctx context.Context) ([]store.AuditCut, error) {
	defer m.mu.Unlock()
	return m.locked().AuditCuts(ctx)
}

func (m *memory) SinkAt(ctx context.Context, sink, stream string) (int64, error) {
	defer m.mu.Unlock()
	return m.locked().SinkAt(ctx, sink, stream)
}

func (m *memory) AuditKey(ctx context.Context, kind, name string) (store.AuditKey, bool, error) {
	defer m.mu.Unlock()
	return m.locked().AuditKey(ctx, kind, name)
}

func (m *memory) AuditKeyFor(ctx context.Context, kind, lookup string) (store.AuditKey, bool, error) {
	defer m.mu.Unlock()
	return m.locked().AuditKeyFor(ctx, kind, lookup)
}

// memoryTx is used under the lock.
type memoryTx struct {
	store.Tx
	m *memory
}

func (x memoryTx) Intents(context.Context) ([]store.Intent, error) {
	return slices.Clone(x.m.intents), nil
}

func (x memoryTx) AuditStreams(context.Context) ([]store.AuditStream, error) {
	var all []store.AuditStream
	for _, name := range slices.Sorted(maps.Keys(x.m.heads)) {
		all = append(all, x.m.heads[name])
	}
	return all, nil
}

func (x memoryTx) AuditHead(_ context.Context, stream string) (store.AuditStream, error) {
	if h, ok := x.m.heads[stream]; ok {
		return h, nil
	}
	return store.AuditStream{Name: stream, First: 1}, nil
}

func (x memoryTx) AuditRows(_ context.Context, stream string, after int64, limit int) ([]store.AuditRow, error) {
	var some []store.AuditRow
	for _, r := range x.m.rows[stream] {
		if r.Seq > after && len(some) < limit {
			some = append(some, r)
		}
	}
	return some, nil
}

func (x memoryTx) AuditCuts(context.Context) ([]store.AuditCut, error) {
	return slices.Collect(maps.Values(x.m.cuts)), nil
}

func (x memoryTx) SinkAt(_ context.Context, sink, stream string) (int64, error) {
	return x.m.sinks[[2]string{sink, stream}], nil
}

func (x memoryTx) AppendAudit(r store.AuditRow) error {
	h, _ := x.AuditHead(context.Background(), r.Stream)
	if r.Seq != h.Last+1 {
		return fault.ErrConflict
	}
	h.Last, h.Head = r.Seq, r.Hash
	x.m.heads[r.Stream] = h
	x.m.rows[r.Stream] = append(x.m.rows[r.Stream], r)
	return nil
}

func (x memoryTx) CutAudit(c store.AuditCut) error {
	x.m.rows[c.Stream] = slices.DeleteFunc(slices.Clone(x.m.rows[c.Stream]), func(r store.AuditRow) bool { return r.Seq <= c.Seq })
	h := x.m.heads[c.Stream]
	h.First = c.Seq + 1
	x.m.heads[c.Stream], x.m.cuts[c.Stream] = h, c
	return nil
}

func (x memoryTx) PutSinkAt(sink, stream string, seq int64) error {
	x.m.sinks[[2]string{sink, stream}] = seq
	return nil
}

func (x memoryTx) PutIntent(i store.Intent) error {
	x.m.intents = append(x.m.intents, i)
	return nil
}

func (x memoryTx) DropIntent(id string) error {
	x.m.intents = slices.DeleteFunc(slices.Clone(x.m.intents), func(i store.Intent) bool { return i.ID == id })
	return nil
}

func (x memoryTx) AuditKey(_ context.Context, kind, name string) (store.AuditKey, bool, error) {
	return x.key(func(k store.AuditKey) bool { return k.Kind == kind && k.Name == name })
}

func (x memoryTx) AuditKeyFor(_ context.Context, kind, lookup string) (store.AuditKey, bool, error) {
	x.m.asked++
	return x.key(func(k store.AuditKey) bool { return k.Kind == kind && k.Lookup == lookup })
}

func (x memoryTx) key(is func(store.AuditKey) bool) (store.AuditKey, bool, error) {
	if i := slices.IndexFunc(x.m.keys, is); i >= 0 {
		return x.m.keys[i], true, nil
	}
	return store.AuditKey{}, false, nil
}

func (x memoryTx) PutAuditKey(k store.AuditKey) error {
	if _, found, _ := x.key(func(o store.AuditKey) bool {
		return o.Kind == k.Kind && (o.Name == k.Name || o.Lookup == k.Lookup)
	}); found {
		return fault.ErrConflict
	}
	x.m.keys = append(x.m.keys, k)
	return nil
}

func (x memoryTx) DropAuditKey(kind, name string) error {
	x.m.keys = slices.DeleteFunc(slices.Clone(x.m.keys), func(k store.AuditKey) bool { return k.Kind == kind && k.Name == name })
	return nil
}

func (x memoryTx) DropAuditKeysBefore(kind, name string) (int64, error) {
	n := len(x.m.keys)
	x.m.keys = slices.DeleteFunc(slices.Clone(x.m.keys), func(k store.AuditKey) bool { return k.Kind == kind && k.Name < name })
	return int64(n - len(x.m.keys)), nil
}

// clock is a moment that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// counter is a random source that gives other bytes each time.
type counter struct {
	mu sync.Mutex
	n  byte
}

func (c *counter) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	for i := range p {
		p[i] = c.n
	}
	return len(p), nil
}

var testSecret = bytes.Repeat([]byte("k"), 32)

func testKeys(tb testing.TB) *Keys {
	tb.Helper()
	k, err := NewKeys(testSecret)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// newLog makes a Log on m; what o lacks has a standard.
func newLog(tb testing.TB, m store.State, c *clock, o Options) *Log {
	tb.Helper()
	o.Store, o.Key, o.Clock = m, testSecret, c.now
	if o.Rand == nil {
		o.Rand = io.Reader(&counter{})
	}
	l, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// write appends n events, a second apart.
func write(tb testing.TB, l *Log, c *clock, n int) {
	tb.Helper()
	for range n {
		c.add(time.Second)
		e := Event{Actor: Actor{Type: Staff, ID: "id-ann", Login: "ann"}, Action: Put, Path: "/firm/a.txt", Allowed: true}
		if err := l.o.Store.Update(tb.Context(), func(tx store.Tx) error { return l.Append(tx, e) }); err != nil {
			tb.Fatal(err)
		}
	}
}
