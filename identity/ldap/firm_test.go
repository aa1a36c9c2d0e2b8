package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/internal/parts"
)

// TestFirm signs in people of a directory of 2,000, with names as people have
// them, over both ways to encrypt.
func TestFirm(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	for name, set := range map[string]func(*Options){
		"ldaps": func(*Options) {},
		"StartTLS": func(o *Options) {
			o.StartTLS, o.Servers[0] = true, address(t, l.StartTLS)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, l)
			set(&o)
			d, _ := open(t, o)
			for _, p := range append(l.Persons[:20:20], l.Persons[1999]) {
				got, err := d.Authenticate(t.Context(), identity.Login(p.Login), p.Password)
				if err != nil || got.Name != strings.TrimSpace(p.Name) || got.Email != p.Email {
					t.Errorf("Authenticate(%q) = %+v, %v, want %q", p.Login, got, err, p.Name)
				}
				again, err := d.ByID(t.Context(), got.ID)
				if diff := cmp.Diff(got, again); err != nil || diff != "" {
					t.Errorf("ByID(%q) = %v (-Authenticate +ByID):\n%s", got.ID, err, diff)
				}
				if _, err := d.Authenticate(t.Context(), identity.Login(p.Login), p.Password+"x"); !errors.Is(err, identity.ErrRefused) {
					t.Errorf("Authenticate(%q) with a wrong password = %v, want ErrRefused", p.Login, err)
				}
			}
			for _, name := range hostile() {
				if _, err := d.Authenticate(t.Context(), identity.Login(name), "password of p0000"); !errors.Is(err, identity.ErrRefused) {
					t.Errorf("Authenticate(%q) = %v, want ErrRefused", name, err)
				}
			}
		})
	}
}

