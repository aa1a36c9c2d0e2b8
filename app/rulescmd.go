package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"portico/acl"
	"portico/config"
	"portico/identity"
	"portico/vpath"
)

type checkCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
	Live   bool   `help:"Also ask the state, the storages and the directory whether they are there, and look for the groups that the rules name."`
	JSON   bool   `name:"json" help:"Print what was found as JSON."`
}

// faultJSON is a fault as --json prints it.
type faultJSON struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

func (k checkCmd) Run(c *console) error {
	cfg, err := config.Load(k.Config, c.env)
	var faults config.Faults
	switch {
	case err != nil && !errors.As(err, &faults):
		return err
	case k.JSON:
		return k.asJSON(c, cfg, faults)
	case err != nil && unreadable(faults):
		return faults
	case err != nil:
		fmt.Fprintln(c.err, faults.Error())
		return errNo
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(c.err, "warning:", w)
	}
	_, err = fmt.Fprintf(c.out, "%s is right: %d users, %d groups, %d workspaces, %d assertions hold\n",
		k.Config, len(cfg.Users), len(cfg.Groups), len(cfg.Workspaces), len(cfg.Assertions))
	if err == nil && k.Live && !allWell(checkLive(c.ctx, cfg, c.out)) {
		return errNo
	}
	return err
}

// asJSON prints what was found wrong with the file, or else, where that was asked
// for, what was found in the world.
func (k checkCmd) asJSON(c *console, cfg *config.Config, faults config.Faults) error {
	list := make([]faultJSON, 0, len(faults))
	for _, f := range faults {
		list = append(list, faultJSON(f))
	}
	ok, answer := len(faults) == 0, map[string]any{"faults": list}
	if ok && k.Live {
		found := checkLive(c.ctx, cfg, io.Discard)
		ok, answer["live"] = allWell(found), found
	}
	answer["ok"] = ok
	switch err := printJSON(c.out, answer); {
	case err != nil || ok:
		return err
	case len(faults) > 0 && unreadable(faults):
		return faults
	}
	return errNo
}

// Help teaches by example.
func (whyCmd) Help() string {
	return `portico why ida write /firm/Clients/Acme
portico why bob delete /firm/Clients/a.txt --creator bob   what bob made himself

The answer names the rule that decides with its file and line, the groups that
lead to it, and for a no what an administrator would write to change it.`
}

type whyCmd struct {
	User    string `arg:"" help:"The user's login."`
	Right   string `arg:"" help:"A right: list, read, comment, create, write, delete, share, grant, invite, audit, settings or transfer."`
	Path    string `arg:"" help:"The path with its workspace, as in /firm/Clients/Acme."`
	Creator string `help:"Login of who created the thing, for rights like delete:own."`
	Config  string `default:"portico.yaml" help:"The config."`
	JSON    bool   `name:"json" help:"Print the answer as JSON."`
}

func (w whyCmd) Run(c *console) error {
	cfg, err := config.Load(w.Config, c.env)
	if err != nil {
		return err
	}
	right, own, err := acl.ParseRight(w.Right)
	if err != nil {
		return err
	}
	path, err := vpath.Parse(w.Path)
	if err != nil {
		return err
	}
	ids, err := w.look(c, cfg)
	if err != nil {
		return err
	}
	who, creator := principal(ids[0]), ids[1].ID
	if own {
		creator = who.ID
	}
	d := cfg.Policy.View(who, time.Now()).Decide(right, path, creator) //nolint:forbidigo // the command's moment
	if err := w.print(c.out, cfg.Policy, who, d); err != nil || d.Allowed() {
		return err
	}
	return errNo
}

// look finds who asks and, where there is one, the creator. One whom nobody
// knows any more may still have created something.
func (w whyCmd) look(c *console, cfg *config.Config) (found [2]identity.Identity, err error) {
	clock := time.Now //nolint:forbidigo // the command's clock
	log := newLogger(c.err, "text", slog.LevelWarn)
	if found[0], err = find(c.ctx, cfg, w.User, clock, log); err != nil || w.Creator == "" {
		return found, err
	}
	if found[1], err = find(c.ctx, cfg, w.Creator, clock, log); errors.As(err, new(unknownError)) {
		found[1].ID, err = userID(config.Login(w.Creator)), nil
	}
	return found, err
}

func (w whyCmd) print(out io.Writer, p *acl.Policy, who acl.Principal, d acl.Decision) error {
	var chains []string
	for _, chain := range p.Chains(who) {
		chains = append(chains, chain.String())
	}
	if w.JSON {
		return printJSON(out, map[string]any{
			"allowed": d.Allowed(), "why": d.String(), "groups": chains, "mend": d.Mend(),
		})
	}
	fmt.Fprintln(out, d)
	for _, chain := range chains {
		fmt.Fprintln(out, "  group:", chain)
	}
	if !d.Allowed() {
		fmt.Fprintln(out, "  mend:", d.Mend())
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
