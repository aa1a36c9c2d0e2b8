package sharing_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// link makes a link of ann's.
func (w *world) link(wish sharing.LinkWish, items ...string) (sharing.LinkView, string) {
	w.Helper()
	wish.Items = paths(items...)
	if wish.Mode == "" {
		wish.Mode = sharing.LinkRead
	}
	v, token, err := w.sh.MakeLink(w.Context(), w.by("ann"), wish)
	w.ok(err)
	return v, token
}

func (w *world) knock(token string) (*sharing.Visit, error) {
	return w.sh.OpenLink(w.Context(), sharing.Knock{Token: token, Address: "192.0.2.9"})
}

func (w *world) visit(token, cookie string) *sharing.Visit {
	w.Helper()
	v, err := w.sh.OpenLink(w.Context(), sharing.Knock{Token: token, Address: "192.0.2.9", Cookie: cookie})
	w.ok(err)
	return v
}

func fetch(ctx context.Context, v *sharing.Visit, p string, rg files.Range) (string, error) {
	body, _, err := v.Room().Open(ctx, vpath.Must(p), rg)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(body)
	return string(b), errors.Join(err, body.Close())
}

func TestLinkReads(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{Name: "Carol"}, "/firm/Clients/Acme/letter.txt")
	v := w.visit(token, "")
	if got, err := fetch(t.Context(), v, "/letter.txt", files.Range{}); err != nil || got != "dear acme" {
		t.Errorf("letter.txt: %q, %v", got, err)
	}
	if _, err := fetch(t.Context(), v, "/Acme/letter.txt", files.Range{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("by its place in the firm: %v", err)
	}
	if !strings.HasPrefix(token, "gwl_") || len(token) != 36 {
		t.Errorf("token %q has not 160 bits", token)
	}
	if _, err := w.knock(token[:35] + "-"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another token: %v", err)
	}
}

// A link ends with the right of who gave it, with its day, and when it is revoked.
func TestLinkEnds(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{Until: w.clock.Now()}, "/firm/Clients/Acme")
	w.visit(token, "")
	w.clock.add(24 * time.Hour)
	_, err := w.knock(token)
	w.refused(err, sharing.ErrGone, "opens nothing any more")

	_, token = w.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	w.visit(token, "")
	w.people.Drop("ann")
	w.ok(w.files.GrantsChanged(t.Context()))
	_, err = w.knock(token)
	w.refused(err, sharing.ErrGone, "opens nothing any more")
}

func TestLinkOfOthers(t *testing.T) {
	w := newWorld(t)
	l, token := w.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	for _, login := range []string{"bob", "eve", "sam"} {
		w.refused(w.sh.RevokeLink(t.Context(), w.by(login), l.ID), fs.ErrNotExist, "no such link")
		_, err := w.sh.ChangeLink(t.Context(), w.by(login), l.ID, sharing.LinkWish{Mode: sharing.LinkRead})
		w.refused(err, fs.ErrNotExist, "no such link")
	}
	w.visit(token, "")
	w.ok(w.sh.RevokeLink(t.Context(), w.by("root"), l.ID)) // who rules over rights there
	_, err := w.knock(token)
	w.refused(err, sharing.ErrGone, "")
}

func TestLinkRenewed(t *testing.T) {
	w := newWorld(t)
	l, old := w.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	_, token, err := w.sh.RenewLink(t.Context(), w.by("ann"), l.ID)
	w.ok(err)
	w.visit(token, "")
	_, err = w.knock(old)
	w.refused(err, fs.ErrNotExist, "")
}

