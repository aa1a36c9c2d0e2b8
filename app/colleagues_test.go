package app

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/gateway"
	"portico/internal/parts"
	"portico/store"
)

// TestColleagues asks a config with a user of its own and a directory.
func TestColleagues(t *testing.T) {
	d, w := firmOfOne(t)
	gone := d.AddPerson(t, parts.Person{Login: "gone", Name: "Gone", Email: "gone@firm.example", Password: password})
	d.Set(t, gone, "pwdAccountLockedTime", "000001010000Z")
	h := start(t, yamlUser, "  users:\n    bob: {password: \"HASH\", name: Bob Anders, email: bob@firm.example}\n"+ldapSection(d, w.url), "user:ann", "group:dept")

	for mail, login := range map[string]string{"ANN@firm.example": "ann", "bob@firm.example": "bob", "eve@x.example": "", "*": "", "": ""} {
		who, is, err := h.colleague(t.Context(), mail)
		if err != nil || is != (login != "") || string(who.Login) != login {
			t.Errorf("colleague(%q) = %q, %t, %v", mail, who.Login, is, err)
		}
	}
	if _, is, err := h.colleague(t.Context(), "gone@firm.example"); is || !errors.Is(err, fs.ErrInvalid) || fault.Told(err) == "" {
		t.Errorf("colleague of a closed account = %t, %v, want fs.ErrInvalid with a sentence", is, err)
	}
	found, err := h.staff(t.Context(), "an", 5)
	if err != nil || len(found) != 2 || found[0].Login != "ann" || found[1].Login != "bob" {
		t.Errorf("staff = %+v, %v", found, err)
	}

	ann, err := h.person(t.Context(), "ANN")
	if err != nil || ann.Login != "ann" || len(ann.Groups) != 2 {
		t.Errorf("person = %+v, %v", ann, err)
	}
	for _, login := range []string{"nobody", "gone", "", "*"} {
		if p, err := h.person(t.Context(), login); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("person(%q) = %+v, %v, want fs.ErrNotExist", login, p, err)
		}
	}
	if got := h.nameOf(t.Context(), ann.ID); got != "Ann Peeters" {
		t.Errorf("nameOf of the directory = %q", got)
	}

	d.Stop(t)
	if _, is, err := h.colleague(t.Context(), "ann@firm.example"); !is || err != nil {
		t.Errorf("kept: %t, %v", is, err)
	}
	if _, is, err := h.colleague(t.Context(), "new@x.example"); is || !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("nobody can tell: %t, %v, want ErrUnavailable", is, err)
	}
	if _, err := h.person(t.Context(), "zoe"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("person of a directory that is away = %v", err)
	}
	if got, err := h.staff(t.Context(), "an", 5); err != nil || len(got) != 1 {
		t.Errorf("staff while the directory is away = %v, %v, want bob", got, err)
	}
}

// TestColleaguesAfterReload: what the config of before has said is forgotten.
func TestColleaguesAfterReload(t *testing.T) {
	h := start(t, yamlUser, "  users:\n    ann: {password: \"HASH\", name: Ann One, email: ann@firm.example}\n")
	if _, is, err := h.colleague(t.Context(), "ann@firm.example"); !is || err != nil {
		t.Errorf("colleague = %t, %v", is, err)
	}
	if got := h.nameOf(t.Context(), "user:ann"); got != "Ann One" {
		t.Errorf("nameOf = %q", got)
	}
	h.edit("name: Ann One, email: ann@firm.example", "name: Ann Two, email: two@firm.example")
	if _, is, err := h.colleague(t.Context(), "ann@firm.example"); is || err != nil {
		t.Errorf("after a reload: colleague = %t, %v", is, err)
	}
	if got := h.nameOf(t.Context(), "user:ann"); got != "Ann Two" {
		t.Errorf("after a reload: nameOf = %q", got)
	}
}

// TestNameOf names whoever can make or do something.
func TestNameOf(t *testing.T) {
	h := build(t)
	link := store.Link{ID: "l1", Workspace: "firm", Name: "For Eve", Mode: "read", Giver: "user:ann", Created: time.Unix(1, 0)}
	if err := h.state.Update(t.Context(), func(tx store.Tx) error { return tx.PutLink(link) }); err != nil {
		t.Fatal(err)
	}
	visitor := files.Link(files.Visitor{Link: "l1", Visitor: "v"})
	for id, want := range map[string]string{
		"user:ann": "ann", visitor.ID(): "For Eve", "link:l1": "For Eve", "link:l2/v": "", "link:": "", "user:nobody": "", "contact:x": "", "": "", "\xff": "",
	} {
		for range 2 { // asked, and kept
			if got := h.nameOf(t.Context(), id); got != want {
				t.Errorf("nameOf(%q) = %q, want %q", id, got, want)
			}
		}
	}
	who, err := h.gate.People().ByLogin(t.Context(), "ann")
	if p, err2 := h.person(t.Context(), "ann"); err != nil || err2 != nil || p.ID != gateway.Person(who).ID {
		t.Errorf("person = %+v, %v, %v", p, err, err2)
	}
}

// TestColleaguesInTheSpellingOfTheRules: a share names a login, and must name the
// one that its recipient signs in as.
func TestColleaguesInTheSpellingOfTheRules(t *testing.T) {
	d, w := firmOfOne(t)
	d.AddPerson(t, parts.Person{Login: "BOB", Name: "Bob Maes", Email: "bob@firm.example", Password: password})
	h := start(t, yamlUser, ldapSection(d, w.url), "user:ann", "user:bob")
	signedIn, err := h.people.Load().Authenticate(t.Context(), "Bob", password)
	if err != nil || signedIn.Login != "bob" {
		t.Fatalf("Authenticate = %q, %v", signedIn.Login, err)
	}
	who, _, err := h.colleague(t.Context(), "bob@firm.example")
	if err != nil || who.Login != signedIn.Login || who.ID != signedIn.ID {
		t.Errorf("colleague = %q, %v, want %q", who.Login, err, signedIn.Login)
	}
	found, err := h.staff(t.Context(), "maes", 5)
	if err != nil || len(found) != 1 || found[0].Login != signedIn.Login {
		t.Errorf("staff = %+v, %v, want %q", found, err, signedIn.Login)
	}
}
