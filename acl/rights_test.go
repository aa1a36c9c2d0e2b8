package acl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
)

func TestParseRight(t *testing.T) {
	t.Parallel()
	for _, r := range acl.AllRights() {
		got, own, err := acl.ParseRight(r.String())
		if err != nil || own || got != r {
			t.Errorf("ParseRight(%q) = %v, %v, %v", r, got, own, err)
		}
		ownable := slices.Contains(strings.Fields("list read write delete share"), r.String())
		got, own, err = acl.ParseRight(r.String() + ":own")
		if ownable && (err != nil || !own || got != r) || !ownable && err == nil {
			t.Errorf("ParseRight(%q:own) = %v, %v, %v", r, got, own, err)
		}
	}
	for _, word := range []string{"", " ", "Read", "READ", "read ", "reed", "all", "own", ":own", "read:", "read:Own", "read:own:own", "right(0)"} {
		if r, own, err := acl.ParseRight(word); err == nil || r != 0 || own {
			t.Errorf("ParseRight(%q) = %v, %v, %v, want an error", word, r, own, err)
		}
	}
}

func TestRightOutsideTheTable(t *testing.T) {
	t.Parallel()
	all := rightsOf(t, "all")
	for _, r := range []acl.Right{0, 13, 15, 16, 17, 255} {
		if all.Has(r) || all.HasOwn(r) {
			t.Errorf("all holds %s", r)
		}
		if !strings.HasPrefix(r.String(), "right(") {
			t.Errorf("String = %q", r)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		want  string
		list  []string
	}{
		{"", "no rights", nil},
		{"read list", "list read", []string{"list", "read"}},
		{"read:own read", "read", []string{"read"}},
		{"delete:own write", "write delete:own", []string{"write", "delete:own"}},
		{"all read:own", "all", strings.Fields("list read comment create write delete share grant invite audit settings transfer")},
	} {
		rs := rightsOf(t, strings.Fields(c.words)...)
		if rs.String() != c.want || rs.IsEmpty() != (c.words == "") {
			t.Errorf("%q = %q, want %q", c.words, rs, c.want)
		}
		if diff := cmp.Diff(c.list, rs.Words()); diff != "" {
			t.Errorf("%q: words (-want +got):\n%s", c.words, diff)
		}
	}
	rs := rightsOf(t, "read:own")
	if rs.Has(acl.Read) || !rs.HasOwn(acl.Read) || rs.HasOwn(acl.Write) {
		t.Error("read:own is read for what one created, and nothing else")
	}
}

func TestParseRightsReportsAllFaults(t *testing.T) {
	t.Parallel()
	rs, err := acl.ParseRights([]string{"read", "wirte", "create:own"})
	if err == nil || !rs.IsEmpty() {
		t.Fatalf("ParseRights = %v, %v, want nothing and an error", rs, err)
	}
	if rs, err := acl.ParseRights([]string{"all", "wirte"}); err == nil {
		t.Errorf("all hides a wrong word behind it: %v", rs)
	}
	for _, part := range []string{`no right "wirte"`, "create has no :own form"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// The roles' rights stand in testdata/roles.yaml; here are their names, and
// what may not be one.
func TestRoles(t *testing.T) {
	t.Parallel()
	var names []string
	for _, role := range acl.Builtin() {
		names = append(names, role.Name)
		if again, ok := acl.RoleNamed(role.Name); !ok || again != role {
			t.Errorf("RoleNamed(%q) = %v, %v", role.Name, again, ok)
		}
		if _, err := acl.NewRole(role.Name, []string{"list"}); err == nil {
			t.Errorf("a custom role may be called %s", role.Name)
		}
	}
	if diff := cmp.Diff(strings.Fields("viewer commenter inbox depositor contributor member editor manager coadmin admin owner"), names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if role, ok := acl.RoleNamed("Owner"); ok || role != (acl.Role{}) {
		t.Errorf("RoleNamed(Owner) = %v", role)
	}
	role, err := acl.NewRole("reviewer", []string{"list", "read", "comment"})
	if err != nil || role.Rights.String() != "list read comment" {
		t.Errorf("NewRole = %v, %v", role, err)
	}
	for name, words := range map[string][]string{"": {"list"}, "none": nil, "typo": {"lsit"}} {
		if role, err := acl.NewRole(name, words); err == nil || role != (acl.Role{}) {
			t.Errorf("NewRole(%q, %q) = %v, want an error", name, words, role)
		}
	}
}

func FuzzParseRight(f *testing.F) {
	for _, word := range []string{"read", "read:own", "all", "grant:own", "", ":", "écrire"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		r, own, err := acl.ParseRight(word)
		if err != nil {
			if r != 0 || own {
				t.Errorf("ParseRight(%q) = %v, %v with %v", word, r, own, err)
			}
			return
		}
		spelt := r.String()
		if own {
			spelt += ":own"
		}
		if spelt != word {
			t.Errorf("ParseRight(%q) is %q", word, spelt)
		}
		if rs, err := acl.ParseRights([]string{word}); err != nil || !rs.HasOwn(r) || rs.Has(r) == own {
			t.Errorf("ParseRights(%q) = %v, %v", word, rs, err)
		}
	})
}
