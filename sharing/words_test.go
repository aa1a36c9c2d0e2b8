package sharing_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/files"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// Each event carries the words that its mail names, and no secret but its own link.
func TestWordsOfNotices(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ann := w.by("ann")
	me := w.joined(carol, "/firm/Clients/Acme")
	grants, err := w.sh.Share(ctx, ann, sharing.ShareWish{
		Items: paths("/firm/Clients/Acme", "/firm/Clients/Acme/2025"), To: []string{carol}, Mode: sharing.Edit, Message: "please sign",
		Until: w.clock.Now().AddDate(0, 0, 20), Ask: true,
	})
	w.ok(err)
	for _, g := range grants {
		w.ok(w.sh.Answer(ctx, me, g.ID, true))
	}
	depositIn(w, me, "/Acme/a.txt", "a")
	readAs(w, "ann", "/firm/Clients/Acme/a.txt")
	w.clock.add(18 * 24 * time.Hour)
	w.ok(w.sh.RemindEnding(ctx, w.clock.Now()))
	w.ok(w.sh.Stop(ctx, ann, []string{grants[0].ID}, true))
	w.ok(w.sh.AskReset(ctx, carol, here))
	w.ok(w.sh.CloseAccess(ctx, ann, "firm", carol, true))
	want := map[notify.Event][]string{
		notify.Offered: {"by", "item", "message", "until", "link"}, notify.Accepted: {"by", "item", "link"},
		notify.Deposited: {"by", "item", "folder", "size", "link"}, notify.Receipt: {"item", "size", "sha256", "time", "id", "link"},
		notify.Opened: {"by", "item"}, notify.Ending: {"item", "until", "link"}, notify.Stopped: {"by", "item"},
		notify.Reset: {"link"}, notify.Closed: {"by", "firm"},
	}
	seen := map[notify.Event]bool{}
	batches := map[string]int{}
	for _, address := range []string{carol, "ann@firm.example"} {
		for _, n := range w.mails(address) {
			event := notify.Event(n.Event)
			seen[event] = true
			var data map[string]string
			w.ok(json.Unmarshal(n.Data, &data))
			for _, key := range want[event] {
				if data[key] == "" {
					t.Errorf("%s to %s says nothing of %s: %s", event, address, key, n.Data)
				}
			}
			if link := data["link"]; link != "" && !strings.HasPrefix(link, "https://portico.firm.example/") {
				t.Errorf("%s links to %s", event, link)
			}
			if until := data["until"]; until != "" {
				if _, err := time.Parse(time.RFC3339, until); err != nil {
					t.Errorf("%s: %v", event, err)
				}
			}
			if event == notify.Offered {
				batches[n.Batch]++
			}
		}
	}
	for event := range maps.Keys(want) {
		if !seen[event] {
			t.Errorf("nobody was told of %s", event)
		}
	}
	if len(batches) != 1 || batches[""] > 0 {
		t.Errorf("one sharing is the mails %v", batches)
	}
}

// Recipients of one sharing are not told of each other.
func TestEachRecipientTheirOwnMail(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	_, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{carol, dave, "user:eve"}, Mode: sharing.Read})
	w.ok(err)
	for address, event := range map[string]notify.Event{carol: notify.Shared, dave: notify.Invited, "eve@firm.example": notify.Shared} {
		n := w.wantMails(address, event)[0]
		for _, other := range []string{carol, dave, "eve@firm.example"} {
			if other != address && strings.Contains(string(n.Data)+n.Batch, other) {
				t.Errorf("%s is told of %s: %s %s", address, other, n.Data, n.Batch)
			}
		}
	}
}