// THREATS.md row 29: a change gives what was asked for, and no other right.
func TestLinkChanged(t *testing.T) {
	w := newWorld(t)
	l, token := w.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/Beta/In")
	_, err := w.sh.ChangeLink(t.Context(), w.by("ann"), l.ID, sharing.LinkWish{Mode: "nothing"})
	w.refused(err, fs.ErrInvalid, "no kind of link")
	for _, mode := range []string{sharing.LinkDeposit, sharing.LinkInbox, sharing.LinkRead, sharing.LinkInbox} {
		_, err := w.sh.ChangeLink(t.Context(), w.by("ann"), l.ID, sharing.LinkWish{Mode: mode})
		w.ok(err)
		rights := w.visit(token, "").Room().Mounts()[0].Rights
		want := map[string]string{
			sharing.LinkInbox: "create", sharing.LinkRead: "list read", sharing.LinkDeposit: "list read comment create write delete:own",
		}[mode]
		if got := strings.Join(rights, " "); got != want {
			t.Errorf("%s gives %q, want %q", mode, got, want)
		}
	}
}

// THREATS.md rows 33 and 34: an unlocked visit has a new cookie each time, and ends
// with the terms that it was unlocked under.
func TestUnlock(t *testing.T) {
	w := newWorld(t)
	l, token := w.link(sharing.LinkWish{Password: "four black horses run"}, "/firm/Clients/Acme")
	if v, err := w.knock(token); !errors.Is(err, sharing.ErrPassword) || v.Room() != nil {
		t.Fatalf("without a password: %v", err)
	}
	k := sharing.Knock{Token: token, Address: "192.0.2.9", Cookie: "chosen-by-somebody-else"}
	k.Password = "wrong"
	_, _, err := w.sh.Unlock(t.Context(), k)
	w.refused(err, identity.ErrRefused, "wrong")
	k.Password = "four black horses run"
	_, first, err := w.sh.Unlock(t.Context(), k)
	w.ok(err)
	k.Cookie = first
	_, second, err := w.sh.Unlock(t.Context(), k)
	w.ok(err)
	if first == second || first == "chosen-by-somebody-else" {
		t.Error("the cookie is not new")
	}
	if _, err := w.sh.OpenLink(t.Context(), sharing.Knock{Token: token, Address: "192.0.2.9", Cookie: first}); !errors.Is(err, sharing.ErrPassword) {
		t.Errorf("the old cookie: %v", err)
	}
	w.visit(token, second)
	_, err = w.sh.ChangeLink(t.Context(), w.by("ann"), l.ID, sharing.LinkWish{Mode: sharing.LinkRead, Password: "four white horses run"})
	w.ok(err)
	if _, err := w.sh.OpenLink(t.Context(), sharing.Knock{Token: token, Address: "192.0.2.9", Cookie: second}); !errors.Is(err, sharing.ErrPassword) {
		t.Errorf("the cookie of the old password: %v", err)
	}
}

func TestCode(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{Allowed: []string{"@Acme.example", "dave@beta.example"}}, "/firm/Clients/Acme")
	ask := func(mail string) (*sharing.Visit, string) {
		v, err := w.knock(token)
		w.refused(err, sharing.ErrMail, "")
		cookie, err := v.AskCode(t.Context(), mail)
		w.ok(err)
		v, err = w.sh.OpenLink(t.Context(), sharing.Knock{Token: token, Address: "192.0.2.9", Cookie: cookie})
		w.refused(err, sharing.ErrMail, "")
		return v, cookie
	}
	v, _ := ask("Carol@acme.example")
	code := datum(t, w.wantMails("carol@acme.example", notify.Code)[0], "code")
	_, err := v.ProveCode(t.Context(), "000000x")
	w.refused(err, identity.ErrRefused, "wrong")
	cookie, err := v.ProveCode(t.Context(), code)
	w.ok(err)
	if got := w.visit(token, cookie).Terms().Mail; got != "carol@acme.example" {
		t.Errorf("proved %q", got)
	}

	v, _ = ask("mallory@else.example")
	w.wantMails("mallory@else.example")
	_, err = v.ProveCode(t.Context(), code)
	w.refused(err, identity.ErrRefused, "wrong")

	v, _ = ask("dave@beta.example")
	code = datum(t, w.wantMails("dave@beta.example", notify.Code)[0], "code")
	for range 5 {
		_, err = v.ProveCode(t.Context(), "1")
		w.refused(err, identity.ErrRefused, "wrong")
	}
	_, err = v.ProveCode(t.Context(), code)
	w.refused(err, identity.ErrRefused, "wrong")
}

