package client_test

import (
	"strings"
	"testing"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

// TestOwnLabels marks a share, a folder in it and a file, and sees the marks in
// each list; nobody else does.
func TestOwnLabels(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	f.Join(dave, "Dave Other", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read})
	other := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{dave}, Mode: sharing.Read})
	b := f.As(carol)
	for at, name := range map[string]string{"": "Whole year", "/2026": "To sign", "/letter.txt": "Read at once"} {
		form := "/portal/label/" + g.ID + at
		b.Get(form).Want(t, "form", 200, "New label", "Colour", `value="teal"`)
		got := b.Send(form, "name", name, "color", "teal")
		got.Want(t, "set "+name, 303)
		b.Follow(got).Want(t, "form again", 200, "l-teal", name)
	}
	b.Get("/portal/").Want(t, "start", 200, "Whole year", "/portal/label/"+g.ID)
	b.Get("/portal/s/"+g.ID+"/").Want(t, "folder", 200, "To sign", "Read at once", "/portal/label/"+g.ID+"/letter.txt")
	b.Get("/portal/s/"+g.ID+"/letter.txt").Want(t, "file", 200, "Read at once")

	d := f.As(dave)
	for _, page := range []string{"/portal/", "/portal/s/" + other.ID + "/", "/portal/s/" + other.ID + "/letter.txt", "/portal/label/" + other.ID + "/letter.txt"} {
		d.Get(page).Lacks(t, "another customer's "+page, "Whole year", "To sign", "Read at once")
	}
	for _, p := range []vpath.Path{vpath.Must("/firm"), portaltest.Acme().Parent(), portaltest.Acme()} {
		labels, err := f.Sharing.Labels(t.Context(), f.By("ann"), p)
		if err != nil || len(labels) > 0 {
			t.Errorf("ann sees %v on %s, %v", labels, p, err)
		}
	}
	b.Send("/portal/label/"+g.ID+"/2026", "drop", "To sign").Want(t, "drop", 303)
	b.Get("/portal/s/"+g.ID+"/").Lacks(t, "folder", "To sign")
}

// TestLabelsOfNothing is what is not shared, as if it had never been.
func TestLabelsOfNothing(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	f.Join(dave, "Dave Other", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme("2026")}, To: []string{carol}, Mode: sharing.Read})
	box := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{dave}, Mode: sharing.Deposit})
	for who, pages := range map[string][]string{
		carol: {box.ID, box.ID + "/letter.txt", g.ID + "/nothing.txt", "nothing"},
		dave:  {g.ID, box.ID + "/letter.txt", box.ID + "/nothing.txt", box.ID + "/2026"},
	} {
		b := f.As(who)
		for _, at := range pages {
			b.Get("/portal/label/"+at).Want(t, who+" "+at, 404)
			b.Send("/portal/label/"+at, "name", "Mine", "color", "red").Want(t, who+" sets on "+at, 404)
			b.Send("/portal/label/"+at, "drop", "Mine").Want(t, who+" drops on "+at, 404)
		}
	}
	b := f.As(carol)
	for _, form := range [][]string{{"name", "", "color", "red"}, {"name", "x", "color", "pink"}, {"name", strings.Repeat("x", 41), "color", "red"}} {
		b.Send("/portal/label/"+g.ID, form...).Want(t, "a form that does not fit", 422)
	}
}
