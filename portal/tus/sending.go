package tus

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// sendings are the requests that bring pieces to this process, by upload. When a
// line breaks without a word, as a phone's does between two networks, the server
// waits for it for a minute, and the client's next request must not: it ends the
// one that hangs. Only who may go on with an upload gets that far.
type sendings struct {
	mu  sync.Mutex
	now map[string]*sending
}

// sending is one request's body.
type sending struct {
	body    io.Reader
	wake    func()
	stopped atomic.Bool
	done    chan struct{}
}

var errInterrupted = errors.New("another request goes on with this upload")

// Read implements io.Reader.
func (s *sending) Read(p []byte) (int, error) {
	if s.stopped.Load() {
		return 0, errInterrupted
	}
	n, err := s.body.Read(p)
	if err != nil && err != io.EOF && s.stopped.Load() {
		err = errInterrupted
	}
	return n, err
}

// enter notes a request, and gives the older one, if any.
func (l *sendings) enter(w http.ResponseWriter, r *http.Request, id string) (mine, older *sending) {
	control := http.NewResponseController(w)
	mine = &sending{body: r.Body, done: make(chan struct{}), wake: func() { _ = control.SetReadDeadline(time.Unix(1, 0)) }}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		l.now = map[string]*sending{}
	}
	older = l.now[id]
	l.now[id] = mine
	return mine, older
}

func (l *sendings) leave(id string, mine *sending) {
	l.mu.Lock()
	if l.now[id] == mine {
		delete(l.now, id)
	}
	l.mu.Unlock()
	close(mine.done)
}

// of is the request that brings pieces of an upload, nil for none.
func (l *sendings) of(id string) *sending {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now[id]
}

// end stops the reading, and waits until what has come is kept.
func (s *sending) end(ctx context.Context) bool {
	s.stopped.Store(true)
	s.wake()
	bounded, cancel := context.WithTimeout(ctx, interruptedWait)
	defer cancel()
	select {
	case <-s.done:
		return true
	case <-bounded.Done():
		return false
	}
}
