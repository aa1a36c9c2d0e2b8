package files

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"portico/acl"
	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// What programs keep for themselves beside the files of people (vpath.Path.IsClutter)
// are files and folders as others, which they list, lock and rename. But they look
// for them at each step, where there are none: so the state has a mark for each that
// somebody has made through us, and what has no mark is not there. That takes no call
// to the file store.
//
// The mark is written before the thing is made, and ends in the transaction that
// records its end; in between, the path is held. So there may be a mark too many,
// after a failure, which costs a call to the file store as any other name does, but
// never one too few. What other tools put into the storage under such a name has no
// mark and is not shown, as with what accompanies files; it ends with its folder, and
// who may write there may write over it.
//
// A mark is a row beside the noise of its folder, so that it goes where that goes. It
// has no bytes, and no end.

// isClutter tells a path of it. The root of a workspace is none, whatever its name.
func isClutter(p vpath.Path) bool { return p.Depth() > 1 && p.IsClutter() && !isNoise(p) }

// markRow is the row of p. Its name is none of vpath.Path.Accompanies, as p is no noise.
func markRow(p vpath.Path) store.Noise {
	return store.Noise{Of: p.Parent(), Name: markName(p), Expires: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func markName(p vpath.Path) string { return "/" + p.Name() }

// isMarked tells whether there may be anything at p, which is clutter.
func (s *Service) isMarked(ctx context.Context, p vpath.Path) (bool, error) {
	_, found, err := s.State.NoiseAt(ctx, p.Parent(), markName(p), s.Clock())
	return found, err
}

// clutterAt is what of the paths is clutter, and what above them.
func clutterAt(paths []vpath.Path) (list []vpath.Path) {
	seen := map[vpath.Path]bool{}
	for _, p := range paths {
		for ; p.Depth() > 1; p = p.Parent() {
			if isClutter(p) && !seen[p] {
				seen[p] = true
				list = append(list, p)
			}
		}
	}
	return list
}

// mark writes the marks of what is clutter at the paths, where things are about to be
// made. Whoever calls it holds them. A folder of another tool is shown from then on.
func (s *Service) mark(ctx context.Context, paths ...vpath.Path) error {
	var missing []vpath.Path
	for _, p := range clutterAt(paths) {
		found, err := s.isMarked(ctx, p)
		if err != nil {
			return unclaimed(ctx, err)
		}
		if !found {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	err := s.update(ctx, func(tx store.Tx) error { return markIn(tx, missing) })
	if err == nil || errors.Is(err, errLost) {
		return err
	}
	return unrecorded(err)
}

// markIn is mark in a transaction.
func markIn(tx store.Tx, paths []vpath.Path) error {
	for _, p := range clutterAt(paths) {
		if err := tx.PutNoise(markRow(p)); err != nil {
			return err
		}
	}
	return nil
}

// unmark ends the mark of what has gone. Those of what lay in it end with its noise.
func unmark(tx store.Tx, p vpath.Path) error {
	if !isClutter(p) {
		return nil
	}
	return tx.DropNoise(p.Parent(), markName(p))
}

// isFree tells of a name of clutter that nothing is there. The file store need not be
// asked then, but for one who might not be shown what is there: how long the answer
// takes would tell.
func (t *Tree) isFree(ctx context.Context, p vpath.Path) (free, sure bool, err error) {
	if !isClutter(p) {
		return false, false, nil
	}
	marked, err := t.s.isMarked(ctx, p)
	return !marked, !marked && t.sees(p, backends.Info{}), err
}

// mayReplaceClutter judges the place of a copy or a move where other tools may have put
// something of a name of clutter: a store that renames would take it for free.
func (t *Tree) mayReplaceClutter(ctx context.Context, x *transfer) error {
	if !isClutter(x.dst.path) {
		return nil
	}
	info, err := x.dst.space.Backend.Stat(ctx, x.dst.inner)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Dir || x.dir() || !t.decide(acl.Write, x.dst.path, info.Creator).Allowed():
		return nameTaken(x.dst.path)
	}
	return nil
}

// marked leaves out of what a folder holds the clutter of other tools. The list is
// older than the marks that it is held against, so that nothing of ours is missed.
func (t *Tree) marked(ctx context.Context, folder vpath.Path, list []Node) ([]Node, error) {
	if !slices.ContainsFunc(list, func(n Node) bool { return isClutter(n.Path) }) {
		return list, nil
	}
	names, err := t.s.State.NoiseNames(ctx, folder)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	return slices.DeleteFunc(list, func(n Node) bool { return isClutter(n.Path) && !known[markName(n.Path)] }), nil
}

// paths are those of the members.
func paths(all []member) []vpath.Path {
	list := make([]vpath.Path, 0, len(all))
	for _, m := range all {
		list = append(list, m.path)
	}
	return list
}
