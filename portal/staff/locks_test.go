package staff_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/audit"
	"portico/audit/audittest"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// lock takes a lock as somebody's program does.
func (h *house) lock(login, path string, o files.LockOptions) files.Lock {
	h.t.Helper()
	t, err := h.files.As(h.t.Context(), principal(person(login)))
	if err != nil {
		h.t.Fatal(err)
	}
	l, _, err := t.Lock(h.t.Context(), vpath.Must(path), o)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// form is the form that ends a lock, as the page has it.
func (a answer) form(name string) (fields []string) {
	a.t.Helper()
	_, table, _ := strings.Cut(a.text(), "<tbody>")
	_, row, found := strings.Cut(table, ">"+name+"</bdi></a>")
	row, _, _ = strings.Cut(row, "</tr>")
	if !found || !strings.Contains(row, `action="/do/unlock"`) {
		a.t.Fatalf("%s: no form for %s", a.what, name)
	}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(row, -1) {
		fields = append(fields, m[1], m[2])
	}
	return fields
}

// TestLocksPage: who looks after a folder sees what is locked in it and below, by
// whom, since when and until when, and ends one with a form that needs no script.
func TestLocksPage(t *testing.T) {
	t.Parallel()
	log := &audittest.Recorder{}
	h := newHouseWith(t, log)
	h.put("/firm/Clients/Acme/offer <1>.docx", "x")
	h.put("/firm/Clients/Acme/b.docx", "x")
	h.put("/firm/Inbox/mine.txt", "x")
	h.get("ann", "/locks/firm/").want(200, "Nothing is locked here", `href="/files/firm/"`).lacks("<table")

	h.lock("bob", "/firm/Clients/Acme/offer <1>.docx", files.LockOptions{Timeout: 30 * time.Minute, OwnerXML: "<D:href xmlns:D=\"DAV:\">BOBS-PC</D:href>"})
	h.put("/firm/Clients/Beta/x", "x")
	h.lock("bob", "/firm/Clients/Beta", files.LockOptions{Infinite: true, Shared: true})
	h.lock("ann", "/firm/Inbox/mine.txt", files.LockOptions{OwnerXML: "<o> LibreOffice\n <i>6</i> </o>"})
	page := h.get("ann", "/locks/firm/").want(200, "What is locked in Peeters & Co", "offer <1>.docx", "Bob Maes", "Peeters & Co / Clients / Acme", "with all that lies in it",
		"What is not saved yet stays in the program", `href="/files/firm/Clients/Acme/?details=offer+%3C1%3E.docx"`, "Your program wrote: <bdi>LibreOffice 6</bdi>")
	page.lacks("BOBS-PC", "opaquelocktoken", "Nothing is locked")
	if strings.Contains(page.Body.String(), "offer <1>") {
		t.Error("a name is not text")
	}
	if n := strings.Count(page.text(), `action="/do/unlock"`); n != 3 {
		t.Errorf("%d forms, want 3", n)
	}
	h.get("ann", "/locks/firm/Inbox/").want(200, "mine.txt").lacks("offer")
	h.get("ann", "/locks/firm/Inbox/mine.txt").want(200, "mine.txt")

	fields := page.form("offer <1>.docx")
	done := h.send("ann", "/do/unlock", fields...)
	if to := done.Header().Get("Location"); to != "/locks/firm/" {
		t.Errorf("it leads to %q", to)
	}
	done.follow(h, "ann").want(200, "Bob Maes’s lock on offer <1>.docx has ended.").lacks(`details=offer`)
	rows := log.Appended()
	last := rows[len(rows)-1]
	if last.Action != audit.Unlock || last.Path != "/firm/Clients/Acme/offer <1>.docx" || last.Dest != "user:bob" || last.Actor.ID != "user:ann" || !last.Allowed {
		t.Errorf("the audit has %+v", last)
	}
	h.send("ann", "/do/unlock", fields...).follow(h, "ann").want(200, "The lock on offer <1>.docx had ended already.")
	if now := log.Appended(); len(now) != len(rows) {
		t.Errorf("what had ended is ended again: %+v", now[len(rows):])
	}
}

// TestLocksPageOfWhatIsLockedFromAbove: where a lock on a folder above keeps people out,
// the page has it, and ends it.
func TestLocksPageOfWhatIsLockedFromAbove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/Acme/a.docx", "x")
	h.lock("bob", "/firm/Clients", files.LockOptions{Infinite: true})
	page := h.get("ann", "/locks/firm/Clients/Acme/").want(200, ">Clients</bdi>", "Bob Maes", "with all that lies in it")
	page.lacks("Nothing is locked")
	done := h.send("ann", "/do/unlock", page.form("Clients")...)
	done.follow(h, "ann").want(200, "Bob Maes’s lock on Clients has ended.", "What is locked in Acme", "Nothing is locked here")
}

// A lock is ended by who holds grant at what is locked: of one on a folder above, the
// owner of a folder below is told, and not offered what would be refused.
func TestLockFromAboveIsNotOffered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Archive/Old/a.docx", "x")
	h.lock("ann", "/firm/Archive", files.LockOptions{Infinite: true})
	details := "/details/firm/Archive/Old/a.docx"
	h.get("ann", details).want(200, "Ann Maes has this open", "End the lock")
	h.get("tom", details).want(200, "Ann Maes has this open").lacks("End the lock")
	h.get("tom", "/locks/firm/Archive/Old/").want(200, "Archive").lacks("/do/unlock", "Nothing is locked")
}

