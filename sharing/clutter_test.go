package sharing_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

// programs are files that the programs of people keep for themselves.
func programs() []string {
	return []string{"~$plan.docx", ".~lock.plan.odt#", ".plan.txt.swp", "Thumbs.db", "desktop.ini"}
}

// What a customer's programs keep beside their documents tells nobody anything: no
// notice, no receipt, no entry among what they have sent.
func TestClutterIsNoDeposit(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	win, err := w.files.Window(t.Context(), me.Principal)
	w.ok(err)
	for _, name := range programs() {
		depositIn(w, me, "/Acme/"+name, "1")
		depositIn(w, me, "/Acme/"+name, "two")
		readAs(w, "ann", "/firm/Clients/Acme/"+name)
		_, _, err := w.tree("ann").Put(t.Context(), vpath.Must("/firm/Clients/Acme/"+name), strings.NewReader("three"), files.PutOptions{Size: 5})
		w.ok(err)
		_, err = win.Copy(t.Context(), vpath.Must("/Acme/"+name), vpath.Must("/Acme/~$copy"), files.TransferOptions{Overwrite: true})
		w.ok(err)
	}
	if list, err := w.sh.MyDeposits(t.Context(), me); err != nil || len(list) != 0 {
		t.Errorf("what was sent: %+v, %v", list, err)
	}
	w.wantMails("ann@firm.example")
	w.wantMails(carol)
	for _, name := range programs() { // though somebody has read it, and written to it
		w.ok(win.Delete(t.Context(), vpath.Must("/Acme/"+name), files.Guard{}))
	}
	if left, err := w.state.DepositsBelow(t.Context(), vpath.Must("/firm")); err != nil || len(left) != 1 || left[0].Path.Name() != "~$copy" {
		t.Errorf("what is left: %+v, %v", left, err)
	}
	depositIn(w, me, "/Acme/plan.docx", "a document")
	w.wantMails("ann@firm.example", "deposited")
}

// It is no opening of what somebody was given either: Explorer and Finder read it by
// themselves.
func TestClutterOpensNothing(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"desktop.ini", ".DS_Store"} {
		_, _, err := w.tree("ann").Put(t.Context(), vpath.Must("/firm/Clients/Acme/"+name), strings.NewReader("view"), files.PutOptions{Size: 4})
		w.ok(err)
	}
	me := w.joined(carol, "/firm/Clients/Acme")
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails("ann@firm.example")
	win, err := w.files.Window(t.Context(), me.Principal)
	w.ok(err)
	open := func(p string) {
		r, _, err := win.Open(t.Context(), vpath.Must(p), files.Range{})
		w.ok(err)
		w.ok(r.Close())
	}
	for _, name := range []string{"desktop.ini", ".DS_Store"} {
		open("/Acme/" + name)
	}
	w.wantMails("ann@firm.example")
	if now, _, err := w.state.GrantByID(t.Context(), g.ID); err != nil || !now.Opened.IsZero() {
		t.Errorf("the share was opened %v, %v", now.Opened, err)
	}
	open("/Acme/letter.txt")
	w.wantMails("ann@firm.example", "opened")
}

// An editor that writes to a file of its own, and gives it the document's name, has
// sent the document.
func TestClutterBecomesADeposit(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	depositIn(w, me, "/Acme/.plan.txt.swp", "the plan")
	win, err := w.files.Window(t.Context(), me.Principal)
	w.ok(err)
	_, err = win.Move(t.Context(), vpath.Must("/Acme/.plan.txt.swp"), vpath.Must("/Acme/plan.txt"), files.TransferOptions{Overwrite: true})
	w.ok(err)
	list, err := w.sh.MyDeposits(t.Context(), me)
	if err != nil || len(list) != 1 || list[0].Name != "plan.txt" || list[0].Size != 8 || list[0].SHA256 == "" || list[0].Item != vpath.Must("/Acme/plan.txt") {
		t.Errorf("what was sent: %+v, %v", list, err)
	}
	w.wantMails("ann@firm.example", "deposited")
	w.wantMails(carol, "receipt")
}

