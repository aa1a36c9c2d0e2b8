package sharing_test

import (
	"io/fs"
	"slices"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

func TestModesAreRoles(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	for mode, role := range map[string]string{sharing.Read: "viewer", sharing.Edit: "depositor", sharing.Deposit: "inbox"} {
		if g := w.share("ann", "/firm/Clients/Acme", carol, mode); g.Role != role || g.State != store.Accepted {
			t.Errorf("%s is %s, %s", mode, g.Role, g.State)
		}
	}
	if all, _ := w.state.GrantsTo(t.Context(), "contact:"+carol); len(all) != 1 || all[0].Role == "" {
		t.Errorf("one person and one item are %d grants", len(all))
	}
	list, err := w.sh.ForMe(t.Context(), me)
	w.ok(err)
	if len(list) != 1 || list[0].From.Name != "Ann" || list[0].Name != "Acme" || list[0].Item != vpath.Must("/Acme") {
		t.Errorf("for me: %+v", list)
	}
}

func TestWhatCannotBeShared(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	share := func(login string, x sharing.ShareWish) error {
		if x.Mode == "" {
			x.Mode = sharing.Read
		}
		_, err := w.sh.Share(t.Context(), w.by(login), x)
		return err
	}
	acme := paths("/firm/Clients/Acme")
	for _, c := range []struct {
		login string
		wish  sharing.ShareWish
		kind  error
		word  string
	}{
		{"ann", sharing.ShareWish{To: []string{carol}}, fs.ErrInvalid, "what"},
		{"ann", sharing.ShareWish{Items: acme}, fs.ErrInvalid, "whom"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{carol}, Mode: "owner"}, fs.ErrInvalid, "owner"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{"carol"}}, fs.ErrInvalid, "not a mail address"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{"user:nobody"}}, fs.ErrInvalid, "no colleague"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{"user:ann"}}, fs.ErrInvalid, "yourself"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{"user:" + carol}}, fs.ErrInvalid, "no colleague"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{"link:x"}}, fs.ErrInvalid, "not a mail address"},
		{"ann", sharing.ShareWish{Items: acme, To: []string{carol}, Until: w.clock.Now().Add(-24 * time.Hour)}, fs.ErrInvalid, "past"},
		{"ann", sharing.ShareWish{Items: paths("/firm/Clients/Acme/later"), To: []string{carol}}, fs.ErrNotExist, ""}, // THREATS.md row 38
		{"ann", sharing.ShareWish{Items: paths("/firm/HR"), To: []string{carol}}, fs.ErrNotExist, ""},
		{"ann", sharing.ShareWish{Items: paths("/firm/Clients/Acme/letter.txt"), To: []string{carol}, Mode: sharing.Deposit}, fault.ErrNotDir, "is a file"},
		{"eve", sharing.ShareWish{Items: acme, To: []string{carol}}, fs.ErrPermission, ""},
		{"bob", sharing.ShareWish{Items: acme, To: []string{carol}}, fs.ErrPermission, ""},
		{"eve", sharing.ShareWish{Items: acme, To: []string{"new@acme.example"}}, fs.ErrPermission, "invite nobody"},
	} {
		w.refused(share(c.login, c.wish), c.kind, c.word)
	}
	_, err := w.sh.Share(t.Context(), w.unproved(carol), sharing.ShareWish{Items: paths("/Acme"), To: []string{"user:bob"}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "shared on")
	for _, who := range []string{"contact:" + carol, "user:bob", "contact:new@acme.example"} {
		if all, _ := w.state.GrantsTo(t.Context(), who); len(all) > 0 {
			t.Errorf("a refusal left %+v", all)
		}
	}
	if c := w.contact("firm", "new@acme.example"); c.Mail != "" {
		t.Errorf("a refusal left %+v", c)
	}
}

