package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/audit"
	"portico/store"
)

// TestLocks lists and ends locks beside the server that has the state open, with a
// row in the audit that says whose they were.
func TestLocks(t *testing.T) {
	h := start(t)
	h.command("locks", "list").want(t, "at first", exitOK, "nothing is locked")
	for _, name := range []string{"a.docx", "b.docx", "c.docx"} {
		if status, text := h.do("LOCK", "/dav/firm/"+name, lockBody, password); status != http.StatusCreated {
			t.Fatalf("LOCK %s: %d, %s", name, status, text)
		}
	}
	if status, text := h.do("PUT", "/dav/firm/a.docx", "new", password); status != http.StatusLocked || !strings.Contains(text, "a.docx is locked by ann since ") {
		t.Errorf("PUT without the token: %d, %s", status, text)
	}
	h.command("locks", "list").want(t, "all", exitOK, `"/firm/a.docx"`, `"/firm/c.docx"`, `"ann"`, "opaquelocktoken:")
	h.command("locks", "list", "--path", "/firm/d").want(t, "elsewhere", exitOK, "nothing is locked")
	var list []lockLine
	told := h.command("locks", "list", "--json")
	if err := json.Unmarshal([]byte(told.out), &list); err != nil || len(list) != 3 || list[1].Path != "/firm/b.docx" || list[1].Holder != "ann" || !list[1].Until.After(list[1].Since) {
		t.Fatalf("--json: %v, %+v", err, list)
	}
	h.command("locks", "break", list[0].Token).want(t, "one", exitOK, `"/firm/a.docx"`)
	if status, text := h.do("PUT", "/dav/firm/a.docx", "new", password); status != http.StatusNoContent {
		t.Errorf("PUT after it: %d, %s", status, text)
	}
	h.command("locks", "break", list[0].Token).want(t, "again", exitNo, "it has ended")
	h.command("locks", "break", "--path", "/firm").want(t, "the others", exitOK, `"/firm/b.docx"`, `"/firm/c.docx"`)
	rows := h.recorded(besideStream)
	if len(rows) != 3 {
		t.Fatalf("the audit has %+v", rows)
	}
	for _, r := range rows {
		if r.Action != audit.Unlock || r.Actor.Type != audit.ByCommand || !strings.HasPrefix(r.Path, "/firm/") || !strings.HasSuffix(r.Dest, "ann") {
			t.Errorf("row %+v", r)
		}
	}
}

// TestLockTimes are in UTC for programs, wherever the server stands.
func TestLockTimes(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 42, 7, 5000, time.FixedZone("", 3600))
	l := lineOf(store.Lock{Created: at, Expires: at.Add(time.Hour)})
	if text, err := json.Marshal(l); err != nil || !strings.Contains(string(text), `"since":"2026-11-22T09:42:07Z","until":"2026-11-22T10:42:07Z"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestLocksRefusals end nothing.
func TestLocksRefusals(t *testing.T) {
	h := build(t)
	h.command("locks", "break").want(t, "nothing named", exitError, "portico locks list prints both")
	h.command("locks", "break", "token", "--path", "/firm").want(t, "both", exitError, "portico locks break TOKEN, or --path")
	h.command("locks", "list", "--path", "/firm/../x").want(t, "a path", exitError, "write it as /firm/Clients")
}
