package files

import (
	"context"
	"errors"
	"io"

	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// PatchOptions go with one Patch.
type PatchOptions struct {
	Off     int64 // where the body goes; negative: that many bytes before the end
	Append  bool  // behind the end, whatever Off says
	Size    int64 // of the body
	MaxSize int64 // of the whole: fault.ErrTooLarge beyond; 0 for no limit
	Guard   Guard
}

// place is where the body goes in a file of size bytes. It may begin at the end, and
// reach beyond.
func (o PatchOptions) place(size int64) (off int64, err error) {
	switch off = o.Off; {
	case o.Append:
		off = size
	case off < 0:
		off += size
	}
	switch {
	case off < 0 || off > size:
		return 0, fault.Tell(fault.ErrRange, "the file has %d bytes: the part begins outside of it", size)
	case o.MaxSize > 0 && off+o.Size > o.MaxSize || off+o.Size < off:
		return 0, fault.Tell(fault.ErrTooLarge, "the file is larger than the %d bytes that can be sent here", o.MaxSize)
	}
	return off, nil
}

// Patch replaces a part of a file that exists, or makes it longer. No store writes
// into an object: the new version is composed of the old one and the body, out of
// sight, and published as a whole. It costs what a Put of the whole costs, but for
// the client's line. Who comes second, of two who write into one version, gets
// fault.ErrPrecondition: nobody's part is lost without a word.
func (t *Tree) Patch(ctx context.Context, p vpath.Path, body io.Reader, o PatchOptions) (Node, error) {
	t.s.uploads.Add(1)
	defer t.s.uploads.Add(-1)
	n, err := t.patch(ctx, p, body, o)
	return n, t.refused(ctx, audit.Event{Action: audit.Put, Path: p.String()}, err)
}

func (t *Tree) patch(ctx context.Context, p vpath.Path, body io.Reader, o PatchOptions) (Node, error) {
	if err := t.mayChange(); err != nil {
		return Node{}, err
	}
	gone := t.s.gone.Load()
	u, err := t.mayCompose(ctx, p, o)
	defer func() { u.done() }()
	if err != nil {
		return Node{}, err
	}
	off, err := o.place(u.info.Size)
	if err != nil {
		return Node{}, err
	}
	u.o.Size = max(u.info.Size, off+o.Size)
	g, err := t.s.reserve(ctx, u.space, u.info.Size, u.o.Size)
	if err != nil {
		return Node{}, err
	}
	defer g.done()
	whole := &composed{ctx: ctx, of: u.place, info: u.info, body: body, off: off, size: o.Size}
	defer whole.close()
	info, err := t.upload(ctx, u, g, gone, func(ctx context.Context, po backends.PutOptions) (backends.Info, error) {
		po.If = backends.Condition{ETag: u.info.ETag}
		return u.space.Backend.Put(ctx, u.inner, whole, po)
	})
	if err != nil {
		return Node{}, t.putFailed(u, err)
	}
	return t.node(u.path, info), nil
}

// mayCompose judges all but the body. What is not there, or not seen, cannot be
// changed in part.
func (t *Tree) mayCompose(ctx context.Context, p vpath.Path, o PatchOptions) (upload, error) {
	none := upload{done: func() {}}
	l, err := t.place(p)
	if err != nil {
		return none, err
	}
	info, found, err := t.exists(ctx, l)
	switch {
	case err != nil:
		return none, err
	case !found || !t.sees(p, info):
		return none, notFound(p)
	case info.Dir:
		return none, fault.Tell(fault.ErrIsDir, "%s is a folder: a file cannot take its name", p)
	}
	u, err := t.mayPut(ctx, p, PutOptions{Size: -1, Guard: o.Guard})
	if err == nil && !u.found {
		err = notFound(p) // it has just gone
	}
	return u, err
}

// composed is the new version: what lies before the part, the part, what lies behind.
type composed struct {
	ctx  context.Context //nolint:containedctx // of the reading as a whole
	of   place
	info backends.Info // of the old version
	body io.Reader
	off  int64
	size int64 // of body

	step int
	came int64 // of body
	old  io.ReadCloser
}

// Read goes from one part to the next.
func (c *composed) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		from, err := c.part()
		if err != nil {
			return 0, err
		}
		n, err = from.Read(p)
		if from == c.body {
			c.came += int64(n)
		}
		if err != io.EOF { //nolint:errorlint // a wrapped io.EOF is a failure of the body, not its end
			return n, err
		}
		if err := c.next(from); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
	return n, err
}

// next ends a part.
func (c *composed) next(from io.Reader) error {
	if from == c.body && c.came != c.size {
		return fault.ErrTruncated
	}
	c.close()
	c.step++
	return nil
}

// part is the reader of the part at hand, io.EOF behind the last.
func (c *composed) part() (io.Reader, error) {
	switch end := c.off + c.size; {
	case c.step == 0 && c.off > 0:
		return c.kept(backends.Range{Off: 0, Len: c.off})
	case c.step <= 1:
		c.step = 1
		return c.body, nil
	case c.step == 2 && end < c.info.Size:
		return c.kept(backends.Range{Off: end, Len: c.info.Size - end})
	}
	return nil, io.EOF
}

// kept reads a range of the old version, and of no other.
func (c *composed) kept(r backends.Range) (io.Reader, error) {
	if c.old != nil {
		return c.old, nil
	}
	old, info, err := c.of.space.Backend.Open(c.ctx, c.of.inner, r)
	if errors.Is(err, fault.ErrRange) || err == nil && info.ETag != c.info.ETag {
		if err == nil {
			_ = old.Close() // only read
		}
		return nil, fault.ErrPrecondition
	}
	c.old = old
	return old, err
}

func (c *composed) close() {
	if c.old != nil {
		_ = c.old.Close() // only read
		c.old = nil
	}
}

// Patch replaces a part of a file: see Tree.Patch.
func (w *Window) Patch(ctx context.Context, p vpath.Path, body io.Reader, o PatchOptions) (Node, error) {
	full, m, err := w.target(p)
	if err != nil {
		return Node{}, w.missed(ctx, audit.Put, p, err)
	}
	o.Guard = w.guard(o.Guard)
	n, err := w.t.Patch(ctx, full, body, o)
	if err != nil {
		return Node{}, w.say(err, p, m)
	}
	return w.node(m, n), nil
}
