package acl_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
	"portico/acl/acltest"
	"portico/vpath"
)

// What is given bears on no folder's place, and what Compile would refuse gives
// nothing.
func TestGivenGrantsPinNothing(t *testing.T) {
	t.Parallel()
	p := must(t, acl.Spec{})
	role, _ := acl.RoleNamed("owner")
	fake := acl.Role{Name: "owner"}
	ann := acl.Principal{ID: "1", Self: "user:ann", Staff: true}
	path := vpath.Must("/firm/a")
	v := p.View(ann, time.Time{},
		acl.Grant{Path: path, Subject: "user:ann", Role: role},
		acl.Grant{Path: vpath.Path{}, Subject: "user:ann", Role: role},
		acl.Grant{Path: vpath.Must("/lab"), Subject: "", Role: role},
		acl.Grant{Path: vpath.Must("/lab"), Subject: "user:ann", Role: fake},
	)
	if !v.Decide(acl.Read, path, "").Allowed() || v.Decide(acl.Read, vpath.Must("/firm"), "").Allowed() || v.SeesFolder(vpath.Must("/lab")) {
		t.Error("a grant does not hold where it stands, or holds elsewhere")
	}
	if _, _, pinned := p.Pinned(path); pinned {
		t.Error("a grant that was given keeps its folder where it is")
	}
	if p.View(ann, time.Time{}).SeesFolder(path) {
		t.Error("what one view was given is in the next one")
	}
}

// Whatever somebody gives to somebody else, the other one never holds more than
// the giver does.
func TestNobodyGivesMoreThanTheyHold(t *testing.T) {
	t.Parallel()
	gave := 0
	for w := range worlds(t, 300) {
		people := keys(w.rules.People)
		giver := w.rules.Principal(people[w.rng.IntN(len(people))])
		zed := acl.Principal{ID: "id-zed", Self: "contact:zed@x.example"}
		role := acl.Builtin()[w.rng.IntN(11)]
		g := acl.Grant{Path: vpath.Must(w.things[w.rng.IntN(len(w.things))].Path), Subject: zed.Self, Role: role, Giver: &giver}
		with, by := w.policy.View(zed, w.rules.Now(), g), w.policy.View(giver, w.rules.Now())
		without := w.policy.View(zed, w.rules.Now())
		for _, thing := range w.things {
			p, creator := vpath.Must(thing.Path), acltest.ID(thing.Creator)
			for _, r := range acl.AllRights() {
				got := with.Decide(r, p, creator).Allowed() && !without.Decide(r, p, creator).Allowed()
				if !got {
					continue
				}
				gave++
				if !by.Decide(r, p, creator).Allowed() || !by.Decide(acl.Share, p, creator).Allowed() || !g.Path.Contains(p) {
					t.Errorf("%s gave %s on %s: %s", giver.Self, r, p, with.Decide(r, p, creator))
				}
			}
		}
	}
	if gave == 0 {
		t.Error("nobody ever gave anything")
	}
}

// A sentence about a share tells an outsider neither who gave it nor where the
// giver's own rights come from.
func TestSentencesOfSharesNameNobody(t *testing.T) {
	t.Parallel()
	spec := acl.Spec{Grants: []acl.Grant{{Path: vpath.Must("/firm"), Subject: "group:secret", Role: mustRole(t, "manager"), At: acl.Source{File: "rules.yaml", Line: 7}}}}
	p := must(t, spec)
	ann := acl.Principal{ID: "1", Self: "user:ann", Staff: true, Groups: []acl.Membership{{Group: "group:secret"}}}
	eve := acl.Principal{ID: "2", Self: "contact:eve@x.example"}
	v := p.View(eve, time.Time{}, acl.Grant{Path: vpath.Must("/firm/a"), Subject: eve.Self, Role: mustRole(t, "editor"), Giver: &ann})
	for right, want := range map[acl.Right]string{
		acl.Write: "yes: eve@x.example may write /firm/a/x: contact:eve@x.example is editor on /firm/a by a share",
		acl.Share: "no: eve@x.example may not share /firm/a/x: no rule grants share there",
	} {
		d := v.Decide(right, vpath.Must("/firm/a/x"), "")
		if d.String() != want {
			t.Errorf("%q, want %q", d, want)
		}
		if r := d.Reasons(); right == acl.Write && (len(r) != 1 || r[0].Giver != "user:ann") {
			t.Errorf("reasons %+v", r)
		}
		if mend := d.Mend(); strings.Contains(mend, "secret") {
			t.Errorf("the mend %q", mend)
		}
	}
}

func mustRole(t *testing.T, name string) acl.Role {
	t.Helper()
	role, ok := acl.RoleNamed(name)
	if !ok {
		t.Fatal(name)
	}
	return role
}

func TestSubjectsAndNamed(t *testing.T) {
	t.Parallel()
	path := vpath.Must("/firm/a/b")
	p := must(t, acl.Spec{
		Groups: []acl.Group{{Name: "in", Members: []acl.Subject{"user:ann"}}, {Name: "out", Members: []acl.Subject{"group:in"}}},
		Grants: []acl.Grant{
			{Path: path.Parent(), Subject: "group:out", Role: mustRole(t, "viewer")},
			{Path: path, Subject: "user:ann", Role: mustRole(t, "viewer")},
			{Path: path, Subject: "group:out", Role: mustRole(t, "editor")},
			{Path: vpath.Must("/firm/c"), Subject: "user:bob", Role: mustRole(t, "viewer")},
		},
	})
	ann := acl.Principal{ID: "1", Self: "user:ann", Staff: true}
	if diff := cmp.Diff([]acl.Subject{"user:ann", "everyone", "group:in", "group:out"}, p.Subjects(ann)); diff != "" {
		t.Errorf("Subjects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]acl.Subject{"user:ann", "group:out"}, p.Named(path)); diff != "" {
		t.Errorf("Named (-want +got):\n%s", diff)
	}
	if got := p.Named(vpath.Path{}); got != nil {
		t.Errorf("Named(/) = %q", got)
	}
}

// One set of rights is within another where each of its words is, or the same
// right as a whole.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rights, other string
		want          bool
	}{
		{"", "", true},
		{"read", "", false},
		{"", "read", true},
		{"read", "read list", true},
		{"read write", "read", false},
		{"read:own", "read", true},
		{"read", "read:own", false},
		{"read:own", "read:own", true},
		{"read:own", "write:own", false},
	} {
		a, b := rightsOf(t, strings.Fields(c.rights)...), rightsOf(t, strings.Fields(c.other)...)
		if got := a.Within(b); got != c.want {
			t.Errorf("%q within %q: %v", c.rights, c.other, got)
		}
	}
	roles := acl.Builtin()
	if !slices.ContainsFunc(roles, func(r acl.Role) bool { return r.Name == "owner" && roles[0].Rights.Within(r.Rights) }) {
		t.Error("an owner holds less than a viewer")
	}
}
