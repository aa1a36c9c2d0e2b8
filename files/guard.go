package files

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// tokens are all lock tokens that the request submits. A token counts wherever
// in the If header it stands (RFC 4918 §10.4.1), but it opens only the lock that
// it belongs to, and only for that lock's holder.
func (g Guard) tokens() []string {
	all := slices.Clone(g.Tokens)
	for _, l := range g.If {
		for _, c := range l.Conditions {
			if c.Token != "" {
				all = append(all, c.Token)
			}
		}
	}
	return all
}

// checkIf evaluates the If header for a request to p: it holds if any of its
// lists does (RFC 4918 §10.4.3).
func (t *Tree) checkIf(ctx context.Context, p vpath.Path, g Guard) error {
	if len(g.If) == 0 {
		return nil
	}
	for _, l := range g.If {
		at := p
		if l.Resource != nil {
			at = *l.Resource
		}
		ok, err := t.listHolds(ctx, at, l)
		if err != nil || ok {
			return err
		}
	}
	return fault.Tell(fault.ErrPrecondition, "the If header of the request does not hold: the lock has ended or the file has changed meanwhile")
}

func (t *Tree) listHolds(ctx context.Context, at vpath.Path, l List) (bool, error) {
	var state ifState
	if !l.Elsewhere {
		var err error
		if state, err = t.ifState(ctx, at, l.Conditions); err != nil {
			return false, err
		}
	}
	for _, c := range l.Conditions {
		holds := c.Token != "" && slices.Contains(state.tokens, c.Token) ||
			c.ETag != "" && c.ETag == state.etag
		if holds == c.Not {
			return false, nil
		}
	}
	return true, nil
}

// ifState is what the conditions of an If header are compared with.
type ifState struct {
	tokens []string
	etag   string
}

func (t *Tree) ifState(ctx context.Context, p vpath.Path, cs []webdav.Condition) (st ifState, err error) {
	if slices.ContainsFunc(cs, func(c webdav.Condition) bool { return c.Token != "" }) {
		locks, err := t.s.State.LocksOn(ctx, p, t.now())
		if err != nil {
			return st, err
		}
		for _, l := range locks {
			st.tokens = append(st.tokens, l.Token)
		}
	}
	if slices.ContainsFunc(cs, func(c webdav.Condition) bool { return c.ETag != "" }) {
		n, err := t.statNode(ctx, p)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return st, err
		}
		st.etag = n.ETag
	}
	return st, nil
}

// checkMatch evaluates If-Match, If-None-Match and the two dates for a change of
// p, in the order of RFC 9110 §13.2.2.
func checkMatch(g Guard, info backends.Info, found bool) error {
	failed := func(header string) error {
		return fault.Tell(fault.ErrPrecondition, "%s does not hold: the file has changed, come or gone meanwhile", header)
	}
	switch {
	case g.Match != nil:
		if !found || !slices.Contains(g.Match, "*") && !slices.Contains(g.Match, info.ETag) {
			return failed("If-Match")
		}
	case !g.UnmodifiedSince.IsZero() && found:
		if info.ModTime.Truncate(time.Second).After(g.UnmodifiedSince) {
			return failed("If-Unmodified-Since")
		}
	}
	if g.NoneMatch != nil && found {
		// If-None-Match compares weakly, so W/"x" excludes "x" as well (§13.1.2).
		if slices.Contains(g.NoneMatch, "*") || slices.Contains(g.NoneMatch, info.ETag) ||
			slices.Contains(g.NoneMatch, `W/"`+info.ETag+`"`) {
			return failed("If-None-Match")
		}
	}
	return nil
}

// scope is a part of the tree that an operation writes to.
type scope struct {
	path   vpath.Path
	below  bool // all that lies below path, too
	member bool // path comes into being or ends: its parent's list of members changes
}

// checkLocks is nil if the request submits its own token for every lock that
// protects a scope (RFC 4918 §7). Of the locks with one root, one is enough:
// exclusive there is only one, and of shared ones each holder shows theirs.
func (t *Tree) checkLocks(ctx context.Context, in store.LockReader, g Guard, scopes ...scope) error {
	held := g.tokens()
	for _, sc := range scopes {
		locks, err := t.locksIn(ctx, in, sc)
		if err != nil {
			return err
		}
		open := map[vpath.Path]bool{}
		for _, l := range locks {
			if l.Holder == t.who.acl.ID && slices.Contains(held, l.Token) {
				open[l.Path] = true
			}
		}
		for _, l := range locks {
			if !open[l.Path] {
				return t.lockedBy(sc.path, l)
			}
		}
	}
	return nil
}

// locksIn gives the locks that protect a scope.
func (t *Tree) locksIn(ctx context.Context, in store.LockReader, sc scope) ([]store.Lock, error) {
	now := t.now()
	locks, err := in.LocksOn(ctx, sc.path, now)
	if err != nil {
		return nil, err
	}
	if sc.below {
		below, err := in.LocksBelow(ctx, sc.path, now)
		if err != nil {
			return nil, err
		}
		locks = append(locks, below...)
	}
	if sc.member {
		// A lock of depth 0 on a folder protects its list of members (§7.4).
		up, err := in.LocksOn(ctx, sc.path.Parent(), now)
		if err != nil {
			return nil, err
		}
		locks = append(locks, up...)
	}
	return locks, nil
}

// lockedBy names the lock in the way, where the principal may see it, else the
// thing that was asked for.
func (t *Tree) lockedBy(asked vpath.Path, l store.Lock) error {
	isDir := l.Infinite || l.Path.Contains(asked)
	if l.Path == asked || t.view.SeesFile(l.Path, "") || isDir && t.view.SeesFolder(l.Path) {
		return t.lockedError(l)
	}
	return &LockedError{Path: asked, Holder: somebody}
}

// lockedError names the holder of a lock whose root the principal may see, and
// since when, where they may know who it is.
func (t *Tree) lockedError(l store.Lock) *LockedError {
	e := &LockedError{Path: l.Path, Holder: t.holder(l)}
	if e.Named() {
		e.Since = l.Created
	}
	return e
}