func TestInvitedOnTheSpot(t *testing.T) {
	w := newWorld(t)
	grants, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{
		Items: paths("/firm/Clients/Acme/2025", "/firm/Clients/Acme/letter.txt", "/firm/Clients/Beta"),
		To:    []string{"Dave@beta.example", dave}, Mode: sharing.Read, Message: "for you",
	})
	w.ok(err)
	if len(grants) != 3 {
		t.Fatalf("%d grants", len(grants))
	}
	mail := w.wantMails(dave, notify.Invited)[0] // one mail, not four
	if datum(t, mail, "message") != "for you" {
		t.Errorf("the invitation says %s", mail.Data)
	}
	c := w.contact("firm", dave)
	if c.State != store.Invited || !slices.Equal(c.Folders, paths("/firm/Clients/Acme", "/firm/Clients/Beta")) {
		t.Errorf("the contact is %+v", c)
	}
	who, err := w.sh.AcceptInvitation(t.Context(), secret(t, mail), "Dave", password, here)
	w.ok(err)
	w.wantSees(customer(who), "2025", "Beta", "letter.txt")
}

func TestTheAddressOfAColleague(t *testing.T) {
	w := newWorld(t)
	w.share("ann", "/firm/Clients/Acme", "EVE@firm.example", sharing.Read)
	if c := w.contact("firm", "eve@firm.example"); c.Mail != "" {
		t.Errorf("a colleague became %+v", c)
	}
	w.wantMails("eve@firm.example", notify.Shared)
	list, err := w.sh.ForMe(t.Context(), w.by("eve"))
	w.ok(err)
	if len(list) != 1 || list[0].Item != vpath.Must("/firm/Clients/Acme") {
		t.Errorf("for eve: %+v", list)
	}
}

func TestAClosedContactIsNotSharedWith(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.ok(w.sh.CloseAccess(t.Context(), w.by("ann"), "firm", carol, false))
	_, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{carol}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "open it again")
	w.wantSees(me)
}

func TestUntilTheEndOfADay(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	grants, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{carol}, Mode: sharing.Read, Until: day})
	w.ok(err)
	if want := day.Add(24*time.Hour - time.Second); !grants[0].Until.Equal(want) {
		t.Fatalf("until %v, want %v", grants[0].Until, want)
	}
	w.clock.add(day.Add(23 * time.Hour).Sub(w.clock.Now()))
	w.wantSees(me, "Acme")
	w.clock.add(time.Hour)
	w.wantSees(me)
	if list, _ := w.sh.ForMe(t.Context(), me); len(list) > 0 {
		t.Errorf("for me, after the end: %+v", list)
	}
}

// TestTheDayIsTheFirms: what ends on a day is there on all of it, where the firm is,
// in whatever zone the day was read.
func TestTheDayIsTheFirms(t *testing.T) {
	for name, want := range map[string]string{"UTC": "2026-03-04T23:59:59Z", "Europe/Brussels": "2026-03-04T22:59:59Z", "America/New_York": "2026-03-05T04:59:59Z"} {
		w := newWorld(t)
		w.joined(carol, "/firm/Clients/Acme")
		zone, err := time.LoadLocation(name)
		w.ok(err)
		w.sh.Zone = func() *time.Location { return zone }
		for _, typed := range []*time.Location{time.UTC, zone} {
			grants, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{
				Items: paths("/firm/Clients/Acme"), To: []string{carol}, Mode: sharing.Read, Until: time.Date(2026, 3, 4, 0, 0, 0, 0, typed),
			})
			w.ok(err)
			if got := grants[0].Until.UTC().Format(time.RFC3339); got != want {
				t.Errorf("a firm in %s, the day typed in %s: until %s, want %s", name, typed, got, want)
			}
		}
	}
}

