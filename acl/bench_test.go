package acl_test

import (
	"fmt"
	"testing"
	"time"

	"portico/acl"
	"portico/vpath"
)

// big is a policy of 10,000 rules and 1,000 groups, with bob in every second
// of them. deep lies in a path of eight folders that have rules; full has all
// 10,000 on itself; shared was given to bob by ten people in a chain.
func big(tb testing.TB) (v *acl.View, deep, full, shared vpath.Path) {
	tb.Helper()
	editor, _ := acl.RoleNamed("editor")
	manager, _ := acl.RoleNamed("manager")
	deny, err := acl.ParseRights([]string{"audit"})
	if err != nil {
		tb.Fatal(err)
	}
	var spec acl.Spec
	for i := range 1000 {
		g := acl.Group{Name: fmt.Sprint("g", i), Members: []acl.Subject{acl.GroupOf(fmt.Sprint("g", i+2))}}
		if i == 998 {
			g.Members = []acl.Subject{"user:bob"}
		}
		spec.Groups = append(spec.Groups, g)
	}
	full = vpath.Must("/firm/Clients/One folder with all rules")
	for i := range 10_000 {
		who := acl.GroupOf(fmt.Sprint("g", i%1000))
		spec.Grants = append(spec.Grants, acl.Grant{Path: full, Subject: who, Role: editor})
		path := vpath.Must(fmt.Sprintf("/firm/Clients/Client %d/%d", i%100, i))
		if i%10 == 0 {
			spec.Denies = append(spec.Denies, acl.Deny{Path: path, Subject: who, Rights: deny})
			continue
		}
		spec.Grants = append(spec.Grants, acl.Grant{Path: path, Subject: who, Role: editor})
	}
	deep = vpath.Must("/firm")
	for i := range 8 {
		deep = vpath.Must(deep.String() + "/a folder with a name of usual length")
		spec.Grants = append(spec.Grants, acl.Grant{Path: deep, Subject: acl.GroupOf(fmt.Sprint("g", i)), Role: editor})
	}
	shared = vpath.Must("/firm/Shared/Folder")
	for i := range 10 {
		giver := staff(fmt.Sprint("giver", i+1))
		spec.Grants = append(spec.Grants, acl.Grant{Path: shared, Subject: acl.User(fmt.Sprint("giver", i)), Role: manager, Giver: &giver})
	}
	spec.Grants[len(spec.Grants)-10].Subject = "user:bob"
	spec.Grants = append(spec.Grants, acl.Grant{Path: vpath.Must("/firm"), Subject: "user:giver10", Role: manager})
	policy, err := acl.Compile(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return policy.View(staff("bob"), time.Time{}), deep, full, shared
}

func BenchmarkDecide(b *testing.B) {
	v, deep, full, shared := big(b)
	for name, path := range map[string]vpath.Path{
		"deep":   vpath.Must(deep.String() + "/file.txt"),
		"full":   vpath.Must(full.String() + "/file.txt"),
		"shared": vpath.Must(shared.String() + "/file.txt"),
		"client": vpath.Must("/firm/Clients/Client 8/98/report.pdf"),
		"none":   vpath.Must("/firm/nobody/was/ever/here/file.txt"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.Decide(acl.Write, path, "")
			}
		})
		b.Run("see/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.SeesFolder(path)
				v.SeesFile(path, "")
			}
		})
	}
}

func BenchmarkView(b *testing.B) {
	editor, _ := acl.RoleNamed("editor")
	var spec acl.Spec
	for i := range 10_000 {
		spec.Grants = append(spec.Grants, acl.Grant{Path: vpath.Must(fmt.Sprintf("/firm/%d/x", i)), Subject: acl.Everyone, Role: editor})
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		policy.View(staff("bob"), time.Time{})
	}
}

// The speed is for the benchmark, because a busy machine must not fail a test;
// that nothing is allocated is a promise.
func TestQuestionsAllocateNothing(t *testing.T) {
	v, deep, full, shared := big(t)
	for _, path := range []vpath.Path{deep, full, shared, vpath.Must("/firm/none"), vpath.Must("/")} {
		if n := testing.AllocsPerRun(100, func() {
			v.Decide(acl.Write, path, "id-user:bob").Allowed()
			v.SeesFolder(path)
			v.SeesFile(path, "id-user:ann")
			v.Rights(path)
		}); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
	for path, want := range map[vpath.Path]bool{deep: true, full: true, shared: true, vpath.Must("/firm/none"): false} {
		if d := v.Decide(acl.Write, path, ""); d.Allowed() != want {
			t.Errorf("%s", d)
		}
	}
}
