package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"portico/audit"
	"portico/config"
	"portico/store/postgres"
	"portico/store/sqlite"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check that no row of the audit log was changed, added or removed. Exit code 1 if one was."`
	Export auditExportCmd `cmd:"" help:"Print rows of the audit log."`
	Erase  auditEraseCmd  `cmd:"" help:"Make a person's rows unreadable for who they were, for ever. The rows stay."`
	Key    auditKeyCmd    `cmd:"" help:"Print the id and the public part of the audit key, with which checkpoints can be checked elsewhere."`
}

// Help says what the check can show.
func (auditVerifyCmd) Help() string {
	return `portico audit verify                                       what the state holds
portico audit verify --file audit.jsonl.1 --file audit.jsonl   files, oldest first
portico audit verify --file audit.jsonl --checkpoints marks.jsonl --public-key KEY

A change, a removal, an insertion and another order are found with the key alone.
A tail that was cut, and a log that was written anew by someone who has the key,
are found by the checkpoints, up to the last of them: keep these where nobody who
can write the state can write.`
}

type auditVerifyCmd struct {
	Config      string   `default:"portico.yaml" help:"The config."`
	Checkpoints []string `sep:"none" help:"A file of checkpoints, in place of the config's audit.checkpoints; may be given again, as each replica writes one."`
	File        []string `sep:"none" help:"A file of rows (audit.file) to check in place of the state; may be given again, oldest first."`
	PublicKey   string   `help:"The key that portico audit key prints, in place of the config's: checks the order of rows and the checkpoints, but not what rows say."`
	JSON        bool     `name:"json" help:"Print the report as JSON."`
}

func (k auditVerifyCmd) Run(c *console) error {
	report, err := k.verify(c)
	if err != nil {
		return err
	}
	if k.JSON {
		err = printJSON(c.out, report)
	} else {
		printReport(c.out, report)
	}
	if err != nil || report.OK() {
		return err
	}
	return errNo
}

func (k auditVerifyCmd) verify(c *console) (*audit.Report, error) {
	if k.PublicKey != "" {
		if len(k.File) == 0 {
			return nil, errors.New("with --public-key, name the files of rows with --file")
		}
		keys, err := audit.PublicKeys(k.PublicKey)
		if err != nil {
			return nil, err
		}
		return k.judge(c.ctx, nil, keys)
	}
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return nil, err
	}
	keys, err := auditKeys(cfg)
	if err != nil {
		return nil, err
	}
	if len(k.Checkpoints) == 0 && cfg.Audit.Checkpoints != "" {
		k.Checkpoints = []string{cfg.Audit.Checkpoints}
	}
	return k.judge(c.ctx, cfg, keys)
}

