package app

import (
	"context"

	"portico/config"
	"portico/files"
	"portico/vpath"
)

// reloadConfig takes over what has changed in the config, or keeps what is in
// force if the file has a fault.
func (s *process) reloadConfig(ctx context.Context) {
	s.reload.Lock()
	defer s.reload.Unlock()
	cfg, err := config.Load(s.file, s.env)
	var people *directory
	if err == nil {
		people, err = newDirectory(cfg, s.people.Load(), s.state, s.queue, s.clock, s.log)
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
	before := s.swap(cfg, people)
	// A directory ends when its requests have: nobody else waits for that.
	s.closeOne("the directory of before", func() error { return before.close(people) })
	s.stale.Store(false)
	s.metrics.stale.Set(0)
	s.metrics.reloads.WithLabelValues("ok").Inc()
	s.log.InfoContext(ctx, "config loaded", "sha256", cfg.Digest, "users", len(cfg.Users), "workspaces", len(cfg.Workspaces))
}

// swap puts people and rules in force together, and gives the people of before.
func (s *process) swap(cfg *config.Config, people *directory) (before *directory) {
	s.swapping.Lock()
	defer s.swapping.Unlock()
	before = s.people.Swap(people)
	s.gate.Apply(people.settings()) // forgets the passwords that were proved
	s.colleagues.flush()
	s.applyRules(cfg)
	s.cfg.Store(cfg)
	s.generation++
	return before
}

// epoch numbers the config in force. Between two calls that give the same
// number nothing has been swapped, nor half swapped.
func (s *process) epoch() uint64 {
	s.swapping.RLock()
	defer s.swapping.RUnlock()
	return s.generation
}

// applyRules puts the rules in force. A workspace that the start did not open
// waits for the next one.
func (s *process) applyRules(cfg *config.Config) {
	var list []files.Workspace
	for _, w := range cfg.Workspaces {
		if tree := s.trees[w.Name]; tree != nil {
			list = append(list, files.Workspace{
				Name: w.Name, Title: w.Title, Backend: tree, Quota: w.Quota, WindowsSafe: w.Names.WindowsSafe,
			})
		}
	}
	s.files.Apply(cfg.Policy, list)
}

// recordsReads tells whether the audit takes the reads of p's workspace.
func (s *process) recordsReads(p vpath.Path, byLink bool) bool {
	for _, w := range s.cfg.Load().Workspaces {
		if w.Name == p.Top() {
			return w.AuditReads == config.ReadsAll || byLink && w.AuditReads == config.ReadsLinks
		}
	}
	return false
}
