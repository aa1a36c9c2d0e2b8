package oidc_test

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/identity/oidc"
	"portico/store"
	"portico/store/sqlite"
)

func unpadded(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// TestRow11Claims wants claims that cannot be used refused, with a line for the
// admin and no word of it for the person.
func TestRow11Claims(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 257)
	for what, c := range map[string]struct {
		claims map[string]any
		log    string
	}{
		"a login that is a parent": {map[string]any{"preferred_username": ".."}, "the login"},
		"a login with a slash":     {map[string]any{"preferred_username": "a/../b"}, "the login"},
		"a login with a backslash": {map[string]any{"preferred_username": `FIRM\\eva`}, "the login"},
		"a login with a colon":     {map[string]any{"preferred_username": "eva:x"}, "the login"},
		"a login with a space":     {map[string]any{"preferred_username": " eva"}, "the login"},
		"a login with a line end":  {map[string]any{"preferred_username": "eva\n"}, "control character"},
		"a login turned around":    {map[string]any{"preferred_username": "eva\u202eann"}, "writing direction"},
		"an invisible character":   {map[string]any{"preferred_username": "e\u200bva"}, "invisible"},
		"no login":                 {map[string]any{"preferred_username": nil}, "identity.oidc.claims.login"},
		"an empty login":           {map[string]any{"preferred_username": ""}, "identity.oidc.claims.login"},
		"a login that is a number": {map[string]any{"preferred_username": 7}, "not a string"},
		"a login too long":         {map[string]any{"preferred_username": long}, "longer than"},
		"a name with a tab":        {map[string]any{"name": "E\tva"}, "control character"},
		"a name that is a list":    {map[string]any{"name": []string{"Eva"}}, "not a string"},
		"a mail that is a list":    {map[string]any{"email": []string{"a@b"}}, "not a string"},
		"no subject":               {map[string]any{"sub": ""}, "subject"},
		"a subject too long":       {map[string]any{"sub": long}, "subject"},
		"groups that are a map":    {map[string]any{"groups": map[string]any{"a": 1}}, "neither a list"},
		"groups that are numbers":  {map[string]any{"groups": []int{1}}, "neither a list"},
		"groups that are mixed":    {map[string]any{"groups": []any{"a", nil, 1}}, "neither a list"},
		"an empty group":           {map[string]any{"groups": []string{"a", ""}}, "empty"},
		"a group with a line end":  {map[string]any{"groups": "a\nb"}, "control character"},
		"a thousand groups":        {map[string]any{"groups": strings.Split(strings.Repeat("g,", 1001), ",")}, "are the most"},
		"groups elsewhere":         {map[string]any{"groups": nil, "_claim_names": map[string]string{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "http://127.0.0.1:1/"}}}, "fewer groups"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			e := newEvil(t)
			e.claims = c.claims
			h := newHouse(t, e.url)
			_, err := e.finish(h)
			wantRefused(t, what, err)
			if !strings.Contains(h.log.String(), c.log) {
				t.Errorf("the log lacks %q:\n%s", c.log, h.log)
			}
			if strings.Contains(h.log.String(), "a\nb") {
				t.Error("a line end of the provider's is in the log as it is")
			}
		})
	}
}

func TestGroupShapes(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		claim any
		want  []identity.Membership
	}{
		"a list":        {[]string{"a", "b c"}, []identity.Membership{{Group: "a"}, {Group: "b c"}}},
		"a string":      {"a", []identity.Membership{{Group: "a"}}},
		"an empty list": {[]string{}, nil},
		"nothing":       {nil, nil},
	} {
		e := newEvil(t)
		e.claims = map[string]any{"groups": c.claim}
		in, err := e.finish(newHouse(t, e.url))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if d := cmp.Diff(c.want, in.Who.Groups); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	e := newEvil(t)
	e.claims = map[string]any{"groups": map[string]any{"not": "looked at"}}
	h := newHouse(t, e.url, func(o *oidc.Options) { o.Claims.Groups = "" })
	if in, err := e.finish(h); err != nil || len(in.Who.Groups) > 0 {
		t.Errorf("without a claim for groups: %v, %v", in.Who.Groups, err)
	}
}

// TestUnverifiedAddress wants no login that anybody could have typed.
func TestUnverifiedAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verified any
		ok       bool
	}{{true, true}, {"true", true}, {nil, true}, {false, false}, {"false", false}, {0, false}} {
		e := newEvil(t)
		e.claims = map[string]any{"email_verified": c.verified}
		h := newHouse(t, e.url, func(o *oidc.Options) { o.Claims.Login = "email" })
		in, err := e.finish(h)
		if c.ok != (err == nil) {
			t.Errorf("email_verified %v: Finish = %q, %v", c.verified, in.Who.Login, err)
		}
	}
}

