package sharing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"portico/store"
	"portico/vpath"
)

// ShareView is a share as its giver or its recipient may see it.
type ShareView struct {
	ID      string
	Name    string     // of the item, without what lies above it
	Item    vpath.Path // where the one who asks finds it: in their window, or among their files; the root for nowhere
	Dir     bool
	Mode    string   // Read, Edit or Deposit, or another role's name
	Rights  []string // what it is worth now, to its recipient; nil where nobody asked
	From    Person
	To      Person
	Message string
	Created time.Time
	Until   time.Time // zero: for good
	Opened  time.Time // by the recipient; zero: not yet
	State   store.GrantState
	Labels  bool
	Batch   string

	// Workspace is that of the item: whose firm's name and logo stand beside it.
	// Its name is no word for those outside.
	Workspace string
}

// view is what both sides of a share may know. Where it lies is left out: a recipient's
// name for it is another than the giver's.
func (s *Service) view(g store.Grant) ShareView {
	return ShareView{
		ID: g.ID, Name: s.itemName(g), Dir: g.Dir, Mode: modeOf(g.Role), From: Person{Name: g.GiverName},
		To: Person{Subject: g.Subject, State: g.State}, Message: g.Message, Created: g.Created, Until: g.Until,
		Opened: g.Opened, State: g.State, Labels: g.Labels, Batch: g.Batch, Workspace: g.Path.Top(),
	}
}

// ForMe is what was shared with somebody and is there now, and what was offered,
// newest first.
func (s *Service) ForMe(ctx context.Context, by By) ([]ShareView, error) {
	grants, err := s.State.GrantsTo(ctx, by.Principal.Subject())
	if err != nil {
		return nil, fmt.Errorf("sharing: for me: %w", err)
	}
	where, err := s.found(ctx, by)
	if err != nil {
		return nil, fmt.Errorf("sharing: for me: %w", err)
	}
	var views []ShareView
	for _, g := range grants {
		if !s.isLive(g) {
			continue
		}
		v := s.view(g)
		if g.State == store.Accepted {
			var stands bool
			if v.Item, v.Rights, stands, err = where(g); err != nil {
				return nil, fmt.Errorf("sharing: for me: %w", err)
			}
			if !stands {
				continue // its giver has left or may no more, or the thing is gone
			}
		}
		views = append(views, v)
	}
	return views, nil
}

// found gives where somebody finds what a grant gives them, and what it is worth.
func (s *Service) found(ctx context.Context, by By) (func(store.Grant) (vpath.Path, []string, bool, error), error) {
	if !by.isStaff() {
		w, err := s.Files.Window(ctx, by.Principal)
		if err != nil {
			return nil, err
		}
		rights := map[string][]string{}
		for _, m := range w.Mounts() {
			rights[m.Grant.ID] = m.Rights
		}
		return func(g store.Grant) (vpath.Path, []string, bool, error) {
			p, ok := w.Share(g.ID)
			return p, rights[g.ID], ok, nil
		}, nil
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, err
	}
	return func(g store.Grant) (vpath.Path, []string, bool, error) {
		switch _, err := tree.Stat(ctx, g.Path); {
		case isNone(err), errors.Is(err, fs.ErrPermission):
			return vpath.Path{}, nil, false, nil
		case err != nil:
			return vpath.Path{}, nil, false, err
		}
		return g.Path, tree.Rights(g.Path), true, nil
	}, nil
}

// ByMe is what somebody shared and has not ended, newest first, declined offers
// too. Links are not among it: see LinksOf.
func (s *Service) ByMe(ctx context.Context, by By) ([]ShareView, error) {
	grants, err := s.State.GrantsBy(ctx, by.ID)
	if err != nil {
		return nil, fmt.Errorf("sharing: by me: %w", err)
	}
	names := s.names()
	var views []ShareView
	for _, g := range grants {
		kind, _ := cutSubject(g.Subject)
		if kind == "link" || g.State != store.Declined && !s.isLive(g) {
			continue
		}
		v := s.view(g)
		v.Item = g.Path
		if v.To, err = names.of(ctx, g); err != nil {
			return nil, fmt.Errorf("sharing: by me: %w", err)
		}
		views = append(views, v)
	}
	return views, nil
}

// sharesOf are the live shares with a subject that somebody at a desk may see: of
// things that they see themself.
func (s *Service) sharesOf(ctx context.Context, d *desk, subject string, want func(store.Grant) bool) ([]ShareView, error) {
	grants, err := s.State.GrantsTo(ctx, subject)
	if err != nil {
		return nil, err
	}
	var views []ShareView
	for _, g := range grants {
		if !s.isLive(g) || !want(g) {
			continue
		}
		v := s.view(g)
		switch _, err := d.tree.Stat(ctx, g.Path); {
		case err == nil:
			v.Item = g.Path
		case isNone(err): // no name of what they may not know of
			v.Name, v.Message = "", ""
		default:
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// SharedWith tells who was given p and each of its direct members, for who may
// read p: those who have accepted and those who have not answered.
func (s *Service) SharedWith(ctx context.Context, by By, p vpath.Path) (map[vpath.Path][]Person, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, fmt.Errorf("sharing: shared with: %w", err)
	}
	grants, err := tree.Given(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("sharing: shared with: %w", err)
	}
	names := s.names()
	all := map[vpath.Path][]Person{}
	for _, g := range grants {
		kind, _ := cutSubject(g.Subject)
		if kind == "link" || !s.isLive(g) {
			continue
		}
		who, err := names.of(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("sharing: shared with: %w", err)
		}
		if g.Giver != by.ID && !slices.Contains(tree.Rights(g.Path), "grant") {
			who.Grants = nil
		}
		at := all[g.Path]
		if i := slices.IndexFunc(at, func(o Person) bool { return o.Subject == who.Subject }); i >= 0 {
			at[i].Grants = append(at[i].Grants, who.Grants...)
			if g.State == store.Accepted {
				at[i].State = g.State
			}
			continue
		}
		all[g.Path] = append(at, who)
	}
	for _, at := range all {
		slices.SortFunc(at, func(a, b Person) int { return strings.Compare(a.Name, b.Name) })
	}
	return all, nil
}

// names looks each recipient up once.
type names struct {
	s     *Service
	known map[string]Person
}

// names begins a list.
func (s *Service) names() *names { return &names{s, map[string]Person{}} }

// of is whom a grant names, with the state of that grant. One person may be known by
// two names in two workspaces.
func (n *names) of(ctx context.Context, g store.Grant) (Person, error) {
	key := g.Subject + "\x00" + g.Path.Top()
	who, known := n.known[key]
	if !known {
		r, err := n.s.recipient(ctx, g)
		if err != nil {
			return Person{}, err
		}
		kind, _ := cutSubject(g.Subject)
		who = Person{Subject: g.Subject, Name: r.name, Mail: r.mail, Contact: kind == "contact"}
		if who.Contact {
			c, _, err := n.s.State.ContactByMail(ctx, g.Path.Top(), r.mail)
			if err != nil {
				return Person{}, err
			}
			who.Portal = c.State
		}
		n.known[key] = who
	}
	who.State, who.Grants = g.State, []string{g.ID}
	return who, nil
}
