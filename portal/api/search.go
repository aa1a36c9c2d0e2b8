package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

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
	var found []files.Node
	fold := cases.Fold()
	text = fold.String(text)
	walk := &files.Walk{In: d, Left: maxSeen, Time: searchTime}
	err = walk.Each(r.Context(), []vpath.Path{here}, func(n files.Node) error {
		switch {
		case n.Path == here || !strings.Contains(fold.String(n.Path.Name()), text):
			return nil
		case len(found) == maxFound:
			return files.ErrEnough
		}
		found = append(found, n)
		return nil
	})
	if err != nil && !errors.Is(err, files.ErrEnough) {
		return fmt.Errorf("api: search: %w", err)
	}
	return reply(w, r, http.StatusOK, map[string]any{"found": each(found, a.describe(r, d).node), "cut": err != nil})
}
