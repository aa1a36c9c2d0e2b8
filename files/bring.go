package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// What a mover does to the file stores, each of it so that it can be done again
// after a crash.

// clear removes what lies at l and below.
func (v *mover) clear(ctx context.Context, l place) error {
	all, err := v.tree(ctx, l)
	if err != nil {
		return err
	}
	return v.remove(ctx, all)
}

// sweep removes from l what has a copy at kept. What has none was put there by
// another tool after all was copied, or lies in another store than the one that
// the move began in: it stays where it is.
func (v *mover) sweep(ctx context.Context, l, kept place) error {
	all, err := v.tree(ctx, l)
	if err != nil || len(all) == 0 {
		return err
	}
	copies, err := v.tree(ctx, kept)
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(copies)) // by the path below kept: whether it is a folder
	for _, m := range copies {
		below, _ := kept.path.Under(m.path)
		there[below.String()] = m.info.Dir
	}
	return v.remove(ctx, slices.DeleteFunc(all, func(m member) bool {
		below, _ := l.path.Under(m.path)
		dir, ok := there[below.String()]
		return !ok || dir != m.info.Dir
	}))
}

// remove removes all. A folder that holds more than is shown of it stays: a link
// or a pipe, or what another tool puts there. That is no reason to keep everybody
// out of both ends of the move for ever.
func (v *mover) remove(ctx context.Context, all []member) error {
	failed := removeAll(ctx, all)
	for p, err := range failed {
		if !errors.Is(err, fault.ErrNotEmpty) {
			return fmt.Errorf("files: move: remove %s: %w", p, err)
		}
	}
	for p := range failed {
		v.s.Log.WarnContext(ctx, "a move leaves a folder behind that holds something else", "path", p, "from", v.move.From, "to", v.move.To)
	}
	return nil
}

// tree is all that lies at l, nothing if it is free.
func (v *mover) tree(ctx context.Context, l place) ([]member, error) {
	info, err := l.space.Backend.Stat(ctx, l.inner)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return members(ctx, l, info, true)
}

// bring moves or copies everything from one place to another. What is gone at
// the first was renamed before a crash, or taken away by another tool after it
// was copied: what is at the second is all there is.
func (v *mover) bring(ctx context.Context, from, to place) error {
	all, err := v.tree(ctx, from)
	if err != nil {
		return v.unsure(err)
	}
	if len(all) == 0 {
		_, err := to.space.Backend.Stat(ctx, to.inner)
		return v.unsure(err)
	}
	if r := v.renamer(); r != nil {
		return v.rename(ctx, r, from, to)
	}
	was := v.standing(ctx, to)
	x := &transfer{src: from, dst: to, all: all, made: new(made)}
	err = copyTree(ctx, x)
	v.carried = x
	if err != nil && was != "" && v.standing(ctx, to) == was {
		return err // the store refused, and the old file stands
	}
	return v.unsure(err)
}

// standing is the version of the file that is copied over, "" where nobody can
// say. After a crash the file may be the new one already, so it tells nothing.
func (v *mover) standing(ctx context.Context, to place) string {
	if v.resumed || v.move.Phase != phaseOver {
		return ""
	}
	info, err := to.space.Backend.Stat(ctx, to.inner)
	if err != nil {
		return ""
	}
	return info.ETag
}

// unsureError is a failure after which nobody knows whether a step was done. To
// give up then could leave the old folder aside, or put it over the new one.
type unsureError struct{ error }

func (e *unsureError) Unwrap() error { return e.error }

// unsure marks the error of a store that is away. A copy to a place that was free
// can be undone whatever is there; what is done at once may have been done, by a
// call whose answer was lost or before a crash.
func (v *mover) unsure(err error) error {
	atOnce := v.renamer() != nil || v.move.Phase == phaseOver
	if atOnce && errors.Is(err, fault.ErrUnavailable) {
		return &unsureError{err}
	}
	return err
}

// rename is done too if the store has renamed and broke only then, so that it
// answered with an error.
func (v *mover) rename(ctx context.Context, r backends.Renamer, from, to place) error {
	if err := stillHeld(ctx); err != nil {
		return err
	}
	err := r.Rename(ctx, from.inner, to.inner)
	if err == nil {
		return nil
	}
	all, lost := v.tree(ctx, from)
	if lost == nil && len(all) > 0 {
		return err
	}
	if lost == nil {
		_, lost = to.space.Backend.Stat(ctx, to.inner)
	}
	if lost != nil {
		return v.unsure(errors.Join(err, lost))
	}
	return nil
}

func copyTree(ctx context.Context, x *transfer) error {
	var files []member
	for _, m := range x.all {
		if !m.info.Dir {
			files = append(files, m)
			continue
		}
		to, err := x.target(m)
		if err == nil {
			err = carryDir(ctx, to, m.info.Meta)
		}
		if err != nil {
			return err
		}
	}
	failed := each(ctx, files, func(ctx context.Context, m member) error {
		return x.carry(ctx, m, keepTime(m))
	})
	for _, p := range slices.SortedFunc(maps.Keys(failed), vpath.Path.Compare) {
		return fmt.Errorf("files: move: copy %s: %w", p, failed[p])
	}
	return nil
}

// keepTime keeps a file's time of change where only the store knows it, and would
// take the copy for a new file.
func keepTime(m member) (meta backends.Meta) {
	if m.info.Meta.ModTime.IsZero() {
		meta.ModTime = m.info.ModTime
	}
	return meta
}
