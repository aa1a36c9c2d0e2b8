package oidc_test

import (
	"errors"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/oidc"
	"portico/store"
)

// TestFinder finds those whom the provider alone knows, as long as they are taken
// for present.
func TestFinder(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	h := newHouse(t, e.url)
	e.claims = map[string]any{"name": "Eva Maes", "email": "Eva@partner.example", "groups": []string{"a"}}
	in, err := e.finish(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.state.Update(t.Context(), in.Keep); err != nil {
		t.Fatal(err)
	}
	if err := h.state.Update(t.Context(), func(tx store.Tx) error { // of an issuer that the config had before
		return tx.PutPerson(store.Person{ID: "oidc:0000000000000000:s-1", Login: "evi", Name: "Evi", Email: "evi@partner.example", Seen: h.now})
	}); err != nil {
		t.Fatal(err)
	}
	people := h.people()
	wants := func(what, id string) {
		t.Helper()
		want := identity.ErrRefused
		if id != "" {
			want = nil
		}
		who, err := people.ByMail(t.Context(), "eva@PARTNER.example")
		if who.ID != id || !errors.Is(err, want) || len(who.Groups) > 0 {
			t.Errorf("%s: ByMail = %+v, %v, want %q", what, who, err, id)
		}
		for _, text := range []string{"ev", "MAES", "eva@"} {
			found, err := people.Search(t.Context(), text, 5)
			if err != nil || len(found) != min(len(id), 1) || len(found) > 0 && found[0].ID != id {
				t.Errorf("%s: Search(%q) = %+v, %v, want %q", what, text, found, err, id)
			}
		}
	}
	wants("present", in.Who.ID)
	for _, mail := range []string{"evi@partner.example", "nobody@partner.example", "", "%"} {
		if who, err := people.ByMail(t.Context(), mail); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("ByMail(%q) = %q, %v, want ErrRefused", mail, who.ID, err)
		}
	}
	h.now = h.now.Add(oidc.Remembered - time.Second)
	wants("just before the end", in.Who.ID)
	h.now = h.now.Add(time.Second)
	wants("after it", "")
	h.state.Fail(fault.ErrUnavailable)
	if _, err := people.ByMail(t.Context(), "eva@partner.example"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("ByMail without a store = %v", err)
	}
	if _, err := people.Search(t.Context(), "eva", 5); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Search without a store = %v", err)
	}
}
