package files

import (
	"context"
	"errors"
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
// never one too few. A file that other tools put into the storage under such a name has
// no mark and is not shown, as with what accompanies files; it ends with its folder, and
// who may write there may write over it.
//
// Programs make files of these names. A folder of one is somebody's, but for the few that
// macOS makes: it is shown, and the first listing that meets it writes its mark, so that it
// can be entered. It may end while it is listed; then its mark is one too many.
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

// isPeoples tells a folder of such a name that holds what is somebody's.
func isPeoples(p vpath.Path, dir bool) bool { return dir && !p.IsClutterFolder() }

// isMarked tells whether there may be anything at p, which is clutter.
func (s *Service) isMarked(ctx context.Context, p vpath.Path) (bool, error) {
	_, found, err := s.State.NoiseAt(ctx, p.Parent(), markName(p), s.Clock())
	return found, err
}

// clutterAt is what of the paths is clutter, and what above them.
func clutterAt(paths []vpath.Path) (list []vpath.Path) {
	seen := map[vpath.Path]bool{}
	for _, p := range paths {
		for ; p.Depth() > 1 && !seen[p]; p = p.Parent() {
			seen[p] = true
			if isClutter(p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// clutter is what will be of it at the new place.
func (x *transfer) clutter() []vpath.Path {
	target := x.atTarget()
	list := make([]vpath.Path, 0, len(target))
	for _, m := range target {
		list = append(list, m.path)
	}
	return clutterAt(list)
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

// markIn writes the marks of clutter that clutterAt has found: it looks at each path of
// a tree, and nobody else can write during a transaction.
func markIn(tx store.Tx, clutter []vpath.Path) error {
	for _, p := range clutter {
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

// stored is exists for callers who need to know what the file store has at l, whether it
// has a mark or not: a name that is to be taken must be free there, too, and a folder of
// other tools can be written into.
func (t *Tree) stored(ctx context.Context, l place) (info backends.Info, found bool, err error) {
	if isNoise(l.path) {
		return t.exists(ctx, l)
	}
	return isFound(t.ask(ctx, l))
}

// mayReplaceClutter judges the place of a copy or a move where other tools may have put
// something of a name of clutter: a store that renames would take it for free. A file
// that may be written over is replaced as any other is, which a move that fails leaves.
func (t *Tree) mayReplaceClutter(ctx context.Context, x *transfer) error {
	if !isClutter(x.dst.path) {
		return nil
	}
	info, found, err := t.stored(ctx, x.dst)
	switch {
	case err != nil || !found:
		return err
	case x.blind:
		return takenMeanwhile(x.dst.path)
	case info.Dir || x.dir() || !t.decide(acl.Write, x.dst.path, info.Creator).Allowed():
		return nameTaken(x.dst.path)
	case !x.o.Overwrite:
		return isInTheWay(x.dst.path)
	}
	x.old = []member{{x.dst, info}}
	return nil
}

// marked leaves out of what a folder holds the files of clutter that other tools put
// there. The list is older than the marks that it is held against, so that nothing of
// ours is missed.
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
	t.s.enclose(ctx, list, known)
	return slices.DeleteFunc(list, func(n Node) bool { return isClutter(n.Path) && !known[markName(n.Path)] }), nil
}

// enclose marks the folders of people in a listing that have no mark, and adds them to
// known. Without a mark they could not be entered: then they are left out, which is
// better than no listing.
func (s *Service) enclose(ctx context.Context, list []Node, known map[string]bool) {
	var missing []vpath.Path
	for _, n := range list {
		if isClutter(n.Path) && isPeoples(n.Path, n.Dir) && !known[markName(n.Path)] {
			missing = append(missing, n.Path)
		}
	}
	if len(missing) == 0 {
		return
	}
	if err := s.update(ctx, func(tx store.Tx) error { return markIn(tx, missing) }); err != nil {
		s.Log.WarnContext(ctx, "folders of names that programs have for their files are not shown, as the state cannot be written",
			"path", missing[0], "folders", len(missing), "err", err)
		return
	}
	for _, p := range missing {
		known[markName(p)] = true
	}
}