// TestUserInfoOfAnother wants a userinfo that speaks of somebody else refused.
func TestUserInfoOfAnother(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	e.claims = map[string]any{"preferred_username": nil}
	e.info = map[string]any{"sub": "s-2", "preferred_username": "ann"}
	h := newHouse(t, e.url)
	_, err := e.finish(h)
	wantRefused(t, "another subject", err)
	e.info = map[string]any{"sub": "s-1", "preferred_username": "eva", "name": "Not signed"}
	in, err := e.finish(h)
	if err != nil || in.Who.Login != "eva" || in.Who.Name != "Eva" {
		t.Errorf("Finish = %+v, %v, want eva with the name of the signed token", in.Who, err)
	}
}

// TestTwoSubjectsOneLogin: the first keeps it, in any spelling, also where both
// come at once.
func TestTwoSubjectsOneLogin(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	h := newHouse(t, e.url)
	first, err := e.finish(h)
	if err != nil {
		t.Fatal(err)
	}
	e.claims = map[string]any{"sub": "s-2", "preferred_username": "EVA"}
	second, err := e.finish(h) // before the first is kept
	if err != nil {
		t.Fatal(err)
	}
	if err := h.state.Update(t.Context(), first.Keep); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "kept second", h.state.Update(t.Context(), second.Keep))
	_, err = e.finish(h)
	wantRefused(t, "later", err)
	if !strings.Contains(h.log.String(), "two subjects claim one login") {
		t.Errorf("the admin's log lacks it:\n%s", h.log)
	}
	if who, err := h.people().ByLogin(t.Context(), "eva"); err != nil || who.ID != first.Who.ID {
		t.Errorf("ByLogin = %q, %v, want the first", who.ID, err)
	}
	e.claims = map[string]any{"name": "Eva Maes"}
	again, err := e.finish(h)
	if err != nil {
		t.Fatalf("the first again: %v", err)
	}
	if err := h.state.Update(t.Context(), again.Keep); err != nil {
		t.Fatal(err)
	}
	if who, err := h.people().ByID(t.Context(), first.Who.ID); err != nil || who.Name != "Eva Maes" {
		t.Errorf("ByID = %+v, %v, want the new name", who, err)
	}
}

// TestOnSQLite keeps somebody in the real store, once.
func TestOnSQLite(t *testing.T) {
	t.Parallel()
	disk, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "portico.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	e := newEvil(t)
	e.claims = map[string]any{"groups": []string{"b", "a"}}
	h := newHouse(t, e.url, func(o *oidc.Options) { o.State = disk })
	in, err := e.finish(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.Update(t.Context(), in.Keep); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, "kept twice", disk.Update(t.Context(), in.Keep))
	people := oidc.NewPeople(disk, h.issuer, func() time.Time { return h.now })
	who, err := people.ByLogin(t.Context(), "Eva")
	if d := cmp.Diff(in.Who, who); d != "" || err != nil {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, d)
	}
	e.claims = map[string]any{"sub": "s-2"}
	_, err = e.finish(h)
	wantRefused(t, "another subject", err)
}

// TestDirectoryIsAway wants no second person made of one whom the directory
// would know.
func TestDirectoryIsAway(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	e.claims = map[string]any{"preferred_username": "away"}
	_, err := e.finish(newHouse(t, e.url))
	if !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
		t.Errorf("Finish = %v, want ErrUnavailable", err)
	}
}

// TestRemembered wants somebody who does not come any more to be gone.
func TestRemembered(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	h := newHouse(t, e.url)
	in, err := e.finish(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.state.Update(t.Context(), in.Keep); err != nil {
		t.Fatal(err)
	}
	people := h.people()
	h.now = h.now.Add(oidc.Remembered - time.Second)
	if _, err := people.ByID(t.Context(), in.Who.ID); err != nil {
		t.Errorf("just before the end: %v", err)
	}
	h.now = h.now.Add(time.Second)
	for what, f := range map[string]func() (identity.Identity, error){
		"ByID":       func() (identity.Identity, error) { return people.ByID(t.Context(), in.Who.ID) },
		"ByLogin":    func() (identity.Identity, error) { return people.ByLogin(t.Context(), "eva") },
		"a stranger": func() (identity.Identity, error) { return people.ByLogin(t.Context(), "nobody") },
		"the row of a login": func() (identity.Identity, error) {
			return people.ByID(t.Context(), "oidc-login:eva")
		},
		"another issuer's": func() (identity.Identity, error) {
			if err := h.state.Update(t.Context(), func(tx store.Tx) error {
				return tx.PutPerson(store.Person{ID: "oidc:0000000000000000:s-1", Login: "x", Seen: h.now})
			}); err != nil {
				t.Error(err)
			}
			return people.ByID(t.Context(), "oidc:0000000000000000:s-1")
		},
		"a password": func() (identity.Identity, error) { return people.Authenticate(t.Context(), "eva", "any password") },
	} {
		if who, err := f(); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("%s = %q, %v, want ErrRefused", what, who.ID, err)
		}
	}
	h.state.Fail(fault.ErrUnavailable)
	if _, err := people.ByID(t.Context(), in.Who.ID); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("ByID without a store = %v", err)
	}
	if _, err := people.ByLogin(t.Context(), "eva"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("ByLogin without a store = %v", err)
	}
}
