package gateway

import (
	"context"
	"net/http"
	"sync"

	"portico/fault"
)

// What one person may do at once (THREATS.md §4.1). More of it waits for its
// turn, because sync clients open many connections and take an error for good;
// only one who fills the waiting room as well is refused.
const (
	maxRequests = 32
	maxUploads  = 16
	maxWalks    = 4 // REPORT and SEARCH, which may look at all that one sees
	maxWaiting  = 256

	// A listing is in memory as a whole until the last byte of it is taken, a folder of
	// 10,000 files with 6 MiB, and a client may take its time. A short one gives its turn
	// to the next as soon as it is there.
	maxListings  = 4
	shortListing = 1000
)

// admission bounds what each person does at once.
type admission struct {
	mu     sync.Mutex
	people map[string]*turns // by identity; those who do nothing are not kept
}

// turns are one person's requests.
type turns struct {
	all, uploads, walks, listings chan struct{}
	present                       int // that run or wait
}

// enter waits for a request's turn and returns the function that ends it.
func (a *admission) enter(ctx context.Context, id, method string) (leave func(), err error) {
	t, err := a.arrive(id)
	if err != nil {
		return nil, err
	}
	rooms := []chan struct{}{t.all}
	switch method { // these first, so that waiting ones leave room for the rest
	case http.MethodPut, http.MethodPatch:
		rooms = []chan struct{}{t.uploads, t.all}
	case "REPORT", "SEARCH":
		rooms = []chan struct{}{t.walks, t.all}
	}
	for i, room := range rooms {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			a.depart(id, t, rooms[:i])
			return nil, ctx.Err()
		}
	}
	return func() { a.depart(id, t, rooms) }, nil
}

func (a *admission) arrive(id string) (*turns, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.people[id]
	if t == nil {
		t = &turns{
			all: make(chan struct{}, maxRequests), uploads: make(chan struct{}, maxUploads),
			walks: make(chan struct{}, maxWalks), listings: make(chan struct{}, maxListings),
		}
		a.people[id] = t
	}
	if t.present >= maxRequests+maxWaiting {
		return nil, fault.Tell(fault.ErrBusy, "There are more than %d requests of yours at once: try again in a moment.", maxRequests+maxWaiting)
	}
	t.present++
	return t, nil
}

// list waits for a listing's turn, for a request that has entered. leave ends it.
func (a *admission) list(ctx context.Context, id string) (leave func(), err error) {
	a.mu.Lock()
	room := a.people[id].listings
	a.mu.Unlock()
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *admission) depart(id string, t *turns, rooms []chan struct{}) {
	for _, room := range rooms {
		<-room
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.present--; t.present == 0 {
		delete(a.people, id)
	}
}
