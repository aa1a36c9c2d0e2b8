package files_test

import (
	"strings"
	"testing"

	"portico/backends"
	"portico/files"
	"portico/vpath"
)

// about is what Find tells of a thing.
func (u *user) about(p string) files.Node {
	u.w.Helper()
	n, _, err := u.tree().Find(u.ctx, vpath.Must(p), false, files.Want{Props: true, Rights: true})
	if err != nil {
		u.w.Fatalf("%s finds %s: %v", u.login, p, err)
	}
	return n
}

func withSums(sums string) func(*files.PutOptions) {
	return func(o *files.PutOptions) { o.Sums = sums }
}

// Checksums are of one version, whoever writes the next.
func TestSums(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		ann := w.as("ann")
		ann.put("/firm/a", "one", withSums("SHA1:1 MD5:2")).ok()
		want := func(p, sums string, props int) {
			t.Helper()
			if n := ann.about(p); n.Sums != sums || len(n.Props) != props {
				t.Errorf("%s: sums %q, %d properties, want %q and %d", p, n.Sums, len(n.Props), sums, props)
			}
		}
		want("/firm/a", "SHA1:1 MD5:2", 0)
		for i := range files.MaxProps { // they are none of them
			c := color("red")
			c.Local += strings.Repeat("x", i)
			ann.patch("/firm/a", files.Guard{}, c).ok()
		}
		want("/firm/a", "SHA1:1 MD5:2", files.MaxProps)
		if _, err := ann.tree().Move(ann.ctx, vpath.Must("/firm/a"), vpath.Must("/firm/b"), files.TransferOptions{}); err != nil {
			t.Fatal(err)
		}
		ann.put("/firm/b", "two").ok()
		want("/firm/b", "", files.MaxProps)
		ann.put("/firm/b", "three", withSums("MD5:3")).ok()
		want("/firm/b", "MD5:3", files.MaxProps)
		if _, err := w.back["firm"].Put(t.Context(), vpath.Must("/b"), strings.NewReader("foreign"), backends.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		want("/firm/b", "", files.MaxProps)
	})
}

// A right of the :own form is told where it holds, and the owner where somebody knows.
func TestRightsOfAThing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("tom", "/firm/toms")
	w.seed("ann", "/firm/anns")
	for _, c := range []struct {
		login, path, rights, owner string
	}{
		{"tom", "/firm/toms", "list read comment create write delete", "tom"},
		{"tom", "/firm/anns", "list read comment create", "ann"},
		{"bob", "/firm/toms", "list read", "tom"},
		{"ann", "/firm/toms", "list read comment create write delete", "tom"},
		{"ann", "/firm", "list read comment create write", ""}, // a workspace is never deleted
		{"ann", "/", "", ""},
	} {
		n := w.as(c.login).about(c.path)
		if got := strings.Join(n.Rights, " "); got != c.rights || n.Owner.Login != c.owner {
			t.Errorf("%s at %s: %q, of %q, want %q, of %q", c.login, c.path, got, n.Owner.Login, c.rights, c.owner)
		}
	}
}
