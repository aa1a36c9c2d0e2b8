package mem

import (
	"bytes"
	"context"
	"io"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Put stores body as p.
func (b *Backend) Put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (info backends.Info, err error) {
	err = b.s.call(ctx, "Put", p, func() error {
		if err := b.judge(p, o.If); err != nil {
			return err
		}
		data, err := read(ctx, body)
		if err != nil {
			return err
		}
		info, err = b.publish(ctx, p, data, o)
		return err
	})
	return info, err
}

// read takes the body in, and stops when ctx ends.
func read(ctx context.Context, body io.Reader) ([]byte, error) {
	var data bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		data.Write(buf[:n])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch err {
		case nil:
		case io.EOF: // a wrapped io.EOF is a failure of the body, not its end
			return data.Bytes(), nil
		default:
			return nil, err
		}
	}
}

// publish asks Commit, outside the lock as it may block, and then makes the
// bytes visible.
func (b *Backend) publish(ctx context.Context, p vpath.Path, data []byte, o backends.PutOptions) (backends.Info, error) {
	if err := b.judge(p, o.If); err != nil {
		return backends.Info{}, err
	}
	if o.Commit != nil {
		if err := o.Commit(); err != nil {
			return backends.Info{}, err
		}
	}
	if err := b.s.before(ctx, "Publish", p); err != nil {
		return backends.Info{}, err
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	parent, err := b.judgeLocked(p, o.If)
	if err != nil {
		return backends.Info{}, err
	}
	n := b.s.newFile(data, o.Meta)
	if old := parent.kids[p.Name()]; old != nil {
		n.Created = old.Created
	}
	parent.kids[p.Name()] = n
	return n.named(p.Name()), nil
}

// judge tells whether a file can be put at p now.
func (b *Backend) judge(p vpath.Path, c backends.Condition) error {
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	_, err := b.judgeLocked(p, c)
	return err
}

func (b *Backend) judgeLocked(p vpath.Path, c backends.Condition) (parent *node, err error) {
	if p.IsRoot() {
		return nil, fault.ErrIsDir
	}
	if parent, err = b.parent(p); err != nil {
		return nil, err
	}
	old := parent.kids[p.Name()]
	switch {
	case old != nil && old.Dir:
		return nil, fault.ErrIsDir
	case c.NotExist && old != nil:
		return nil, fault.ErrPrecondition
	case c.ETag != "" && (old == nil || old.ETag != c.ETag):
		return nil, fault.ErrPrecondition
	}
	return parent, nil
}
