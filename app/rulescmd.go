package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"portico/acl"
	"portico/config"
	"portico/vpath"
)

type checkCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
	JSON   bool   `name:"json" help:"Print the faults as JSON."`
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
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	if k.JSON {
		list := make([]faultJSON, 0, len(faults))
		for _, f := range faults {
			list = append(list, faultJSON(f))
		}
		if err := printJSON(c.out, map[string]any{"ok": len(faults) == 0, "faults": list}); err != nil || len(faults) == 0 {
			return err
		}
		if unreadable(faults) {
			return faults
		}
		return errNo
	}
	if err != nil {
		if unreadable(faults) {
			return faults
		}
		fmt.Fprintln(c.err, faults.Error())
		return errNo
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(c.err, "warning:", w)
	}
	_, err = fmt.Fprintf(c.out, "%s is right: %d users, %d groups, %d workspaces, %d assertions hold\n",
		k.Config, len(cfg.Users), len(cfg.Groups), len(cfg.Workspaces), len(cfg.Assertions))
	return err
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
	user, ok := cfg.Users[config.Login(w.User)]
	if !ok {
		return fmt.Errorf("%s has no user %q; it has %s", w.Config, w.User, strings.Join(logins(cfg), ", "))
	}
	who := principal(user)
	creator := ""
	switch {
	case own:
		creator = who.ID
	case w.Creator != "":
		creator = userID(config.Login(w.Creator))
	}
	d := cfg.Policy.View(who, time.Now()).Decide(right, path, creator) //nolint:forbidigo // the command's moment
	if err := w.print(c.out, cfg.Policy, who, d); err != nil || d.Allowed() {
		return err
	}
	return errNo
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

func logins(cfg *config.Config) []string {
	var all []string
	for l := range cfg.Users {
		all = append(all, string(l))
	}
	slices.Sort(all)
	return all
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
