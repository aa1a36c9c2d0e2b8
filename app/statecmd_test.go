package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/config"
	"portico/internal/parts"
	"portico/store"
	"portico/store/postgres"
	"portico/store/sqlite"
)

const (
	lockBody  = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`
	patchBody = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x:colour xmlns:x="urn:x">red</x:colour></D:prop></D:set></D:propertyupdate>`
)

// furnish puts something of each kind into the state.
func (h *house) furnish() (secret string) {
	h.t.Helper()
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/dav/firm/a", "x", 201},
		{"PROPPATCH", "/dav/firm/a", patchBody, 207},
		{"LOCK", "/dav/firm/a", lockBody, 200},
	} {
		if got, text := h.do(c.method, c.path, c.body, password); got != c.want {
			h.t.Fatalf("%s %s: %d, %s", c.method, c.path, got, text)
		}
	}
	if got := h.browser().signIn("ann", password); got.status != 303 {
		h.t.Fatalf("sign-in: %d", got.status)
	}
	made := appPasswordCommand(h.t, h.url, password, "create", "--name", "laptop")
	made.want(h.t, "create", exitOK)
	return strings.TrimSpace(made.out)
}

// wantFurniture wants in a store what furnish has put there.
func wantFurniture(t *testing.T, what string, s store.Reader) {
	t.Helper()
	locks, err := s.Locks(t.Context(), time.Now())
	if err != nil || len(locks) != 1 || locks[0].Path.String() != "/firm/a" || locks[0].Holder != "user:ann" {
		t.Errorf("%s: locks are %v, %v", what, locks, err)
	}
	props, err := s.PropsOf(t.Context(), locks[0].Path)
	if err != nil || len(props) == 0 || !strings.Contains(fmt.Sprint(props), "red") {
		t.Errorf("%s: properties are %v, %v", what, props, err)
	}
	keys, err := s.AppPasswordsOf(t.Context(), "user:ann")
	if err != nil || len(keys) != 1 || keys[0].Name != "laptop" {
		t.Errorf("%s: app passwords are %v, %v", what, keys, err)
	}
	streams, err := s.AuditStreams(t.Context())
	if err != nil || len(streams) != 1 || streams[0].Last < 5 {
		t.Errorf("%s: the audit's streams are %+v, %v", what, streams, err)
	}
}

// TestBackup copies the state of a server that runs and is being written to: the
// copy is whole, opens as a state, and has what had been answered before.
func TestBackup(t *testing.T) {
	h := start(t)
	secret := h.furnish()
	copied := filepath.Join(t.TempDir(), "copy.db")
	writing, written := make(chan bool), make(chan bool)
	go func() {
		defer close(written)
		for i := 0; ; i++ {
			select {
			case <-writing:
				return
			default:
				h.do("PUT", fmt.Sprintf("/dav/firm/b%d", i%5), "x", password)
			}
		}
	}()
	code, out, errs := run(t, "backup", copied, "--config", h.file)
	if code != exitOK || !strings.Contains(out, copied+" holds all of ") {
		t.Fatalf("backup: %d, %s%s", code, out, errs)
	}
	info, err := os.Stat(copied)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v; others must not read it", info, err)
	}

	// A file that is there stays as it is.
	if code, _, errs := run(t, "backup", copied, "--config", h.file); code != exitError || !strings.Contains(errs, "copy.db") {
		t.Errorf("onto the same file: %d, %s", code, errs)
	}
	if again, err := os.Stat(copied); err != nil || again.Size() != info.Size() {
		t.Errorf("the copy after that: %v, %v", again, err)
	}
	close(writing)
	<-written

	s, err := sqlite.Open(t.Context(), copied, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantFurniture(t, "the copy", s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	// A server starts over it, and goes on where the first one was.
	key, err := os.ReadFile(auditKeyFile(h.opened))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied+".audit-key", key, 0o600); err != nil {
		t.Fatal(err)
	}
	next := start(t, "sqlite:DIR/portico.db", "sqlite:"+copied, "DIR/files", h.opened.Storage["disk"].Local.Path)
	if got, text := next.do("GET", "/dav/firm/a", "", secret); got != 200 {
		t.Errorf("the app password of before: %d, %s", got, text)
	}
	if got, _ := next.do("PUT", "/dav/firm/a", "y", password); got != 423 {
		t.Errorf("PUT onto what was locked before: %d, want 423", got)
	}
	if code, out, errs := run(t, "audit", "verify", "--config", next.file); code != exitOK {
		t.Errorf("the record goes on in the copy: audit verify: %d, %s%s", code, out, errs)
	}
}

