package sharing_test

import (
	"fmt"
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
	w.refused(err, fault.ErrQuota, "no room left")
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
