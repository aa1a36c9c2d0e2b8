//go:build !race

// A great many requests, one after the other: under the race detector they would
// take a quarter of an hour and find what the other tests find.

package portal_test

import (
	"slices"
	"testing"
)

// TestMatrix is the route matrix.
func TestMatrix(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	list, err := m.sharing.ForMe(t.Context(), m.by(carol))
	m.ok(err)
	for _, v := range list {
		if v.Name == "Acme" {
			m.theirs["acme"] = v.ID
		}
	}
	all := plans()
	routes := slices.Concat(m.routes, drives(), m.assets())
	unexpected := 0
	for _, r := range routes {
		p, ok := all[r.Pattern]
		if !ok {
			t.Errorf("the route %q is not in the matrix: say which right it takes", r.Pattern)
			continue
		}
		for _, c := range m.castes {
			unexpected += m.row(t, r, p, c)
		}
		if r.Pattern == "POST /logout" {
			m.enter()
		}
	}
	t.Logf("%d routes x %d identities x 3 states = %d checks, %d unexpected", len(routes), len(m.castes), m.checks, unexpected)
	if want := len(routes) * len(m.castes) * 3; m.checks != want && !t.Failed() {
		t.Errorf("%d checks, want %d", m.checks, want)
	}
}