// A download counts when its last byte has left, in however many pieces; one that
// was cut off can be gone on with, and counts once.
func TestDownloadLimit(t *testing.T) {
	w := newWorld(t)
	l, token := w.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/letter.txt")
	v := w.visit(token, "")
	cookie, err := v.Begin(t.Context(), "")
	w.ok(err)
	v = w.visit(token, cookie)
	body, _, err := v.Room().Open(t.Context(), vpath.Must("/letter.txt"), files.Range{})
	w.ok(err)
	if _, err := io.ReadFull(body, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	_, err = fetch(t.Context(), w.visit(token, cookie), "/letter.txt", files.Range{})
	w.refused(err, fault.ErrBusy, "under way")
	w.ok(body.Close())
	// Somebody else has to wait for the place.
	_, err = fetch(t.Context(), w.visit(token, ""), "/letter.txt", files.Range{})
	w.refused(err, fault.ErrBusy, "Somebody")
	if got, err := fetch(t.Context(), w.visit(token, cookie), "/letter.txt", files.Range{Off: 4}); err != nil || got != " acme" {
		t.Fatalf("the rest: %q, %v", got, err)
	}
	wantDownloads := func(want int) {
		t.Helper()
		now, _, err := w.state.LinkByID(t.Context(), l.ID)
		w.ok(err)
		if now.Downloads != want {
			t.Fatalf("%d downloads, want %d", now.Downloads, want)
		}
	}
	wantDownloads(0) // the first four bytes may not have arrived: they were not followed by a read
	if got, err := fetch(t.Context(), w.visit(token, cookie), "/letter.txt", files.Range{Len: 4}); err != nil || got != "dear" {
		t.Fatalf("the beginning: %q, %v", got, err)
	}
	wantDownloads(1)
	_, err = w.knock(token)
	w.refused(err, sharing.ErrGone, "as often")
}

func TestDownloadGivenUp(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/letter.txt")
	v := w.visit(token, "")
	cookie, err := v.Begin(t.Context(), "")
	w.ok(err)
	body, _, err := w.visit(token, cookie).Room().Open(t.Context(), vpath.Must("/letter.txt"), files.Range{})
	w.ok(err)
	w.ok(body.Close())
	w.clock.add(10*time.Minute + time.Second)
	if _, err := fetch(t.Context(), w.visit(token, ""), "/letter.txt", files.Range{}); err != nil {
		t.Errorf("ten minutes later: %v", err)
	}
}

// Of fifty at once over one store exactly one has it.
func TestDownloadRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.State{"sqlite": openSQLite} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOver(t, open(t))
			l, token := w.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/letter.txt")
			var done sync.WaitGroup
			var mu sync.Mutex
			got := 0
			for range 50 {
				done.Go(func() {
					v, err := w.knock(token)
					if err != nil {
						return
					}
					if text, err := fetch(t.Context(), v, "/letter.txt", files.Range{}); err == nil && text == "dear acme" {
						mu.Lock()
						got++
						mu.Unlock()
					}
				})
			}
			done.Wait()
			if now, _, _ := w.state.LinkByID(t.Context(), l.ID); got != 1 || now.Downloads != 1 {
				t.Errorf("%d had it, %d are counted", got, now.Downloads)
			}
		})
	}
}

