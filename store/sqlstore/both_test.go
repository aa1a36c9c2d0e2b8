package sqlstore_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/fault"
	"portico/internal/parts"
	"portico/store"
	"portico/store/postgres"
	"portico/store/sqlite"
	"portico/store/sqlstore"
	"portico/store/storetest"
	"portico/vpath"
)

// under runs the tests with the servers that parts shares among them.
type under struct{ m *testing.M }

func (u under) Run() int { return parts.Main(u.m) }

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(under{m}, goleak.IgnoreAnyFunction("portico/internal/parts.startPinned.func1"))
}

// state is a store of either kind.
type state interface {
	store.State
	Adapted(query string) string
}

func open(tb testing.TB, file string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), file, sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// opened is closed at the end of the test.
func opened(tb testing.TB, file string) *sqlite.Store {
	tb.Helper()
	s := open(tb, file)
	closeAfter(tb, s)
	return s
}

func onPostgres(tb testing.TB) *postgres.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), parts.Postgres(tb).DSN, postgres.Options{Replica: "main"})
	if err != nil {
		tb.Fatal(err)
	}
	closeAfter(tb, s)
	return s
}

func closeAfter(tb testing.TB, s store.State) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close = %v", err)
		}
	})
}

// onBoth runs a test on each database.
func onBoth(t *testing.T, test func(*testing.T, state)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, opened(t, filepath.Join(t.TempDir(), "state.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

// TestPast holds that the database itself keeps the audit, whoever asks.
func TestPast(t *testing.T) {
	t.Parallel()
	onBoth(t, testPast)
}

func testPast(t *testing.T, s state) {
	t.Helper()
	for range 3 {
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			return storetest.Append(t.Context(), tx, "a", []byte("{}"))
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.CutAudit(store.AuditCut{Stream: "a", Seq: 1})
	}); err != nil {
		t.Fatal(err)
	}
	statements := []string{
		"UPDATE audit SET json = 'x'", "UPDATE audit SET hash = hash WHERE seq = 3", "DELETE FROM audit WHERE seq = 3", "DELETE FROM audit",
		"UPDATE audit_cuts SET seq = 9", "DELETE FROM audit_cuts",
	}
	if s.Shared() {
		statements = append(statements, "TRUNCATE audit", "TRUNCATE audit_cuts")
	}
	for _, statement := range statements {
		err := s.Update(t.Context(), func(tx store.Tx) error { return sqlstore.Raw(tx, statement) })
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "audit") {
			t.Errorf("%s = %v, want a refusal", statement, err)
		}
	}
	if rows, err := s.AuditRows(t.Context(), "a", 0, 9); err != nil || len(rows) != 2 {
		t.Errorf("%d rows are left, %v, want 2", len(rows), err)
	}
}

// TestSlow wants the server to end a statement that goes on for too long.
func TestSlow(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	err := s.Update(t.Context(), func(tx store.Tx) error { return sqlstore.Raw(tx, "SELECT pg_sleep(60)") })
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "statement timeout") {
		t.Errorf("Update = %v, want the statement's timeout", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// TestSilentRollback ends the transaction inside an Update in such a way that
// COMMIT succeeds, and commits nothing.
func TestSilentRollback(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(storetest.Append(t.Context(), tx, "a", []byte("{}")), sqlstore.Raw(tx, "ROLLBACK"), sqlstore.Raw(tx, "BEGIN"), sqlstore.Raw(tx, "SAVEPOINT turn"),
			ignore(sqlstore.Raw(tx, "SELECT 1/0")))
	})
	if !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Update = %v, want fault.ErrUnavailable", err)
	}
	if head, err := s.AuditHead(t.Context(), "a"); err != nil || head.Last != 0 {
		t.Errorf("%d rows, %v", head.Last, err)
	}
}

func ignore(error) error { return nil }

