package content

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// shelf is a folder of so many files, of one size each.
type shelf struct {
	Door
	n    int
	size int64
}

func (s shelf) Find(_ context.Context, p vpath.Path, _ bool, _ files.Want) (self files.Node, below []files.Node, err error) {
	if p.Name() == "gone" {
		return self, nil, fs.ErrNotExist
	}
	for i := range s.n {
		below = append(below, files.Node{Path: vpath.Must(fmt.Sprintf("%s/%d", p, i)), Size: s.size})
	}
	return files.Node{Path: p, Dir: true}, below, nil
}

// TestLimitsOfAnArchive: one that would be too large is refused before its first
// byte, and what fits whole is not.
func TestLimitsOfAnArchive(t *testing.T) {
	t.Parallel()
	items := []vpath.Path{vpath.Must("/firm/gone"), vpath.Must("/firm/a")}
	for _, c := range []struct {
		shelf shelf
		want  error
	}{
		{shelf{n: maxMembers - 1}, nil}, // with the folder
		{shelf{n: maxMembers}, fault.ErrTooLarge},
		{shelf{n: 5, size: maxBytes / 5}, nil},
		{shelf{n: 5, size: maxBytes/5 + 1}, fault.ErrTooLarge},
	} {
		all, err := found(t.Context(), c.shelf, items)
		if !errors.Is(err, c.want) || err == nil && (len(all) != c.shelf.n+1 || !all[0].Dir) {
			t.Errorf("%d files of %d bytes: %d members, %v, want %v", c.shelf.n, c.shelf.size, len(all), err, c.want)
		}
		if err != nil && fault.Told(err) != "one download holds at most 10,000 files and 50 GiB: choose fewer, or open the drive" {
			t.Errorf("it says %q", fault.Told(err))
		}
	}
	if _, err := found(t.Context(), shelf{}, items[:1]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing that is there: %v", err)
	}
}
