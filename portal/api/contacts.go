package api

import (
	"net/http"
	"time"

	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// contactJSON is a contact as the one who asks may know them.
type contactJSON struct {
	Workspace    string    `json:"workspace"`
	Mail         string    `json:"mail"`
	Name         string    `json:"name"`
	Organisation string    `json:"organisation"`
	Language     string    `json:"language"`
	Notes        string    `json:"notes"`
	State        string    `json:"state"`
	Folders      []string  `json:"folders"`
	Created      time.Time `json:"created,omitzero"`
	By           string    `json:"by,omitempty"` // who let them in, a name
	Invited      time.Time `json:"invited,omitzero"`
}

func asContact(c store.Contact) contactJSON {
	return contactJSON{
		Workspace: c.Workspace, Mail: c.Mail, Name: c.Name, Organisation: c.Organisation, Language: c.Language, Notes: c.Notes,
		State: string(c.State), Folders: each(c.Folders, vpath.Path.String), Created: c.Created.UTC(), By: c.ByName, Invited: c.Invited.UTC(),
	}
}

// contactViewJSON is a contact with what they have.
type contactViewJSON struct {
	contactJSON
	Hidden int             `json:"hidden_folders"`
	Manage bool            `json:"manage"`
	Shares []shareJSON     `json:"shares"`
	Links  []shortLinkJSON `json:"links"`
}

// shortLinkJSON is a link that was made for a contact: what its row in the store
// has beside that are secrets, and what only its maker knows.
type shortLinkJSON struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Mode  string    `json:"mode"`
	By    string    `json:"by"`
	Until time.Time `json:"until,omitzero"`
}

func asShortLink(l store.Link) shortLinkJSON {
	return shortLinkJSON{l.ID, l.Name, l.Mode, l.GiverName, l.Until.UTC()}
}

// workspaces are those that somebody sees.
func (a *api) workspaces(w http.ResponseWriter, r *http.Request) error {
	list, err := a.kit.Workspaces(r)
	if err != nil {
		return err
	}
	type workspaceJSON struct {
		Name  string `json:"name"`
		Title string `json:"title"`
	}
	all := make([]workspaceJSON, 0, len(list))
	for _, s := range list {
		all = append(all, workspaceJSON{s.Name, s.Title})
	}
	return reply(w, r, http.StatusOK, map[string]any{"workspaces": all})
}

// pageJSON is a part of a list under its name.
func pageJSON[T any](name string, list []T, next string) map[string]any {
	if next == "" {
		return map[string]any{name: list}
	}
	return map[string]any{name: list, "next": next}
}

func (a *api) contacts(w http.ResponseWriter, r *http.Request) error {
	list, err := a.Sharing.Contacts(r.Context(), a.kit.By(r), r.PathValue("workspace"))
	if err != nil {
		return err //nolint:wrapcheck // sharing names itself, here and below
	}
	part, next, err := page(r, list, func(c store.Contact) string { return c.Mail })
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, pageJSON("contacts", each(part, asContact), next))
}

func (a *api) contact(w http.ResponseWriter, r *http.Request) error {
	v, err := a.Sharing.Contact(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.PathValue("mail"))
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return reply(w, r, http.StatusOK, contactViewJSON{
		asContact(v.Contact), v.Hidden, v.Manage, each(v.Shares, asShare), each(v.Links, asShortLink),
	})
}

// cardJSON is what somebody writes of a contact: neither their state nor their
// folders (THREATS.md row 71).
type cardJSON struct {
	Name         string `json:"name"`
	Organisation string `json:"organisation"`
	Language     string `json:"language"`
	Notes        string `json:"notes"`
}

func (a *api) putContact(w http.ResponseWriter, r *http.Request) error {
	var in cardJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	c, err := a.Sharing.PutContact(r.Context(), a.kit.By(r), sharing.ContactWish{
		Workspace: r.PathValue("workspace"), Mail: r.PathValue("mail"),
		Name: in.Name, Organisation: in.Organisation, Language: in.Language, Notes: in.Notes,
	})
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return reply(w, r, http.StatusOK, asContact(c))
}

// foldersJSON are those that may be shared with a contact.
type foldersJSON struct {
	Folders []path `json:"folders"`
}

func (a *api) setFolders(w http.ResponseWriter, r *http.Request) error {
	var in foldersJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	if err := a.Sharing.SetFolders(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.PathValue("mail"), plain(in.Folders)); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return a.contact(w, r)
}

func (a *api) openAccess(w http.ResponseWriter, r *http.Request) error {
	var in foldersJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	if err := a.Sharing.OpenAccess(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.PathValue("mail"), plain(in.Folders)); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return a.contact(w, r)
}

func (a *api) closeAccess(w http.ResponseWriter, r *http.Request) error {
	tell, err := yes(r, "tell")
	if err != nil {
		return err
	}
	if err := a.Sharing.CloseAccess(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.PathValue("mail"), tell); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return done(w)
}

func (a *api) inviteAgain(w http.ResponseWriter, r *http.Request) error {
	if err := a.Sharing.InviteAgain(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.PathValue("mail")); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return done(w)
}

// recipientJSON is somebody whom something may be shared with.
type recipientJSON struct {
	Subject      string `json:"subject"`
	Name         string `json:"name"`
	Mail         string `json:"mail"`
	Organisation string `json:"organisation,omitempty"`
	Contact      bool   `json:"contact"`
	State        string `json:"state,omitempty"`
}

func (a *api) recipients(w http.ResponseWriter, r *http.Request) error {
	list, err := a.Sharing.Suggest(r.Context(), a.kit.By(r), r.PathValue("workspace"), r.URL.Query().Get("q"))
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return reply(w, r, http.StatusOK, map[string]any{"recipients": each(list, func(x sharing.Recipient) recipientJSON {
		return recipientJSON{x.Subject, x.Name, x.Mail, x.Organisation, x.Contact, string(x.State)}
	})})
}