// TestIndexes holds that no statement which names a row, a path or a stream
// reads a whole table.
func TestIndexes(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		s := opened(t, filepath.Join(t.TempDir(), "state.db"))
		for _, query := range sqlstore.Statements() {
			plan := planOf(t, s.Pool, "EXPLAIN QUERY PLAN "+s.Adapted(query), arguments(query)...)
			for line := range strings.Lines(plan) {
				scans := strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "json_each") && !strings.Contains(line, "CONSTANT ROW")
				if scans && !strings.Contains(line, "SCAN s") || !strings.Contains(plan, "SEARCH") {
					t.Errorf("%s\n%s", query, plan)
				}
			}
		}
	})
	t.Run("postgres", func(t *testing.T) {
		s := onPostgres(t)
		// On a table of no rows an index is worth nothing: forbid the other ways.
		s.DB().SetMaxOpenConns(1)
		for _, set := range []string{"enable_seqscan = off", "plan_cache_mode = force_generic_plan"} {
			if _, err := s.DB().ExecContext(t.Context(), "SET "+set); err != nil {
				t.Fatal(err)
			}
		}
		for i, query := range sqlstore.Statements() {
			name := "q" + strconv.Itoa(i)
			if _, err := s.DB().ExecContext(t.Context(), "PREPARE "+name+" AS "+s.Adapted(query)); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			var nulls []string
			for range arguments(query) {
				nulls = append(nulls, "NULL")
			}
			if len(nulls) > 0 {
				name += "(" + strings.Join(nulls, ", ") + ")"
			}
			plan := planOf(t, s.Pool, "EXPLAIN EXECUTE "+name)
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Filter: (path") {
				t.Errorf("%s\n%s", query, plan)
			}
		}
	})
}

// arguments are as many as a statement takes.
func arguments(query string) []any {
	n := 0
	for strings.Contains(query, "$"+strconv.Itoa(n+1)) {
		n++
	}
	args := make([]any, n)
	for i := range args {
		args[i] = "[]"
	}
	return args
}

// planOf gives the last column of the answer.
func planOf(t *testing.T, p *sqlstore.Pool, query string, args ...any) string {
	t.Helper()
	rows, err := p.DB().QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() // Err below tells all
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		var line string
		for i := range values {
			values[i] = new(any)
		}
		values[len(values)-1] = &line
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func BenchmarkUpdate(b *testing.B) {
	for name, s := range stores(b) {
		for _, goroutines := range []int{1, 16} {
			b.Run(name+"/"+strconv.Itoa(goroutines), func(b *testing.B) {
				work := make(chan int)
				var wg sync.WaitGroup
				for range goroutines {
					wg.Go(func() {
						for range work {
							if err := s.Update(b.Context(), func(tx store.Tx) error {
								return storetest.Append(b.Context(), tx, "main", []byte(auditLine))
							}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				b.ResetTimer()
				for n := range b.N {
					work <- n
				}
				close(work)
				wg.Wait()
			})
		}
	}
}

const auditLine = `{"ts":"2026-03-01T12:00:00.123456Z","request_id":"01J","actor":{"id":"ann","name":"ann","via":"dav"},"src_ip":"192.0.2.1",` +
	`"ua":"Microsoft-WebDAV-MiniRedir/10.0.19043","action":"put","path":"/firm/Clients/Acme/2026/March/letter.docx","allowed":true,"bytes":123456}`

func BenchmarkLocksOn(b *testing.B) {
	p := vpath.Must("/firm/Clients/Acme/2026/March/letter.docx")
	for name, s := range stores(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.LocksOn(b.Context(), p, time.Unix(0, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkClaim(b *testing.B) {
	p := vpath.Must("/firm/Clients/Acme/2026/March/letter.docx")
	for name, s := range stores(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c, err := s.Claim(b.Context(), p)
				if err != nil {
					b.Fatal(err)
				}
				c.Release()
			}
		})
	}
}

func stores(b *testing.B) map[string]store.State {
	b.Helper()
	return map[string]store.State{"sqlite": opened(b, filepath.Join(b.TempDir(), "state.db")), "postgres": onPostgres(b)}
}

// TestLongNames: both keep the longest names that package files lets through (its
// MaxPropName), of which the rows of an index are made. PostgreSQL refuses such a row beyond 2,704
// bytes, as a failure that no client can get over.
func TestLongNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s state) {
		t.Helper()
		random := rand.New(rand.NewPCG(1, 2)) // what is not random is compressed
		noise := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random.IntN(64)]
			}
			return string(b)
		}
		path := vpath.Must("/firm/" + noise(250) + "/" + noise(250) + "/" + noise(250) + "/" + noise(250))
		prop := store.Prop{Space: noise(512), Local: noise(512), XML: "<x/>"}
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutProp(path, prop) }); err != nil {
			t.Errorf("PutProp = %v", err)
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.PutLabel(store.Label{Owner: noise(100), Path: path, Name: noise(64)}), tx.PutGrant(store.Grant{ID: "g", Path: path}),
				tx.PutContact(store.Contact{Workspace: noise(64), Mail: noise(254), Folders: []vpath.Path{path}}))
		}); err != nil {
			t.Errorf("PutLabel, PutGrant, PutContact = %v", err)
		}
	})
}
