package api

import (
	"io/fs"
	"net/http"
	"time"

	"portico/fault"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// me is who asks, as the server knows them.
func (a *api) me(w http.ResponseWriter, r *http.Request) error {
	who := a.asks(r)
	unread, err := a.Notices.Unread(r.Context(), who.ID)
	if err != nil {
		return wrap("me", err)
	}
	return reply(w, r, http.StatusOK, map[string]any{
		"login": who.Login, "name": who.Name, "mail": who.Email, "contact": who.Contact, "unread": unread,
		"limit": map[string]any{"workspace": who.Limit.Workspace, "read_only": who.Limit.ReadOnly},
	})
}

// noticeJSON is a notice in the words of the list on the page.
type noticeJSON struct {
	ID    string    `json:"id"`
	Event string    `json:"event"`
	Title string    `json:"title"`
	Text  string    `json:"text,omitempty"`
	Link  string    `json:"link,omitempty"`
	Time  time.Time `json:"time"`
	Read  time.Time `json:"read,omitzero"`
}

// maxNotices is how far back the list goes.
const maxNotices = 1000

// all refuses an app password for one workspace: what comes is of all of them.
func (a *api) all(r *http.Request) error {
	if a.asks(r).Limit.Workspace != "" {
		return fault.Tell(fs.ErrPermission, "This app password is for one workspace, and this is about all of them.")
	}
	return nil
}

func (a *api) notices(w http.ResponseWriter, r *http.Request) error {
	if err := a.all(r); err != nil {
		return err
	}
	list, err := a.Notices.List(r.Context(), a.asks(r).ID, maxNotices)
	if err != nil {
		return wrap("notices", err)
	}
	list, next, err := page(r, list, func(n store.Notice) string { return n.ID })
	if err != nil {
		return err
	}
	text := a.kit.Text(r)
	var all []noticeJSON
	for _, n := range list {
		j := noticeJSON{ID: n.ID, Event: n.Event, Time: n.Created.UTC(), Read: n.Read.UTC()}
		if j.Title, j.Text, j.Link = a.Notices.Words(text, n); j.Title != "" {
			all = append(all, j)
		}
	}
	return reply(w, r, http.StatusOK, pageJSON("notices", listed(all), next))
}

func (a *api) readNotices(w http.ResponseWriter, r *http.Request) error {
	if err := a.all(r); err != nil {
		return err
	}
	if err := a.Notices.MarkRead(r.Context(), a.asks(r).ID); err != nil {
		return wrap("notices", err)
	}
	return done(w)
}

// preferencesJSON is what somebody chooses for themself.
type preferencesJSON struct {
	Language string   `json:"language"`
	Theme    string   `json:"theme"`
	Muted    []string `json:"muted"`
}

func (a *api) preferences(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Sharing.Preferences(r.Context(), a.kit.By(r))
	if err != nil {
		return wrap("preferences", err)
	}
	return reply(w, r, http.StatusOK, preferencesJSON{p.Language, p.Theme, listed(p.Muted)})
}

func (a *api) setPreferences(w http.ResponseWriter, r *http.Request) error {
	var in preferencesJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	wish := sharing.PreferencesWish{Language: in.Language, Theme: in.Theme}
	for _, e := range in.Muted {
		wish.Muted = append(wish.Muted, notify.Event(e))
	}
	if err := a.Sharing.SetPreferences(r.Context(), a.kit.By(r), wish); err != nil {
		return wrap("preferences", err)
	}
	return a.preferences(w, r)
}

// labelJSON is a label on something.
type labelJSON struct {
	Name  string `json:"name"`
	Color string `json:"color"`
	Mine  bool   `json:"mine"`
	From  string `json:"from,omitempty"`
}

func asLabel(l sharing.LabelView) labelJSON { return labelJSON(l) }

// labels are those on a folder and its members, by path.
func (a *api) labels(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	var list map[vpath.Path][]sharing.LabelView
	if err == nil {
		list, err = a.Sharing.Labels(r.Context(), a.kit.By(r), here)
	}
	if err != nil {
		return wrap("labels", err)
	}
	all := map[string][]labelJSON{}
	for p, labels := range list {
		all[p.String()] = each(labels, asLabel)
	}
	return reply(w, r, http.StatusOK, map[string]any{"labels": all})
}

func (a *api) setLabel(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name  string `json:"name"`
		Color string `json:"color"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	here, err := at(r)
	if err == nil {
		err = a.Sharing.SetLabel(r.Context(), a.kit.By(r), here, in.Name, in.Color)
	}
	if err != nil {
		return wrap("label", err)
	}
	return done(w)
}

func (a *api) dropLabel(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err == nil {
		err = a.Sharing.DropLabel(r.Context(), a.kit.By(r), here, r.URL.Query().Get("name"))
	}
	if err != nil {
		return wrap("label", err)
	}
	return done(w)
}
