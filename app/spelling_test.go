package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
	"portico/config"
	"portico/gateway"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/vpath"
)

// TestRulesHoldForEverySpelling: a directory does not tell Bob from bob, and some
// let people choose. A deny that names the one holds for the other.
func TestRulesHoldForEverySpelling(t *testing.T) {
	folder, err := vpath.Parse("/firm")
	if err != nil {
		t.Fatal(err)
	}
	everything, err := acl.ParseRights([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	at := acl.Source{File: "portico.yaml", Line: 1}
	cfg := &config.Config{Spec: acl.Spec{
		Groups: []acl.Group{{Name: "shut", Members: []acl.Subject{"group:interns"}, At: at}},
		Denies: []acl.Deny{{Path: folder, Subject: "user:bob", Rights: everything, At: at}, {Path: folder, Subject: "group:shut", Rights: everything, At: at}},
		Grants: []acl.Grant{{Path: folder, Subject: acl.Everyone, Role: acl.Role{Name: "viewer", Rights: everything}, At: at}},
	}}
	policy, err := acl.Compile(cfg.Spec)
	if err != nil {
		t.Fatal(err)
	}
	firm := identitytest.NewFakeOf("ldap:",
		identitytest.Person{ID: "1", Login: "Bob", Password: password},
		identitytest.Person{ID: "2", Login: "Zoë", Password: password, Groups: []identity.Membership{{Group: "team"}, {Group: "Interns", Through: "team"}}},
		identitytest.Person{ID: "3", Login: "Ann", Password: password},
	)
	chain, err := people.New(people.Options{Firm: people.Source{Directory: firm, Prefix: "ldap:"}})
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{Chain: chain, names: spellingOf(cfg)}
	for id, want := range map[string]bool{"1": false, "2": false, "3": true} {
		who, err := d.ByID(t.Context(), "ldap:"+id)
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.ByLogin(t.Context(), who.Login)
		if diff := cmp.Diff(who, again); err != nil || diff != "" {
			t.Errorf("ByLogin = %v (-ByID +ByLogin):\n%s", err, diff)
		}
		again, err = d.Authenticate(t.Context(), who.Login, password)
		if diff := cmp.Diff(who, again); err != nil || diff != "" {
			t.Errorf("Authenticate = %v (-ByID +Authenticate):\n%s", err, diff)
		}
		if got := policy.View(principal(who), time.Now()).Decide(acl.Read, folder, "").Allowed(); got != want {
			t.Errorf("%s may read: %t, want %t (%+v)", who.Login, got, want, gateway.Person(who))
		}
	}
}