// By a link it takes no place of a document, but it is bounded.
func TestClutterByLink(t *testing.T) {
	w := newWorld(t)
	lv, token := w.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxFiles: 1}, "/firm/Clients/Beta/In")
	v := w.visit(token, "")
	cookie, err := v.Begin(t.Context(), "Zoë")
	w.ok(err)
	in := vpath.Must("/In")
	put := func(name string, size int) (sharing.Left, error) {
		return w.visit(token, cookie).Room().Deposit(t.Context(), in, name, strings.NewReader(strings.Repeat("x", size)), int64(size), time.Time{})
	}
	for i := range 100 {
		left, err := put(fmt.Sprintf("~$%d.docx", i), 3)
		if err != nil || left.Deposit.ID != "" || left.Receipt != nil || left.Node.Size != 3 {
			t.Fatalf("%+v, %v", left, err)
		}
	}
	_, err = put("~$more.docx", 3)
	w.refused(err, fault.ErrQuota, "no room left")
	_, err = put("~$large.docx", 1<<20+1)
	w.refused(err, fault.ErrTooLarge, "1048576 bytes")
	_, err = put("plan.docx", 3)
	w.ok(err)
	_, err = put("plan2.docx", 3)
	w.refused(err, fault.ErrTooLarge, "1 files")
	list, err := w.visit(token, cookie).Deposits(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "plan.docx" {
		t.Errorf("the visitor's receipts: %+v, %v", list, err)
	}
	if l, _, err := w.state.LinkByID(t.Context(), lv.ID); err != nil || l.Files != 1 || l.Bytes != 3 {
		t.Errorf("the link counts %d files, %d bytes, %v", l.Files, l.Bytes, err)
	}
}

// What is refused to it leaves nothing behind, whatever door it comes by and whatever
// was announced: it would be in no count.
func TestRefusedClutterByLinkLeavesNothing(t *testing.T) {
	const large = 1<<20 + 1
	for _, full := range []bool{false, true} {
		w := newWorld(t)
		_, token := w.link(sharing.LinkWish{Mode: sharing.LinkDeposit, MaxFiles: 1}, "/firm/Clients/Beta/In")
		cookie, err := w.visit(token, "").Begin(t.Context(), "Zoë")
		w.ok(err)
		room := func() *sharing.Room { return w.visit(token, cookie).Room() }
		ctx, size, want := t.Context(), int64(large), fault.ErrTooLarge
		put := func(name string, size, said int64) error {
			_, _, err := room().Put(ctx, vpath.Must("/In/"+name), strings.NewReader(strings.Repeat("x", int(size))), files.PutOptions{Size: said})
			return err
		}
		w.ok(put("plan.docx", large, large))
		if full {
			size, want = 3, fault.ErrQuota
			for i := range 100 {
				w.ok(put(fmt.Sprintf("~$%d.docx", i), 3, 3))
			}
			w.ok(put("~$7.docx", 4, 4)) // one that is there already
		}
		before := len(w.names("/firm/Clients/Beta/In"))
		refused := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("full: %v, %s: %v, want %v", full, what, err, want)
			}
			if names := w.names("/firm/Clients/Beta/In"); len(names) != before {
				t.Errorf("full: %v, %s: left behind: %q", full, what, names)
			}
		}
		refused("put", put(".a.swp", size, size))
		refused("put without a size", put(".b.swp", size, -1))
		_, err = room().Deposit(ctx, vpath.Must("/In"), ".c.swp", strings.NewReader(strings.Repeat("x", int(size))), -1, time.Time{})
		refused("deposit", err)
		_, err = room().Copy(ctx, vpath.Must("/In/plan.docx"), vpath.Must("/In/.d.swp"), files.TransferOptions{})
		if !full {
			refused("copy", err)
		}
		_, err = room().Sender().BeginUpload(ctx, vpath.Must("/In/.e.swp"), files.UploadWish{Size: size, Exists: files.ExistsKeep})
		refused("upload", err)
		if full {
			_, _, err = room().Lock(ctx, vpath.Must("/In/.f.swp"), files.LockOptions{})
			refused("lock", err)
		}
	}
}

