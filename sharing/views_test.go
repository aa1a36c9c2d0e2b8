package sharing_test

import (
	"fmt"
	"strings"
	"testing"

	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// A contact's card shows what is shared with them, and names nothing that the one
// who looks may not know of.
func TestAContactsCard(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme", "/firm/Clients/Beta")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	w.share("ann", "/firm/Clients/Beta", carol, sharing.Edit)
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutLink(store.Link{ID: "l", Sum: store.Sum{3}, Workspace: "firm", Contact: carol, Mode: "read", Name: "for Carol", Created: w.clock.Now()})
	}))
	v, err := w.sh.Contact(t.Context(), w.by("ann"), "firm", strings.ToUpper(carol))
	w.ok(err)
	if len(v.Shares) != 2 || len(v.Links) != 1 || v.Hidden != 0 || !v.Manage {
		t.Fatalf("ann sees %+v", v)
	}
	v, err = w.sh.Contact(t.Context(), w.by("sam"), "firm", carol)
	w.ok(err)
	if text := fmt.Sprintf("%+v", v); strings.Contains(text, "Acme") {
		t.Errorf("sam sees %s", text)
	}
	if len(v.Shares) != 2 || v.Hidden != 1 {
		t.Errorf("sam sees %d shares, %d hidden folders", len(v.Shares), v.Hidden)
	}
}

// What a customer is shown has no path of the firm in it.
func TestNothingLeaksToCustomers(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme/2025")
	w.share("ann", "/firm/Clients/Acme/2025", carol, sharing.Edit)
	w.ok(w.sh.SetLabel(t.Context(), w.by("ann"), vpath.Must("/firm/Clients/Acme/2025"), "mine", "red"))
	depositIn(w, me, "/2025/a.txt", "a")
	for name, look := range map[string]func() (any, error){
		"for me":   func() (any, error) { return w.sh.ForMe(t.Context(), me) },
		"deposits": func() (any, error) { return w.sh.MyDeposits(t.Context(), me) },
		"labels":   func() (any, error) { return w.sh.Labels(t.Context(), me, vpath.Must("/2025")) },
	} {
		v, err := look()
		w.ok(err)
		if text := fmt.Sprintf("%+v", v); strings.Contains(text, "Clients") || strings.Contains(text, "Acme") && !strings.Contains(text, "acme.example") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, n := range w.mails(carol) {
		if strings.Contains(string(n.Data), "Clients") {
			t.Errorf("a mail tells %s", n.Data)
		}
	}
}

// Who looks at a list of shares is given the IDs of those alone that they may end.
func TestWhoMayEndWhat(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	w.share("root", "/firm/Clients/Acme", carol, sharing.Read)
	for login, want := range map[string]int{"ann": 0, "root": 1, "eve": 0} {
		all, err := w.sh.SharedWith(t.Context(), w.by(login), vpath.Must("/firm/Clients/Acme"))
		w.ok(err)
		people := all[vpath.Must("/firm/Clients/Acme")]
		if len(people) != 1 || len(people[0].Grants) != want {
			t.Errorf("%s may end %+v", login, people)
		}
		for _, id := range people[0].Grants {
			w.ok(w.sh.Stop(t.Context(), w.by(login), []string{id}, false))
			w.share("root", "/firm/Clients/Acme", carol, sharing.Read)
		}
	}
}

func TestByMeHasNoLinks(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Deposit)
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutGrant(store.Grant{
			ID: "bylink", Subject: "link:l", Path: vpath.Must("/firm/Clients/Acme"), Dir: true, Role: "viewer",
			Giver: "id-user:ann", GiverName: "Ann", State: store.Accepted, Created: w.clock.Now(),
		})
	}))
	w.ok(w.files.GrantsChanged(t.Context()))
	mine, err := w.sh.ByMe(t.Context(), w.by("ann"))
	w.ok(err)
	if len(mine) != 1 || mine[0].Mode != sharing.Deposit || mine[0].Item != vpath.Must("/firm/Clients/Acme") {
		t.Errorf("by me: %+v", mine)
	}
	shared, err := w.sh.SharedWith(t.Context(), w.by("ann"), vpath.Must("/firm/Clients"))
	w.ok(err)
	if got := shared[vpath.Must("/firm/Clients/Acme")]; len(got) != 1 || !got[0].Contact {
		t.Errorf("shared with %+v", got)
	}
}
