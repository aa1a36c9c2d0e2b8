package gateway

import (
	"context"
	"net/http"
	"strings"
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

	// Those that may list a folder. Four of them run (maxListings), the others wait for
	// these with a place among all requests, and so must not have all of the places.
	maxFinds = 12

	// A listing is in memory as a whole until the last byte of it is taken, a folder of
	// 10,000 files with 6 MiB, and a client may take its time. A short one gives its turn
	// to the next as soon as it is there: what Windows sets on each of 1,000 files
	// takes 900 KiB, but properties may be thousands of times that.
	maxListings  = 4
	shortListing = 1000
	shortProps   = 1 << 20
)

// admission bounds what each person does at once.
type admission struct {
	mu     sync.Mutex
	people map[string]*turns // by identity; those who do nothing are not kept
}

// turns are one person's requests.
type turns struct {
	all, uploads, walks, finds, listings chan struct{}

	present int // that run or wait
}

// enter waits for a request's turn and returns the function that ends it.
func (a *admission) enter(r *http.Request, id string) (leave func(), err error) {
	t, err := a.arrive(id)
	if err != nil {
		return nil, err
	}
	rooms := t.roomsOf(r)
	for i, room := range rooms {
		select {
		case room <- struct{}{}:
		case <-r.Context().Done():
			a.depart(id, t, rooms[:i])
			return nil, r.Context().Err()
		}
	}
	return func() { a.depart(id, t, rooms) }, nil
}

// roomsOf are those that a request goes through. That of all is the last, so that who
// waits for a narrow one leaves room for the rest.
func (t *turns) roomsOf(r *http.Request) []chan struct{} {
	switch {
	case r.Method == http.MethodPut, r.Method == http.MethodPatch:
		return []chan struct{}{t.uploads, t.all}
	case r.Method == "REPORT", r.Method == "SEARCH":
		return []chan struct{}{t.walks, t.all}
	case mayList(r):
		return []chan struct{}{t.finds, t.all}
	}
	return []chan struct{}{t.all}
}

// mayList tells a request that asks for what lies in a folder, as far as its head does:
// the address of a folder may lack its slash.
func mayList(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet:
		return strings.HasSuffix(r.URL.Path, "/")
	case "PROPFIND":
		d, err := parseDepth(r.Header.Values("Depth"), 1)
		return err == nil && d.levels == 1 // all else is one thing, or refused
	}
	return false
}

func (a *admission) arrive(id string) (*turns, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.people[id]
	if t == nil {
		t = &turns{
			all: make(chan struct{}, maxRequests), uploads: make(chan struct{}, maxUploads),
			walks: make(chan struct{}, maxWalks), finds: make(chan struct{}, maxFinds), listings: make(chan struct{}, maxListings),
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
