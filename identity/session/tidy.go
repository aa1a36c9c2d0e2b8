package session

import (
	"sync"
	"time"
)

// tidy remembers when expired sessions were last dropped. It is no state of the
// sessions: each replica may drop them when it likes.
type tidy struct {
	mu   sync.Mutex
	last time.Time
}

// due is true once in a while.
func (t *tidy) due(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.last) < tidyEvery {
		return false
	}
	t.last = now
	return true
}