// TestMigrateState moves the state of a server that has stopped to PostgreSQL,
// where the next one finds all of it.
func TestMigrateState(t *testing.T) {
	h := start(t)
	secret := h.furnish()
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	file := h.opened.State.SQLite
	h.close()
	pg := parts.Postgres(t)

	code, out, errs := run(t, "migrate-state", "sqlite:"+file, pg.DSN, "--json")
	if code != exitOK {
		t.Fatalf("migrate-state: %d, %s%s", code, out, errs)
	}
	var answer struct {
		Tables []struct {
			Name, SHA256 string
			Rows         int64
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Tables) < 8 || len(answer.Tables[0].SHA256) != 64 {
		t.Fatalf("the answer: %v, %s", err, out)
	}
	s, err := postgres.Open(t.Context(), pg.DSN, postgres.Options{Replica: "test"})
	if err != nil {
		t.Fatal(err)
	}
	wantFurniture(t, "PostgreSQL", s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	// What is there is not written over.
	if code, _, errs := run(t, "migrate-state", "sqlite:"+file, pg.DSN); code != exitError || errs == "" || strings.Contains(errs, "portico-pg-secret") {
		t.Errorf("into one that holds something: %d, %s", code, errs)
	}
	empty := pg.Fresh(t)
	if code, _, errs := run(t, "migrate-state", "sqlite:"+file+".none", empty.DSN); code != exitError || !strings.Contains(errs, ".none") {
		t.Errorf("from a file that is not there: %d, %s", code, errs)
	}
	if code, out, errs := run(t, "migrate-state", "sqlite:"+file, empty.DSN); code != exitOK || !strings.Contains(out, "alike on both sides") {
		t.Errorf("for people to read: %d, %s%s", code, out, errs)
	}

	next := start(t, append(onPostgres(pg, "r1"), "DIR/files", h.opened.Storage["disk"].Local.Path)...)
	if got, text := next.do("GET", "/dav/firm/a", "", secret); got != 200 {
		t.Errorf("the app password of before: %d, %s", got, text)
	}
	if got, _ := next.do("PUT", "/dav/firm/a", "y", password); got != 423 {
		t.Errorf("PUT onto what was locked before: %d, want 423", got)
	}
}

// onPostgres are the pairs of build for a replica that shares a database.
func onPostgres(pg parts.PG, replica string) []string {
	return []string{
		"sqlite:DIR/portico.db", fmt.Sprintf("%q\naudit: {key: \"an audit key of thirty-two bytes or more\"}", pg.DSN),
		"server: {", "server: {replica: " + replica + ", ",
	}
}

// TestReplicaName is the config's, or the host's where there may be several.
func TestReplicaName(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	shared := config.State{Postgres: config.NewSecret("postgres://db/portico")}
	for want, cfg := range map[string]*config.Config{
		"gw-1": {Server: config.Server{Replica: "gw-1"}, State: shared},
		host:   {State: shared},
		"":     {State: config.State{SQLite: "portico.db"}},
	} {
		if got, err := replicaName(cfg); got != want || err != nil {
			t.Errorf("replicaName(%+v) = %q, %v, want %q", cfg.Server, got, err, want)
		}
	}
}

// TestLiveState asks a database that is there, and one that is not.
func TestLiveState(t *testing.T) {
	pg := parts.Postgres(t)
	h := build(t, onPostgres(pg, "r1")...)
	code, out, errs := run(t, "check", "--live", "--config", h.file) // a server has it open
	if code != exitOK || !strings.Contains(out, "state: ok, ") {
		t.Errorf("check --live: %d, %s%s", code, out, errs)
	}
	empty := pg.Fresh(t)
	var b bytes.Buffer
	l := &live{cfg: &config.Config{State: config.State{Postgres: config.NewSecret(empty.DSN)}}, out: &b}
	if l.state(t.Context()); !allWell(l.found) {
		t.Errorf("a database that is empty is one to start with: %s", &b)
	}
	l = &live{cfg: &config.Config{State: config.State{Postgres: config.NewSecret(strings.Replace(empty.DSN, "portico-pg-secret", "canary-secret", 1))}}, out: &b}
	l.state(t.Context())
	if allWell(l.found) || len(l.found) != 1 || strings.Contains(b.String(), "canary-secret") {
		t.Errorf("with a wrong password: %v", l.found)
	}
}
