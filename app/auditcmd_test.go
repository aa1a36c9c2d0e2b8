package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/app"
	"portico/audit"
	"portico/store"
	"portico/store/sqlite"
)

const auditConfig = `state: sqlite:%[1]s/portico.db
storage: {disk: {type: local, path: %[1]s/files}}
identity:
  users:
    ann: {name: Ann Peeters, password: "$argon2id$v=19$m=19456,t=2,p=1$yeqPjmiFkbmmll7UkmYhng$/Fn5+aA4gGgA0PahxI1SAcg3yqf4aOhJyTsqVbaAX/Y"}
workspaces:
  firm: {storage: disk, folders: {/: {grant: {"user:ann": owner}}}}
`

// auditRoom is a folder with a config, a state of n rows, and what the sinks got.
type auditRoom struct {
	t     *testing.T
	dir   string
	state *sqlite.Store
}

func (r auditRoom) file(name string) string { return filepath.Join(r.dir, name) }

func newAuditRoom(t *testing.T, n int) auditRoom {
	t.Helper()
	r := auditRoom{t: t, dir: t.TempDir()}
	if err := os.WriteFile(r.file("portico.yaml"), fmt.Appendf(nil, auditConfig, r.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := audit.KeyFile(r.file("portico.db.audit-key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if r.state, err = sqlite.Open(t.Context(), r.file("portico.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.state.Close() })
	got := make(chan int)
	rows, marks := audit.NewFile("file", r.file("audit.jsonl")), audit.NewFile("file", r.file("marks.jsonl"))
	log, err := audit.New(audit.Options{
		Store: r.state, Key: key, Clock: time.Now, Rand: rand.Reader,
		Sinks: []audit.Sink{counting{rows, got}}, Checkpoints: []audit.Sink{counting{marks, got}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		e := audit.Event{Time: time.Now(), Actor: audit.Actor{ID: "user:ann", Login: "ann"}, Action: audit.Put, Path: fmt.Sprintf("/firm/a%d/b", i%10), Allowed: true}
		if err := r.state.Update(t.Context(), func(tx store.Tx) error { return log.Append(tx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		log.Run(ctx, nil)
	}()
	for taken := 0; taken < n+1; { // with one checkpoint
		taken += <-got
	}
	stop()
	<-done
	for _, f := range []*audit.File{rows, marks} {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	return r
}

// counting tells how many lines a sink has taken.
type counting struct {
	audit.Sink
	got chan<- int
}

func (c counting) Send(ctx context.Context, items []audit.Item) error {
	err := c.Sink.Send(ctx, items)
	c.got <- len(items)
	return err
}

// run runs a command, and gives its exit code and what it printed.
func (r auditRoom) run(args ...string) (int, string) {
	r.t.Helper()
	var out bytes.Buffer
	args = append([]string{"audit"}, args...)
	if !strings.Contains(strings.Join(args, " "), "--public-key") {
		args = append(args, "--config", r.file("portico.yaml"))
	}
	return app.Run(r.t.Context(), args, os.LookupEnv, strings.NewReader(""), &out, &out), out.String()
}

func (r auditRoom) want(code int, text string, args ...string) string {
	r.t.Helper()
	got, out := r.run(args...)
	if got != code || !strings.Contains(out, text) {
		r.t.Errorf("portico audit %s = %d, want %d with %q:\n%.2000s", strings.Join(args, " "), got, code, text, out)
	}
	return out
}

// tamper changes the state as one who owns the file can.
func (r auditRoom) tamper(statement string) {
	r.t.Helper()
	if err := r.state.Close(); err != nil {
		r.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", r.file("portico.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{`DROP TRIGGER audit_kept`, `DROP TRIGGER audit_cut`, statement} {
		if _, err := db.ExecContext(r.t.Context(), s); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestAuditCommands(t *testing.T) {
	r := newAuditRoom(t, 1000)
	// A server has the state open.
	out := r.want(0, "no fault was found", "verify", "--checkpoints", r.file("marks.jsonl"))
	if !strings.Contains(out, "1000 rows, 1 to 1000") || !strings.Contains(out, "1 checkpoints compared") {
		t.Errorf("out = %s", out)
	}
	r.want(0, "cannot be seen without them", "verify")
	r.want(0, `"faults": []`, "verify", "--json")
	r.want(0, "no fault was found", "verify", "--file", r.file("audit.jsonl"), "--checkpoints", r.file("marks.jsonl"))
	r.want(2, "the checkpoints cannot be read", "verify", "--checkpoints", r.file("none"))

	key := strings.Fields(r.want(0, "key id: ", "key"))
	r.want(0, "secret key was not given", "verify", "--file", r.file("audit.jsonl"), "--checkpoints", r.file("marks.jsonl"), "--public-key", key[len(key)-1])
	r.want(2, "name the files", "verify", "--public-key", key[len(key)-1])
	if secret := strings.TrimSpace(r.want(0, "=", "key", "--new")); len(secret) < 32 {
		t.Errorf("key --new = %q", secret)
	}

	out = r.want(0, "/firm/a3/b", "export", "--path", "/firm/a3", "--user", "ann", "--from", time.Now().Add(-time.Hour).UTC().Format(time.DateOnly))
	if n := strings.Count(out, "\n"); n != 100 {
		t.Errorf("%d rows, want 100", n)
	}
	r.want(0, "ts,replica,seq", "export", "--format", "csv")
	if out = r.want(0, "", "export", "--to", "2026-01-01T00:00:00Z"); out != "" && time.Now().Year() > 2025 {
		t.Errorf("out = %q", out)
	}
	r.want(2, "neither a date", "export", "--from", "yesterday")
	if out = r.want(0, `"pseudonym":"p_`, "export", "--sealed"); strings.Contains(out, `"ann"`) || strings.Contains(out, "user:ann") {
		t.Errorf("export --sealed names ann: %.300s", out)
	}
}

// TestAuditErase runs the command beside a state that a server has open.
func TestAuditErase(t *testing.T) {
	r := newAuditRoom(t, 20)
	r.want(2, "nothing sealed of that person", "erase", "eve", "--yes")
	r.want(1, "20 rows become unreadable", "erase", "ann")
	out := r.want(0, `"name":"ann"`, "export", "--user", "ann")
	if n := strings.Count(out, "\n"); n != 20 {
		t.Errorf("%d rows after an erase without --yes, want 20", n)
	}
	r.want(0, "erased; a server that runs", "erase", "ann", "--yes")
	out = r.want(0, `"action":"erasure"`, "export")
	if n := strings.Count(out, `"name":"erased"`); n != 20 || strings.Contains(out, "ann") {
		t.Errorf("%d rows are erased, want 20: %.300s", n, out)
	}
	r.want(0, `stream "portico command": 1 rows`, "verify", "--checkpoints", r.file("marks.jsonl"))
	r.want(0, "no fault was found", "verify", "--file", r.file("audit.jsonl"), "--checkpoints", r.file("marks.jsonl"))
	for _, name := range []string{"portico.db", "portico.db-wal", "audit.jsonl"} {
		text, err := os.ReadFile(r.file(name))
		if err != nil || bytes.Contains(text, []byte("user:ann")) {
			t.Errorf("%s names ann, or %v", name, err)
		}
	}
	// The server goes on: its rows, with its own number after its last.
	if err := r.state.Check(t.Context()); err != nil {
		t.Error(err)
	}
	r.want(2, "nothing sealed of that person", "erase", "user:ann")
}

// TestAuditEraseDropsNotices takes those of the person, and no others'.
func TestAuditEraseDropsNotices(t *testing.T) {
	r := newAuditRoom(t, 1)
	if err := r.state.Update(t.Context(), func(tx store.Tx) error {
		for id, to := range map[string]string{"n1": "user:ann", "n2": "user:ann", "n3": "user:bob"} {
			if err := tx.PutNotice(store.Notice{ID: id, To: to, Event: "shared", Created: time.Now(), Done: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := func(ann, bob int) {
		t.Helper()
		for to, n := range map[string]int{"user:ann": ann, "user:bob": bob} {
			if all, err := r.state.NoticesTo(t.Context(), to, 10); err != nil || len(all) != n {
				t.Errorf("%s has %d notices, %v; want %d", to, len(all), err, n)
			}
		}
	}
	r.want(1, "nothing was done", "erase", "ann")
	want(2, 1)
	r.want(0, "erased", "erase", "ann", "--yes")
	want(0, 1)
}

func TestAuditVerifyTampered(t *testing.T) {
	for _, c := range []struct{ name, statement, blind, want string }{
		{"edit", `UPDATE audit SET json = replace(json, '/firm/', '/firn/') WHERE seq = 500`, "row 500: was changed", "row 500: was changed"},
		{"deletion", `DELETE FROM audit WHERE seq = 500`, "row 500 before it is missing", "row 500 before it is missing"},
		{"cut tail", `DELETE FROM audit WHERE seq > 990`, "no fault was found", "row 990: is the last, but a checkpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newAuditRoom(t, 1000)
			r.tamper(c.statement)
			code := 1
			if c.blind == "no fault was found" {
				code = 0
			}
			r.want(code, c.blind, "verify")
			r.want(1, c.want, "verify", "--checkpoints", r.file("marks.jsonl"))
		})
	}
}
