package files_test

import (
	"testing"

	"portico/files"
	"portico/store"
	"portico/vpath"
)

func TestSomewhere(t *testing.T) {
	w := newWorld(t, options{})
	for _, c := range []struct {
		login, at string
		rights    []string
		want      bool
	}{
		{"root", "/firm", []string{"share"}, true},
		{"ann", "/firm", []string{"share", "invite"}, false},
		{"ann", "/firm/Drop", []string{"write"}, true},
		{"hal", "/firm", []string{"invite", "settings"}, true},
		{"hal", "/firm/Drop", []string{"settings"}, false},
		{"mia", "/firm", []string{"share"}, true}, // what she made herself
		{"root", "/firm", []string{"fly"}, false},
		{"root", "/none", []string{"share"}, false},
	} {
		tree, err := w.svc.As(t.Context(), files.Staff(person(c.login)))
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Somewhere(vpath.Must(c.at), c.rights...); got != c.want {
			t.Errorf("%s: Somewhere(%s, %q) = %v", c.login, c.at, c.rights, got)
		}
	}
}

// WithdrawThese ends those that it is told of, and no other.
func TestWithdrawThese(t *testing.T) {
	w := newWorld(t, options{})
	w.seed("root", "/firm/a/", "/firm/b/")
	one := w.as("root").give("/firm/a", "contact:carol@acme.example", "viewer").grant()
	two := w.as("root").give("/firm/b", "contact:carol@acme.example", "viewer").grant()
	err := w.state.Update(t.Context(), func(tx store.Tx) error {
		return w.svc.WithdrawThese(t.Context(), tx, one.ID, "none")
	})
	if err != nil {
		t.Fatal(err)
	}
	left, err := w.state.GrantsTo(t.Context(), "contact:carol@acme.example")
	if err != nil || len(left) != 1 || left[0].ID != two.ID {
		t.Errorf("left: %+v, %v", left, err)
	}
}
