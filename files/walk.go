package files

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"portico/vpath"
)

// Finder is what can be walked: a Tree, a Window, or what an adapter makes of one.
type Finder interface {
	Find(ctx context.Context, p vpath.Path, members bool, want Want) (self Node, below []Node, err error)
}

// Filler reads the properties that a Find has left for later. Who is walked and is
// none leaves them so.
type Filler interface {
	Fill(ctx context.Context, nodes []Node) (done int, err error)
}

// ErrEnough ends a walk that has seen as much as it may, or walked as long.
var ErrEnough = errors.New("files: there is more than this walk may see")

// Walk goes through what somebody may see, folder by folder.
type Walk struct {
	In      Finder
	Want    Want
	Left    int           // how many things it may still see
	Time    time.Duration // how long it may take; 0 for as long as ctx
	Shallow bool          // what lies in a folder, and not what lies in that
}

// Each hands f what lies at the paths and below, a folder before its members, and
// its files before its folders, so that they stand together. The list of the
// workspaces itself is left out, and so is what vanishes meanwhile.
func (w *Walk) Each(ctx context.Context, roots []vpath.Path, f func(Node) error) error {
	if w.Time == 0 {
		return w.each(ctx, roots, f)
	}
	within, cancel := context.WithTimeout(ctx, w.Time)
	defer cancel()
	err := w.each(within, roots, f)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return ErrEnough // whatever the end of the time broke off
	}
	return err
}

func (w *Walk) each(ctx context.Context, roots []vpath.Path, f func(Node) error) error {
	for _, p := range roots {
		self, below, err := w.In.Find(ctx, p, true, w.Want)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = w.see(ctx, self, f)
		}
		if err == nil {
			err = w.below(ctx, below, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Walk) see(ctx context.Context, n Node, f func(Node) error) error {
	if n.Path.IsRoot() {
		return nil
	}
	if w.Left--; w.Left < 0 {
		return ErrEnough
	}
	if err := ctx.Err(); err != nil { // f may be what takes the time
		return err
	}
	return f(n)
}

func (w *Walk) below(ctx context.Context, list []Node, f func(Node) error) error {
	var folders []vpath.Path
	files := list[:0]
	for _, n := range list {
		if n.Dir && !w.Shallow {
			folders = append(folders, n.Path)
		} else {
			files = append(files, n)
		}
	}
	filler, fills := w.In.(Filler)
	for i := range files {
		if fills && files[i].Later {
			if _, err := filler.Fill(ctx, files[i:]); err != nil {
				return err
			}
		}
		if err := w.see(ctx, files[i], f); err != nil {
			return err
		}
		files[i].Props = nil // what f did not keep
	}
	return w.each(ctx, folders, f)
}
