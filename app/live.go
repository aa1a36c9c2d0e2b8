package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/backends"
	"portico/config"
	"portico/fault"
	"portico/identity/oidc"
	"portico/store/postgres"
)

// livePatience bounds each question of check --live.
const livePatience = 20 * time.Second

// live asks all that a config names whether it is there, as the server would,
// and changes nothing.
type live struct {
	cfg   *config.Config
	out   io.Writer // gets a line as soon as it is known: a question may take its time
	found []finding
}

// finding is what was found out about a part, or about a line of the config.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// String is the line for people to read.
func (f finding) String() string {
	switch {
	case !f.OK:
		return f.What + ": NOT OK: " + f.Text
	case f.Text == "":
		return f.What + ": ok"
	}
	return f.What + ": ok, " + f.Text
}

// checkLive asks for each part. Where one is away, or a rule names what is not
// there, a finding is not OK.
func checkLive(ctx context.Context, cfg *config.Config, out io.Writer) []finding {
	l := &live{cfg: cfg, out: out}
	l.state(ctx)
	l.storages(ctx)
	l.firm(ctx)
	l.outside(ctx)
	return l.found
}

// allWell tells whether the answer is yes.
func allWell(found []finding) bool {
	return !slices.ContainsFunc(found, func(f finding) bool { return !f.OK })
}

func (l *live) add(f finding) {
	l.found = append(l.found, f)
	fmt.Fprintln(l.out, f)
}

func (l *live) say(what string, err error, text string) {
	if err != nil {
		text = cause(err)
	}
	l.add(finding{what, err == nil, text})
}

// cause is an error as an admin wants it: what happened, and not the sentence
// that users get in its place, nor the word for all that is away.
func cause(err error) string {
	if inner := errors.Unwrap(err); inner != nil && fault.Told(err) == err.Error() {
		err = inner
	}
	text := strings.ReplaceAll(err.Error(), "\n", ": ")
	return strings.ReplaceAll(text, fault.ErrUnavailable.Error()+": ", "")
}

// state asks PostgreSQL. A database of SQLite may be in use by the server, which
// alone may open it to write.
func (l *live) state(ctx context.Context) {
	if l.cfg.State.Postgres.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	version, err := postgres.Ping(ctx, l.cfg.State.Postgres.Reveal())
	l.say("state", err, version)
}

func (l *live) storages(ctx context.Context) {
	quiet := slog.New(slog.DiscardHandler)
	hook := func(string) func(backends.Call) { return func(backends.Call) {} }
	clock := time.Now //nolint:forbidigo // the command's clock
	storages, _, err := openStorages(ctx, l.cfg, clock, quiet, hook)
	for _, name := range slices.Sorted(maps.Keys(storages)) {
		ctx, cancel := context.WithTimeout(ctx, livePatience)
		l.say("storage "+name, storages[name].Check(ctx), "")
		cancel()
		_ = storages[name].Close() // nothing was written
	}
	if err != nil {
		l.say("storages", err, "")
	}
}

// firm asks each server of the directory, counts, and looks for the groups that
// the rules name.
func (l *live) firm(ctx context.Context) {
	if l.cfg.LDAP == nil {
		return
	}
	clock := time.Now //nolint:forbidigo // the command's clock
	d, err := newDirectory(l.cfg, nil, nil, newQueue(), clock, slog.New(slog.DiscardHandler))
	if err != nil {
		l.say("directory", err, "")
		return
	}
	defer d.close(nil) //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	up := false
	for i, err := range d.firm.CheckEach(ctx) {
		l.say("directory "+l.cfg.LDAP.Servers[i].Redacted(), err, "")
		up = up || err == nil
	}
	if !up {
		return
	}
	users, groups, err := d.firm.Count(ctx)
	l.say("directory", err, fmt.Sprintf("%d users, %d groups", users, groups))
	if err == nil {
		l.groups(d.firm.GroupNames(ctx))
	}
}

// groups names what rules speak of and the directory does not have. Groups of an
// outside provider are known only when people sign in.
func (l *live) groups(have map[string]int, err error) {
	if err != nil {
		l.say("directory's groups", err, "")
		return
	}
	wanted := foreignGroups(l.cfg)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		at := wanted[name].String()
		switch n := have[name]; {
		case n == 0 && l.cfg.OIDC != nil && l.cfg.OIDC.Groups != "":
			l.add(finding{at, true, fmt.Sprintf("group:%s is not in the directory, but the sign-in provider may know it", name)})
		case n == 0:
			l.add(finding{at, false, fmt.Sprintf("the directory has no group %q: what is granted to it nobody gets; correct the name, or add it under identity.ldap.groups.map", name)})
		case n > 1:
			l.add(finding{at, false, fmt.Sprintf("the directory has %d groups %q, and all of them count; tell them apart with identity.ldap.groups.base or .name", n, name)})
		}
	}
}

func (l *live) outside(ctx context.Context) {
	if l.cfg.OIDC == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	o := oidcOptions(l.cfg.OIDC, &url.URL{}) // nobody is sent back by a mere question
	o.Rand, o.Log = rand.Reader, slog.New(slog.DiscardHandler)
	o.Clock = time.Now //nolint:forbidigo // the command's clock
	l.say("sign-in provider "+l.cfg.OIDC.Issuer.Redacted(), oidc.New(o).Check(ctx), "")
}
