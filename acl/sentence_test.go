package acl_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/acl"
	"portico/vpath"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	spec := firm(t)
	eve, ann := acl.Principal{ID: "c1", Self: "contact:eve@client.example"}, staff("ann")
	tom := staff("tom")
	spec.Grants = append(
		spec.Grants,
		acl.Grant{Path: vpath.Must("/firm/Team"), Subject: acl.Everyone, Role: role(t, "member"), At: line(50)},
		acl.Grant{Path: vpath.Must("/firm/Clients/Acme"), Subject: eve.Self, Role: role(t, "editor"), Giver: &ann},
		acl.Grant{Path: vpath.Must("/firm/Clients/Acme"), Subject: eve.Self, Role: role(t, "manager"), Giver: &tom},
		acl.Grant{Path: vpath.Must("/firm/Space"), Subject: "user:ida", Role: role(t, "editor")},
	)
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm/Space/own")}) // from the state store
	for _, n := range []int{61, 62, 63, 64, 65} {
		spec.Denies = append(spec.Denies, acl.Deny{Path: vpath.Must("/firm/Many"), Subject: acl.Everyone, Rights: rightsOf(t, "read"), At: line(n)})
	}
	spec.Denies = append(spec.Denies, acl.Deny{Path: vpath.Must("/firm/Nowhere"), Subject: acl.Everyone, Rights: rightsOf(t, "write")}) // of no file
	policy := must(t, spec)
	for _, c := range []struct {
		who           acl.Principal
		right         acl.Right
		path, creator string
		said, mend    string
	}{
		{
			staff("bob"), acl.Write, "/firm/Clients/a", "",
			"yes: bob may write /firm/Clients/a: group:staff is editor on /firm/Clients (portico.yaml:38); bob is in group:staff",
			`to take it away, write "/Clients/a": {deny: {"user:bob": [write]}} under workspaces.firm.folders`,
		},
		{
			staff("ida"), acl.Write, "/firm/HR/x", "",
			"no: ida may not write /firm/HR/x: no rule grants write there (rules above /firm/HR are hidden by inherit: false, portico.yaml:41)",
			`to allow it, write "/HR/x": {grant: {"user:ida": editor}} under workspaces.firm.folders`,
		},
		{
			staff("ida"), acl.Delete, "/firm/Clients/Acme/x", "",
			"no: ida may not delete /firm/Clients/Acme/x: group:interns is denied delete on /firm/Clients/Acme (portico.yaml:39); ida is in group:interns",
			"to allow it, take delete out of the deny for group:interns on /firm/Clients/Acme, portico.yaml:39",
		},
		{
			staff("ida"), acl.Read, "/firm/Clients/x", "",
			"yes: ida may read /firm/Clients/x: group:staff is editor on /firm/Clients (portico.yaml:38); ida is in group:staff through group:interns; " +
				"group:staff is viewer on /firm (portico.yaml:37); ida is in group:staff through group:interns",
			`to take it away, write "/Clients/x": {deny: {"user:ida": [read]}} under workspaces.firm.folders`,
		},
		{
			staff("ann"), acl.Read, "/firm/HR/x", "",
			"yes: ann may read /firm/HR/x: user:ann is owner on /firm (portico.yaml:37), which nothing hides or denies",
			"to take it away, remove the grant of owner to user:ann on /firm, portico.yaml:37; no deny limits an owner",
		},
		{
			staff("cy"), acl.Transfer, "/firm", "",
			"no: cy may not transfer /firm: no rule grants transfer there",
			`to allow it, write "/": {grant: {"user:cy": owner}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.Delete, "/firm/Team/x", "id-user:cy",
			"yes: cy may delete /firm/Team/x: everyone is member on /firm/Team (portico.yaml:50), which gives delete:own, and they created it",
			`to take it away, write "/Team/x": {deny: {"user:cy": [delete]}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.Delete, "/firm/Team/x", "id-user:bob",
			"no: cy may not delete /firm/Team/x: no rule grants delete there; everyone is member on /firm/Team (portico.yaml:50), which gives delete only for what they created",
			`to allow it, write "/Team/x": {grant: {"user:cy": editor}} under workspaces.firm.folders`,
		},
		{
			eve, acl.Write, "/firm/Clients/Acme/x", "",
			"yes: eve@client.example may write /firm/Clients/Acme/x: contact:eve@client.example is editor on /firm/Clients/Acme by a share",
			`to take it away, write "/Clients/Acme/x": {deny: {"contact:eve@client.example": [write]}} under workspaces.firm.folders`,
		},
		{
			eve, acl.Invite, "/firm/Clients/Acme/x", "",
			"no: eve@client.example may not invite to /firm/Clients/Acme/x: no rule grants invite there; contact:eve@client.example is manager on /firm/Clients/Acme by a share, but whoever shared it does not hold both share and invite there",
			`to allow it, write "/Clients/Acme/x": {grant: {"contact:eve@client.example": manager}} under workspaces.firm.folders`,
		},
		{
			staff("ida"), acl.Create, "/firm/Space", "",
			"yes: ida may create in /firm/Space: user:ida is editor on /firm/Space",
			`to take it away, write "/Space": {deny: {"user:ida": [create]}} under workspaces.firm.folders`,
		},
		{
			staff("ida"), acl.Share, "/firm/Space/own", "",
			"no: ida may not share /firm/Space/own: no rule grants share there (rules above /firm/Space/own are hidden by inherit: false)",
			`to allow it, write "/Space/own": {grant: {"user:ida": manager}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.Read, "/firm/Many", "",
			"no: cy may not read /firm/Many: everyone is denied read on /firm/Many (portico.yaml:61); everyone is denied read on /firm/Many (portico.yaml:62); everyone is denied read on /firm/Many (portico.yaml:63); and 2 more",
			"to allow it, take read out of the deny for everyone on /firm/Many, portico.yaml:61 and the deny for everyone on /firm/Many, portico.yaml:62" +
				" and the deny for everyone on /firm/Many, portico.yaml:63 and the deny for everyone on /firm/Many, portico.yaml:64" +
				` and the deny for everyone on /firm/Many, portico.yaml:65, and write "/Many": {grant: {"user:cy": viewer}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.Write, "/firm/Nowhere", "",
			"no: cy may not write /firm/Nowhere: everyone is denied write on /firm/Nowhere",
			`to allow it, take write out of the deny for everyone on /firm/Nowhere, and write "/Nowhere": {grant: {"user:cy": editor}} under workspaces.firm.folders`,
		},
		{
			staff("bob"), acl.Settings, "/firm/HR", "",
			"yes: bob may change the settings of /firm/HR: user:bob is admin on /firm/HR (portico.yaml:41)",
			`to take it away, write "/HR": {deny: {"user:bob": [settings]}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.Comment, "/firm/HR", "",
			"no: cy may not comment on /firm/HR: no rule grants comment there (rules above /firm/HR are hidden by inherit: false, portico.yaml:41)",
			`to allow it, write "/HR": {grant: {"user:cy": commenter}} under workspaces.firm.folders`,
		},
		{
			staff("cy"), acl.GrantRight, "/firm", "",
			"no: cy may not grant on /firm: no rule grants grant there",
			`to allow it, write "/": {grant: {"user:cy": coadmin}} under workspaces.firm.folders`,
		},
		{
			staff("ann"), acl.List, "/", "",
			"no: ann may not list /: no rule grants list there",
			"nothing is granted on /: ask about a path in a workspace, such as /firm",
		},
		{
			staff("ann"), 0, "/firm", "",
			"no: ann may not right(0) /firm: no rule grants right(0) there", "",
		},
		{
			staff("ann"), 200, "/firm", "",
			"no: ann may not right(200) /firm: no rule grants right(200) there", "",
		},
	} {
		d := policy.View(c.who, time.Time{}).Decide(c.right, vpath.Must(c.path), c.creator)
		if diff := cmp.Diff([]string{c.said, c.mend}, []string{d.String(), d.Mend()}); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if format, args := d.Phrase(); fmt.Sprintf(format, args...) != c.said {
			t.Errorf("Phrase = %q, %v, and not what is said in English", format, args)
		}
	}
}

// The zero Decision denies, and has nothing to say.
func TestZeroDecision(t *testing.T) {
	t.Parallel()
	var d acl.Decision
	if d.Allowed() || d.Reasons() != nil || d.Mend() != "" || d.String() != "no: nothing was asked" {
		t.Errorf("%v, %v, %q, %q", d.Allowed(), d.Reasons(), d.Mend(), d)
	}
}

// Reasons have all that a program needs to show a decision in its own way.
func TestReasons(t *testing.T) {
	t.Parallel()
	spec, ann := firm(t), staff("ann")
	hr := vpath.Must("/firm/HR")
	spec.Grants = append(spec.Grants, acl.Grant{Path: hr, Subject: "user:ida", Role: role(t, "member"), Giver: &ann})
	spec.Folders = append(spec.Folders, acl.Folder{Path: vpath.Must("/firm"), At: line(37)}) // hides nothing: there is nothing above
	d := must(t, spec).View(staff("ida"), time.Time{}).Decide(acl.Read, hr, "")
	want := []acl.Reason{
		{Kind: acl.KindForeign, Path: hr, Subject: "user:ida", Chain: acl.Chain{"user:ida"}, Role: "member", Own: true, Giver: "user:ann"},
		{Kind: acl.KindHides, Path: hr, At: line(41)},
	}
	same := cmp.Comparer(func(a, b vpath.Path) bool { return a == b })
	if diff := cmp.Diff(want, d.Reasons(), same, cmpopts.IgnoreUnexported(acl.Reason{})); diff != "" {
		t.Errorf("HR (-want +got):\n%s", diff)
	}
	d = must(t, spec).View(staff("ida"), time.Time{}).Decide(acl.Write, vpath.Must("/firm/Clients/Acme/x"), "")
	way := acl.Chain{"user:ida", "group:interns"}
	want = []acl.Reason{
		{Kind: acl.KindDeny, Path: vpath.Must("/firm/Clients/Acme"), At: line(39), Subject: "group:interns", Chain: way},
		{
			Kind: acl.KindGrant, Path: vpath.Must("/firm/Clients"), At: line(38), Subject: "group:staff", Role: "editor",
			Chain: append(slices.Clone(way), "group:staff"),
		},
	}
	if diff := cmp.Diff(want, d.Reasons(), same, cmpopts.IgnoreUnexported(acl.Reason{})); diff != "" {
		t.Errorf("Acme (-want +got):\n%s", diff)
	}
	if said, want := d.Reasons()[0].String(), "group:interns is denied write on /firm/Clients/Acme (portico.yaml:39); ida is in group:interns"; said != want {
		t.Errorf("the first reason is %q, want %q", said, want)
	}
}

// A right's word is a sentence that others translate.
func TestRightsAreTranslatable(t *testing.T) {
	t.Parallel()
	for _, r := range acl.AllRights() {
		if format, args := r.Phrase(); format != r.String() || args != nil {
			t.Errorf("%s: Phrase = %q, %v", r, format, args)
		}
	}
}
