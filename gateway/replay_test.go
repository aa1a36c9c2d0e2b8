package gateway_test

import (
	"net/http"
	"testing"

	"portico/gateway"
	"portico/gateway/replay"
)

// What real clients send is in replay/testdata, a file for each thing that they do.
// internal/e2e plays the same over a folder and over MinIO.
func TestReplays(t *testing.T) {
	library, err := replay.Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range library {
		t.Run(s.Name, func(t *testing.T) {
			h := newHouse(t)
			h.answerAtTop()
			for _, form := range s.Forms() {
				if err := s.Play(t.Context(), h.drive(string(form)), form); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// answerAtTop answers OPTIONS at "/", which package app gives to this handler.
func (h *house) answerAtTop() {
	dav := h.server.Config.Handler
	h.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			gateway.OptionsHandler().ServeHTTP(w, r)
			return
		}
		dav.ServeHTTP(w, r)
	})
}

// drive is a new folder that ann and bob may edit.
func (h *house) drive(name string) replay.Drive {
	h.tb.Helper()
	h.as("ann").Do("MKCOL", "/firm/Clients", "").Want(201, 405)
	h.as("ann").Do("MKCOL", "/firm/Clients/"+name, "").Want(201)
	return replay.Drive{Server: h.server.URL, Room: "/dav/firm/Clients/" + name, People: map[string]replay.Person{
		"first":  {Login: "ann", Password: password, Name: "Ann Peeters"},
		"second": {Login: "bob", Password: password, Name: "Bob Maes"},
	}}
}
