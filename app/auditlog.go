package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"portico/audit"
	"portico/config"
)

const (
	// auditTick is how often the audit looks for what it has missed: a wake that
	// came before its commit, a sink that is back.
	auditTick = time.Second

	// auditLinger gathers rows for the sinks: each round costs a commit.
	auditLinger = 200 * time.Millisecond
)

// openAudit makes the log of the config, with its sinks; o has the rest. The
// closer is for after Run.
func openAudit(cfg *config.Config, o audit.Options) (*audit.Log, func() error, error) {
	sinks, err := addSinks(cfg.Audit, &o)
	closeAll := func() error {
		var errs []error
		for _, s := range sinks {
			errs = append(errs, s.Close())
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return nil, closeAll, err
	}
	if o.Key, err = auditSecret(cfg); err != nil && cfg.State.SQLite != "" {
		o.Key, err = audit.KeyFile(auditKeyFile(cfg), o.Rand)
	}
	if err != nil {
		return nil, closeAll, fmt.Errorf("audit: %w", err)
	}
	o.Keep, o.Linger = cfg.Audit.Keep, auditLinger
	o.Plain, o.Addresses = cfg.Audit.Plain, cfg.Audit.Addresses
	log, err := audit.New(o)
	return log, closeAll, err
}

// addSinks adds those of the config. Rows and checkpoints do not share one, so
// that neither waits for the other.
func addSinks(cfg config.Audit, o *audit.Options) (all []io.Closer, err error) {
	if cfg.File != "" {
		f := audit.NewFile("file", cfg.File)
		o.Sinks, all = append(o.Sinks, f), append(all, f)
	}
	if cfg.Checkpoints != "" {
		f := audit.NewFile("file", cfg.Checkpoints)
		o.Checkpoints, all = append(o.Checkpoints, f), append(all, f)
	}
	if cfg.Syslog == nil {
		return all, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // the message says "-"
	}
	for _, list := range []*[]audit.Sink{&o.Sinks, &o.Checkpoints} {
		s, err := audit.NewSyslog("syslog", host, cfg.Syslog, nil)
		if err != nil {
			return all, err
		}
		*list, all = append(*list, s), append(all, s)
	}
	return all, nil
}
