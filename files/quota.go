package files

import (
	"context"
	"io"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// gauge holds one upload to its workspace's quota.
type gauge struct {
	usage    *usage // nil where there is no quota
	space    *space
	quota    int64
	replaced int64 // bytes that the upload frees
	reserved int64
}

// reserve keeps room for an upload of size bytes, -1 if unknown, that replaces
// a file of old bytes. A full workspace is told before the body is sent.
func (s *Service) reserve(ctx context.Context, sp *space, old, size int64) (*gauge, error) {
	if sp.Quota == 0 {
		return &gauge{}, nil
	}
	u, err := s.total(ctx, sp)
	if err != nil {
		return nil, err
	}
	g := &gauge{usage: u, space: sp, quota: sp.Quota, replaced: old}
	if size < 0 {
		size = 1 // something will come, and a client that waits for a word shall not send it
	}
	if err := g.grow(size); err != nil {
		return nil, err
	}
	return g, nil
}

// grow reserves n more bytes.
func (g *gauge) grow(n int64) error {
	g.usage.mu.Lock()
	defer g.usage.mu.Unlock()
	if g.usage.used-g.replaced+g.usage.reserved+n > g.quota {
		return fault.Tell(fault.ErrQuota, "the workspace has reached its quota of %d bytes: nothing was saved, and what was there is as it was", g.quota)
	}
	g.reserved += n
	g.usage.reserved += n
	return nil
}

// done gives the reservation back.
func (g *gauge) done() {
	if g.usage != nil {
		g.usage.mu.Lock()
		defer g.usage.mu.Unlock()
		g.usage.reserved -= g.reserved
	}
}

// keep counts what the upload has become, in the store.
func (g *gauge) keep(tx store.Tx, n int64) error {
	if g.usage == nil {
		return nil
	}
	return g.space.count(tx, n-g.replaced)
}

// stored counts it in this process: before keep, so that a look at the store that
// comes in between does not count it twice.
func (g *gauge) stored(n int64) {
	if g.usage != nil {
		g.usage.add(n - g.replaced)
	}
}

// meter passes body on, and reserves what goes beyond the announced length.
func (g *gauge) meter(body io.Reader) io.Reader {
	if g.usage == nil {
		return body
	}
	return &metered{body: body, g: g, left: g.reserved}
}

type metered struct {
	body io.Reader
	g    *gauge
	left int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.body.Read(p)
	if m.left -= int64(n); m.left < 0 {
		if full := m.g.grow(-m.left); full != nil {
			return 0, full
		}
		m.left = 0
	}
	return n, err
}

// Quota tells the room in p's workspace. What is used is told only
// to one who sees all of it, since it would measure what is hidden.
func (t *Tree) Quota(ctx context.Context, p vpath.Path) (Quota, error) {
	q := Quota{Available: -1, Used: -1}
	if p.IsRoot() {
		return q, nil
	}
	l, err := t.place(p)
	if err != nil {
		return q, err
	}
	if sizer, ok := l.space.Backend.(backends.Sizer); ok {
		if q.Available, err = sizer.Free(ctx); err != nil {
			return q, err
		}
	}
	if l.space.Quota == 0 {
		return q, nil
	}
	u, err := t.s.total(ctx, l.space)
	if err != nil {
		return q, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	left := max(l.space.Quota-u.used-u.reserved, 0)
	if q.Available < 0 || left < q.Available {
		q.Available = left
	}
	if t.view.SeesAll(top(p)) {
		q.Used = u.used
	}
	return q, nil
}
