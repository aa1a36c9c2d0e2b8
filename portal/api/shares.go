package api

import (
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"portico/fault"
	"portico/sharing"
	"portico/store"
)

// personJSON is somebody in a list.
type personJSON struct {
	Subject string   `json:"subject,omitempty"`
	Name    string   `json:"name"`
	Mail    string   `json:"mail,omitempty"`
	Contact bool     `json:"contact"`
	State   string   `json:"state,omitempty"` // of what they were given
	Shares  []string `json:"shares,omitempty"`
}

func asPerson(p sharing.Person) personJSON {
	return personJSON{p.Subject, p.Name, p.Mail, p.Contact, string(p.State), p.Grants}
}

// shareJSON is a share as its giver or its recipient may see it.
type shareJSON struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Path    string     `json:"path,omitempty"` // where the one who asks finds it
	Kind    string     `json:"kind"`
	Mode    string     `json:"mode"`
	Rights  []string   `json:"rights,omitempty"`
	From    personJSON `json:"from"`
	To      personJSON `json:"to"`
	Message string     `json:"message"`
	State   string     `json:"state"`
	Labels  bool       `json:"labels"`
	Batch   string     `json:"batch,omitempty"`
	Created time.Time  `json:"created"`
	Until   time.Time  `json:"until,omitzero"`
	Opened  time.Time  `json:"opened,omitzero"`
}

func asShare(v sharing.ShareView) shareJSON {
	j := shareJSON{
		ID: v.ID, Name: v.Name, Kind: "file", Mode: v.Mode, Rights: v.Rights, From: asPerson(v.From), To: asPerson(v.To), Message: v.Message,
		State: string(v.State), Labels: v.Labels, Batch: v.Batch, Created: v.Created.UTC(), Until: v.Until.UTC(), Opened: v.Opened.UTC(),
	}
	if v.Dir {
		j.Kind = "folder"
	}
	if !v.Item.IsRoot() {
		j.Path = v.Item.String()
	}
	return j
}

// shareWishJSON is what somebody shares, with whom and how.
type shareWishJSON struct {
	Items   []path   `json:"items"`
	To      []string `json:"to"`
	Mode    string   `json:"mode"`
	Message string   `json:"message"`
	Until   day      `json:"until"`
	Ask     bool     `json:"ask"`
	Labels  bool     `json:"labels"`
}

// share gives things to people, and answers with what was given: each item to
// each of them.
func (a *api) share(w http.ResponseWriter, r *http.Request) error {
	var in shareWishJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	grants, err := a.Sharing.Share(r.Context(), a.kit.By(r), sharing.ShareWish{
		Items: plain(in.Items), To: in.To, Mode: in.Mode, Message: in.Message, Until: in.Until.Time, Ask: in.Ask, Labels: in.Labels,
	})
	if err != nil {
		return err //nolint:wrapcheck // sharing names itself, here and below
	}
	list, err := a.givenBy(r)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(v sharing.ShareView) bool {
		return !slices.ContainsFunc(grants, func(g store.Grant) bool { return g.ID == v.ID })
	})
	return reply(w, r, http.StatusCreated, map[string]any{"shares": each(list, asShare)})
}

// givenBy are the shares that the one who asks gave, within reach.
func (a *api) givenBy(r *http.Request) ([]sharing.ShareView, error) {
	list, err := a.Sharing.ByMe(r.Context(), a.kit.By(r))
	return a.reached(r, list), wrap("shares given", err)
}

// givenTo are the shares that the one who asks has, within reach.
func (a *api) givenTo(r *http.Request) ([]sharing.ShareView, error) {
	list, err := a.Sharing.ForMe(r.Context(), a.kit.By(r))
	return a.reached(r, list), wrap("shares received", err)
}

// reached leaves out what an app password does not reach.
func (a *api) reached(r *http.Request, list []sharing.ShareView) []sharing.ShareView {
	return slices.DeleteFunc(list, func(v sharing.ShareView) bool { return !a.inReach(r, v.Workspace) })
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("api: %s: %w", what, err)
	}
	return nil
}

// shares are those that somebody has, or gave.
func (a *api) shares(w http.ResponseWriter, r *http.Request) (err error) {
	var list []sharing.ShareView
	switch r.URL.Query().Get("side") {
	case "", "received":
		list, err = a.givenTo(r)
	case "given":
		list, err = a.givenBy(r)
	default:
		err = fault.Tell(fs.ErrInvalid, "side: say given or received.")
	}
	var next string
	if err == nil {
		list, next, err = page(r, list, func(v sharing.ShareView) string { return v.ID })
	}
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, pageJSON("shares", each(list, asShare), next))
}

// bounded refuses the ID of a share that an app password for one workspace does
// not reach. With no such bound package sharing judges alone: whoever may rule
// over a share need not have given it.
func (a *api) bounded(r *http.Request, id string) error {
	if a.asks(r).Limit.Workspace == "" {
		return nil
	}
	from, err := a.givenTo(r)
	var to []sharing.ShareView
	if err == nil && !a.asks(r).Contact {
		to, err = a.givenBy(r)
	}
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(append(from, to...), func(v sharing.ShareView) bool { return v.ID == id }) {
		return fault.Tell(fs.ErrNotExist, "There is no such share.")
	}
	return nil
}

// changeShare gives a share another mode and end.
func (a *api) changeShare(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Mode  string `json:"mode"`
		Until day    `json:"until"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	id := r.PathValue("id")
	if err := a.bounded(r, id); err != nil {
		return err
	}
	if err := a.Sharing.ChangeShare(r.Context(), a.kit.By(r), id, in.Mode, in.Until.Time); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return done(w)
}

// stopShare ends a share; customers decline theirs.
func (a *api) stopShare(w http.ResponseWriter, r *http.Request) error {
	tell, err := yes(r, "tell")
	if err == nil {
		err = a.bounded(r, r.PathValue("id"))
	}
	if err == nil {
		err = a.Sharing.Stop(r.Context(), a.kit.By(r), []string{r.PathValue("id")}, tell)
	}
	if err != nil {
		return err
	}
	return done(w)
}

func (a *api) answerShare(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Accept *bool `json:"accept"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if in.Accept == nil {
		return fault.Tell(fs.ErrInvalid, "accept: say true or false.")
	}
	err := a.bounded(r, r.PathValue("id"))
	if err == nil {
		err = a.Sharing.Answer(r.Context(), a.kit.By(r), r.PathValue("id"), *in.Accept)
	}
	if err != nil {
		return err
	}
	return done(w)
}
