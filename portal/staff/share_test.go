package staff_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/portal/staff"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// desk stands for package sharing, and keeps what it was asked.
type desk struct {
	wishes  []sharing.ShareWish
	stopped []string
	told    bool
	answers map[string]bool
	labels  []sharing.LabelView
	err     error
}

func (d *desk) Share(_ context.Context, _ sharing.By, w sharing.ShareWish) ([]store.Grant, error) {
	if d.err != nil {
		return nil, d.err
	}
	d.wishes = append(d.wishes, w)
	var given []store.Grant
	for _, to := range w.To {
		given = append(given, store.Grant{Subject: to})
	}
	return given, nil
}

func (d *desk) Suggest(_ context.Context, _ sharing.By, workspace, text string) ([]sharing.Recipient, error) {
	return []sharing.Recipient{{Subject: "contact:eve@acme.example", Name: "Eve " + workspace + text, Mail: "eve@acme.example", Organisation: "Acme"}}, nil
}

func (d *desk) SharedWith(_ context.Context, _ sharing.By, p vpath.Path) (map[vpath.Path][]sharing.Person, error) {
	people := []sharing.Person{
		{Subject: "contact:eve@acme.example", Name: "Eve Claes", Mail: "eve@acme.example", State: store.Accepted, Grants: []string{"g1", "g2"}},
		{Subject: "contact:jan@acme.example", Mail: "jan@acme.example", State: store.Offered, Grants: []string{"g3"}},
	}
	all := map[vpath.Path][]sharing.Person{p: people}
	if c, err := p.Child("a.txt"); err == nil {
		all[c] = people
	}
	return all, nil
}

func (d *desk) Stop(_ context.Context, _ sharing.By, ids []string, tell bool) error {
	d.stopped, d.told = ids, tell
	return nil
}

func (d *desk) ForMe(context.Context, sharing.By) ([]sharing.ShareView, error) {
	return []sharing.ShareView{
		{ID: "o1", Name: "Budget", Dir: true, Mode: sharing.Edit, From: sharing.Person{Name: "Bob"}, State: store.Offered, Message: "<look>", Until: time.Date(2027, 3, 12, 0, 0, 0, 0, time.UTC)},
		{ID: "s1", Name: "a.txt", Mode: sharing.Read, From: sharing.Person{Name: "Bob"}, State: store.Accepted, Item: vpath.Must("/firm/a.txt")},
	}, d.err
}

func (d *desk) Answer(_ context.Context, _ sharing.By, id string, accept bool) error {
	if id != "o1" {
		return fs.ErrNotExist
	}
	d.answers[id] = accept
	return nil
}

func (d *desk) Labels(_ context.Context, _ sharing.By, p vpath.Path) (map[vpath.Path][]sharing.LabelView, error) {
	c, err := p.Child("a.txt")
	if err != nil {
		return nil, err
	}
	return map[vpath.Path][]sharing.LabelView{c: d.labels}, nil
}

func (d *desk) SetLabel(_ context.Context, _ sharing.By, _ vpath.Path, name, color string) error {
	d.labels = append(d.labels, sharing.LabelView{Name: name, Color: color, Mine: true})
	return nil
}

func (d *desk) DropLabel(_ context.Context, _ sharing.By, _ vpath.Path, name string) error {
	d.labels = slices.DeleteFunc(d.labels, func(l sharing.LabelView) bool { return l.Name == name })
	return nil
}

func sharingHouse(t *testing.T) (*house, *desk) {
	t.Helper()
	d := &desk{answers: map[string]bool{}}
	h := newHouse(t, func(o *staff.Options) { o.Sharing = d })
	h.put("/firm/Clients/a.txt", "a")
	h.put("/firm/Clients/deep/b.txt", "b")
	return h, d
}

func TestShare(t *testing.T) {
	t.Parallel()
	h, d := sharingHouse(t)
	h.send("ann", "/share", "in", "/firm/Clients", "item", "a.txt").want(200, "Share a.txt", `name="may" type="checkbox" value="yes" checked`).lacks("Deposit only")
	h.get("ann", "/share?in=/firm/Clients&item=deep").want(200, "Deposit only")
	h.get("ann", "/files/firm/Clients/").want(200, `formaction="/share"`, `formaction="/links/new"`)
	h.send("ann", "/share", "in", "/firm/Clients").follow(h, "ann").want(200, "Nothing is chosen.")
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "a.txt", "may", "yes").want(422, "Say with whom.")
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "a.txt", "more", "x@y.example", "until", "soon").want(422, "year-month-day", `value="x@y.example"`)
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "a.txt", "item", "deep", "may", "yes", "to", "user:bob", "more", "x@y.example; z@y.example",
		"message", " Look ", "until", "2027-03-12", "labels", "yes").follow(h, "ann").want(200, "Shared with 3 people. They are told by mail.")
	w := d.wishes[0]
	if len(w.Items) != 2 || w.Mode != sharing.Edit || !slices.Equal(w.To, []string{"user:bob", "x@y.example", "z@y.example"}) || w.Message != "Look" || !w.Labels || w.Ask ||
		!w.Until.Equal(time.Date(2027, 3, 12, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the wish is %+v", w)
	}
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "deep", "only", "yes", "may", "yes", "to", "user:bob", "ask", "yes").follow(h, "ann").want(200, "Offered to 1 person.")
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "deep", "to", "user:bob").want(303)
	if d.wishes[1].Mode != sharing.Deposit || !d.wishes[1].Ask || d.wishes[2].Mode != sharing.Read {
		t.Errorf("the wishes are %+v", d.wishes[1:])
	}
	d.err = fault.Tell(fs.ErrPermission, "Share it in the picked folders.")
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "deep", "to", "contact:x@y.example").want(422, "Share it in the picked folders.", `value="contact:x@y.example"`)
	d.err = fault.ErrUnavailable
	h.send("ann", "/share/send", "in", "/firm/Clients", "item", "deep", "to", "contact:x@y.example").want(503)
	h.get("ann", "/share/people?in=/firm/Clients&q=ev").want(200, `"Name":"Eve firmev"`, `"About":"Acme · eve@acme.example"`, `"Initials":"EF"`)
}

