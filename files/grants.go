package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/acl"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// granted is what people gave each other, as it stood at one moment: the accepted
// grants, since no others give anything. It never changes.
type granted struct {
	change int64                         // store.GrantReader.GrantsChange before it was read
	to     map[acl.Subject][]store.Grant // the oldest first
	paths  []vpath.Path                  // where they stand, sorted, so that a tree lies together
}

// grants is what this process knows of them.
type grants struct {
	state   store.State
	now     atomic.Pointer[granted] // nil: nothing is known
	reading sync.Mutex              // one at a time, so that an old answer never overtakes a new one
}

func newGranted(change int64, list []store.Grant) *granted {
	g := &granted{change: change, to: map[acl.Subject][]store.Grant{}}
	for _, one := range list {
		s := acl.Subject(one.Subject)
		g.to[s] = append(g.to[s], one)
		g.paths = append(g.paths, one.Path)
	}
	slices.SortFunc(g.paths, vpath.Path.Compare)
	return g
}

// meets tells whether a grant stands at p or below it.
func (g *granted) meets(p vpath.Path) bool {
	if g == nil {
		return true
	}
	i, found := slices.BinarySearchFunc(g.paths, p, vpath.Path.Compare)
	return found || i < len(g.paths) && p.Contains(g.paths[i])
}

// known gives what is known, and asks the store where nothing is.
func (g *grants) known(ctx context.Context) (*granted, error) {
	if now := g.now.Load(); now != nil {
		return now, nil
	}
	if err := g.read(ctx); err != nil {
		return nil, err
	}
	return g.now.Load(), nil
}

// read brings what is known up to what the store held at some moment after the
// call. Where it cannot, nothing is known any more: what somebody has withdrawn
// must not go on giving rights.
func (g *grants) read(ctx context.Context) error {
	g.reading.Lock()
	defer g.reading.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	change, err := g.state.GrantsChange(ctx)
	if err == nil {
		if was := g.now.Load(); was != nil && was.change == change {
			return nil
		}
		var list []store.Grant
		if list, err = g.state.AcceptedGrants(ctx); err == nil {
			g.now.Store(newGranted(change, list))
			return nil
		}
	}
	g.now.Store(nil)
	return fault.Tell(fmt.Errorf("files: grants: %w", errors.Join(fault.ErrUnavailable, err)),
		"the state store cannot be reached: try again in a moment")
}

// GrantsChanged has what this process knows of grants read again, after a
// transaction of somebody else's that changed some (WithdrawAll). Where that
// fails, nobody's requests are answered until it can be done.
func (s *Service) GrantsChanged(ctx context.Context) error { return s.grants.read(ctx) }

// reread is GrantsChanged after a change of the tree at the paths, where it may
// have touched a grant that counts. A failure is told to who asks next.
func (s *Service) reread(ctx context.Context, paths ...vpath.Path) {
	known := s.grants.now.Load()
	if !slices.ContainsFunc(paths, known.meets) {
		return
	}
	if err := s.grants.read(ctx); err != nil {
		s.Log.ErrorContext(ctx, "the grants cannot be read after a change: requests are refused until they can", "err", err)
	}
}

// given are the grants that a view rests on, and who gave them.
type given struct {
	grants []acl.Grant
	from   []giver
}

// giver is somebody who gave something, as they were when a view was made.
type giver struct {
	id  string
	key string // of acl.Principal; "" where they have left
}

// gathering is the search for the grants that a view rests on.
type gathering struct {
	s      *Service
	r      *rules
	now    time.Time
	people map[string]*acl.Principal // by ID; nil for one who has left
	queue  []acl.Subject             // whose grants are looked at next
	found  given
}

// gather finds the grants that bear on what somebody may do: those to them, those
// to who gave them something, and so on.
func (s *Service) gather(ctx context.Context, r *rules, known *granted, subjects []acl.Subject, now time.Time) (given, error) {
	g := &gathering{s: s, r: r, now: now, queue: slices.Clip(subjects)}
	seen := map[acl.Subject]bool{}
	for ; len(g.queue) > 0; g.queue = g.queue[1:] {
		subject := g.queue[0]
		if seen[subject] {
			continue
		}
		seen[subject] = true
		for _, one := range known.to[subject] {
			if err := g.add(ctx, one); err != nil {
				return given{}, err
			}
		}
	}
	return g.found, nil
}

// add takes one grant. One that has ended is not worth asking for its giver.
func (g *gathering) add(ctx context.Context, one store.Grant) error {
	role, ok := acl.RoleNamed(one.Role)
	if !ok || !one.Until.IsZero() && !one.Until.After(g.now) {
		return nil
	}
	by, asked := g.people[one.Giver]
	if !asked {
		var err error
		if by, err = g.meet(ctx, one.Giver); err != nil {
			return err
		}
	}
	if by == nil { // what one who has left gave is worth nothing
		return nil
	}
	g.found.grants = append(g.found.grants, acl.Grant{
		Path: one.Path, Subject: acl.Subject(one.Subject), Role: role, Until: one.Until, Giver: by,
	})
	return nil
}

// meet asks for a giver, whose own grants then count as well.
func (g *gathering) meet(ctx context.Context, id string) (*acl.Principal, error) {
	by, err := g.s.giver(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.people == nil {
		g.people = map[string]*acl.Principal{}
	}
	g.people[id] = by
	g.found.from = append(g.found.from, giver{id, keyOf(by)})
	if by != nil {
		g.queue = append(g.queue, g.r.policy.Subjects(*by)...)
	}
	return by, nil
}

// giver is somebody as they are now; nil for one who has left.
func (s *Service) giver(ctx context.Context, id string) (*acl.Principal, error) {
	if s.Giver == nil {
		return nil, nil //nolint:nilnil // nobody is known
	}
	who, err := s.Giver(ctx, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // they have left
	case err != nil:
		return nil, fault.Tell(fmt.Errorf("files: giver: %w", errors.Join(fault.ErrUnavailable, err)),
			"the directory of the firm does not answer at the moment, and it must be asked: try again in a little while")
	}
	p := Staff(who).acl
	return &p, nil
}

// keyOf is the key of who gave something.
func keyOf(p *acl.Principal) string {
	if p == nil {
		return ""
	}
	return p.Key()
}

// stand tells whether all givers are who they were.
func (s *Service) stand(ctx context.Context, from []giver) (bool, error) {
	for _, was := range from {
		is, err := s.giver(ctx, was.id)
		if err != nil || keyOf(is) != was.key {
			return false, err
		}
	}
	return true, nil
}
