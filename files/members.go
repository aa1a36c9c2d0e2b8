package files

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"portico/acl"
	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// parallel is how many calls to the store one operation on a tree makes at once.
const parallel = 16

// member is one thing of a tree that an operation works on.
type member struct {
	place
	info backends.Info
}

// members gives what lies at l, the root first, and with deep all below it, each
// folder before what lies in it, whoever may see it. A foreign name comes with
// its folder's path: see noForeign.
func members(ctx context.Context, l place, info backends.Info, deep bool) ([]member, error) {
	all := []member{{l, info}}
	if !info.Dir || !deep {
		return all, nil
	}
	err := backends.Walk(ctx, l.space.Backend, l.inner, func(inner vpath.Path, info backends.Info) error {
		full, err := l.full(inner)
		if err == nil {
			all = append(all, member{place{full, l.space, inner}, info})
		}
		return err
	})
	return all, err
}

// noForeign refuses a tree that holds a foreign name: it could be neither judged
// nor carried along. It is asked when the principal holds all rights on the tree.
func noForeign(all []member) error {
	for _, m := range all {
		if m.info.Foreign != "" {
			return fault.Tell(fault.ErrConflict,
				"%s holds a file whose name cannot be shown here: an administrator must rename it in the storage first", all[0].path)
		}
	}
	return nil
}

// needAll is nil if the principal holds the rights on each member. What is not
// seen is refused all the same, without a name.
func (t *Tree) needAll(all []member, rights ...acl.Right) error {
	for i, m := range all {
		if m.info.Foreign != "" {
			continue
		}
		for _, right := range rights {
			err := t.need(right, m.path, m.info)
			switch {
			case err == nil:
			case i > 0 && errors.Is(err, fs.ErrNotExist):
				d := t.view.Decide(right, m.path, m.info.Creator)
				return fault.Tell(&verdictError{d, fs.ErrPermission}, "%s holds something that you may not %s: nothing was changed", all[0].path, right)
			default:
				return err
			}
		}
	}
	return nil
}

// removeAll removes the members, those below first, and the folders that became
// empty. What stays is named. A lost claim ends ctx, and with it a long removal.
func removeAll(ctx context.Context, all []member) map[vpath.Path]error {
	if len(all) == 0 {
		return nil
	}
	order := slices.Clone(all)
	slices.Reverse(order)
	failed := map[vpath.Path]error{}
	if err := stillHeld(ctx); err != nil {
		for _, m := range order {
			failed[m.path] = err
		}
		return failed
	}
	if r, ok := order[0].space.Backend.(backends.Remover); ok && len(order) > 1 {
		inner := make([]vpath.Path, len(order))
		full := make(map[vpath.Path]vpath.Path, len(order))
		for i, m := range order {
			inner[i], full[m.inner] = m.inner, m.path
		}
		for p, err := range r.RemoveAll(ctx, inner) {
			failed[full[p]] = err
		}
		return failed
	}
	for _, m := range order {
		err := stillHeld(ctx)
		if err == nil {
			err = m.space.Backend.Remove(ctx, m.inner)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed[m.path] = err
		}
	}
	return failed
}

// partial turns the failures among all into the error that names them. A folder
// that stays because of what it holds is not named: RFC 4918 §9.6.1 wants the
// failures themselves. What the principal does not see is not named either.
func (t *Tree) partial(all []member, failed map[vpath.Path]error) error {
	if len(failed) == 0 {
		return nil
	}
	if err := failed[all[0].path]; len(failed) == 1 && err != nil {
		return err
	}
	var p Partial
	named := map[vpath.Path]bool{}
	for _, m := range all {
		err := failed[m.path]
		if err != nil && !named[m.path] && !errors.Is(err, fault.ErrNotEmpty) && t.sees(m.path, m.info) {
			named[m.path] = true
			p.Failed = append(p.Failed, Failure{Path: m.path, Dir: m.info.Dir, Err: err})
		}
	}
	if len(p.Failed) == 0 {
		return fault.Tell(fault.ErrConflict, "%s is not all done: something in it was added or could not be changed", all[0].path)
	}
	return &p
}

// each runs f for every member, some at a time, and gathers what failed.
func each(ctx context.Context, all []member, f func(context.Context, member) error) map[vpath.Path]error {
	var mu sync.Mutex
	failed := map[vpath.Path]error{}
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, m := range all {
		g.Go(func() error {
			if err := f(ctx, m); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[m.path] = err
			}
			return nil
		})
	}
	_ = g.Wait() // each failure is in failed
	return failed
}
