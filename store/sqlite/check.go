package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
)

// quickCheck reads the file for damage, for as long as the options allow.
func quickCheck(ctx context.Context, db *sql.DB, file string, o Options) error {
	bounded, cancel := context.WithTimeout(ctx, o.CheckFor)
	defer cancel()
	var verdict string
	err := db.QueryRowContext(bounded, `PRAGMA quick_check(1)`).Scan(&verdict)
	switch {
	case ctx.Err() != nil:
		return fail("check", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		o.Log.LogAttrs(ctx, slog.LevelWarn, "the check of the state database ran out of time; the rest of it is not checked",
			slog.String("file", file), slog.Duration("after", o.CheckFor))
		return nil
	case err != nil:
		return unusable(err, "read the state database %s; restore a backup if the file is damaged", file)
	case verdict != "ok":
		return unusable(nil, "use the state database %s, it is damaged: %s; restore a backup", file, verdict)
	}
	return nil
}

// Check writes one row and reads it back by the other way. It also sees a file
// that was removed or replaced under the server, which SQLite does not: it
// would go on writing to what nobody can open again.
func (s *Store) Check(ctx context.Context) error {
	now, err := os.Stat(s.file)
	if err != nil {
		return unusable(err, "find the state database %s, which was there at the start; restart Portico when it is back", s.file)
	}
	if !os.SameFile(now, s.was) {
		return unusable(nil, "go on with the state database %s: another file has taken its place; restart Portico", s.file)
	}
	return s.Probe(ctx)
}