func TestAskAndAnswer(t *testing.T) {
	for _, accept := range []bool{true, false} {
		w := newWorld(t)
		me := w.joined(carol, "/firm/Clients/Acme")
		grants, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{carol}, Mode: sharing.Read, Ask: true})
		w.ok(err)
		id := grants[0].ID
		w.wantMails(carol, notify.Offered)
		w.wantSees(me)
		list, err := w.sh.ForMe(t.Context(), me)
		w.ok(err)
		if len(list) != 1 || list[0].State != store.Offered || !list[0].Item.IsRoot() {
			t.Fatalf("for me: %+v", list)
		}
		for _, other := range []sharing.By{w.by("ann"), w.by("eve"), w.unproved(dave)} {
			w.refused(w.sh.Answer(t.Context(), other, id, true), fs.ErrNotExist, "")
		}
		w.ok(w.sh.Answer(t.Context(), me, id, accept))
		if accept {
			w.wantSees(me, "Acme")
			w.wantMails("ann@firm.example", notify.Accepted)
		} else {
			w.wantSees(me)
			w.wantMails("ann@firm.example", notify.Declined)
		}
		shared, err := w.sh.SharedWith(t.Context(), w.by("ann"), vpath.Must("/firm/Clients"))
		w.ok(err)
		if got := shared[vpath.Must("/firm/Clients/Acme")]; (len(got) == 1) != accept {
			t.Errorf("shared with %+v", got)
		}
		mine, err := w.sh.ByMe(t.Context(), w.by("ann"))
		w.ok(err)
		if len(mine) != 1 || mine[0].To.Name != "Carol Jones" || mine[0].To.Portal != store.Active {
			t.Errorf("by me: %+v", mine)
		}
	}
}

func TestSharedWith(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	w.share("ann", "/firm/Clients/Acme", "user:eve", sharing.Read)
	w.share("root", "/firm/Clients/Acme", carol, sharing.Edit)
	got, err := w.sh.SharedWith(t.Context(), w.by("ann"), vpath.Must("/firm/Clients"))
	w.ok(err)
	people := got[vpath.Must("/firm/Clients/Acme")]
	if len(people) != 2 || people[0].Name != "Carol Jones" || len(people[0].Grants) != 1 || people[1].Name != "Eve" {
		t.Fatalf("shared with %+v", people)
	}
	_, err = w.sh.SharedWith(t.Context(), w.by("ann"), vpath.Must("/firm/HR"))
	w.refused(err, fs.ErrNotExist, "")
}

func TestStop(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	for _, login := range []string{"eve", "bob", "sam"} {
		w.refused(w.sh.Stop(t.Context(), w.by(login), []string{g.ID}, true), fs.ErrNotExist, "")
		w.refused(w.sh.ChangeShare(t.Context(), w.by(login), g.ID, sharing.Read, time.Time{}), fs.ErrNotExist, "")
	}
	w.wantSees(me, "Acme")
	w.ok(w.sh.Stop(t.Context(), w.by("ann"), []string{g.ID}, true))
	w.wantMails(carol, notify.Stopped)
	w.wantSees(me)
	w.refused(w.sh.Stop(t.Context(), w.by("ann"), []string{g.ID}, true), fs.ErrNotExist, "")

	g = w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	w.mails("ann@firm.example")
	w.ok(w.sh.Stop(t.Context(), me, []string{g.ID}, false)) // given back
	w.wantMails("ann@firm.example", notify.Declined)
	w.wantMails(carol)
	w.wantSees(me)
}

func TestChangeShareAddsNothingByItself(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.ok(w.sh.ChangeShare(t.Context(), w.by("ann"), g.ID, sharing.Deposit, time.Time{}))
	now, _, err := w.state.GrantByID(t.Context(), g.ID)
	w.ok(err)
	if now.Role != "inbox" {
		t.Fatalf("the role is %s", now.Role)
	}
	w.refused(w.sh.ChangeShare(t.Context(), me, g.ID, sharing.Edit, time.Time{}), fs.ErrNotExist, "")
	w.refused(w.sh.ChangeShare(t.Context(), w.by("ann"), g.ID, "owner", time.Time{}), fs.ErrInvalid, "owner")
	w.refused(w.sh.ChangeShare(t.Context(), w.by("ann"), g.ID, sharing.Read, w.clock.Now().Add(-48*time.Hour)), fs.ErrInvalid, "past")
	f := w.share("ann", "/firm/Clients/Acme/letter.txt", carol, sharing.Read)
	w.refused(w.sh.ChangeShare(t.Context(), w.by("ann"), f.ID, sharing.Deposit, time.Time{}), fault.ErrNotDir, "is a file")
}

