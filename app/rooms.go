package app

import (
	"net/http"

	"portico/config"
	"portico/portal/api"
	customers "portico/portal/client"
	"portico/portal/contacts"
	"portico/portal/link"
	"portico/portal/mount"
	"portico/portal/staff"
	"portico/portal/tus"
	"portico/portal/unlock"
	"portico/portal/web"
)

// uploadsAt is the address of resumable uploads.
const uploadsAt = "/api/v1/uploads"

// rooms are the parts of the portal beside sign-in and account.
func (s *process) rooms(cfg *config.Config) []web.Room {
	return []web.Room{
		unlock.Room(s.unlock),
		mount.Room(s.doctor),
		staff.Room(staff.Options{
			Files: s.files, Name: s.nameOf, Person: s.person, Activity: s.activity, Sharing: s.sharing, Links: s.sharing.LinksOn, Ask: s.sharing.AskAccess, Uploads: uploadsAt,
		}),
		contacts.Room(contacts.Options{Files: s.files, Sharing: s.sharing, Mails: s.notices.Mails()}),
		customers.Room(customers.Options{Files: s.files, Sharing: s.sharing, Notices: s.notices, Uploads: uploadsAt}),
		link.Room(link.Options{Sharing: s.sharing, Links: s.sharing, Tree: s.files.As, MaxUpload: cfg.Server.MaxUpload}),
		api.Room(api.Options{Files: s.files, Sharing: s.sharing, Notices: s.notices, Name: s.nameOf, Person: s.person}),
		tus.Room(s.uploads, tus.Options{MaxSize: cfg.Server.MaxUpload}),
	}
}

// uploads is where the uploads of a request go: staff reach the tree, customers
// what was shared with them.
func (s *process) uploads(k *web.Kit, r *http.Request) (tus.Tree, error) {
	if who, _ := k.Who(r); who.Contact {
		return s.files.Window(r.Context(), k.Principal(r))
	}
	return s.files.As(r.Context(), k.Principal(r))
}
