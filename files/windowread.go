package files

import (
	"context"
	"errors"
	"io"

	"portico/audit"
	"portico/fault"
	"portico/vpath"
)

// The methods of a Window are those of Tree, over its own paths.

// isList tells the window itself, the list of its mounts.
func isList(p vpath.Path) bool { return p.IsRoot() }

// missed records an operation on a path that is in no mount.
func (w *Window) missed(ctx context.Context, action audit.Action, p vpath.Path, err error) error {
	return w.t.record(ctx, audit.Event{Action: action, Path: p.String()}, err)
}

// Stat describes what lies at p.
func (w *Window) Stat(ctx context.Context, p vpath.Path) (Node, error) {
	if isList(p) {
		return Node{Dir: true}, w.missed(ctx, audit.Stat, p, nil)
	}
	full, m, err := w.inside(p)
	if err != nil {
		return Node{}, w.missed(ctx, audit.Stat, p, err)
	}
	n, err := w.t.Stat(ctx, full)
	if err != nil {
		return Node{}, w.say(err, p, m)
	}
	return w.node(m, n), nil
}

// Place is where a file that the state knows stands in the window, if the principal
// may see it there. It asks neither a store nor the state: of a thousand files each
// question would be a call. creator is whose the file is.
func (w *Window) Place(full vpath.Path, creator string) (at vpath.Path, ok bool) {
	for _, m := range w.mounts {
		below, under := m.full.Under(full)
		if !under || !w.t.view.SeesFile(full, creator) {
			continue
		}
		if at, err := m.at.Join(below); err == nil {
			return at, true
		}
	}
	return vpath.Path{}, false
}

// Find describes what lies at p and, with members, what lies directly below it.
func (w *Window) Find(ctx context.Context, p vpath.Path, members bool, want Want) (self Node, below []Node, err error) {
	if isList(p) {
		below, err = w.list(ctx, members, want)
		return Node{Dir: true}, below, w.missed(ctx, audit.List, p, err)
	}
	full, m, err := w.inside(p)
	if err != nil {
		return self, nil, w.missed(ctx, audit.List, p, err)
	}
	self, below, err = w.t.Find(ctx, full, members, want)
	if err != nil {
		return Node{}, nil, w.say(err, p, m)
	}
	for i := range below {
		below[i] = w.node(m, below[i])
	}
	return w.node(m, self), below, nil
}

// list shows the mounts themselves.
func (w *Window) list(ctx context.Context, members bool, want Want) ([]Node, error) {
	if !members {
		return nil, nil
	}
	below := make([]Node, 0, len(w.mounts))
	for _, m := range w.mounts {
		n := w.t.node(m.full, m.info)
		if m.known && want.Locks {
			if err := w.t.fillIn(ctx, &n, nil, Want{Locks: true}); err != nil {
				return nil, w.say(err, m.at, m)
			}
		}
		n.Later = m.known && want.Props
		if want.Rights {
			w.t.fillRights(ctx, &n, nil)
		}
		below = append(below, w.node(m, n))
	}
	if !want.Props || len(below) == 0 {
		return below, nil
	}
	_, err := w.Fill(ctx, below)
	return below, err
}

// Check judges a request's conditions for a read of p.
func (w *Window) Check(ctx context.Context, p vpath.Path, g Guard) error {
	full, m, err := w.inside(p)
	if err != nil {
		full = vpath.Path{} // neither a lock nor a file is there
	}
	return saying{w: w, asked: p, mounts: mountsOf(m)}.of(w.t.Check(ctx, full, w.guard(g)))
}

func mountsOf(list ...*mount) (some []*mount) {
	for _, m := range list {
		if m != nil {
			some = append(some, m)
		}
	}
	return some
}

// Open reads a file, or r of it; the caller closes the reader. With
// fault.ErrRange comes the Node, for its size.
func (w *Window) Open(ctx context.Context, p vpath.Path, r Range) (io.ReadCloser, Node, error) {
	if isList(p) {
		return nil, Node{}, w.missed(ctx, audit.Read, p, fault.ErrIsDir)
	}
	full, m, err := w.inside(p)
	if err != nil {
		return nil, Node{}, w.missed(ctx, audit.Read, p, err)
	}
	body, n, err := w.t.Open(ctx, full, r)
	if err != nil && !errors.Is(err, fault.ErrRange) {
		return nil, Node{}, w.say(err, p, m)
	}
	return body, w.node(m, n), w.say(err, p, m)
}

// Quota tells the room in p's workspace, never what others have in it.
func (w *Window) Quota(ctx context.Context, p vpath.Path) (Quota, error) {
	none := Quota{Available: -1, Used: -1}
	if isList(p) {
		return none, nil
	}
	full, m, err := w.inside(p)
	if err != nil {
		return none, err
	}
	q, err := w.t.Quota(ctx, full)
	q.Used = -1
	return q, w.say(err, p, m)
}

// Rights are the words of what the principal holds at p. Of a mount itself they
// never hold delete: only who gave it ends it.
func (w *Window) Rights(p vpath.Path) (words []string) {
	full, m, err := w.inside(p)
	if err != nil {
		return nil
	}
	for _, word := range w.t.Rights(full) {
		if p != m.at || word != "delete" && word != "delete:own" {
			words = append(words, word)
		}
	}
	return words
}