// TestNested: five deep, a ring, and a group whose name must be escaped in a DN
// and in a filter.
func TestNested(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	d, _ := open(t, options(t, l))
	got, err := d.ByLogin(t.Context(), "P0000")
	want := []identity.Membership{
		{Group: "ring-a"},
		{Group: "team-0"},
		{Group: parts.OddGroup},
		{Group: "ring-b", Through: "ring-a"},
		{Group: "dept-0", Through: "team-0"},
		{Group: "ring-c", Through: "ring-b"},
		{Group: "unit-0", Through: "dept-0"},
		{Group: "staff-0", Through: "unit-0"},
		{Group: parts.TopGroup, Through: "staff-0"},
	}
	if diff := cmp.Diff(want, got.Groups); err != nil || diff != "" {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
	o := options(t, l)
	o.Groups.Nested = false
	d, _ = open(t, o)
	got, err = d.ByLogin(t.Context(), "p0000")
	if diff := cmp.Diff(want[:3], got.Groups); err != nil || diff != "" {
		t.Errorf("not nested: ByLogin = %v (-want +got):\n%s", err, diff)
	}
	o.Groups = nil
	d, _ = open(t, o)
	if got, err = d.ByLogin(t.Context(), "p0000"); err != nil || got.Groups != nil {
		t.Errorf("without groups: ByLogin = %v, %v", got.Groups, err)
	}
}

// TestUnixGroups: by name, and by the number of the account.
func TestUnixGroups(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	o := options(t, l)
	o.Groups.Filter = "(memberUid={login})"
	d, _ := open(t, o)
	got, err := d.ByLogin(t.Context(), "p0180") // lists p0180; the number is that of club-0
	if diff := cmp.Diff([]identity.Membership{{Group: "club-0"}}, got.Groups); err != nil || diff != "" {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
	got, err = d.ByLogin(t.Context(), "p0061") // lists nobody of this name
	if diff := cmp.Diff([]identity.Membership{{Group: "club-1"}}, got.Groups); err != nil || diff != "" {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
	o.Groups.Filter = "(|(member={dn})(memberUid={login}))"
	d, _ = open(t, o)
	got, err = d.ByLogin(t.Context(), "p0061")
	want := []identity.Membership{{Group: "club-1"}, {Group: "team-61"}, {Group: "dept-21", Through: "team-61"}, {Group: "unit-5", Through: "dept-21"}, {Group: "staff-0", Through: "unit-5"}, {Group: parts.TopGroup, Through: "staff-0"}}
	if diff := cmp.Diff(want, got.Groups); err != nil || diff != "" {
		t.Errorf("both kinds: ByLogin = %v (-want +got):\n%s", err, diff)
	}
	names, err := d.GroupNames(t.Context())
	if err != nil || len(names) != parts.FirmGroups || names[parts.OddGroup] != 1 || names["club-59"] != 1 {
		t.Errorf("GroupNames = %d names, %v, want %d", len(names), err, parts.FirmGroups)
	}
}

// TestUniqueNames: the other kind of group that OpenLDAP has, by its filter.
func TestUniqueNames(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: `Ann, "the (first)" *`, Password: "x", Email: "a@firm.example"})
	l.Add(t, l.GroupDN("below"), "objectClass", "groupOfUniqueNames", "cn", "below", "uniqueMember", ann)
	l.Add(t, l.GroupDN("above"), "objectClass", "groupOfUniqueNames", "cn", "above", "uniqueMember", l.GroupDN("below"), "uniqueMember", l.BindDN)
	o := options(t, l)
	o.Groups.Filter = "(&(objectClass=groupOfUniqueNames)(uniqueMember={dn}))"
	d, _ := open(t, o)
	got, err := d.ByLogin(t.Context(), "ann")
	if diff := cmp.Diff([]identity.Membership{{Group: "below"}, {Group: "above", Through: "below"}}, got.Groups); err != nil || diff != "" {
		t.Errorf("ByLogin = %v (-want +got):\n%s", err, diff)
	}
}

// TestDepth: eight levels count, the ninth does not, and the way there is told.
func TestDepth(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	below := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Password: "x", Email: "a@firm.example"})
	first := ""
	for i := range 10 {
		below = l.AddGroup(t, fmt.Sprintf("level-%d", i+1), below)
		if i == 0 {
			first = below
		}
	}
	l.Join(t, first, below) // a ring of ten
	for i := range 45 {     // more on one level than one search asks for
		l.AddGroup(t, fmt.Sprintf("wide-%02d", i), l.GroupDN("level-1"))
	}
	l.AddGroup(t, "above-44", l.GroupDN("wide-44"))
	l.AddGroup(t, "above-all", l.GroupDN("wide-07"), l.GroupDN("wide-30"))
	d, _ := open(t, options(t, l))
	got, err := d.ByLogin(t.Context(), "ann")
	if err != nil || len(got.Groups) != 8+45+2 {
		t.Fatalf("ByLogin = %d groups, %v, want 55", len(got.Groups), err)
	}
	through := map[string]string{}
	for _, m := range got.Groups {
		if _, known := through[m.Through]; m.Through != "" && !known {
			t.Errorf("%v stands before the group that it is reached through", m)
		}
		through[m.Group] = m.Through
	}
	for group, want := range map[string]string{"level-1": "", "level-8": "level-7", "wide-44": "level-1", "above-44": "wide-44", "above-all": "wide-07"} {
		if got, ok := through[group]; !ok || got != want {
			t.Errorf("%s is reached through %q, %t, want %q", group, got, ok, want)
		}
	}
}

// TestPaging: the directory gives no more than 1,000 entries at once.
func TestPaging(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	d, _ := open(t, options(t, l))
	users, groups, err := d.Count(t.Context())
	if err != nil || users != len(l.Persons) || groups != parts.FirmGroups-60 {
		t.Errorf("Count = %d, %d, %v, want %d and %d", users, groups, err, len(l.Persons), parts.FirmGroups-60)
	}
}

