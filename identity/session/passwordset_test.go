package session_test

import (
	"testing"
	"time"
)

// TestPasswordSet (THREATS.md row 62): a new password in the directory ends the
// sessions of the old one. What says an older moment, a cache or a server that
// lags behind, ends none: or who signs in with the new password would be out again.
func TestPasswordSet(t *testing.T) {
	h := newHouse(t)
	set := func(at time.Time) {
		who := h.people["id-ann"]
		who.PasswordSet = at
		h.people["id-ann"] = who
	}
	february := time.Date(2027, 2, 1, 9, 0, 0, 250, time.UTC)
	untold := h.start("id-ann", "")
	h.is("a directory that tells nothing", untold, "id-ann")
	set(february)
	h.is("a first password that is told", untold, "")
	old := h.start("id-ann", "")
	bob := h.start("id-bob", "")
	h.is("the same password", old, "id-ann")
	set(february.Add(time.Hour))
	h.is("after a new one", old, "")
	h.is("somebody else", bob, "id-bob")
	fresh := h.start("id-ann", "")
	h.is("with the new one", fresh, "id-ann")
	set(february)
	h.is("as a cache still has it", fresh, "id-ann")
	set(time.Time{})
	h.is("as a server that tells nothing has it", fresh, "id-ann")
}