func TestDepositByLink(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxFiles: 2, MaxFileBytes: 10, Types: []string{"PDF"}}, "/firm/Clients/Beta/In")
	v := w.visit(token, "")
	cookie, err := v.Begin(t.Context(), "Zoë")
	w.ok(err)
	v = w.visit(token, cookie)
	in := vpath.Must("/In")
	put := func(v *sharing.Visit, name, text string, size int64) error {
		_, err := v.Room().Deposit(t.Context(), in, name, strings.NewReader(text), size, time.Time{})
		return err
	}
	w.refused(put(v, "a.exe", "x", 1), fs.ErrInvalid, ".pdf")
	w.refused(put(v, "a.pdf", "eleven bytes", 12), fault.ErrTooLarge, "10 bytes")
	w.refused(put(v, "a.pdf", "eleven bytes", -1), fault.ErrTooLarge, "10 bytes")
	w.ok(put(v, "a.pdf", "one", 3))
	other := w.visit(token, "")
	w.ok(put(other, "a.pdf", "two", 3))
	w.refused(put(w.visit(token, cookie), "b.pdf", "three", 5), fault.ErrTooLarge, "2 files")
	list, err := v.Deposits(t.Context())
	w.ok(err)
	if len(list) != 1 || list[0].Name != "a.pdf" || list[0].SHA256 == "" {
		t.Errorf("the visitor's receipts: %+v", list)
	}
	if list, _ := other.Deposits(t.Context()); list != nil {
		t.Errorf("a stranger's receipts: %+v", list)
	}
	if _, below, err := v.Room().Find(t.Context(), in, true, files.Want{}); err != nil || len(below) != 0 {
		t.Errorf("an inbox shows %v, %v", below, err)
	}
}

func TestOwnFolders(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{Mode: sharing.LinkInbox, Subfolders: true}, "/firm/Clients/Beta/In")
	for range 2 {
		v := w.visit(token, "")
		cookie, err := v.Begin(t.Context(), "Zoë/Q")
		w.ok(err)
		for range 2 {
			v = w.visit(token, cookie)
			_, err = v.Room().Deposit(t.Context(), vpath.Must("/In"), "a.pdf", strings.NewReader("one"), -1, time.Time{})
			w.ok(err)
		}
	}
	_, below, err := w.tree("root").Find(t.Context(), vpath.Must("/firm/Clients/Beta/In"), true, files.Want{})
	w.ok(err)
	var names []string
	for _, n := range below {
		_, in, err := w.tree("root").Find(t.Context(), n.Path, true, files.Want{})
		w.ok(err)
		for _, f := range in {
			names = append(names, n.Path.Name()+"/"+f.Path.Name())
		}
	}
	if got := strings.Join(names, " "); got != "Zoë_Q 2026-03-02/a (2).pdf Zoë_Q 2026-03-02/a.pdf Zoë_Q 2026-03-02 (2)/a (2).pdf Zoë_Q 2026-03-02 (2)/a.pdf" {
		t.Errorf("deposits lie at %s", got)
	}
	_, err = w.visit(token, "").Room().Deposit(t.Context(), vpath.Must("/In"), "a.pdf", strings.NewReader("one"), -1, time.Time{})
	w.refused(err, fs.ErrPermission, "your name")
}

// Pieces of a download that was given up count, when together they are all of it:
// with a pause between, or by two who are one.
func TestLimitOfPiecesWithAPause(t *testing.T) {
	for name, visitors := range map[string][2]string{"one": {"192.0.2.1", "192.0.2.1"}, "two": {"192.0.2.1", "192.0.2.2"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, token := w.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/letter.txt")
			get := func(address string, rg files.Range) error {
				v, err := w.sh.OpenLink(t.Context(), sharing.Knock{Token: token, Address: address})
				if err == nil {
					_, err = fetch(t.Context(), v, "/letter.txt", rg)
				}
				return err
			}
			w.ok(get(visitors[0], files.Range{Len: 4}))
			w.clock.add(11 * time.Minute)
			w.ok(get(visitors[1], files.Range{Off: 4}))
			w.clock.add(11 * time.Minute)
			w.refused(get("192.0.2.3", files.Range{}), sharing.ErrGone, "")
		})
	}
}

// Whose line broke may begin again, however late.
func TestLimitAfterABrokenLine(t *testing.T) {
	w := newWorld(t)
	_, token := w.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/letter.txt")
	for range 3 {
		_, err := fetch(t.Context(), w.visit(token, ""), "/letter.txt", files.Range{Len: 4})
		w.ok(err)
		w.clock.add(11 * time.Minute)
	}
	got, err := fetch(t.Context(), w.visit(token, ""), "/letter.txt", files.Range{})
	if w.ok(err); got != "dear acme" {
		t.Error(got)
	}
	_, err = w.knock(token)
	w.refused(err, sharing.ErrGone, "")
}
