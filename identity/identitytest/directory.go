package identitytest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/identity"
)

// OpenDirectory is Open for a directory.
type OpenDirectory func(t *testing.T, people []Person) identity.Directory

// RunDirectory puts a directory through what the contract says of it: all of
// Run, and that it finds without a password whom it lets in with one.
func RunDirectory(t *testing.T, open OpenDirectory) {
	t.Helper()
	d := open(t, People())
	Run(t, func(*testing.T, []Person) identity.Provider { return d })
	t.Run("finds", func(t *testing.T) { finds(t, d) })
	t.Run("finds nobody", func(t *testing.T) { findsNobody(t, d) })
	t.Run("finding is cancelled", func(t *testing.T) { findingIsCancelled(t, d) })
}

// finds wants one identity, whichever way somebody comes.
func finds(t *testing.T, d identity.Directory) {
	t.Helper()
	for _, who := range People() {
		want, err := d.Authenticate(t.Context(), who.Login, who.Password)
		if err != nil {
			t.Fatalf("Authenticate(%q) = %v", who.Login, err)
		}
		got, err := d.ByID(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ByID(%q) = %v (-Authenticate +ByID):\n%s", want.ID, err, diff)
		}
		for _, login := range []identity.Login{who.Login, identity.Login(who.Login.Key())} {
			got, err := d.ByLogin(t.Context(), login)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("ByLogin(%q) = %v (-Authenticate +ByLogin):\n%s", login, err, diff)
			}
		}
	}
}

// findsNobody wants no more than the refusal: a login is no ID and an ID no
// login, and neither is a part of one or a pattern for one.
func findsNobody(t *testing.T, d identity.Directory) {
	t.Helper()
	ann, err := d.ByLogin(t.Context(), People()[0].Login)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, asked string, got identity.Identity, err error) {
		t.Helper()
		if !errors.Is(err, identity.ErrRefused) || err.Error() != identity.ErrRefused.Error() || cmp.Diff(identity.Identity{}, got) != "" {
			t.Errorf("%s(%q) = %+v, %v, want ErrRefused and no more", name, asked, got, err)
		}
	}
	for _, login := range []identity.Login{"", "*", "an*", "nobody", "ann)(uid=*", "*)(|(cn=*", "ann\x00", " ann", `a\6en`, identity.Login(ann.ID), "..", "/"} {
		got, err := d.ByLogin(t.Context(), login)
		check("ByLogin", string(login), got, err)
	}
	for _, id := range []string{"", "*", string(ann.Login), ann.ID + "x", ann.ID[:len(ann.ID)-1], ann.ID + "\x00", ann.ID[:len(ann.ID)-1] + "*", ann.ID + ")(uid=*", " " + ann.ID} {
		got, err := d.ByID(t.Context(), id)
		check("ByID", id, got, err)
	}
}

// findingIsCancelled may answer or not, but must not say that somebody is gone.
func findingIsCancelled(t *testing.T, d identity.Directory) {
	t.Helper()
	ann, err := d.ByLogin(t.Context(), People()[0].Login)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.ByLogin(ctx, ann.Login); errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByLogin = %v for a request that has ended", err)
	}
	if _, err := d.ByID(ctx, ann.ID); errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByID = %v for a request that has ended", err)
	}
}
