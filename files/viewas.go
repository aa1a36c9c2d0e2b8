package files

import (
	"context"
	"io/fs"

	"portico/acl"
	"portico/fault"
	"portico/vpath"
)

// looker is who looks at the tree of somebody else, and into which workspaces.
type looker struct {
	who    Principal
	spaces map[string]bool
}

// ViewAs is the tree as who sees it, for one who holds grant on a workspace's
// root: these workspaces alone, and nothing in it can be changed. The audit is
// told who looks, and as whom.
func (s *Service) ViewAs(ctx context.Context, by Principal, who Person) (*Tree, error) {
	mine, err := s.As(ctx, by)
	if err != nil {
		return nil, err
	}
	t, err := s.As(ctx, Staff(who))
	if err != nil {
		return nil, err
	}
	t.as = &looker{by, map[string]bool{}}
	for _, name := range mine.r.names {
		root, err := vpath.Path{}.Child(name)
		if err == nil && mine.view.Decide(acl.GrantRight, root, "").Allowed() {
			t.as.spaces[name] = true
		}
	}
	if len(t.as.spaces) == 0 {
		return nil, fault.Tell(fs.ErrPermission, "only who may change rights in a workspace sees it as somebody else")
	}
	return t, nil
}

// mayLook tells whether a workspace is there for one who looks as somebody else.
func (t *Tree) mayLook(name string) bool { return t.as == nil || t.as.spaces[name] }

// mayChange refuses every change to one who looks as somebody else.
func (t *Tree) mayChange() error {
	if t.as != nil {
		return fault.Tell(fs.ErrPermission, "you look at this as %s: nothing can be changed", t.who.Name)
	}
	return nil
}
