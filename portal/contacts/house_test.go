package contacts_test

import (
	"testing"

	"portico/internal/portaltest"
	"portico/portal/client"
	"portico/portal/contacts"
	"portico/portal/web"
)

const carol = "carol@acme.example"

func newFirm(t *testing.T, mails bool) *portaltest.Firm {
	t.Helper()
	return portaltest.New(t, func(f *portaltest.Firm) []web.Room {
		return []web.Room{
			contacts.Room(contacts.Options{Files: f.Files, Sharing: f.Sharing, Mails: mails}),
			client.Room(client.Options{Files: f.Files, Sharing: f.Sharing, Notices: f.Notices()}),
		}
	})
}