// A share is worth no more than its giver's rights now (THREATS.md row 36).
func TestAGiverWhoLeft(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.wantSees(me, "Acme")
	w.people.Drop("ann")
	w.ok(w.files.GrantsChanged(t.Context()))
	w.clock.add(2 * time.Minute)
	w.wantSees(me)
	if list, _ := w.sh.ForMe(t.Context(), me); len(list) > 0 {
		t.Errorf("for me: %+v", list)
	}
}

func TestSharesFollowAndEnd(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme/2025", carol, sharing.Read)
	_, err := w.tree("root").Move(t.Context(), vpath.Must("/firm/Clients/Acme"), vpath.Must("/firm/Clients/Acme Inc"), files.TransferOptions{})
	w.ok(err)
	w.wantSees(me, "2025")
	if got := w.contact("firm", carol).Folders; !slices.Equal(got, paths("/firm/Clients/Acme Inc")) {
		t.Errorf("the folders are %v", got)
	}
	w.ok(w.tree("root").Delete(t.Context(), vpath.Must("/firm/Clients/Acme Inc"), files.Guard{}))
	w.wantSees(me)
	_, err = w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Beta"), To: []string{carol}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "nothing yet; add /Clients/Beta")
}

func TestSuggest(t *testing.T) {
	w := newWorld(t)
	_, err := w.sh.PutContact(t.Context(), w.by("ann"), sharing.ContactWish{Workspace: "firm", Mail: carol, Name: "Élise Jones", Organisation: "Acme"})
	w.ok(err)
	w.ok(w.sh.OpenAccess(t.Context(), w.by("hal"), "firm", "erin@hr.example", paths("/firm/HR")))
	for text, want := range map[string][]string{
		"jo": {"contact:" + carol}, "ACM": {"contact:" + carol}, "carol@": {"contact:" + carol}, "e": {"user:eve"},
		"ol": nil, "": nil, "s": {"user:sam"}, "ann": nil,
	} {
		list, err := w.sh.Suggest(t.Context(), w.by("ann"), "firm", text)
		w.ok(err)
		var got []string
		for _, r := range list {
			got = append(got, r.Subject)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Suggest(%q) = %q, want %q", text, got, want)
		}
	}
	list, err := w.sh.Suggest(t.Context(), w.unproved(carol), "firm", "ann")
	w.ok(err)
	if len(list) > 0 {
		t.Errorf("a customer was told of %+v", list)
	}
}

func TestRemindEnding(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	share := func(item string, days int) {
		_, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{
			Items: paths(item), To: []string{carol}, Mode: sharing.Read, Until: w.clock.Now().AddDate(0, 0, days),
		})
		w.ok(err)
	}
	share("/firm/Clients/Acme", 10)
	share("/firm/Clients/Acme/2025", 1) // its end was just said
	w.mails(carol)
	for range 3 {
		w.ok(w.sh.RemindEnding(t.Context(), w.clock.Now()))
	}
	w.wantMails(carol)
	w.clock.add(8 * 24 * time.Hour)
	for range 3 {
		w.ok(w.sh.RemindEnding(t.Context(), w.clock.Now()))
	}
	w.wantMails(carol, notify.Ending)
	w.wantMails("ann@firm.example", notify.Ending)
	w.clock.add(8 * 24 * time.Hour)
	w.ok(w.sh.RemindEnding(t.Context(), w.clock.Now()))
	w.wantMails(carol)
}