// TestShareDayIsTheFirms: a share ends with a day of the firm, wherever the browser
// is: one a day ahead of it would else give a day too few.
func TestShareDayIsTheFirms(t *testing.T) {
	t.Parallel()
	h, d := sharingHouse(t)
	for _, zone := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} { // it is another day there than in UTC, in one of them at any time
		before := time.Now().UTC().Format(time.DateOnly)
		form := h.get("", "/share?in=/firm/Clients&item=a.txt", "Cookie", "sid=ann; zone="+zone).want(200)
		after := time.Now().UTC().Format(time.DateOnly)
		if !strings.Contains(form.text(), `min="`+before+`"`) && !strings.Contains(form.text(), `min="`+after+`"`) {
			t.Errorf("%s: the first day that may be chosen is not %s", zone, after)
		}
		d.wishes = nil
		h.do("", "POST", "/share/send", strings.NewReader("in=/firm/Clients&item=a.txt&to=user:bob&until=2027-03-12"),
			"Cookie", "sid=ann; zone="+zone, "Content-Type", "application/x-www-form-urlencoded").want(303)
		if want := time.Date(2027, 3, 12, 0, 0, 0, 0, time.UTC); len(d.wishes) != 1 || !d.wishes[0].Until.Equal(want) {
			t.Errorf("%s: the wish is %+v, want it until %s", zone, d.wishes, want)
		}
	}
}

func TestSharedWith(t *testing.T) {
	t.Parallel()
	h, d := sharingHouse(t)
	page := h.get("ann", "/files/firm/Clients/").want(200, "Shared with", ">EC<", `title="jan@acme.example (not answered yet)"`)
	if n := strings.Count(page.text(), ">EC<"); n != 1 {
		t.Errorf("%d rows have her initials, want 1", n)
	}
	page.want(200, "/share/stop?path=%2ffirm%2fClients%2fa.txt")
	h.get("ann", "/share/stop?path=/firm/Clients/a.txt").want(200, "Eve Claes", `value="contact:eve@acme.example" checked`)
	h.send("ann", "/share/stop", "in", "/firm/Clients", "path", "/firm/Clients/a.txt", "keep", "contact:jan@acme.example", "tell", "yes").follow(h, "ann").
		want(200, "Not shared any more with 1 person.")
	if !slices.Equal(d.stopped, []string{"g1", "g2"}) || !d.told {
		t.Errorf("stopped %v, told %v", d.stopped, d.told)
	}
	d.stopped = nil
	h.send("ann", "/share/stop", "in", "/firm/Clients", "path", "/firm/Clients/a.txt", "keep", "contact:jan@acme.example", "keep", "contact:eve@acme.example").want(303)
	if d.stopped != nil {
		t.Errorf("stopped %v, want nobody", d.stopped)
	}
}

func TestSharedWithMe(t *testing.T) {
	t.Parallel()
	h, d := sharingHouse(t)
	h.get("ann", "/shared").want(200, "Waiting for your answer", "Budget", "<look>", "until 12 March 2027", `href="/files/firm/a.txt"`, "Read only")
	h.send("ann", "/shared/o1", "answer", "accept").want(303)
	if !d.answers["o1"] {
		t.Error("the offer was not accepted")
	}
	h.send("ann", "/shared/o1", "answer", "decline").want(303)
	if d.answers["o1"] {
		t.Error("the offer was not declined")
	}
	h.send("ann", "/shared/none", "answer", "accept").want(404)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	h, _ := sharingHouse(t)
	h.send("ann", "/label", "in", "/firm/Clients", "item", "a.txt").want(200, "Labels on a.txt", "teal")
	h.send("ann", "/label", "in", "/firm/Clients", "item", "a.txt", "name", "Urgent", "color", "red").want(200, "Urgent", `class="label l-red"`)
	h.get("ann", "/files/firm/Clients/").want(200, "Urgent")
	h.send("ann", "/label", "in", "/firm/Clients", "item", "a.txt", "drop", "Urgent").want(200).lacks("Urgent")
	h.send("ann", "/label", "in", "/firm/Clients").want(404)
}
