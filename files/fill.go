package files

import (
	"context"

	"portico/audit"
	"portico/store"
	"portico/vpath"
)

// The properties of one thing may take 256 KiB (MaxProps, MaxPropBytes), so that those
// of a folder of 10,000 files may take 2.6 GB. Find brings them along with the listing
// where they are few, which is one question; where they are not, they are read while
// the answer is written, some things at a time.

const (
	// heldProps is about what the properties of one listing may take in memory. What
	// Windows sets on each of 40,000 files takes as much.
	heldProps = 16 << 20
	// FillAtOnce is how many nodes one Fill looks at.
	FillAtOnce = 128
)

// later leaves the properties of a node to Fill.
func (n *Node) later() { n.Props, n.Sums, n.Later = nil, "", true }

// fillIn adds locks and properties to a listing, with one question.
func (t *Tree) fillIn(ctx context.Context, self *Node, below []Node, w Want) error {
	if self.Path.IsRoot() {
		return nil
	}
	listing := store.Listing{Path: self.Path, Members: below != nil, Locks: w.Locks, Props: w.Props}
	if listing.Members {
		listing.Bytes = heldProps
	}
	around, err := t.s.State.Around(ctx, listing, t.now())
	if err != nil {
		return err
	}
	t.attach(self, around)
	for i := range below {
		t.attach(&below[i], around)
	}
	if !around.Cut {
		return nil
	}
	self.Props, err = t.s.State.PropsOf(ctx, self.Path)
	self.takeSums()
	for i := range below {
		below[i].later()
	}
	return err
}

func (t *Tree) attach(n *Node, around store.Around) {
	n.Props = around.Props[n.Path]
	n.takeSums()
	for _, l := range around.Locks {
		if l.Covers(n.Path) {
			n.Locks = append(n.Locks, t.show(l))
		}
	}
}

// Fill reads the properties that were left for later, of the first of some nodes that
// this Tree has given: of as many as may be held at once. done tells how many these
// are, one at least; those among them that have theirs already stay as they are. Who
// has used them gives them up before the next Fill.
func (t *Tree) Fill(ctx context.Context, nodes []Node) (done int, err error) {
	done, err = t.fill(ctx, nodes, func(i int) (vpath.Path, error) { return nodes[i].Path, nil })
	if err != nil {
		err = t.record(ctx, audit.Event{Action: audit.List, Path: nodes[0].Path.String()}, err)
	}
	return done, err
}

// fill is Fill of nodes whose places at tells.
func (t *Tree) fill(ctx context.Context, nodes []Node, at func(i int) (vpath.Path, error)) (done int, err error) {
	nodes = nodes[:min(len(nodes), FillAtOnce)]
	var paths []vpath.Path
	var which []int
	for i := range nodes {
		if !nodes[i].Later {
			continue
		}
		p, err := at(i)
		if err != nil {
			return 0, err
		}
		paths, which = append(paths, p), append(which, i)
	}
	if len(paths) == 0 {
		return len(nodes), nil
	}
	props, n, err := t.s.State.PropsAt(ctx, paths)
	if err != nil {
		return 0, err
	}
	for i, p := range paths[:n] {
		node := &nodes[which[i]]
		node.Props, node.Later = props[p], false
		node.takeSums()
	}
	if n < len(paths) {
		return which[n], nil
	}
	return len(nodes), nil
}

// Fill is Tree.Fill.
func (w *Window) Fill(ctx context.Context, nodes []Node) (done int, err error) {
	var in *mount
	done, err = w.t.fill(ctx, nodes, func(i int) (full vpath.Path, err error) {
		full, in, err = w.inside(nodes[i].Path)
		return full, err
	})
	return done, w.say(err, nodes[0].Path, in)
}

// Weigh is about what the properties of a node take in memory, in bytes.
func (n *Node) Weigh() (size int) {
	for i := range n.Props {
		size += 64 + len(n.Props[i].Space) + len(n.Props[i].Local) + len(n.Props[i].XML)
	}
	return size
}
