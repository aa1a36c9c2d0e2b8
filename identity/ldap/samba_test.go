//go:build samba

package ldap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"portico/identity"
	"portico/internal/parts"
)

// TestSamba holds the directory against a real domain controller, and so the
// small one of dc_test.go, which does the same.
func TestSamba(t *testing.T) {
	l := parts.Samba(t)
	o := options(t, l)
	o.Groups.ActiveDirectory = true
	d, _ := open(t, o)
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	ann := l.AddUser(t, parts.Person{Login: "ann", Name: "Peeters, Ann (Zoë)", Email: "ann@firm.example", Password: "Correct horse 1"})
	team := l.AddUserGroup(t, `team, "EMEA" (x)`, ann)
	dept := l.AddUserGroup(t, "dept", team)
	l.AddUserGroup(t, "firm", dept)
	left := l.AddUserGroup(t, "left", ann)
	right := l.AddUserGroup(t, "right", left)
	l.Join(t, left, right)
	want := identity.Identity{
		Login: "ann", Name: "Peeters, Ann (Zoë)", Email: "ann@firm.example",
		Groups: []identity.Membership{
			{Group: "Domain Users"},
			{Group: "left"},
			{Group: `team, "EMEA" (x)`},
			{Group: "Users", Through: "Domain Users"},
			{Group: "right", Through: "left"},
			{Group: "dept", Through: `team, "EMEA" (x)`},
			{Group: "firm", Through: "dept"},
		},
	}
	for _, login := range []identity.Login{"ann", "ANN", "ann@firm.example"} {
		got, err := d.Authenticate(t.Context(), login, "Correct horse 1")
		if want.ID = got.ID; err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("Authenticate(%q) = %v (-want +got):\n%s", login, err, cmp.Diff(want, got))
		}
	}
	got, err := d.ByID(t.Context(), want.ID)
	if err != nil || got.Login != "ann" || len(want.ID) != len("ldap:00112233-4455-6677-8899-aabbccdd0001") {
		t.Errorf("ByID(%q) = %v, %v", want.ID, got, err)
	}
	for _, login := range []identity.Login{"ann", "nobody", "*", "a)(cn=*", "*)(|(cn=*", "krbtgt"} {
		if _, err := d.Authenticate(t.Context(), login, "Wrong horse 1"); !errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%q) with a wrong password = %v, want ErrRefused", login, err)
		}
	}
	l.Set(t, ann, "userAccountControl", "514")
	_, err = d.Authenticate(t.Context(), "ann", "Correct horse 1")
	if _, byLogin := d.ByLogin(t.Context(), "ann"); !errors.Is(err, identity.ErrRefused) || !errors.Is(byLogin, identity.ErrRefused) {
		t.Errorf("disabled: %v, %v, want ErrRefused", err, byLogin)
	}
	names, err := d.GroupNames(t.Context())
	if err != nil || names["firm"] != 1 || names["Domain Users"] != 1 {
		t.Errorf("GroupNames = %v, %v", names, err)
	}
	var members []string
	for i := range 1600 {
		dn := fmt.Sprintf("CN=contact %d,CN=Users,%s", i, l.Base)
		members = append(members, dn)
	}
	admin := l.Admin(t)
	for _, dn := range members {
		addContact(t, admin, dn)
	}
	big := l.AddUserGroup(t, "big", members...)
	found, err := d.search(t.Context(), d.request(big, "(objectClass=group)", 1, []string{"member"}))
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.every(t.Context(), found[0], "member")
	if err != nil || len(all) != len(members) || !slices.ContainsFunc(all, func(m string) bool { return strings.EqualFold(m, members[1599]) }) {
		t.Errorf("every = %d members, %v, want %d", len(all), err, len(members))
	}
}

func addContact(t *testing.T, admin *goldap.Conn, dn string) {
	t.Helper()
	req := goldap.NewAddRequest(dn, nil)
	req.Attribute("objectClass", []string{"contact"})
	if err := admin.Add(req); err != nil {
		t.Fatal(err)
	}
}
