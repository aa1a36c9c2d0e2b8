package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/fault"
	"portico/store"
	"portico/store/sqlstore"
	"portico/store/storetest"
)

// TestCopy copies a store that has something of everything, and compares what
// both answer.
func TestCopy(t *testing.T) {
	from, to := opened(t, filepath.Join(t.TempDir(), "state.db")), onPostgres(t)
	storetest.Fill(t, from, 500)
	all, err := sqlstore.Copy(t.Context(), from.Pool, to.Engine)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		if table.Rows == 0 || table.Hash == (sqlstore.Hash{}) || len(table.Hash.String()) != 64 {
			t.Errorf("table %s: %d rows, hash %s: the test fills all", table.Name, table.Rows, table.Hash)
		}
	}
	a, b := storetest.Dump(t, from), storetest.Dump(t, to)
	if d := cmp.Diff(a, b, cmpopts.EquateEmpty(), cmp.AllowUnexported()); d != "" {
		t.Errorf("the copy differs (-sqlite +postgres):\n%s", d)
	}
	// What comes next has its place behind what was copied.
	if err := to.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(storetest.Append(t.Context(), tx, "main", []byte("{}")),
			tx.PutIntent(store.Intent{ID: "next", Began: time.Unix(1<<32, 0)}))
	}); err != nil {
		t.Errorf("Update after the copy = %v", err)
	}
	_, err = sqlstore.Copy(t.Context(), from.Pool, to.Engine)
	if !errors.Is(err, fault.ErrConflict) || !strings.Contains(err.Error(), "not empty") || !strings.Contains(err.Error(), "no Portico has worked") {
		t.Errorf("a second Copy = %v, want fault.ErrConflict that says not empty", err)
	}
}

// TestCopyOfLargeRows copies what does not fit one statement.
func TestCopyOfLargeRows(t *testing.T) {
	from, to := opened(t, filepath.Join(t.TempDir(), "state.db")), onPostgres(t)
	const rows = 11
	if err := from.Update(t.Context(), func(tx store.Tx) error {
		for i := range rows {
			if err := tx.PutSnapshot(store.Snapshot{ID: strconv.Itoa(i), Owner: "ann", Data: bytes.Repeat([]byte{byte(i)}, 1<<20)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Copy(t.Context(), from.Pool, to.Engine); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		got, ok, err := to.SnapshotByID(t.Context(), strconv.Itoa(i))
		if err != nil || !ok || !bytes.Equal(got.Data, bytes.Repeat([]byte{byte(i)}, 1<<20)) {
			t.Errorf("row %d: found %t with %d bytes, %v", i, ok, len(got.Data), err)
		}
	}
}

// TestCopyUndone ends a copy in its middle: nothing may be left of it.
func TestCopyUndone(t *testing.T) {
	from, to := opened(t, filepath.Join(t.TempDir(), "state.db")), onPostgres(t)
	storetest.Fill(t, from, 1)
	if err := from.Update(t.Context(), func(tx store.Tx) error {
		// What this package refuses to write and PostgreSQL to keep.
		return sqlstore.Raw(tx, `INSERT INTO people VALUES ('x', 'a' || char(0) || 'b', '', '', '[]', 0)`)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Copy(t.Context(), from.Pool, to.Engine); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Copy = %v, want fault.ErrUnavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlstore.Copy(ctx, from.Pool, to.Engine); !errors.Is(err, context.Canceled) {
		t.Errorf("Copy = %v, want context.Canceled", err)
	}
	if err := from.Update(t.Context(), func(tx store.Tx) error {
		return sqlstore.Raw(tx, `DELETE FROM people WHERE id = 'x'`)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.Copy(t.Context(), from.Pool, to.Engine); err != nil {
		t.Errorf("Copy after the mend = %v", err)
	}
}

// TestCopyFindsAChange spoils rows on their way, by a trigger of the target.
func TestCopyFindsAChange(t *testing.T) {
	from := opened(t, filepath.Join(t.TempDir(), "state.db"))
	storetest.Fill(t, from, 3)
	for _, change := range []string{"NEW.name := 'x'; RETURN NEW", "RETURN NULL"} {
		to := onPostgres(t)
		if err := to.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(
				sqlstore.Raw(tx, "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "+change+"; END $$"),
				sqlstore.Raw(tx, "CREATE TRIGGER spoil BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION spoil()"))
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Copy(t.Context(), from.Pool, to.Engine); err == nil || !strings.Contains(err.Error(), "people") {
			t.Errorf("Copy with %q = %v, want an error of people", change, err)
		}
		if locks, err := to.Locks(t.Context(), time.Unix(0, 0)); err != nil || len(locks) > 0 {
			t.Errorf("%d locks were kept, %v", len(locks), err)
		}
	}
}

// TestCopyKnowsAll holds the list of what is copied against the databases.
func TestCopyKnowsAll(t *testing.T) {
	want := make(map[string][]string)
	for name, columns := range sqlstore.Tables() {
		slices.Sort(columns)
		want[name] = columns
	}
	for name, query := range map[string]string{
		"sqlite": `SELECT m.name || '.' || c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
		"postgres": `SELECT table_name || '.' || column_name FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name <> 'replicas'`,
	} {
		var pool *sqlstore.Pool
		if name == "sqlite" {
			pool = opened(t, filepath.Join(t.TempDir(), "state.db")).Pool
		} else {
			pool = onPostgres(t).Pool
		}
		got := make(map[string][]string)
		for line := range strings.Lines(planOf(t, pool, query)) {
			table, column, _ := strings.Cut(strings.TrimSpace(line), ".")
			if table != "probe" && table != "goose_db_version" && column != "number" {
				got[table] = append(got[table], column)
			}
		}
		for _, columns := range got {
			slices.Sort(columns)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-copied +there):\n%s", name, d)
		}
	}
}
