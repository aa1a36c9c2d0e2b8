package local

import "sync"

// locks are mutexes by name that exist only while somebody wants them.
type locks struct {
	mu   sync.Mutex
	held map[place]*held
}

type held struct {
	sync.Mutex
	users int
}

// lock waits for a name and returns the function that gives it back.
func (l *locks) lock(p place) (unlock func()) {
	l.mu.Lock()
	h := l.held[p]
	if h == nil {
		h = &held{}
		l.held[p] = h
	}
	h.users++
	l.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(l.held, p)
		}
	}
}
