package sharing

import (
	"context"
	"slices"
	"strings"
	"time"

	"portico/files"
	"portico/store"
	"portico/vpath"
)

// LinkState is how a link stands.
type LinkState string

// The states of a link.
const (
	LinkOpen    LinkState = "open"
	LinkEnded   LinkState = "ended"   // its last day has passed
	LinkRevoked LinkState = "revoked" // somebody took it back
	LinkUsed    LinkState = "used"    // its last download was taken
	LinkLost    LinkState = "lost"    // what it opened has gone
)

// LinkItem is one thing that a link opens.
type LinkItem struct {
	Path vpath.Path
	Dir  bool
}

// LinkView is a link as the staff sees it. It has no secret, no hash and no token:
// those are told once, when they are made (CVE-2026-62684).
type LinkView struct {
	ID, Workspace string
	Name, Contact string
	Mode          string
	State         LinkState
	Mine          bool // who looks made it, and may change it
	GiverName     string
	Items         []LinkItem

	Created, Until, Revoked time.Time

	HasPassword, AskMail, ViewOnly bool
	Allowed                        []string
	MaxDownloads, Downloads        int

	AskName, Subfolders    bool
	MaxFiles, Files        int
	MaxBytes, MaxFileBytes int64
	Bytes                  int64
	Types                  []string
}

// viewOf is what is shown of a link to somebody who may know of it. Of what it
// opens, only what they see.
func (s *Service) viewOf(ctx context.Context, tree *files.Tree, by By, l store.Link) (LinkView, error) {
	v := LinkView{
		ID: l.ID, Workspace: l.Workspace, Name: l.Name, Contact: l.Contact, Mode: l.Mode, Mine: l.Giver == by.ID, GiverName: l.GiverName,
		Created: l.Created, Until: l.Until, Revoked: l.Revoked,
		HasPassword: l.Password != "", AskMail: l.AskMail, ViewOnly: l.ViewOnly, Allowed: l.Allowed,
		MaxDownloads: l.MaxDownloads, Downloads: l.Downloads,
		AskName: l.AskName, Subfolders: l.Subfolders, MaxFiles: l.MaxFiles, Files: l.Files,
		MaxBytes: l.MaxBytes, MaxFileBytes: l.MaxFileBytes, Bytes: l.Bytes, Types: l.Types,
	}
	grants, err := s.State.GrantsTo(ctx, linkSubject(l.ID))
	if err != nil {
		return v, err
	}
	for _, g := range grants {
		if _, err := tree.Stat(ctx, g.Path); err == nil {
			v.Items = append(v.Items, LinkItem{g.Path, g.Dir})
		}
	}
	slices.SortFunc(v.Items, func(a, b LinkItem) int { return a.Path.Compare(b.Path) })
	v.State = s.linkState(l, len(grants))
	return v, nil
}

// linkState is how a link stands that opens so many things.
func (s *Service) linkState(l store.Link, opens int) LinkState {
	switch {
	case !l.Revoked.IsZero():
		return LinkRevoked
	case !l.Until.IsZero() && !l.Until.After(s.Clock()):
		return LinkEnded
	case opens == 0:
		return LinkLost
	case l.MaxDownloads > 0 && l.Downloads >= l.MaxDownloads:
		return LinkUsed
	}
	return LinkOpen
}

// LinksOf are the links that somebody made, newest first.
func (s *Service) LinksOf(ctx context.Context, by By) ([]LinkView, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, wrap("links of", err)
	}
	all, err := s.State.LinksBy(ctx, by.ID)
	if err != nil {
		return nil, wrap("links of", err)
	}
	var views []LinkView
	for _, l := range all {
		v, err := s.viewOf(ctx, tree, by, l)
		if err != nil {
			return nil, wrap("links of", err)
		}
		views = append(views, v)
	}
	return views, nil
}

// LinksAt are the links that open p or one of its direct members: those that the
// one who asks made, and all where they may share or change rights (row 50: no
// link is there that an owner does not see).
func (s *Service) LinksAt(ctx context.Context, by By, p vpath.Path) ([]LinkView, error) {
	views, err := s.linksAt(ctx, by, p, true)
	return views, wrap("links at", err)
}

// LinksOn are those of LinksAt that open p itself. Of the others, which may be many
// in a folder, nothing is read.
func (s *Service) LinksOn(ctx context.Context, by By, p vpath.Path) ([]LinkView, error) {
	views, err := s.linksAt(ctx, by, p, false)
	return views, wrap("links on", err)
}

func (s *Service) linksAt(ctx context.Context, by By, p vpath.Path, members bool) (views []LinkView, err error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return nil, err
	}
	grants, err := tree.Given(ctx, p)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, g := range grants {
		id, isLink := strings.CutPrefix(g.Subject, "link:")
		if !isLink || seen[id] || !members && g.Path != p {
			continue
		}
		seen[id] = true
		l, found, err := s.State.LinkByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if !found || l.Giver != by.ID && !rules(tree, g.Path) {
			continue
		}
		v, err := s.viewOf(ctx, tree, by, l)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// rules tells whether somebody may know who was given what at p.
func rules(tree *files.Tree, p vpath.Path) bool {
	return files.KnowsOthers(tree.Rights(p))
}

// Link is one of LinksOf by its ID, or one that the one who asks may take back.
// Any other is fs.ErrNotExist.
func (s *Service) Link(ctx context.Context, by By, id string) (LinkView, error) {
	tree, err := s.tree(ctx, by)
	if err != nil {
		return LinkView{}, wrap("link", err)
	}
	l, _, err := s.ownLink(ctx, s.State, tree, by, id, true)
	if err != nil {
		return LinkView{}, wrap("link", err)
	}
	v, err := s.viewOf(ctx, tree, by, l)
	return v, wrap("link", err)
}
