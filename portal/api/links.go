package api

import (
	"io/fs"
	"net/http"
	"slices"
	"time"

	"portico/fault"
	"portico/sharing"
	"portico/vpath"
)

// linkJSON is a link. Its address is in the answer that made it and nowhere else.
type linkJSON struct {
	ID           string         `json:"id"`
	Workspace    string         `json:"workspace"`
	Name         string         `json:"name"`
	Contact      string         `json:"contact,omitempty"`
	Mode         string         `json:"mode"`
	State        string         `json:"state"`
	Mine         bool           `json:"mine"`
	By           string         `json:"by"`
	Items        []linkItemJSON `json:"items"`
	Created      time.Time      `json:"created"`
	Until        time.Time      `json:"until,omitzero"`
	Revoked      time.Time      `json:"revoked,omitzero"`
	HasPassword  bool           `json:"has_password"`
	AskMail      bool           `json:"ask_mail"`
	Allowed      []string       `json:"allowed"`
	ViewOnly     bool           `json:"view_only"`
	MaxDownloads int            `json:"max_downloads"`
	Downloads    int            `json:"downloads"`
	AskName      bool           `json:"ask_name"`
	Subfolders   bool           `json:"subfolders"`
	MaxFiles     int            `json:"max_files"`
	Files        int            `json:"files"`
	MaxBytes     int64          `json:"max_bytes"`
	MaxFileBytes int64          `json:"max_file_bytes"`
	Bytes        int64          `json:"bytes"`
	Types        []string       `json:"types"`
	URL          string         `json:"url,omitempty"`
}

type linkItemJSON struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
}

func asItem(i sharing.LinkItem) linkItemJSON {
	if i.Dir {
		return linkItemJSON{i.Path.String(), "folder"}
	}
	return linkItemJSON{i.Path.String(), "file"}
}

func asLink(v sharing.LinkView) linkJSON {
	return linkJSON{
		ID: v.ID, Workspace: v.Workspace, Name: v.Name, Contact: v.Contact, Mode: v.Mode, State: string(v.State), Mine: v.Mine, By: v.GiverName,
		Items: each(v.Items, asItem), Created: v.Created.UTC(), Until: v.Until.UTC(), Revoked: v.Revoked.UTC(),
		HasPassword: v.HasPassword, AskMail: v.AskMail, Allowed: listed(v.Allowed), ViewOnly: v.ViewOnly,
		MaxDownloads: v.MaxDownloads, Downloads: v.Downloads, AskName: v.AskName, Subfolders: v.Subfolders, MaxFiles: v.MaxFiles, Files: v.Files,
		MaxBytes: v.MaxBytes, MaxFileBytes: v.MaxFileBytes, Bytes: v.Bytes, Types: listed(v.Types),
	}
}

// termsJSON are what a link asks and allows.
type termsJSON struct {
	Name         string   `json:"name"`
	Contact      string   `json:"contact"`
	Mode         string   `json:"mode"`
	Until        day      `json:"until"`
	Message      string   `json:"message"`
	Password     *string  `json:"password"` // nil: none for a new link, as it was for another
	AskMail      bool     `json:"ask_mail"`
	Allowed      []string `json:"allowed"`
	ViewOnly     bool     `json:"view_only"`
	MaxDownloads int      `json:"max_downloads"`
	AskName      bool     `json:"ask_name"`
	Subfolders   bool     `json:"subfolders"`
	MaxFiles     int      `json:"max_files"`
	MaxBytes     int64    `json:"max_bytes"`
	MaxFileBytes int64    `json:"max_file_bytes"`
	Types        []string `json:"types"`
}

func (t termsJSON) wish(items []path) sharing.LinkWish {
	w := sharing.LinkWish{
		Items: plain(items), Name: t.Name, Contact: t.Contact, Mode: t.Mode, Until: t.Until.Time, Message: t.Message,
		KeepPassword: t.Password == nil, AskMail: t.AskMail, Allowed: t.Allowed, ViewOnly: t.ViewOnly, MaxDownloads: t.MaxDownloads,
		AskName: t.AskName, Subfolders: t.Subfolders, MaxFiles: t.MaxFiles, MaxBytes: t.MaxBytes, MaxFileBytes: t.MaxFileBytes, Types: t.Types,
	}
	if t.Password != nil {
		w.Password = *t.Password
	}
	return w
}

// links are those that somebody made, or those at a path.
func (a *api) links(w http.ResponseWriter, r *http.Request) error {
	var list []sharing.LinkView
	var err error
	if r.URL.Query().Has("path") {
		var here vpath.Path
		if here, err = vpath.Parse(r.URL.Query().Get("path")); err == nil {
			list, err = a.Sharing.LinksAt(r.Context(), a.kit.By(r), here)
		}
	} else {
		list, err = a.Sharing.LinksOf(r.Context(), a.kit.By(r))
	}
	if err != nil {
		return wrap("links", err)
	}
	list = slices.DeleteFunc(list, func(v sharing.LinkView) bool { return !a.inReach(r, v.Workspace) })
	list, next, err := page(r, list, func(v sharing.LinkView) string { return v.ID })
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, pageJSON("links", each(list, asLink), next))
}

func (a *api) makeLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		termsJSON
		Items []path `json:"items"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	wish := in.wish(in.Items)
	wish.KeepPassword = false
	v, token, err := a.Sharing.MakeLink(r.Context(), a.kit.By(r), wish)
	if err != nil {
		return wrap("make link", err)
	}
	return made(w, r, "/api/v1/links/"+v.ID, a.told(v, token))
}

// told is a link with its address, for the one answer that tells it.
func (a *api) told(v sharing.LinkView, token string) linkJSON {
	j := asLink(v)
	j.URL = a.kit.Public.JoinPath("s", token).String()
	return j
}

// linkAt is the link that the address names, within reach.
func (a *api) linkAt(r *http.Request) (sharing.LinkView, error) {
	v, err := a.Sharing.Link(r.Context(), a.kit.By(r), r.PathValue("id"))
	if err == nil && !a.inReach(r, v.Workspace) {
		err = fault.Tell(fs.ErrNotExist, "There is no such link.")
	}
	return v, wrap("link", err)
}

func (a *api) link(w http.ResponseWriter, r *http.Request) error {
	v, err := a.linkAt(r)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, asLink(v))
}

func (a *api) changeLink(w http.ResponseWriter, r *http.Request) error {
	var in termsJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	if _, err := a.linkAt(r); err != nil {
		return err
	}
	v, err := a.Sharing.ChangeLink(r.Context(), a.kit.By(r), r.PathValue("id"), in.wish(nil))
	if err != nil {
		return wrap("change link", err)
	}
	return reply(w, r, http.StatusOK, asLink(v))
}

func (a *api) revokeLink(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.linkAt(r); err != nil {
		return err
	}
	if err := a.Sharing.RevokeLink(r.Context(), a.kit.By(r), r.PathValue("id")); err != nil {
		return wrap("revoke link", err)
	}
	return done(w)
}

// renewLink gives a link another address; the old one opens nothing any more.
func (a *api) renewLink(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.linkAt(r); err != nil {
		return err
	}
	v, token, err := a.Sharing.RenewLink(r.Context(), a.kit.By(r), r.PathValue("id"))
	if err != nil {
		return wrap("renew link", err)
	}
	return made(w, r, "/api/v1/links/"+v.ID, a.told(v, token))
}
