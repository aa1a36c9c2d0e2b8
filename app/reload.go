package app

import (
	"context"
	"runtime"
	"sync/atomic"

	"portico/config"
	"portico/files"
	"portico/identity"
	"portico/identity/static"
	"portico/vpath"
)

// reloadConfig takes over what has changed in the config, or keeps what is in
// force if the file has a fault.
func (s *process) reloadConfig(ctx context.Context) {
	s.reload.Lock()
	defer s.reload.Unlock()
	cfg, err := config.Load(s.file, s.env)
	var users *static.Provider
	if err == nil {
		users, err = s.people.read(cfg)
	}
	if err != nil {
		s.stale.Store(true)
		s.metrics.stale.Set(1)
		s.metrics.reloads.WithLabelValues("refused").Inc()
		s.log.ErrorContext(ctx, "the config has a fault: the rules stay as they were", "faults", err.Error())
		return
	}
	for _, key := range cfg.RestartNeeded(s.opened) {
		s.log.WarnContext(ctx, "changed in the config, takes effect at the next start", "key", key)
	}
	s.swap(cfg, users)
	s.stale.Store(false)
	s.metrics.stale.Set(0)
	s.metrics.reloads.WithLabelValues("ok").Inc()
	s.log.InfoContext(ctx, "config loaded", "sha256", cfg.Digest, "users", len(cfg.Users), "workspaces", len(cfg.Workspaces))
}

// swap puts people and rules in force together.
func (s *process) swap(cfg *config.Config, users *static.Provider) {
	s.swapping.Lock()
	defer s.swapping.Unlock()
	s.people.now.Store(users)
	s.apply(cfg)
	s.cfg.Store(cfg)
	s.generation++
}

// epoch numbers the config in force. Between two calls that give the same
// number nothing has been swapped, nor half swapped.
func (s *process) epoch() uint64 {
	s.swapping.RLock()
	defer s.swapping.RUnlock()
	return s.generation
}

// apply puts the rules in force, and forgets the passwords that were proved. A
// workspace that the start did not open waits for the next one.
func (s *process) apply(cfg *config.Config) {
	var list []files.Workspace
	for _, w := range cfg.Workspaces {
		if tree := s.trees[w.Name]; tree != nil {
			list = append(list, files.Workspace{Name: w.Name, Title: w.Title, Backend: tree, Quota: w.Quota})
		}
	}
	s.cache.Flush()
	s.files.Apply(cfg.Policy, list)
}

// recordsReads tells whether the audit takes the reads of p's workspace.
func (s *process) recordsReads(p vpath.Path) bool {
	for _, w := range s.cfg.Load().Workspaces {
		if w.Name == p.Top() {
			return w.AuditReads
		}
	}
	return false
}

// waitingHashes is how many sign-ins may wait for a hash; more get 503 at once.
const waitingHashes = 64

// directory is the users of the config that is in force.
type directory struct {
	now   atomic.Pointer[static.Provider]
	queue *identity.Queue // of hashes: one for the process, whatever is reloaded
}

func newDirectory(cfg *config.Config) (*directory, error) {
	d := &directory{queue: identity.NewQueue(runtime.GOMAXPROCS(0), waitingHashes)}
	users, err := d.read(cfg)
	d.now.Store(users)
	return d, err
}

// read makes the users of a config those who may sign in, once they are stored
// in now.
func (d *directory) read(cfg *config.Config) (*static.Provider, error) {
	users, err := people(cfg)
	if err != nil {
		return nil, err
	}
	return static.New(users, d.queue)
}

// Authenticate implements identity.Provider.
func (d *directory) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	return d.now.Load().Authenticate(ctx, login, password)
}
