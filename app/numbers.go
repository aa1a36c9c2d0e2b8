package app

import "portico/identity"

// watchNumbers shows in the metrics what others count.
func (s *process) watchNumbers() {
	m := s.metrics
	m.gauge("uploads_in_flight", "Uploads under way.", func() float64 { return float64(s.files.Uploads()) })
	m.gauge("move_journal", "Moves that are not over.", func() float64 { return float64(s.files.Moves()) })
	m.gauge("locks", "Locks that are held; -1 while the state store does not answer.", read(s.files.Locks))
	m.gauge("credential_cache_size", "Passwords that need no hash.", func() float64 { return float64(s.proofs().Size) })
	const name, help = "credential_cache_total", "Sign-ins by what the cache knew."
	m.counted(name, help, "result", "hit", func() float64 { return float64(s.proofs().Hits) })
	m.counted(name, help, "result", "miss", func() float64 { return float64(s.proofs().Misses) })
}

func (s *process) proofs() identity.CacheStats {
	proofs, _ := s.gate.Stats()
	return proofs
}
