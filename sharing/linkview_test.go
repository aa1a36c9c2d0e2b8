package sharing_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"portico/internal/memstate"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// counting is a store that counts how many links it is asked for.
type counting struct {
	bare
	links atomic.Int64
}

func (c *counting) LinkByID(ctx context.Context, id string) (store.Link, bool, error) {
	c.links.Add(1)
	return c.bare.LinkByID(ctx, id)
}

// TestLinksOn tells the links that open a thing itself, and asks the store for no
// others: a folder may have many on what lies in it.
func TestLinksOn(t *testing.T) {
	state := &counting{bare: bare{memstate.New()}}
	w := newWorldOver(t, state)
	const folder, file = "/firm/Clients/Acme", "/firm/Clients/Acme/letter.txt"
	on, _ := w.link(sharing.LinkWish{Name: "the folder"}, folder)
	both, _ := w.link(sharing.LinkWish{Name: "both"}, folder, file)
	below, _ := w.link(sharing.LinkWish{Name: "the letter"}, file)
	w.link(sharing.LinkWish{Name: "another letter"}, file)
	w.link(sharing.LinkWish{Name: "beside it"}, "/firm/Clients/Beta")
	names := func(all []sharing.LinkView, err error) (list []string) {
		w.ok(err)
		for _, v := range all {
			list = append(list, v.Name)
		}
		slices.Sort(list)
		return list
	}
	for _, c := range []struct {
		login, at string
		want      []string
	}{
		{"ann", folder, []string{on.Name, both.Name}},
		{"ann", file, []string{"another letter", both.Name, below.Name}},
		{"root", folder, []string{on.Name, both.Name}}, // row 50: an owner sees all
		{"bob", folder, nil},
	} {
		slices.Sort(c.want)
		state.links.Store(0)
		if got := names(w.sh.LinksOn(t.Context(), w.by(c.login), vpath.Must(c.at))); !slices.Equal(got, c.want) {
			t.Errorf("%s on %s: %q, want %q", c.login, c.at, got, c.want)
		}
		if n := state.links.Load(); n > 3 || c.at == folder && n != 2 {
			t.Errorf("%s on %s: %d links are read, want those on it alone", c.login, c.at, n)
		}
	}
	if got := names(w.sh.LinksAt(t.Context(), w.by("ann"), vpath.Must(folder))); len(got) != 4 {
		t.Errorf("LinksAt: %q, want those of its members as well", got)
	}
}
