package api

import (
	"errors"
	"io/fs"
	"net/http"

	"portico/fault"
	"portico/files"
	"portico/lang"
)

// partly tells of an operation on a tree that was done but for some things.
func partly(err error) error {
	partial, ok := errors.AsType[*files.Partial](err)
	if !ok || len(partial.Failed) == 0 {
		return err
	}
	first := partial.Failed[0]
	return fault.Tell(first.Err, "All was done but for %d of the things in it; the first is %s.", len(partial.Failed), first.Path.String())
}

// why tells whether somebody may do something, and the rule that says so.
func (a *api) why(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err != nil {
		return err
	}
	right := r.URL.Query().Get("right")
	if right == "" {
		return fault.Tell(fs.ErrInvalid, "right: say which, such as read or write.")
	}
	t, err := a.Files.As(r.Context(), a.kit.Principal(r))
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	allowed, sentence, err := t.Why(r.Context(), here, right)
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return reply(w, r, http.StatusOK, map[string]any{"allowed": allowed, "why": a.kit.Text(r).Say(sentence)})
}

// accessJSON is what somebody may do with a thing.
type accessJSON struct {
	Subject string   `json:"subject"`
	Name    string   `json:"name"`
	Rights  []string `json:"rights"`
	Why     string   `json:"why"`
	Share   string   `json:"share,omitempty"` // ID of the share that gives it
}

func asAccess(text *lang.Text, x files.Access) accessJSON {
	j := accessJSON{Subject: x.Subject, Name: x.Name, Rights: listed(x.Rights)}
	if x.Why != nil {
		j.Why = text.Say(x.Why)
	}
	if x.Grant != nil {
		j.Share = x.Grant.ID
	}
	return j
}

// who tells who may do what, for those who may know; others are told of themselves.
func (a *api) who(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err != nil {
		return err
	}
	t, err := a.Files.As(r.Context(), a.kit.Principal(r))
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	list, err := t.Who(r.Context(), here)
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	text := a.kit.Text(r)
	return reply(w, r, http.StatusOK, map[string]any{"access": each(list, func(x files.Access) accessJSON { return asAccess(text, x) })})
}

// askAccess asks those who can give access to something for it. Who they are the
// answer does not say.
func (a *api) askAccess(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Path    path   `json:"path"`
		Message string `json:"message"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if err := a.Sharing.AskAccess(r.Context(), a.kit.By(r), in.Path.Path, in.Message); err != nil {
		return wrap("ask access", err)
	}
	return done(w)
}
