package sharing_test

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"portico/fault"
	"portico/files"
	"portico/notify"
	"portico/sharing"
	"portico/vpath"
)

// drive is what a client of a drive does: a customer's window or a link's room.
type drive interface {
	Lock(ctx context.Context, p vpath.Path, o files.LockOptions) (files.Lock, bool, error)
	Unlock(ctx context.Context, p vpath.Path, token string) error
	Put(ctx context.Context, p vpath.Path, from io.Reader, o files.PutOptions) (files.Node, bool, error)
	Delete(ctx context.Context, p vpath.Path, g files.Guard) error
}

// holdPlace locks a free name, as clients do before they send a file.
func holdPlace(w *world, d drive, p string) files.Lock {
	w.Helper()
	l, created, err := d.Lock(w.Context(), vpath.Must(p), files.LockOptions{})
	w.ok(err)
	if !created {
		w.Errorf("%s was there before its lock", p)
	}
	return l
}

// holding submits a lock's token, as PUT and DELETE do.
func holding(l files.Lock) files.Guard {
	return files.Guard{If: []files.List{{Conditions: []webdav.Condition{{Token: l.Token}}}}}
}

func send(w *world, d drive, p, body string, g files.Guard) error {
	_, _, err := d.Put(w.Context(), vpath.Must(p), strings.NewReader(body), files.PutOptions{Size: int64(len(body)), Guard: g})
	return err
}

func window(w *world, by sharing.By) *files.Window {
	w.Helper()
	win, err := w.files.Window(w.Context(), by.Principal)
	w.ok(err)
	return win
}

// davfs2, Windows, macOS and LibreOffice lock a free name and send the bytes then.
// The empty file is nobody's deposit; what comes is one, as without the lock.
func TestLockThenSend(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	win := window(w, me)
	l := holdPlace(w, win, "/Acme/tax.pdf")
	readAs(w, "bob", "/firm/Clients/Acme/tax.pdf")
	w.wantMails(carol)
	w.wantMails("ann@firm.example")
	if list, err := w.sh.MyDeposits(t.Context(), me); err != nil || len(list) > 0 {
		t.Errorf("an empty file is listed: %+v, %v", list, err)
	}
	rows, err := w.state.DepositsOf(t.Context(), me.ID)
	w.ok(err)
	if len(rows) != 1 || !rows[0].IsPlaceholder() || rows[0].Receipt != nil || !rows[0].Opened.IsZero() {
		t.Fatalf("the place is kept as %+v", rows)
	}
	_, err = w.sh.Receipt(t.Context(), me, rows[0].ID)
	w.refused(err, fs.ErrNotExist, "receipt")

	w.ok(send(w, win, "/Acme/tax.pdf", "numbers", holding(l)))
	w.ok(win.Unlock(t.Context(), vpath.Must("/Acme/tax.pdf"), l.Token))
	w.wantMails("ann@firm.example", notify.Deposited)
	receipt := w.wantMails(carol, notify.Receipt)[0]
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	if len(list) != 1 || list[0].Name != "tax.pdf" || list[0].Size != 7 || !list[0].TakeBack || list[0].ID != datum(t, receipt, "id") {
		t.Fatalf("deposits: %+v", list)
	}
	text, err := w.sh.Receipt(t.Context(), me, list[0].ID)
	w.ok(err)
	if v, err := w.sh.Verify(t.Context(), string(text)); err != nil || v.Verdict != sharing.Good || !v.Known || v.Size != 7 {
		t.Errorf("Verify = %+v, %v", v, err)
	}
	readAs(w, "bob", "/firm/Clients/Acme/tax.pdf")
	w.wantMails(carol, notify.Opened)
}

// Windows and macOS send an empty file ahead of the bytes: on a drive that is a place, and
// what comes is one deposit. From a page an empty file is what its sender meant.
func TestEmptyThenSend(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.mails(carol)
	w.ok(send(w, window(w, me), "/Acme/empty.txt", "", files.Guard{}))
	w.wantMails(carol, notify.Receipt)

	me.Principal.Via = "dav"
	win := window(w, me)
	w.ok(send(w, win, "/Acme/tax.pdf", "", files.Guard{}))
	w.wantMails(carol)
	l, created, err := win.Lock(t.Context(), vpath.Must("/Acme/tax.pdf"), files.LockOptions{})
	if w.ok(err); created {
		t.Error("the lock made the file anew")
	}
	w.ok(send(w, win, "/Acme/tax.pdf", "numbers", holding(l)))
	w.wantMails(carol, notify.Receipt)
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	if len(list) != 2 || list[0].Name != "tax.pdf" && list[1].Name != "tax.pdf" {
		t.Errorf("deposits: %+v", list)
	}
}

