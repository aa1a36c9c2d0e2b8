package staff_test

import (
	"context"
	"io/fs"
	"slices"
	"testing"
	"time"

	"portico/portal/staff"
	"portico/sharing"
	"portico/vpath"
)

// TestLinksOfAThing shows in the details the links that open a thing; package sharing
// is asked of that alone, and not of what is beside or below it.
func TestLinksOfAThing(t *testing.T) {
	t.Parallel()
	link := func(id, name string, state sharing.LinkState, items ...string) sharing.LinkView {
		v := sharing.LinkView{ID: id, Name: name, Mode: sharing.LinkRead, State: state, Mine: id != "l3", GiverName: "Root Maes"}
		for _, p := range items {
			v.Items = append(v.Items, sharing.LinkItem{Path: vpath.Must(p)})
		}
		return v
	}
	h := newHouse(t, func(o *staff.Options) {
		o.Links = func(_ context.Context, by sharing.By, p vpath.Path) ([]sharing.LinkView, error) {
			if by.ID == "user:bob" {
				return nil, fs.ErrPermission
			}
			one := link("l1", "For Carol", sharing.LinkOpen, "/firm/Clients/a.txt")
			one.Until, one.HasPassword = time.Date(2050, 3, 4, 0, 0, 0, 0, time.UTC), true
			both := link("l2", "", sharing.LinkUsed, "/firm/Clients", "/firm/Clients/a.txt")
			both.Contact = "eve@acme.example"
			all := []sharing.LinkView{one, both, link("l3", "Other's", sharing.LinkEnded, "/firm/Clients"), link("l4", "Neighbour's", sharing.LinkOpen, "/firm/Clients/b.txt")}
			return slices.DeleteFunc(all, func(v sharing.LinkView) bool {
				return !slices.ContainsFunc(v.Items, func(i sharing.LinkItem) bool { return i.Path == p })
			}), nil
		}
	})
	h.put("/firm/Clients/a.txt", "a")
	h.get("ann", "/details/firm/Clients/a.txt").want(200, "Links", `href="/link/l1"`, "For Carol", "in force", "with a password", "until 4 March", `href="/link/l2"`, "eve@acme.example", "used up",
		`href="/links/new?path=%2Ffirm%2FClients%2Fa.txt"`).lacks("/link/l3", "/link/l4", "Neighbour")
	h.get("ann", "/files/firm/?details=Clients").want(200, `href="/link/l2"`, `href="/link/l3"`, "ended", "Root Maes").lacks("/link/l1", "/link/l4")
	h.get("bob", "/details/firm/Clients/a.txt").want(200).lacks("/link/l", "/links/new")
}
