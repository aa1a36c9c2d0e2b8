package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/acl"
	"portico/backends"
	"portico/config"
	"portico/vpath"
)

type planCmd struct {
	New    string `arg:"" help:"The new config."`
	Config string `default:"portico.yaml" help:"The present config."`
	JSON   bool   `name:"json" help:"Print the changes as JSON."`
}

// Help teaches by example.
func (planCmd) Help() string {
	return `cp portico.yaml new.yaml, change it, and before it takes effect:
portico plan new.yaml

It compares the rights of every user on every folder that exists, or that
either config has rules for. A change is said once, at the highest folder.`
}

// changeJSON is a change as --json prints it.
type changeJSON struct {
	User   string   `json:"user"`
	Path   string   `json:"path"`
	Gained []string `json:"gained"`
	Lost   []string `json:"lost"`
}

func (p planCmd) Run(c *console) error {
	before, err := config.Load(p.Config, c.env)
	if err != nil {
		return err
	}
	after, err := config.Load(p.New, c.env)
	if err != nil {
		return err
	}
	clock := time.Now //nolint:forbidigo // the command's clock
	folders, err := planFolders(c.ctx, clock, before, after)
	if err != nil {
		return err
	}
	changes := topmost(acl.Diff(before.Policy, after.Policy, everybody(before, after), folders, clock()))
	restart := after.RestartNeeded(before)
	if p.JSON {
		list := make([]changeJSON, 0, len(changes))
		for _, ch := range changes {
			list = append(list, changeJSON{string(ch.Principal.Self), ch.Path.String(), ch.Gained, ch.Lost})
		}
		return printJSON(c.out, map[string]any{"changes": list, "restart_needed": restart})
	}
	printPlan(c.out, changes, restart, len(folders))
	return nil
}

func printPlan(out io.Writer, changes []acl.Change, restart []string, folders int) {
	for _, ch := range changes {
		who := strings.TrimPrefix(string(ch.Principal.Self), "user:") // a login, or group:NAME
		fmt.Fprintf(out, "%s at %s and below:", who, ch.Path)
		if len(ch.Gained) > 0 {
			fmt.Fprintf(out, " gains %s", strings.Join(ch.Gained, ", "))
		}
		if len(ch.Lost) > 0 {
			fmt.Fprintf(out, " loses %s", strings.Join(ch.Lost, ", "))
		}
		fmt.Fprintln(out)
	}
	for _, key := range restart {
		fmt.Fprintln(out, "needs a restart:", key)
	}
	if len(changes) == 0 {
		fmt.Fprintf(out, "nobody gains or loses anything, on any of %d folders\n", folders)
	}
}

// planFolders are the folders that exist now and those that either config has
// rules for, sorted.
func planFolders(ctx context.Context, clock func() time.Time, before, after *config.Config) ([]vpath.Path, error) {
	all := map[vpath.Path]bool{}
	for _, cfg := range []*config.Config{before, after} {
		for _, f := range cfg.Spec.Folders {
			all[f.Path] = true
		}
	}
	noHook := func(string) func(backends.Call) { return func(backends.Call) {} }
	storages, trees, err := openStorages(ctx, before, clock, slog.New(slog.DiscardHandler), noHook)
	for _, st := range storages {
		defer st.Close() //nolint:errcheck // nothing was written
	}
	if err != nil {
		return nil, err
	}
	for name, tree := range trees {
		top, err := vpath.Path{}.Child(name)
		if err != nil {
			return nil, err
		}
		all[top] = true
		if err := addFolders(ctx, tree, top, all); err != nil {
			return nil, fmt.Errorf("list the folders of %s: %w", top, err)
		}
	}
	return slices.SortedFunc(maps.Keys(all), vpath.Path.Compare), nil
}

func addFolders(ctx context.Context, tree backends.Backend, top vpath.Path, all map[vpath.Path]bool) error {
	return backends.Walk(ctx, tree, vpath.Path{}, func(p vpath.Path, info backends.Info) error {
		if !info.Dir || info.Foreign != "" {
			return nil
		}
		full, err := top.Join(p)
		all[full] = true
		return err
	})
}

// topmost leaves out a change that is the same on the folder above, which says
// it for all below.
func topmost(changes []acl.Change) []acl.Change {
	type key struct {
		who  string
		path vpath.Path
	}
	said := map[key]string{}
	for _, ch := range changes {
		said[key{ch.Principal.ID, ch.Path}] = fmt.Sprint(ch.Gained, ch.Lost)
	}
	return slices.DeleteFunc(changes, func(ch acl.Change) bool {
		above, ok := said[key{ch.Principal.ID, ch.Path.Parent()}]
		return ok && above == fmt.Sprint(ch.Gained, ch.Lost)
	})
}

// everybody is the users of both configs, sorted by name, and for each group of
// the directory that rules name one who is in it and in nothing else: how many
// that is, only the directory knows.
func everybody(before, after *config.Config) []acl.Principal {
	users := maps.Clone(before.Users)
	maps.Copy(users, after.Users)
	var all []acl.Principal
	for _, login := range slices.Sorted(maps.Keys(users)) {
		all = append(all, userPrincipal(users[login]))
	}
	groups := foreignGroups(before)
	maps.Copy(groups, foreignGroups(after))
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, acl.Principal{ID: "group:" + name, Self: acl.GroupOf(name), Staff: true})
	}
	return all
}
