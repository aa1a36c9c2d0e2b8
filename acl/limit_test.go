package acl_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/acl"
	"portico/vpath"
)

// TestLimitSaysWhy: what an app password holds back is told as such, and is held
// back from an owner too.
func TestLimitSaysWhy(t *testing.T) {
	ann := staff("ann") // the owner of /firm
	ann.Limit = acl.Limit{Workspace: "firm", ReadOnly: true}
	v := must(t, firm(t)).View(ann, time.Time{})
	for _, c := range []struct {
		right     acl.Right
		path      string
		want      bool
		why, mend string
	}{
		{acl.Read, "/firm/x", true, "yes: ann may read /firm/x: user:ann is owner on /firm (portico.yaml:37), which nothing hides or denies", ""},
		{
			acl.Write, "/firm/x", false, "no: ann may not write /firm/x: the app password only lets read",
			"to allow it, make an app password without this limit",
		},
		{
			acl.Read, "/lab/x", false, "no: ann may not read /lab/x: the app password opens /firm alone",
			`to allow it, make an app password without this limit, and write "/x": {grant: {"user:ann": viewer}} under workspaces.lab.folders`,
		},
	} {
		d := v.Decide(c.right, vpath.Must(c.path), "")
		if d.Allowed() != c.want || d.String() != c.why {
			t.Errorf("%s on %s: %v, %q, want %v, %q", c.right, c.path, d.Allowed(), d, c.want, c.why)
		}
		if c.mend != "" && d.Mend() != c.mend {
			t.Errorf("%s on %s: mend %q, want %q", c.right, c.path, d.Mend(), c.mend)
		}
	}
	same := cmp.Comparer(func(a, b vpath.Path) bool { return a == b })
	want := []acl.Reason{{Kind: acl.KindLimit, Path: vpath.Must("/lab/x"), Only: "firm"}}
	if diff := cmp.Diff(want, v.Decide(acl.Read, vpath.Must("/lab/x"), "").Reasons(), same, cmpopts.IgnoreUnexported(acl.Reason{})); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// TestLimitHides: another workspace than that of the app password does not
// exist, and a folder in which it leaves no right is not shown.
func TestLimitHides(t *testing.T) {
	spec := firm(t)
	spec.Grants = append(spec.Grants,
		acl.Grant{Path: vpath.Must("/lab"), Subject: "user:ann", Role: role(t, "editor")},
		acl.Grant{Path: vpath.Must("/firm/Drop"), Subject: "user:ida", Role: role(t, "inbox")})
	p := must(t, spec)
	ann := staff("ann")
	ann.Limit.Workspace = "firm"
	v := p.View(ann, time.Time{})
	if v.SeesFolder(vpath.Must("/lab")) || v.SeesFile(vpath.Must("/lab/x"), "") || v.SeesAll(vpath.Must("/lab")) {
		t.Error("the app password of one workspace shows another")
	}
	if !v.SeesFolder(vpath.Must("/firm")) || !v.SeesAll(vpath.Must("/firm")) {
		t.Error("the app password hides its own workspace")
	}
	ida := staff("ida")
	drop := vpath.Must("/firm/Drop")
	before := p.View(ida, time.Time{}).Rights(drop).Words()
	ida.Limit.ReadOnly = true
	after := p.View(ida, time.Time{}).Rights(drop).Words()
	if !slices.Contains(before, "create") || slices.Contains(after, "create") {
		t.Errorf("rights in the drop: %v, read-only %v", before, after)
	}
}

// TestChainThroughDirectory: a group that the directory nests in another is
// shown with the way to it, and goes on into the groups of the config.
func TestChainThroughDirectory(t *testing.T) {
	p := must(t, acl.Spec{Groups: []acl.Group{{Name: "staff", Members: []acl.Subject{"group:office"}}}})
	who := staff("bob")
	who.Groups = []acl.Membership{{Group: "group:juniors"}, {Group: "group:office", Through: "group:juniors"}}
	var got []string
	for _, c := range p.Chains(who) {
		got = append(got, c.String())
	}
	want := []string{
		"bob is in group:juniors", "bob is in group:office through group:juniors", "bob is in everyone",
		"bob is in group:staff through group:juniors, group:office",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
