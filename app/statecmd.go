package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"portico/config"
	"portico/store"
	"portico/store/postgres"
	"portico/store/sqlite"
)

// openState opens the store that the config names.
func openState(ctx context.Context, cfg *config.Config, log *slog.Logger) (store.State, error) {
	name, err := replicaName(cfg)
	if err != nil {
		return nil, err
	}
	if !cfg.State.Postgres.IsZero() {
		s, err := postgres.Open(ctx, cfg.State.Postgres.Reveal(), postgres.Options{Replica: name, Log: log})
		if err != nil {
			return nil, err // a nil *Store in the interface would not be nil
		}
		return s, nil
	}
	s, err := sqlite.Open(ctx, cfg.State.SQLite, sqlite.Options{Replica: name, Log: log})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// replicaName is this process among those that share a state: what the config
// says, or the host's name, which is a container's own.
func replicaName(cfg *config.Config) (string, error) {
	if cfg.Server.Replica != "" || cfg.State.Postgres.IsZero() {
		return cfg.Server.Replica, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("this machine has no name; write server.replica: %w", err)
	}
	return name, nil
}

type backupCmd struct {
	File   string `arg:"" help:"The new file."`
	Config string `default:"portico.yaml" help:"The config."`
}

// Help teaches by example.
func (backupCmd) Help() string {
	return `portico backup /var/backups/portico-$(date +%F).db

It copies the state database, whole and as of one moment, while the server runs.
The files themselves are not in it: back up the folder or the bucket as well, and
the audit key beside the database. A state in PostgreSQL is copied by pg_dump.`
}

func (b backupCmd) Run(c *console) error {
	cfg, err := config.Load(b.Config, c.env)
	if err != nil {
		return err
	}
	if cfg.State.SQLite == "" {
		return errors.New("the state is in PostgreSQL: back it up with pg_dump, which copies it as of one moment")
	}
	if err := sqlite.Backup(c.ctx, cfg.State.SQLite, b.File); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s holds all of %s\n", b.File, cfg.State.SQLite)
	return err
}

type migrateStateCmd struct {
	From string `arg:"" help:"The present state, as in sqlite:data/portico.db."`
	To   string `arg:"" help:"The new one, as in postgres://portico@db/portico?sslmode=verify-full. It must be empty."`
	JSON bool   `name:"json" help:"Print the tables as JSON."`
}

// Help teaches by example.
func (migrateStateCmd) Help() string {
	return `systemctl stop portico
portico migrate-state sqlite:data/portico.db 'postgres://portico@db.firm.example/portico?sslmode=verify-full'
then write the new address under state: in the config, and start the servers.

It copies locks, properties, app passwords, sessions, the audit and all else,
compares the number of rows and a hash over each table on both sides, and changes
nothing at the old place. The password may be given as $PGPASSWORD.`
}

func (m migrateStateCmd) Run(c *console) error {
	file, ok := strings.CutPrefix(m.From, "sqlite:")
	if !ok {
		return fmt.Errorf("the state can be moved from sqlite:PATH alone, not from %q", m.From)
	}
	if !strings.HasPrefix(m.To, "postgres://") && !strings.HasPrefix(m.To, "postgresql://") {
		return errors.New("the state can be moved to postgres://… alone")
	}
	tables, err := postgres.MigrateFrom(c.ctx, file, m.To)
	if err != nil {
		return err
	}
	if m.JSON {
		return printJSON(c.out, map[string]any{"tables": tables})
	}
	for _, t := range tables {
		fmt.Fprintf(c.out, "%-16s %8d rows  sha256 %s\n", t.Name, t.Rows, t.Hash)
	}
	_, err = fmt.Fprintln(c.out, "all rows are there and alike on both sides")
	return err
}
