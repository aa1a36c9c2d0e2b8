package sharing

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// Palette are the colours of labels.
func Palette() []string {
	return []string{"red", "orange", "yellow", "green", "teal", "blue", "purple", "grey"}
}

const (
	maxLabel  = 40 // characters
	maxLabels = 20 // of one person on one thing
)

// LabelView is a label on something.
type LabelView struct {
	Name  string
	Color string
	Mine  bool   // else it came along with a share
	From  string // the name of whose it is, where it is not mine
}

// Labels are those on a folder and its direct members that somebody sees: their
// own, and those that came along with a share. The paths are those of the one who
// asks: in the window of a contact, else of the files.
func (s *Service) Labels(ctx context.Context, by By, folder vpath.Path) (map[vpath.Path][]LabelView, error) {
	l, err := s.labelled(ctx, by, folder)
	if err != nil {
		return nil, wrap("labels", err)
	}
	all := map[vpath.Path][]LabelView{}
	for _, at := range l.places {
		if err := s.collect(ctx, l, at, all); err != nil {
			return nil, wrap("labels", err)
		}
	}
	return all, nil
}

// labelled is where labels are looked for.
type labelled struct {
	by     By
	places []labelPlace
	grants []store.Grant // to the one who asks, with labels
}

// labelPlace is a folder of the files, and what the one who asks calls it.
type labelPlace struct {
	real, shown vpath.Path
	alone       bool // it alone, without its members
}

// labelled finds where the labels of what somebody looks at are kept: by the paths of
// the files, which a customer never learns. What they do not see has none.
func (s *Service) labelled(ctx context.Context, by By, folder vpath.Path) (*labelled, error) {
	l := &labelled{by: by}
	grants, err := s.State.GrantsTo(ctx, by.Principal.Subject())
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if g.Labels && g.State == store.Accepted && s.isLive(g) {
			l.grants = append(l.grants, g)
		}
	}
	if by.isStaff() {
		tree, err := s.tree(ctx, by)
		if err != nil {
			return nil, err
		}
		l.places = []labelPlace{{real: folder, shown: folder}}
		_, err = tree.Stat(ctx, folder)
		return l, err
	}
	w, err := s.Files.Window(ctx, by.Principal)
	if err != nil {
		return nil, err
	}
	if _, err := w.Stat(ctx, folder); err != nil {
		return nil, err
	}
	for _, m := range w.Mounts() {
		at, ok := w.Share(m.Grant.ID)
		switch {
		case ok && folder.IsRoot():
			l.places = append(l.places, labelPlace{real: m.Grant.Path, shown: at, alone: true})
		case ok && at.Contains(folder):
			lies, err := realPath(m.Grant, at, folder)
			if err != nil {
				return nil, err
			}
			l.places = append(l.places, labelPlace{real: lies, shown: folder})
		}
	}
	return l, nil
}

// realPath is where a path of a window lies.
func realPath(g store.Grant, mount, p vpath.Path) (vpath.Path, error) {
	rest, _ := mount.Under(p)
	return g.Path.Join(rest)
}

// collect adds the labels of one place.
func (s *Service) collect(ctx context.Context, l *labelled, at labelPlace, all map[vpath.Path][]LabelView) error {
	add := func(owner, from string, want func(vpath.Path) bool) error {
		found, err := s.State.LabelsIn(ctx, owner, at.real)
		if err != nil {
			return err
		}
		for _, label := range found {
			rest, _ := at.real.Under(label.Path)
			if at.alone && label.Path != at.real || !want(label.Path) {
				continue
			}
			p, err := at.shown.Join(rest)
			if err != nil {
				return err
			}
			view := LabelView{Name: label.Name, Color: label.Color, Mine: owner == l.by.ID, From: from}
			if !slices.Contains(all[p], view) {
				all[p] = append(all[p], view)
			}
		}
		return nil
	}
	if err := add(l.by.ID, "", func(vpath.Path) bool { return true }); err != nil {
		return err
	}
	for _, g := range l.grants {
		if err := add(g.Giver, g.GiverName, g.Path.Contains); err != nil {
			return err
		}
	}
	return nil
}

// SetLabel marks something, or gives a mark another colour.
func (s *Service) SetLabel(ctx context.Context, by By, p vpath.Path, name, color string) error {
	name, err := line(fault.Say("label"), name, maxLabel)
	switch {
	case err != nil:
	case name == "":
		err = fault.Tell(fs.ErrInvalid, "Write what the label says.")
	case !slices.Contains(Palette(), color):
		err = fault.Tell(fs.ErrInvalid, "There is no colour %q; choose one of: %s.", short(color), strings.Join(Palette(), ", "))
	}
	if err != nil {
		return wrap("set label", err)
	}
	at, err := s.real(ctx, by, p)
	if err != nil {
		return wrap("set label", err)
	}
	return wrap("set label", s.State.Update(ctx, func(tx store.Tx) error {
		all, err := tx.LabelsIn(ctx, by.ID, at)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(l store.Label) bool { return l.Path != at || l.Name == name })
		if len(all) >= maxLabels {
			return fault.Tell(fault.ErrTooLarge, "At most %d labels fit on one thing; take another off first.", maxLabels)
		}
		return tx.PutLabel(store.Label{Owner: by.ID, Path: at, Name: name, Color: color})
	}))
}

// DropLabel takes a mark of one's own off. One that is not there is no error.
func (s *Service) DropLabel(ctx context.Context, by By, p vpath.Path, name string) error {
	at, err := s.real(ctx, by, p)
	if err != nil {
		return wrap("drop label", err)
	}
	return wrap("drop label", s.State.Update(ctx, func(tx store.Tx) error { return tx.DropLabel(by.ID, at, name) }))
}

// real is where a thing lies that somebody sees.
func (s *Service) real(ctx context.Context, by By, p vpath.Path) (vpath.Path, error) {
	if by.ID == "" {
		return p, fs.ErrPermission
	}
	if by.isStaff() {
		tree, err := s.tree(ctx, by)
		if err == nil {
			_, err = tree.Stat(ctx, p)
		}
		return p, err
	}
	w, err := s.Files.Window(ctx, by.Principal)
	if err != nil {
		return p, err
	}
	if _, err := w.Stat(ctx, p); err != nil {
		return p, err
	}
	i := slices.IndexFunc(w.Mounts(), func(m files.Mount) bool {
		at, ok := w.Share(m.Grant.ID)
		return ok && at.Contains(p)
	})
	if i < 0 {
		return p, fault.Tell(fs.ErrInvalid, "The list of what is shared with you cannot have a label.")
	}
	m := w.Mounts()[i]
	at, _ := w.Share(m.Grant.ID)
	return realPath(m.Grant, at, p)
}