// TestLocksPageIsForThoseWhoMay: the same right as the API and the files ask, and no
// word to others of what there is.
func TestLocksPageIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/Acme/a.docx", "x")
	l := h.lock("ann", "/firm/Clients/Acme/a.docx", files.LockOptions{})
	h.get("", "/locks/firm/").want(303)
	h.get("bob", "/locks/firm/").want(403, "You may not do this").lacks("a.docx", "Ann Maes")
	h.get("bob", "/locks/firm/Clients/Acme/").want(403).lacks("a.docx")
	h.get("tom", "/locks/firm/Clients/Acme/").want(404).lacks("a.docx")
	h.get("bob", "/locks/lab/").want(404)
	h.get("ann", "/locks/none/").want(404)
	h.get("ann", "/locks/").want(404)
	h.get("ann", "/locks/firm/a%2Fb/").want(422)
	h.get("eve@client.example", "/locks/firm/").want(404)
	form := []string{"path", "/firm/Clients/Acme/a.docx", "lock", l.ID, "list", "/firm"}
	h.send("bob", "/do/unlock", form...).want(403, "Ann Maes")
	h.send("tom", "/do/unlock", form...).want(404)
	h.send("eve@client.example", "/do/unlock", form...).want(404)
	h.do("ann", "POST", "/do/unlock", strings.NewReader(url.Values{"path": {form[1]}, "lock": {l.ID}}.Encode()),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").want(403, "another site")
	h.send("bob", "/do/unlock", "path", form[1], "lock", "x").want(404, "there is no such lock")
	h.send("ann", "/do/unlock", "path", form[1], "lock", l.ID, "list", "//other.example").want(422)
	h.get("ann", "/locks/firm/").want(200, "a.docx")

	h.get("ann", "/details/firm/Clients/").want(200, `href="/locks/firm/Clients/"`)
	h.get("ann", "/files/firm/?details=.").want(200, `href="/locks/firm/"`)
	h.get("ann", "/details/firm/Clients/Acme/a.docx").want(200).lacks(`href="/locks/`)
	h.get("bob", "/details/firm/Clients/").want(200).lacks(`href="/locks/`)
}

// TestUnlockFromTheDetails ends a lock where a single file is looked at, and leads
// back to it.
func TestUnlockFromTheDetails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/a.docx", "x")
	l := h.lock("ann", "/firm/a.docx", files.LockOptions{})
	h.get("ann", "/details/firm/a.docx").want(200, "Ann Maes has this open since", "End the lock", l.ID)
	done := h.send("ann", "/do/unlock", "path", "/firm/a.docx", "lock", l.ID)
	if to := done.Header().Get("Location"); to != "/files/firm/?details=a.docx" {
		t.Errorf("it leads to %q", to)
	}
	done.follow(h, "ann").want(200, "Ann Maes’s lock on a.docx has ended.").lacks("has this open since")
}

// TestManyLocks: a thousand come in parts, and a form leads back to its own part.
func TestManyLocks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/many/0999.docx", "x")
	now := time.Now()
	err := h.state.Update(t.Context(), func(tx store.Tx) error {
		for i := range 1000 {
			at := vpath.Must(fmt.Sprintf("/firm/many/%04d.docx", i))
			if err := tx.PutLock(store.Lock{
				Token: fmt.Sprintf("opaquelocktoken:%d", i), Path: at, Holder: "user:bob", HolderAs: "Bob Maes", Created: now.Add(-time.Hour), Expires: now.Add(time.Hour), Timeout: time.Hour,
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.get("ann", "/locks/firm/").want(200, "1,000 things are locked.", "0000.docx", "0199.docx", `href="?page=5"`).lacks("0200.docx")
	last := h.get("ann", "/locks/firm/?page=5").want(200, "0999.docx", `name="page" value="5"`)
	last.lacks("0799.docx")
	h.get("ann", "/locks/firm/?page=77").want(200, "0999.docx")
	done := h.send("ann", "/do/unlock", last.form("0999.docx")...).want(303)
	if to := done.Header().Get("Location"); to != "/locks/firm/?page=5" {
		t.Errorf("it leads to %q", to)
	}
}

// TestLocksInTheReadersHours: times are told in the zone of who reads, and in their
// language.
func TestLocksInTheReadersHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/a.docx", "x")
	since := time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Second)
	err := h.state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutLock(store.Lock{Token: "opaquelocktoken:1", Path: vpath.Must("/firm/a.docx"), Holder: "user:bob", HolderAs: "Bob Maes", Created: since, Expires: time.Now().Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	page := h.get("", "/locks/firm/", "Cookie", "sid=ann; zone=Asia%2FTokyo", "Accept-Language", "sv")
	page.want(200, "Det som är låst i Peeters & Co", since.In(zone).Format(", 15:04</time>"), since.UTC().Format(`datetime="2006-01-02T15:04:05Z"`))
}