// judge checks the files or, if there are none, the config's state.
func (k auditVerifyCmd) judge(ctx context.Context, cfg *config.Config, keys *audit.Keys) (*audit.Report, error) {
	// A file that is not there is no reason to do without: it may have been removed.
	marks, closeMarks, err := openAll(k.Checkpoints)
	if err != nil {
		return nil, fmt.Errorf("the checkpoints cannot be read (a server writes them within a minute of its first row): %w", err)
	}
	defer closeMarks()
	if len(k.File) > 0 {
		rows, closeRows, err := openAll(k.File)
		if err != nil {
			return nil, err
		}
		defer closeRows()
		return audit.VerifyLines(rows, keys, marks)
	}
	reader, closer, err := openAuditReader(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer closer.Close() //nolint:errcheck // only read
	return audit.Verify(ctx, reader, keys, marks)
}

// openAll gives files as one, and nil for none.
func openAll(names []string) (all io.Reader, closeAll func(), err error) {
	var files []io.Reader
	closeAll = func() {
		for _, f := range files {
			_ = f.(io.Closer).Close() // only read
		}
	}
	for _, name := range names {
		f, err := os.Open(name) //nolint:gosec // the admin names the file
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		files = append(files, f)
	}
	if len(files) > 0 {
		all = io.MultiReader(files...)
	}
	return all, closeAll, nil
}

func printReport(w io.Writer, r *audit.Report) {
	for _, s := range r.Spans {
		fmt.Fprintf(w, "stream %q: %d rows, %d to %d, %s to %s, %d checkpoints compared\n",
			s.Stream, s.Rows, s.First, s.Last, s.Begin.Format(time.RFC3339), s.End.Format(time.RFC3339), s.Checkpoints)
	}
	for _, f := range r.Faults {
		fmt.Fprintln(w, "fault:", f)
	}
	for _, f := range r.Warnings {
		fmt.Fprintln(w, "warning:", f)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	if r.Left > 0 {
		fmt.Fprintf(w, "and %d more; if that is all rows, the key may be another than the one they were written with\n", r.Left)
	}
	if r.OK() {
		fmt.Fprintln(w, "no fault was found")
		return
	}
	fmt.Fprintln(w, "the log is not what was written")
}

// Help teaches by example.
func (auditExportCmd) Help() string {
	return `portico audit export --from 2026-03-01 --to 2026-03-31 --path /firm/HR --format csv
portico audit export --user ida

Names and addresses are sealed in the state, and opened here with the audit key;
of whom was erased, the pseudonym is shown. With --sealed, all rows as jsonl
without a choice are a file that portico audit verify takes.`
}

type auditExportCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
	From   string `help:"The first moment: a date, or a time as in 2026-03-01T12:00:00Z. Dates are in UTC."`
	To     string `help:"The end: a date, which counts to its end, or a time, which does not count."`
	User   string `help:"A login, the id of a user, or a pseudonym."`
	Path   string `help:"A path with its workspace: it and all below."`
	Format string `default:"jsonl" enum:"csv,jsonl" help:"csv or jsonl."`
	Sealed bool   `help:"Leave names and addresses sealed: rows as they are in the state. Needs no key."`
}

func (k auditExportCmd) Run(c *console) error {
	from, err := moment(k.From, 0)
	if err != nil {
		return err
	}
	to, err := moment(k.To, 1)
	if err != nil {
		return err
	}
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	reader, closer, err := openAuditReader(c.ctx, cfg)
	if err != nil {
		return err
	}
	defer closer.Close() //nolint:errcheck // only read
	var opener *audit.Opener
	if !k.Sealed {
		keys, err := auditKeys(cfg)
		if err != nil {
			return fmt.Errorf("%w; with --sealed rows are shown without it", err)
		}
		opener = audit.NewOpener(keys, reader)
	}
	return audit.Export(c.ctx, reader, opener, audit.Filter{From: from, To: to, User: k.User, Path: k.Path}, k.Format == "csv", c.out)
}

// moment reads a time, or a date and so many days more.
func moment(text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, days), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a date, as 2026-03-01, nor a time, as 2026-03-01T12:00:00Z", text)
	}
	return at, nil
}

type auditKeyCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
	New    bool   `help:"Print a new secret for audit.key instead, for a file that only the server can read."`
}

func (k auditKeyCmd) Run(c *console) error {
	if k.New {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, base64.StdEncoding.EncodeToString(secret))
		return err
	}
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	keys, err := auditKeys(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "key id:     %s\npublic key: %s\n", keys.ID(), keys.Public())
	return err
}

// auditKeys are those of the config's secret.
func auditKeys(cfg *config.Config) (*audit.Keys, error) {
	secret, err := auditSecret(cfg)
	if err != nil {
		return nil, err
	}
	return audit.NewKeys(secret)
}

// auditSecret is the secret of the log, for who only reads: it makes none.
func auditSecret(cfg *config.Config) ([]byte, error) {
	if !cfg.Audit.Key.IsZero() {
		return []byte(cfg.Audit.Key.Reveal()), nil
	}
	if cfg.State.SQLite == "" {
		return nil, errors.New("audit.key is missing: replicas that share a state need the same one; portico audit key --new prints one")
	}
	secret, err := audit.ReadKeyFile(auditKeyFile(cfg))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (the server makes it when it first starts)", err)
	}
	return secret, err
}

// auditKeyFile is where the secret is that the config does not name.
func auditKeyFile(cfg *config.Config) string { return cfg.State.SQLite + ".audit-key" }

// openAuditReader opens the state to be read only, beside a server that may run.
func openAuditReader(ctx context.Context, cfg *config.Config) (audit.Sealed, io.Closer, error) {
	if cfg.State.SQLite == "" {
		state, err := postgres.OpenReadOnly(ctx, cfg.State.Postgres.Reveal())
		if err != nil {
			return nil, nil, err
		}
		return state, state, nil
	}
	state, err := sqlite.OpenReadOnly(ctx, cfg.State.SQLite)
	if err != nil {
		return nil, nil, err
	}
	return state, state, nil
}
