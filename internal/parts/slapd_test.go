package parts_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"portico/internal/parts"
)

// count asks for the entries that a filter finds.
func count(t *testing.T, l parts.LDAP, filter string) int {
	t.Helper()
	found, err := l.Admin(t).Search(ldap.NewSearchRequest(l.Base, ldap.ScopeWholeSubtree, 0, 0, 0, false, filter, []string{"1.1"}, nil))
	if err != nil {
		t.Fatalf("search %s: %v", filter, err)
	}
	return len(found.Entries)
}

func TestFirm(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	if again := parts.Slapd(t); again.PID() != l.PID() {
		t.Errorf("a second call gave process %d, want the shared %d", again.PID(), l.PID())
	}
	if got := count(t, l, "(objectClass=inetOrgPerson)"); got != len(l.Persons) || got < 2000 {
		t.Errorf("it has %d people, want %d", got, len(l.Persons))
	}
	if got := count(t, l, "(|(objectClass=groupOfNames)(objectClass=posixGroup))"); got != parts.FirmGroups || got < 300 {
		t.Errorf("it has %d groups, want %d", got, parts.FirmGroups)
	}
}

func TestSlapdOutages(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Email: "ann@firm.example", Password: "one"})
	group := l.AddGroup(t, "staff", ann)
	l.Join(t, group, l.AdminDN)
	l.Leave(t, group, ann)
	ann = l.Rename(t, ann, "Anne, of the firm")
	l.Set(t, ann, "userPassword", "two")

	l.Stop(t)
	if got := l.PID(); got != 0 {
		t.Errorf("PID after Stop = %d, want 0", got)
	}
	l.Start(t)
	if err := l.Admin(t).Bind(ann, "two"); err != nil {
		t.Errorf("Bind after a restart = %v", err)
	}
	l.Freeze(t)
	l.Thaw(t)
	l.Kill(t)
	l.Start(t)
	l.Delete(t, group)
	if got := count(t, l, "(member=*)"); got != 0 {
		t.Errorf("%d groups are left, want none", got)
	}

	second := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true, Like: &l})
	if got := count(t, second, "(uid=ann)"); got != 0 {
		t.Errorf("the second server has what was added to the first")
	}
	second.CA = l.CA
	_ = second.Admin(t) // one authority
}
