package sharing_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/internal/memstate"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// depositIn has a customer put a file into their window.
func depositIn(w *world, by sharing.By, p, body string) {
	w.Helper()
	win, err := w.files.Window(w.Context(), by.Principal)
	w.ok(err)
	_, _, err = win.Put(w.Context(), vpath.Must(p), strings.NewReader(body), files.PutOptions{Size: int64(len(body))})
	w.ok(err)
}

// readAs reads a file as somebody of the firm.
func readAs(w *world, login, p string) {
	w.Helper()
	r, _, err := w.tree(login).Open(w.Context(), vpath.Must(p), files.Range{})
	w.ok(err)
	_, err = io.Copy(io.Discard, r)
	w.ok(errors.Join(err, r.Close()))
}

func TestDeposit(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	depositIn(w, me, "/Acme/tax.pdf", "numbers")
	depositIn(w, me, "/Acme/tax2.pdf", "more numbers")
	told := w.wantMails("ann@firm.example", notify.Deposited, notify.Deposited)
	if told[0].Batch != told[1].Batch || told[0].Due.Sub(told[0].Created) != 10*time.Minute {
		t.Errorf("two deposits are two mails: %+v", told)
	}
	if got := datum(t, told[0], "link"); got != "https://portico.firm.example/files/firm/Clients/Acme" {
		t.Errorf("the giver's link is %s", got)
	}
	receipts := w.wantMails(carol, notify.Receipt, notify.Receipt)
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	if len(list) != 2 {
		t.Fatalf("deposits: %+v", list)
	}
	first := list[slices.IndexFunc(list, func(d sharing.DepositView) bool { return d.Name == "tax.pdf" })]
	if first.Item != vpath.Must("/Acme/tax.pdf") || !first.TakeBack || first.Folder != "Acme" || first.ID != datum(t, receipts[0], "id") {
		t.Errorf("the first is %+v", first)
	}
	text, err := w.sh.Receipt(t.Context(), me, first.ID)
	w.ok(err)
	v, err := w.sh.Verify(t.Context(), string(text))
	w.ok(err)
	if v.Verdict != sharing.Good || !v.Known || v.Name != "tax.pdf" || v.Size != 7 || v.Depositor != "Carol Jones <carol@acme.example>" {
		t.Errorf("Verify = %+v", v)
	}
	if v.SHA256 != "03a2bb4d3c36ab2d9a2d5b83a0f5ac0b2bd7d5d4c5a7dcd7a7a9a6b7d4c6a2f1" && len(v.SHA256) != 64 {
		t.Errorf("the sum is %q", v.SHA256)
	}
	for _, by := range []sharing.By{w.by("ann"), w.unproved(dave), {}} {
		_, err := w.sh.Receipt(t.Context(), by, first.ID)
		w.refused(err, fs.ErrNotExist, "receipt")
	}
	readAs(w, "ann", "/firm/Clients/Acme/tax.pdf")
	readAs(w, "bob", "/firm/Clients/Acme/tax.pdf")
	opened := w.wantMails(carol, notify.Opened)[0]
	if datum(t, opened, "by") != "Ann" || datum(t, opened, "item") != "tax.pdf" {
		t.Errorf("opened: %s", opened.Data)
	}
	list, err = w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	for _, d := range list {
		if d.TakeBack == (d.Name == "tax.pdf") {
			t.Errorf("%s: may be taken back: %v", d.Name, d.TakeBack)
		}
	}
	win, err := w.files.Window(t.Context(), me.Principal)
	w.ok(err)
	if err := win.Delete(t.Context(), vpath.Must("/Acme/tax.pdf"), files.Guard{}); err == nil {
		t.Error("taken back after it was opened")
	}
	w.ok(win.Delete(t.Context(), vpath.Must("/Acme/tax2.pdf"), files.Guard{}))
	if err := win.Delete(t.Context(), vpath.Must("/Acme/letter.txt"), files.Guard{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("deleted what was shared: %v", err)
	}
}

// A depositor hears the name of a colleague from nobody but themselves: who else
// opens what they sent is the firm, in the notice and in the list.
func TestOpenedByAColleague(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	depositIn(w, me, "/Acme/tax.pdf", "numbers")
	w.mails(carol)
	readAs(w, "bob", "/firm/Clients/Acme/tax.pdf")
	if got := datum(t, w.wantMails(carol, notify.Opened)[0], "by"); got != "The firm" {
		t.Errorf("opened by %q", got)
	}
	want := func(when string) {
		t.Helper()
		list, err := w.sh.MyDeposits(t.Context(), me)
		w.ok(err)
		if len(list) != 1 || list[0].OpenedBy != "The firm" {
			t.Errorf("%s: %+v", when, list)
		}
	}
	want("while it is shared")
	w.ok(w.sh.Stop(t.Context(), w.by("ann"), []string{g.ID}, false))
	want("when the share has ended")
}

// Another customer who looks first ends the taking back, and is not the firm: the
// notice and the name come when somebody of the firm has opened it.
func TestOpenedByAnotherCustomer(t *testing.T) {
	w := newWorld(t)
	me, he := w.joined(carol, "/firm/Clients/Acme"), w.joined(dave, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.share("ann", "/firm/Clients/Acme", dave, sharing.Read)
	depositIn(w, me, "/Acme/tax.pdf", "numbers")
	w.mails(carol)
	want := func(when, by string, isOpened bool) {
		t.Helper()
		list, err := w.sh.MyDeposits(t.Context(), me)
		w.ok(err)
		if len(list) != 1 || list[0].OpenedBy != by || list[0].Opened.IsZero() == isOpened || list[0].TakeBack == isOpened {
			t.Errorf("%s: %+v", when, list)
		}
	}
	look := func(by sharing.By) {
		t.Helper()
		r, _, err := window(w, by).Open(t.Context(), vpath.Must("/Acme/tax.pdf"), files.Range{})
		w.ok(err)
		w.ok(r.Close())
	}
	look(me)
	want("nobody else has", "", false)
	look(he)
	look(he)
	want("another customer has", "", true)
	w.wantMails(carol)
	w.refused(window(w, me).Delete(t.Context(), vpath.Must("/Acme/tax.pdf"), files.Guard{}), fs.ErrPermission, "has been opened")
	readAs(w, "bob", "/firm/Clients/Acme/tax.pdf")
	want("the firm has", "The firm", true)
	if got := datum(t, w.wantMails(carol, notify.Opened)[0], "by"); got != "The firm" {
		t.Errorf("opened by %q", got)
	}
	readAs(w, "ann", "/firm/Clients/Acme/tax.pdf")
	look(he)
	want("it stays the first", "The firm", true)
	w.wantMails(carol)
}

// calls counts what a state is asked.
type calls struct {
	store.State
	n atomic.Int64
}

func (c *calls) DepositsOf(ctx context.Context, owner string) ([]store.Deposit, error) {
	c.n.Add(1)
	return c.State.DepositsOf(ctx, owner)
}

func (c *calls) DepositAt(ctx context.Context, p vpath.Path) (store.Deposit, bool, error) {
	c.n.Add(1)
	return c.State.DepositAt(ctx, p)
}

func (c *calls) GrantByID(ctx context.Context, id string) (store.Grant, bool, error) {
	c.n.Add(1)
	return c.State.GrantByID(ctx, id)
}

// A thousand deposits are one question to the state, and one to the storage for
// each share: not one for each deposit.
func TestMyDepositsAtOnce(t *testing.T) {
	state := &calls{State: bare{memstate.New()}}
	w := newWorldOver(t, state)
	me := w.joined(carol, "/firm/Clients/Acme")
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		for i := range 1000 {
			err := tx.PutDeposit(store.Deposit{
				ID: fmt.Sprint("d", i), Path: vpath.Must(fmt.Sprint("/firm/Clients/Acme/", i%7, "/", i)), Gone: i%10 == 9,
				Owner: me.ID, Subject: "contact:" + carol, Name: strconv.Itoa(i), Grant: g.ID, Time: w.clock.Now(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	asked := w.stored.Load()
	state.n.Store(0)
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	items := 0
	for _, d := range list {
		if !d.Item.IsRoot() && d.TakeBack {
			items++
		}
	}
	if len(list) != 1000 || items != 900 {
		t.Errorf("%d deposits, %d of them there", len(list), items)
	}
	if n := state.n.Load(); n > 3 {
		t.Errorf("the state was asked %d times", n)
	}
	if n := w.stored.Load() - asked; n > 3 {
		t.Errorf("the storage was asked %d times", n)
	}
}

// The giver is told when the recipient opens something for the first time.
func TestOpenedByTheRecipient(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	for range 2 {
		win, err := w.files.Window(t.Context(), me.Principal)
		w.ok(err)
		r, _, err := win.Open(t.Context(), vpath.Must("/Acme/letter.txt"), files.Range{})
		w.ok(err)
		w.ok(r.Close())
	}
	if m := w.wantMails("ann@firm.example", notify.Opened)[0]; datum(t, m, "by") != "Carol Jones" || datum(t, m, "item") != "Acme" {
		t.Errorf("opened: %s", m.Data)
	}
}

// Two people who drop into one folder see receipts of their own, and nothing else.
func TestBlindDrop(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Beta")
	w.ok(w.sh.OpenAccess(t.Context(), w.by("ann"), "firm", dave, paths("/firm/Clients/Beta")))
	he := w.unproved(dave)
	w.share("ann", "/firm/Clients/Beta/In", carol, sharing.Deposit)
	w.share("ann", "/firm/Clients/Beta/In", dave, sharing.Deposit)
	depositIn(w, me, "/In/a.txt", "from carol")
	depositIn(w, he, "/In/a.txt", "from dave")
	for _, by := range []sharing.By{me, he} {
		list, err := w.sh.MyDeposits(t.Context(), by)
		w.ok(err)
		if len(list) != 1 || list[0].Name != "a.txt" || !list[0].Item.IsRoot() || list[0].TakeBack {
			t.Errorf("%s sees %+v", by.Mail, list)
		}
	}
}

func TestLinkLimitsOfDeposits(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutLink(store.Link{ID: "l", Sum: store.Sum{1}, Workspace: "firm", Mode: "inbox", Created: now, MaxFiles: 2, MaxBytes: 100})
	}))
	put := func(size int64) error {
		return w.state.Update(t.Context(), func(tx store.Tx) error {
			return w.sh.Deposited(t.Context(), tx, store.Deposit{
				Path: vpath.Must("/firm/Clients/Beta/In/x"), Owner: "link:l/v", Subject: "link:l", Name: "x", Size: size, Time: now,
			})
		})
	}
	w.refused(put(101), fault.ErrQuota, "100 bytes")
	w.ok(put(50))
	w.refused(put(51), fault.ErrQuota, "100 bytes")
	w.ok(put(50))
	w.refused(put(0), fault.ErrQuota, "no more files")
	if l, _, _ := w.state.LinkByID(t.Context(), "l"); l.Files != 2 || l.Bytes != 100 {
		t.Errorf("the link counts %d files, %d bytes", l.Files, l.Bytes)
	}
}
