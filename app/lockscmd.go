package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"portico/audit"
	"portico/config"
	"portico/store"
	"portico/vpath"
)

// locksCmd are the locks of the drive, seen and ended beside the servers.
type locksCmd struct {
	List  locksListCmd  `cmd:"" help:"Print who has what locked, since when and for how long."`
	Break locksBreakCmd `cmd:"" help:"End a lock that a program left behind. Exit code 1 if there is none."`
}

type locksListCmd struct {
	Path   string `default:"/" help:"Only what is locked at this path or below it, such as /firm/Clients."`
	Config string `default:"portico.yaml" help:"The config."`
	JSON   bool   `name:"json" help:"Print as JSON, a list."`
}

// Help teaches by example.
func (locksListCmd) Help() string {
	return `portico locks list                          all locks
portico locks list --path /firm/Clients     those at this folder and below it

It works while the servers run.`
}

type locksBreakCmd struct {
	Token  string `arg:"" optional:"" help:"The lock's token, as locks list prints it."`
	Path   string `help:"End all locks at this path and below it."`
	Config string `default:"portico.yaml" help:"The config."`
	JSON   bool   `name:"json" help:"Print what was ended as JSON, a list."`
}

// Help teaches by example.
func (locksBreakCmd) Help() string {
	return `portico locks break opaquelocktoken:3f1c…        one lock
portico locks break --path /firm/Clients/a.docx   all at this path and below it

A lock ends by itself an hour after its program was last heard of. This ends it now:
what its holder has not saved stays in their program, whose next save fails and must
go to another name. It works while the servers run, holds at once on all of them, and
is in the audit.`
}

// lockLine is a lock as the commands print it.
type lockLine struct {
	Path   string    `json:"path"`
	Holder string    `json:"holder"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Below  bool      `json:"below"` // all that lies below, too
	Shared bool      `json:"shared"`
	Token  string    `json:"token"`
}

func lineOf(l store.Lock) lockLine {
	return lockLine{l.Path.String(), l.HolderAs, l.Created.UTC().Truncate(time.Second), l.Expires.UTC().Truncate(time.Second), l.Infinite, l.Shared, l.Token}
}

func (k locksListCmd) Run(c *console) error {
	below, err := parsePlace(k.Path)
	if err != nil {
		return err
	}
	cfg, state, err := openLocks(c, k.Config)
	if err != nil {
		return err
	}
	list, err := state.LocksBelow(c.ctx, below, time.Now()) //nolint:forbidigo // the command's clock
	if err = errors.Join(err, state.Close()); err != nil {
		return err
	}
	return printLocks(c.out, list, k.JSON, "nothing is locked", cfg.TimeZone)
}

func (k locksBreakCmd) Run(c *console) error {
	if (k.Token == "") == (k.Path == "") {
		return errors.New("name what to end: portico locks break TOKEN, or --path PATH; portico locks list prints both")
	}
	below, err := parsePlace(k.Path)
	if err != nil {
		return err
	}
	cfg, state, err := openLocks(c, k.Config)
	if err != nil {
		return err
	}
	ended, err := k.end(c.ctx, cfg, state, below)
	if err = errors.Join(err, state.Close()); err != nil {
		return err
	}
	if err := printLocks(c.out, ended, k.JSON, "there is no such lock: it has ended", cfg.TimeZone); err != nil {
		return err
	}
	if len(ended) == 0 {
		return errNo
	}
	return nil
}

// end drops the locks, and records each, in one transaction.
func (k locksBreakCmd) end(ctx context.Context, cfg *config.Config, state store.State, below vpath.Path) (ended []store.Lock, err error) {
	clock := time.Now //nolint:forbidigo // the command's clock
	log, err := auditBeside(cfg, state, clock)
	if err != nil {
		return nil, err
	}
	err = state.Update(ctx, func(tx store.Tx) error {
		ended = nil
		list, err := tx.LocksBelow(ctx, below, clock())
		if err != nil {
			return err
		}
		for _, l := range list {
			if k.Token != "" && l.Token != k.Token {
				continue
			}
			ended = append(ended, l)
			if err := endLock(log, tx, l); err != nil { //nolint:contextcheck // audit.Append says why
				return err
			}
		}
		return nil
	})
	return ended, err
}

// endLock drops a lock, with the row that tells whose it was.
func endLock(log *audit.Log, tx store.Tx, l store.Lock) error {
	return errors.Join(tx.DropLock(l.Token), log.Append(tx, audit.Event{
		Actor: commandActor(), Action: audit.Unlock, Path: l.Path.String(), Dest: l.Holder, Allowed: true,
	}))
}

func openLocks(c *console, file string) (*config.Config, store.State, error) {
	cfg, err := config.Load(file, c.env)
	if err != nil {
		return nil, nil, err
	}
	state, err := openBeside(c.ctx, cfg)
	return cfg, state, err
}

// parsePlace reads a path of the command line; "" is the top.
func parsePlace(s string) (vpath.Path, error) {
	if s == "" {
		return vpath.Path{}, nil
	}
	p, err := vpath.Parse(s)
	if err != nil {
		return p, fmt.Errorf("--path %q: %w; write it as /firm/Clients", s, err)
	}
	return p, nil
}

// printLocks prints a table for people, in the firm's hours, or JSON.
func printLocks(w io.Writer, list []store.Lock, asJSON bool, none string, zone *time.Location) error {
	lines := make([]lockLine, 0, len(list))
	for _, l := range list {
		lines = append(lines, lineOf(l))
	}
	if asJSON {
		return printJSON(w, lines)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(w, none)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LOCKED\tBY\tSINCE\tUNTIL\tTOKEN")
	for _, l := range lines {
		if l.Below {
			l.Path = strings.TrimSuffix(l.Path, "/") + "/ and all below"
		}
		since, until := l.Since.In(zone), l.Until.In(zone)
		fmt.Fprintf(table, "%q\t%q\t%s\t%s\t%s\n", l.Path, l.Holder, since.Format(time.DateTime), until.Format(time.TimeOnly), l.Token)
	}
	return table.Flush()
}