// A deposit that is renamed to a name of programs stays one: who reads it is told of,
// and then it cannot be taken back; to rename it again is no second deposit.
func TestDepositRenamedToClutter(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	win, err := w.files.Window(t.Context(), me.Principal)
	w.ok(err)
	move := func(src, dst string) error {
		_, err := win.Move(t.Context(), vpath.Must("/Acme/"+src), vpath.Must("/Acme/"+dst), files.TransferOptions{})
		return err
	}
	depositIn(w, me, "/Acme/contract.docx", "signed")
	w.wantMails("ann@firm.example", "deposited")
	w.wantMails(carol, "receipt")
	w.ok(move("contract.docx", "~$contract.docx"))
	w.ok(move("~$contract.docx", "contract.docx"))
	w.wantMails("ann@firm.example")
	w.wantMails(carol)
	if list, err := w.sh.MyDeposits(t.Context(), me); err != nil || len(list) != 1 || list[0].Item != vpath.Must("/Acme/contract.docx") {
		t.Errorf("what was sent: %+v, %v", list, err)
	}
	w.ok(move("contract.docx", "~$contract.docx"))
	readAs(w, "ann", "/firm/Clients/Acme/~$contract.docx")
	w.wantMails(carol, "opened")
	if err := win.Delete(t.Context(), vpath.Must("/Acme/~$contract.docx"), files.Guard{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("taken back: %v", err)
	}
}

// By a link it goes back to its name though the link takes no more files, and counts
// once.
func TestDepositByLinkRenamedToClutter(t *testing.T) {
	w := newWorld(t)
	lv, token := w.link(sharing.LinkWish{Mode: sharing.LinkDeposit, MaxFiles: 1}, "/firm/Clients/Beta/In")
	cookie, err := w.visit(token, "").Begin(t.Context(), "Zoë")
	w.ok(err)
	_, err = w.visit(token, cookie).Room().Deposit(t.Context(), vpath.Must("/In"), "plan.docx", strings.NewReader("abc"), 3, time.Time{})
	w.ok(err)
	for _, ends := range [][2]string{{"plan.docx", "~$plan.docx"}, {"~$plan.docx", "plan.docx"}, {"plan.docx", "final.docx"}} {
		_, err := w.visit(token, cookie).Room().Move(t.Context(), vpath.Must("/In/"+ends[0]), vpath.Must("/In/"+ends[1]), files.TransferOptions{})
		w.ok(err)
	}
	if l, _, err := w.state.LinkByID(t.Context(), lv.ID); err != nil || l.Files != 1 || l.Bytes != 3 {
		t.Errorf("the link counts %d files, %d bytes, %v", l.Files, l.Bytes, err)
	}
}

// Many who make documents of what their programs keep, at once: a link takes as many
// as it takes, tells of each, and the others stay what they were.
func TestClutterBecomesDepositsAtOnce(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	lv, token := w.link(sharing.LinkWish{Mode: sharing.LinkDeposit, MaxFiles: 1}, "/firm/Clients/Beta/In")
	cookie, err := w.visit(token, "").Begin(t.Context(), "Zoë")
	w.ok(err)
	const many = 3
	rooms := make([]*sharing.Room, many)
	for i := range many {
		name := vpath.Must(fmt.Sprintf("/In/.%d.swp", i))
		_, _, err := w.visit(token, cookie).Room().Put(t.Context(), name, strings.NewReader("abc"), files.PutOptions{Size: 3})
		w.ok(err)
	}
	for i := range many {
		rooms[i] = w.visit(token, cookie).Room() // each as the link is before the first
	}
	made := 0
	for i, room := range rooms {
		_, err := room.Move(t.Context(), vpath.Must(fmt.Sprintf("/In/.%d.swp", i)), vpath.Must(fmt.Sprintf("/In/%d.pdf", i)), files.TransferOptions{})
		switch {
		case err == nil:
			made++
		case !errors.Is(err, fault.ErrQuota):
			t.Errorf("move %d: %v", i, err)
		}
	}
	w.ok(w.files.Resume(t.Context()))
	want := []string{".1.swp", ".2.swp", "0.pdf"}
	if names := w.names("/firm/Clients/Beta/In"); made != 1 || !slices.Equal(names, want) {
		t.Errorf("%d made, there is %q, want %q", made, names, want)
	}
	if l, _, err := w.state.LinkByID(t.Context(), lv.ID); err != nil || l.Files != 1 || l.Bytes != 3 {
		t.Errorf("the link counts %d files, %d bytes, %v", l.Files, l.Bytes, err)
	}
}

// names are those in a folder of the storage itself, whatever is shown of it.
func (w *world) names(p string) (list []string) {
	w.Helper()
	_, below, err := w.tree("ann").Find(w.Context(), vpath.Must(p), true, files.Want{})
	w.ok(err)
	for _, n := range below {
		list = append(list, n.Path.Name())
	}
	slices.Sort(list)
	return list
}
