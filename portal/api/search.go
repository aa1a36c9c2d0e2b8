package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/cases"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// Limits of one search.
const (
	maxSeen  = 50_000 // things looked at
	maxFound = 500
)

// errEnough ends a search.
var errEnough = errors.New("enough was seen")

// search looks for a part of a name below a folder.
func (a *api) search(w http.ResponseWriter, r *http.Request) error {
	d, here, err := a.start(r)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	if text == "" {
		return fault.Tell(fs.ErrInvalid, "q: say what to look for.")
	}
	if _, _, err := d.Find(r.Context(), here, false, files.Want{}); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	s := &searching{door: d, clock: a.kit.Clock, text: cases.Fold().String(text), until: a.kit.Clock().Add(searchTime), left: maxSeen}
	err = s.below(r.Context(), here)
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return reply(w, r, http.StatusOK, map[string]any{"found": each(s.found, a.describe(r, d).node), "cut": err != nil})
}

// searching is a search under way: it sees what who asks sees.
type searching struct {
	door  door
	clock func() time.Time
	text  string // folded
	until time.Time
	left  int
	found []files.Node
}

// below looks at the members of a folder, and then in the folders among them.
// What vanishes meanwhile is passed over.
func (s *searching) below(ctx context.Context, folder vpath.Path) error {
	_, list, err := s.door.Find(ctx, folder, true, files.Want{})
	if absent(err) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("api: search: %w", err)
	}
	for _, n := range list {
		if s.left--; s.left < 0 || len(s.found) == maxFound || s.clock().After(s.until) {
			return errEnough
		}
		if strings.Contains(cases.Fold().String(n.Path.Name()), s.text) {
			s.found = append(s.found, n)
		}
	}
	for _, n := range list {
		if n.Dir {
			if err := s.below(ctx, n.Path); err != nil {
				return err
			}
		}
	}
	return nil
}
