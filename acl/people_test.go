package acl_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
)

// People finds all whom the config lists, through groups in groups and around a
// ring of them, and neither other groups nor customers.
func TestPeople(t *testing.T) {
	t.Parallel()
	p := must(t, acl.Spec{Groups: []acl.Group{
		{Name: "tax", Members: []acl.Subject{"user:bob", "user:ann", "group:interns"}},
		{Name: "interns", Members: []acl.Subject{"user:ida", "user:ann", "group:tax"}},
		{Name: "it", Members: []acl.Subject{"user:root"}},
	}})
	for group, want := range map[acl.Subject][]acl.Subject{
		"group:tax": {"user:ann", "user:bob", "user:ida"}, "group:interns": {"user:ann", "user:bob", "user:ida"}, "group:it": {"user:root"},
		"group:none": nil, "user:ann": nil, "everyone": nil,
	} {
		if diff := cmp.Diff(want, p.People(group)); diff != "" {
			t.Errorf("People(%s) (-want +got):\n%s", group, diff)
		}
	}
}
