package client_test

import (
	"os"
	"testing"

	"portico/internal/portaltest"
	"portico/portal/client"
	"portico/portal/web"
)

const (
	carol = "carol@acme.example"
	dave  = "dave@beta.example"
)

func newFirm(t *testing.T) *portaltest.Firm {
	t.Helper()
	return portaltest.New(t, func(f *portaltest.Firm) []web.Room {
		return []web.Room{client.Room(client.Options{Files: f.Files, Sharing: f.Sharing, Notices: f.Notices()})}
	})
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }
