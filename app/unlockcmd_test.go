package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/audit"
	"portico/identity"
	"portico/identity/throttle"
)

// command runs one with the config of a server.
func (h *house) command(args ...string) told {
	h.t.Helper()
	var out, errs bytes.Buffer
	code := Run(h.t.Context(), append(args, "--config", h.file), os.LookupEnv, strings.NewReader(""), &out, &errs)
	return told{code, out.String(), errs.String()}
}

// guess has strangers fail at ann's password n times, all of them before now.
func (h *house) guess(n int) {
	h.t.Helper()
	now := h.clock().Add(-2 * time.Hour)
	brake := throttle.New(throttle.Options{Store: h.state, Clock: func() time.Time { return now }, Log: h.process.log})
	for i := range n {
		for {
			try, err := brake.Begin(h.t.Context(), "ann", fmt.Sprintf("203.0.113.%d", i))
			if wait, ok := errors.AsType[*identity.ThrottledError](err); ok {
				now = now.Add(wait.After)
				continue
			}
			if err == nil {
				_, err = try.Failed(h.t.Context())
			}
			if err != nil {
				h.t.Fatal(err)
			}
			break
		}
	}
}

// TestUnlock opens an account beside the server that has the state open, at once,
// and once; with a row in the audit that the server sends on.
func TestUnlock(t *testing.T) {
	h := start(t)
	h.command("unlock", "ann").want(t, "at first", exitOK, "nothing was held against ann", "portico unlock --address")
	h.guess(100)
	if status, text := h.do("GET", "/dav/firm/", "", password); status != http.StatusTooManyRequests {
		t.Fatalf("after 100 guesses: %d, %s", status, text)
	}
	h.command("unlock", "ann").want(t, "unlock", exitOK, "ann: 100 failed attempts and a refusal until 2", "forgotten", "still must")
	if status, text := h.do("PROPFIND", "/dav/firm/", "", password, "Depth", "0"); status != http.StatusMultiStatus {
		t.Errorf("after the command: %d, %s", status, text)
	}
	h.command("unlock", "ann").want(t, "again", exitOK, "nothing was held against ann")
	if rows := h.pardons(); len(rows) != 1 || rows[0].Dest != "ann" || rows[0].Actor.Type != audit.ByCommand ||
		rows[0].Actor.ID != fmt.Sprintf("uid:%d", os.Getuid()) || !strings.Contains(rows[0].Why, "100 failed attempts") || rows[0].Time.IsZero() {
		t.Errorf("the audit has %+v", rows)
	}
	h.command("audit", "verify").want(t, "verify", exitOK, `stream "portico command": 1 rows`, "no fault was found")
}

// TestUnlockIsSent: a server that starts sends the rows of commands to the sinks.
func TestUnlockIsSent(t *testing.T) {
	h := build(t, "state:", "audit: {file: DIR/audit.jsonl}\nstate:")
	h.guess(7)
	h.command("unlock", "ann").want(t, "unlock", exitOK, "ann: 7 failed attempts forgotten")
	file := filepath.Join(filepath.Dir(h.file), "audit.jsonl")
	h.serve()
	eventually(t, "the row is in the file", func() bool {
		rows, _ := os.ReadFile(file)
		return bytes.Contains(rows, []byte(`"action":"pardon"`))
	})
}

// TestUnlockAddress frees an address alone, or with an account.
func TestUnlockAddress(t *testing.T) {
	h := start(t)
	for i := range 20 {
		if got := h.as(fmt.Sprint("guess", i)).basic("GET", "/dav/firm/", "", "wrong horse battery"); got.status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, got.status)
		}
	}
	if status, _ := h.do("GET", "/dav/firm/", "", password); status != http.StatusTooManyRequests {
		t.Fatalf("the address may go on: %d", status)
	}
	h.command("unlock", "--address", "127.0.0.2").want(t, "another", exitOK, "nothing was held against 127.0.0.2/32")
	h.command("unlock", "ann", "--address", "::ffff:127.0.0.1").want(t, "both", exitOK, "nothing was held against ann", "127.0.0.1/32: ", "a refusal until")
	if status, text := h.do("PROPFIND", "/dav/firm/", "", password, "Depth", "0"); status != http.StatusMultiStatus {
		t.Errorf("after the command: %d, %s", status, text)
	}
	h.guess(3)
	asJSON := h.command("unlock", "ann", "--address", "127.0.0.1", "--json")
	var done unlocked
	if err := json.Unmarshal([]byte(asJSON.out), &done); err != nil || done.Account.Failures != 3 || done.Account.Until != nil || done.Address.Failures != 0 {
		t.Errorf("--json = %v\n%s%s", err, asJSON.out, asJSON.err)
	}
	if rows := h.pardons(); len(rows) != 2 || rows[0].Dest != "127.0.0.1/32" || rows[1].Dest != "ann" {
		t.Errorf("the audit has %+v", rows)
	}
}

// TestUnlockRefusals changes nothing where it cannot do all of it.
func TestUnlockRefusals(t *testing.T) {
	h := build(t)
	h.guess(7)
	h.command("unlock").want(t, "nobody", exitError, "portico unlock LOGIN")
	h.command("unlock", "ann", "--address", "the-office").want(t, "no address", exitError, `"the-office" is no address`)
	if err := os.Remove(h.opened.State.SQLite + ".audit-key"); err != nil {
		t.Fatal(err)
	}
	h.command("unlock", "ann").want(t, "no key", exitError, "audit-key")
	rows, err := h.state.AttemptsUnder(t.Context(), "account:")
	if err != nil || len(rows) != 1 || rows[0].Count != 7 {
		t.Errorf("the account has %+v, %v; want its 7 failures", rows, err)
	}
	if err := os.Rename(h.opened.State.SQLite, h.opened.State.SQLite+".old"); err != nil {
		t.Fatal(err)
	}
	h.command("unlock", "ann").want(t, "no state", exitError, "cannot find the state database")
	if _, err := os.Stat(h.opened.State.SQLite); err == nil {
		t.Error("the command made a database")
	}
}

// pardons are the rows that commands have written.
func (h *house) pardons() []audit.Event { h.t.Helper(); return h.recorded(besideStream) }

// recorded is what a stream of the audit has.
func (h *house) recorded(stream string) (all []audit.Event) {
	h.t.Helper()
	rows, err := h.state.AuditRows(h.t.Context(), stream, 0, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	keys, err := auditKeys(h.cfg.Load())
	if err != nil {
		h.t.Fatal(err)
	}
	opener := audit.NewOpener(keys, h.state)
	for _, row := range rows {
		opened, err := opener.Open(h.t.Context(), row)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, opened.Event)
	}
	return all
}