// TestChanges: what changes in the directory holds from the next time on, and
// somebody who is renamed stays who they are.
func TestChanges(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann Peeters", Password: "one", Email: "a@firm.example"})
	bob := l.AddPerson(t, parts.Person{Login: "bob", Name: "Bob", Password: "x", Email: "b@firm.example"})
	staff := l.AddGroup(t, "staff", ann, bob)
	d, _ := open(t, options(t, l))
	before, err := d.Authenticate(t.Context(), "ann", "one")
	if err != nil || len(before.Groups) != 1 {
		t.Fatalf("Authenticate = %v, %v", before, err)
	}
	l.Leave(t, staff, ann)
	if got, err := d.ByLogin(t.Context(), "ann"); err != nil || len(got.Groups) != 0 {
		t.Errorf("after leaving: ByLogin = %v, %v, want no groups", got.Groups, err)
	}
	ann = l.Rename(t, ann, `Maes, "Ann" (née Peeters)`)
	l.Set(t, ann, "uid", "ann.maes")
	l.Join(t, staff, ann)
	after, err := d.Authenticate(t.Context(), "ann.maes", "one")
	if err != nil || after.ID != before.ID || after.Name != `Maes, "Ann" (née Peeters)` || len(after.Groups) != 1 {
		t.Errorf("after a new name: Authenticate = %+v, %v, want the ID %q", after, err, before.ID)
	}
	if got, err := d.ByID(t.Context(), before.ID); err != nil || got.Login != "ann.maes" {
		t.Errorf("ByID = %v, %v", got, err)
	}
	if _, err := d.ByLogin(t.Context(), "ann"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("the old login: %v, want ErrRefused", err)
	}
	l.Set(t, ann, "userPassword", "two")
	if _, err := d.Authenticate(t.Context(), "ann.maes", "one"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("the old password: %v, want ErrRefused", err)
	}
	l.Set(t, ann, "userPassword")
	if _, err := d.Authenticate(t.Context(), "ann.maes", "two"); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("no password: %v, want ErrRefused", err)
	}
	l.Set(t, ann, "pwdAccountLockedTime", "000001010000Z")
	if _, err := d.ByID(t.Context(), before.ID); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("locked: ByID = %v, want ErrRefused", err)
	}
	l.Delete(t, ann)
	if _, err := d.ByID(t.Context(), before.ID); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("gone: ByID = %v, want ErrRefused", err)
	}
}

// TestByIDKeepsTheFilter: whom the filter leaves out is not let in by the ID.
func TestByIDKeepsTheFilter(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := l.AddPerson(t, parts.Person{Login: "ann", Name: "Ann", Password: "one", Email: "a@firm.example"})
	o := options(t, l)
	o.Users.Filter = "(&(uid={login})(!(employeeType=left)))"
	d, _ := open(t, o)
	who, err := d.Authenticate(t.Context(), "ann", "one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ByID(t.Context(), who.ID); err != nil {
		t.Errorf("ByID = %v", err)
	}
	l.Set(t, ann, "employeeType", "left")
	if _, err := d.ByID(t.Context(), who.ID); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByID = %v, want ErrRefused", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	d, _ := open(t, options(t, l))
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	o := options(t, l)
	o.Groups.Base = "ou=grups," + l.Base
	d, _ = open(t, o)
	if err := d.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), `"ou=grups,dc=firm,dc=example" does not exist`) {
		t.Errorf("Check without a base = %v", err)
	}
}

// TestNotTLS: a port that does not speak TLS is an outage, and gets no password.
func TestNotTLS(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	o := options(t, l)
	o.Servers[0] = address(t, strings.Replace(l.StartTLS, "ldap:", "ldaps:", 1))
	o.DialTimeout = 500 * time.Millisecond
	d, _ := open(t, o)
	if _, err := d.Authenticate(t.Context(), "p0000", "password of p0000"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Authenticate = %v, want fault.ErrUnavailable", err)
	}
	o.StartTLS, o.Servers[0], o.CA = true, address(t, l.StartTLS), newDC(t).ca
	d, log := open(t, o)
	if _, err := d.Authenticate(t.Context(), "p0000", "password of p0000"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Authenticate with another's authority = %v, want fault.ErrUnavailable", err)
	}
	log.wants(t, "certificate is not trusted")
}

// TestManyAtOnce leaves no connection behind that is somebody's.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	d, _ := open(t, options(t, l))
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			p := l.Persons[i]
			got, err := d.Authenticate(t.Context(), identity.Login(p.Login), p.Password)
			if err != nil || string(got.Login) != p.Login {
				t.Errorf("Authenticate(%q) = %q, %v", p.Login, got.Login, err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	for range 20 {
		wg.Go(func() {
			if _, err := d.Authenticate(ctx, "p0001", "password of p0001"); errors.Is(err, identity.ErrRefused) {
				t.Errorf("Authenticate = %v for a request that has ended", err)
			}
		})
	}
	cancel()
	wg.Wait()
	if got, err := d.ByLogin(t.Context(), "p0001"); err != nil || got.Login != "p0001" {
		t.Errorf("afterwards: ByLogin = %v, %v", got, err)
	}
}