// A link that was made for a contact ends with the folders, and with the access;
// one for another contact stays.
func TestLinksOfAContactEndWithTheFolders(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme", "/firm/Clients/Beta")
	put := func(id, mail, at string) {
		w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.PutLink(store.Link{ID: id, Sum: store.Sum{id[0]}, Workspace: "firm", Contact: mail, Mode: "read", Created: w.clock.Now()}); err != nil {
				return err
			}
			return tx.PutGrant(store.Grant{
				ID: "g" + id, Subject: "link:" + id, Path: vpath.Must(at), Dir: true, Role: "viewer", Giver: "id-user:ann",
				GiverName: "Ann", State: store.Accepted, Created: w.clock.Now(),
			})
		}))
	}
	put("a", carol, "/firm/Clients/Acme/2025")
	put("b", carol, "/firm/Clients/Beta")
	put("c", dave, "/firm/Clients/Beta")
	w.ok(w.sh.SetFolders(t.Context(), w.by("ann"), "firm", carol, paths("/firm/Clients/Acme")))
	for id, stands := range map[string]bool{"a": true, "b": false, "c": true} {
		l, _, err := w.state.LinkByID(t.Context(), id)
		w.ok(err)
		grants, err := w.state.GrantsTo(t.Context(), "link:"+id)
		w.ok(err)
		if l.Revoked.IsZero() != stands || (len(grants) == 1) != stands {
			t.Errorf("the link %s: revoked %v, %d grants", id, l.Revoked, len(grants))
		}
	}
}

// A visitor of a link is no colleague: they have no contacts, no people to find,
// and share nothing.
func TestVisitorsAreOutside(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	by := sharing.By{Principal: files.Link(files.Visitor{Link: "l", Visitor: "v", Name: "Vera", Mail: "vera@x.example"}), ID: "link:l/v", Name: "Vera"}
	_, err := w.sh.Contacts(t.Context(), by, "firm")
	w.refused(err, fs.ErrNotExist, "")
	_, err = w.sh.Contact(t.Context(), by, "firm", carol)
	w.refused(err, fs.ErrNotExist, "")
	_, err = w.sh.Share(t.Context(), by, sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{"user:eve"}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "shared on")
	list, err := w.sh.Suggest(t.Context(), by, "firm", "c")
	w.ok(err)
	if len(list) > 0 {
		t.Errorf("a visitor was told of %+v", list)
	}
	if err := w.sh.SetPassword(t.Context(), by, password, "nine purple tigers"); err == nil {
		t.Error("a visitor set a password")
	}
}

// A new version of a deposit has a receipt of its own; the old one is still good.
func TestANewVersionHasItsOwnReceipt(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	depositIn(w, me, "/Acme/a.txt", "one")
	w.clock.add(time.Minute)
	depositIn(w, me, "/Acme/a.txt", "two and more")
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	if len(list) != 2 || list[0].Size != 12 || list[1].Size != 3 || list[0].Gone || !list[1].Gone || list[0].SHA256 == list[1].SHA256 {
		t.Fatalf("deposits: %+v", list)
	}
	for _, d := range list {
		text, err := w.sh.Receipt(t.Context(), me, d.ID)
		w.ok(err)
		if v := w.verify(string(text)); v.Verdict != sharing.Good || !v.Known || v.SHA256 != d.SHA256 || !v.Time.Equal(d.Time) {
			t.Errorf("Verify = %+v", v)
		}
	}
	if list[1].TakeBack || !list[1].Item.IsRoot() {
		t.Errorf("what is gone may be taken back: %+v", list[1])
	}
}

// A role that no mode has, which only the API or the files room can give, is shown
// by its name and not as something narrower.
func TestOtherRolesKeepTheirName(t *testing.T) {
	w := newWorld(t)
	_, err := w.tree("ann").Give(t.Context(), []files.Gift{{Path: vpath.Must("/firm/Clients/Acme"), Subject: "user:bob", Role: "editor"}})
	w.ok(err)
	mine, err := w.sh.ByMe(t.Context(), w.by("ann"))
	w.ok(err)
	if len(mine) != 1 || mine[0].Mode != "editor" {
		t.Errorf("by me: %+v", mine)
	}
	his, err := w.sh.ForMe(t.Context(), w.by("bob"))
	w.ok(err)
	if len(his) != 1 || !slices.Contains(his[0].Rights, "delete") {
		t.Errorf("for bob: %+v", his)
	}
}
