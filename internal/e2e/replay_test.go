package e2e

import (
	"testing"

	"portico/gateway/replay"
)

// TestReplays plays what real clients send, in each form of their tokens, over a
// folder and over MinIO. Of a workspace with a quota the room is known in both.
func TestReplays(t *testing.T) {
	library, err := replay.Library()
	if err != nil {
		t.Fatal(err)
	}
	onWorlds(t, func(w *world) {
		people := map[string]replay.Person{
			"first":  {Login: "alice", Password: password, Name: "Alice Jacobs"},
			"second": {Login: "carl", Password: password, Name: "Carl Willems"},
		}
		for _, s := range library {
			for _, form := range s.Forms() {
				room := "/dav/played/" + s.Name + "." + string(form)
				w.dirs(room)
				d := replay.Drive{Server: w.url, Room: room, People: people}
				if err := s.Play(w.t.Context(), d, form); err != nil {
					w.t.Error(err)
				}
			}
		}
	})
}
