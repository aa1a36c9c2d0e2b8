package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portico/audit"
	"portico/config"
	"portico/store"
)

// Help says what goes and what stays.
func (auditEraseCmd) Help() string {
	return `portico audit erase ida
portico audit erase user:ida --yes

Who somebody was is sealed in the rows under a key of that person. This destroys
the key: id, login, device and the sentence of each decision can no longer be
read, in the state, in audit.file and in syslog. The rows stay, and verify. It
works beside a running server, which notices within a minute. The notices to that
person go as well, and mails to them that wait.

What stays: paths of files, and their names; notices to others; the pseudonym; addresses, until
audit.addresses has passed; rows that were written with audit.personal: plain; and
the key in backups of the state, which have to end by themselves. An act of the
same person after this gets a new pseudonym.`
}

type auditEraseCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
	Who    string `arg:"" name:"login-or-id" help:"The login, or the id of a user where a login was of several."`
	Yes    bool   `help:"Do it. Without this it is only told what would be done."`
}

func (k auditEraseCmd) Run(c *console) (err error) {
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	keys, err := auditKeys(cfg)
	if err != nil {
		return err
	}
	reader, closer, err := openAuditReader(c.ctx, cfg)
	if err != nil {
		return err
	}
	found, err := audit.Find(c.ctx, reader, keys, k.Who)
	err = errors.Join(err, closer.Close())
	if errors.Is(err, audit.ErrNobody) && found.Plain > 0 {
		err = fmt.Errorf("%w; %d rows name them in plain, and cannot be changed: audit.keep removes them in time", err, found.Plain)
	}
	if err != nil {
		return err
	}
	tellFound(c, found)
	if !k.Yes {
		fmt.Fprintln(c.out, "nothing was done; to erase them for ever, add --yes")
		return errNo
	}
	if err := erase(c.ctx, cfg, found); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, "erased; a server that runs forgets its keys within a minute, backups of the state keep theirs")
	return err
}

func tellFound(c *console, p audit.Person) {
	fmt.Fprintf(c.out, "id:         %s\nlogin:      %s\npseudonym:  %s\n", orNone(p.IDs), orNone(p.Logins), orNone(p.Pseudonyms))
	fmt.Fprintf(c.out, "%d rows become unreadable for who they are of\n", p.Rows)
	if p.Plain > 0 {
		fmt.Fprintf(c.out, "%d rows name them in plain and stay so: audit.keep removes them in time\n", p.Plain)
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// erase opens the state for writing, only now that it is wanted.
func erase(ctx context.Context, cfg *config.Config, p audit.Person) (err error) {
	state, err := openBeside(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	clock := time.Now //nolint:forbidigo // the command's clock
	log, err := auditBeside(cfg, state, clock)
	if err != nil {
		return err
	}
	// Before the keys: without them nobody is found again to have these dropped.
	if err := dropNotices(ctx, state, p.IDs); err != nil {
		return err
	}
	return log.Erase(ctx, p)
}

// dropNotices takes out what people were told, and their mails that wait.
func dropNotices(ctx context.Context, state store.State, ids []string) error {
	err := state.Update(ctx, func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.DropNoticesTo(id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the notices to %s are not dropped, and nothing was erased: %w", orNone(ids), err)
	}
	return nil
}
