package api

import (
	"net/http"
)

// locks are those at a path and below it, for who looks after what lies there.
func (a *api) locks(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err != nil {
		return err
	}
	t, err := a.Files.As(r.Context(), a.kit.Principal(r))
	if err != nil {
		return err //nolint:wrapcheck // files names itself, here and below
	}
	list, err := t.LocksBelow(r.Context(), here)
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	return reply(w, r, http.StatusOK, map[string]any{"locks": each(list, asLock)})
}

// breakLock ends one lock on a path.
func (a *api) breakLock(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err != nil {
		return err
	}
	t, err := a.Files.As(r.Context(), a.kit.Principal(r))
	if err == nil {
		_, err = t.BreakLock(r.Context(), here, r.URL.Query().Get("id"))
	}
	if err != nil {
		return err //nolint:wrapcheck // files names itself
	}
	return done(w)
}