// What is left of a save that never came is its owner's, until the firm writes
// there.
func TestAbandonedPlace(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	win := window(w, me)
	for _, name := range []string{"/Acme/a", "/Acme/b", "/Acme/c"} {
		l := holdPlace(w, win, name)
		w.ok(win.Unlock(t.Context(), vpath.Must(name), l.Token))
	}
	readAs(w, "ann", "/firm/Clients/Acme/a")
	w.ok(win.Delete(t.Context(), vpath.Must("/Acme/a"), files.Guard{}))
	w.ok(send(w, win, "/Acme/b", "later", files.Guard{}))
	w.write("ann", "/firm/Clients/Acme/c", "ann's words")
	w.refused(win.Delete(t.Context(), vpath.Must("/Acme/c"), files.Guard{}), fs.ErrPermission, "taken back")
	list, err := w.sh.MyDeposits(t.Context(), me)
	w.ok(err)
	if len(list) != 1 || list[0].Name != "b" {
		t.Errorf("deposits: %+v", list)
	}
	rows, err := w.state.DepositsOf(t.Context(), me.ID)
	w.ok(err)
	if len(rows) != 2 {
		t.Errorf("a place that was given up leaves a row: %+v", rows)
	}
}

// An empty file counts in a link's limit as long as it stands, and gives up its
// place to what is put there.
func TestPlacesOfALinkCount(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	_, token := w.link(sharing.LinkWish{Mode: sharing.LinkDeposit, MaxFiles: 2, Types: []string{".pdf"}}, "/firm/Clients/Beta/In")
	v := w.visit(token, "")
	cookie, err := v.Begin(t.Context(), "Zoë")
	w.ok(err)
	room := func() drive { return w.visit(token, cookie).Room() }
	a := holdPlace(w, room(), "/In/a.pdf")
	b := holdPlace(w, room(), "/In/b.pdf")
	for what, err := range map[string]error{
		"a third lock": func() error {
			_, _, err := room().Lock(t.Context(), vpath.Must("/In/c.pdf"), files.LockOptions{})
			return err
		}(),
		"a third file": send(w, room(), "/In/c.pdf", "three", files.Guard{}),
	} {
		if err == nil {
			t.Errorf("%s beyond the limit", what)
		}
		w.refused(err, fault.ErrTooLarge, "2 files")
	}
	w.ok(send(w, room(), "/In/a.pdf", "one", holding(a)))
	w.ok(room().Delete(t.Context(), vpath.Must("/In/b.pdf"), holding(b)))
	w.ok(send(w, room(), "/In/c.pdf", "two", files.Guard{}))
	w.refused(send(w, room(), "/In/d.pdf", "three", files.Guard{}), fault.ErrTooLarge, "2 files")
	l, _, err := w.state.LinkByID(t.Context(), v.Terms().ID)
	w.ok(err)
	if l.Files != 2 || l.Bytes != 6 {
		t.Errorf("the link counts %d files, %d bytes", l.Files, l.Bytes)
	}
}

// Of locks that come at once none is above the limit: what the door has judged is
// judged once more with the row, and a lock that is refused leaves no file.
func TestPlacesAtOnce(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	_, token := w.link(sharing.LinkWish{Mode: sharing.LinkDeposit, MaxFiles: 1}, "/firm/Clients/Beta/In")
	one, two := w.visit(token, "").Room(), w.visit(token, "").Room()
	holdPlace(w, one, "/In/a.pdf")
	// The window does not know the link's limits: it stands for one who was judged
	// before the first came.
	if _, _, err := two.Window.Lock(t.Context(), vpath.Must("/In/b.pdf"), files.LockOptions{}); err == nil {
		t.Error("a second place was given")
	}
	_, below, err := w.tree("root").Find(t.Context(), vpath.Must("/firm/Clients/Beta/In"), true, files.Want{})
	w.ok(err)
	if len(below) != 1 {
		t.Errorf("the folder holds %+v", below)
	}
}
