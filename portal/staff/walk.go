package staff

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"portico/files"
	"portico/vpath"
)

// errEnough ends a walk that has seen as much as it may.
var errEnough = errors.New("there is more than this walk may see")

// walk goes through what somebody may see, folder by folder.
type walk struct {
	t    *files.Tree
	left int // how many things it may still see
}

// each hands f what lies at the paths and below, a folder before its members.
// What vanishes meanwhile is left out.
func (c *walk) each(ctx context.Context, roots []vpath.Path, f func(files.Node) error) error {
	for _, p := range roots {
		self, below, err := c.t.Find(ctx, p, true, files.Want{})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = c.see(self, f)
		}
		if err == nil {
			err = c.below(ctx, below, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *walk) see(n files.Node, f func(files.Node) error) error {
	if n.Path.IsRoot() {
		return nil
	}
	if c.left--; c.left < 0 {
		return errEnough
	}
	return f(n)
}

// below takes the files of a folder first, so that they stand together.
func (c *walk) below(ctx context.Context, list []files.Node, f func(files.Node) error) error {
	var folders []vpath.Path
	for _, n := range list {
		if n.Dir {
			folders = append(folders, n.Path)
			continue
		}
		if err := c.see(n, f); err != nil {
			return err
		}
	}
	return c.each(ctx, folders, f)
}

// numbered is a name with a number before its ending: "a (2).txt".
func numbered(name string, n int) string {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" { // a name like ".profile" is all ending
		stem, ext = name, ""
	}
	return stem + " (" + strconv.Itoa(n) + ")" + ext
}
