package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// claim takes paths that are free.
func (s *suite) claim(paths ...string) store.Claim {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	c, err := s.Claim(ctx, parse(paths)...)
	if err != nil {
		s.Fatalf("Claim(%q) of %s = %v", paths, s.Replica(), err)
	}
	if !c.Held() {
		s.Errorf("Claim(%q) of %s is not held", paths, s.Replica())
	}
	return c
}

// barred tells whether a claim has to wait.
func (s *suite) barred(paths ...string) bool {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 30*time.Millisecond)
	defer cancel()
	c, err := s.Claim(ctx, parse(paths)...)
	if err == nil {
		c.Release()
		return false
	}
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fault.ErrUnavailable) {
		s.Fatalf("Claim(%q) = %v, want context.DeadlineExceeded and no fault of the store", paths, err)
	}
	return true
}

func parse(paths []string) (all []vpath.Path) {
	for _, p := range paths {
		all = append(all, vpath.Must(p))
	}
	return all
}

func overlap(a, b []vpath.Path) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Contains(q) || q.Contains(p) {
				return true
			}
		}
	}
	return false
}

func claimPairs(s *shared) {
	replicas := s.replicas(2)
	all := [][]string{
		{"/"},
		{"/w"},
		{"/w/a"},
		{"/w/a/b/c"},
		{"/w/ab"},
		{"/w/A"},
		{"/v"},
		{"/w/a", "/v/x"},
		{"/w/a", "/w/a/b", "/w/a"},
		{},
	}
	for i, held := range all {
		c := replicas[i%2].claim(held...)
		other := replicas[1-i%2]
		for _, wanted := range all {
			want := overlap(parse(held), parse(wanted))
			// Load may keep a free claim from 30 ms; what is barred stays so.
			if want {
				if !other.barred(wanted...) {
					s.Errorf("Claim(%q) was given while another process has %q", wanted, held)
				}
				continue
			}
			other.claim(wanted...).Release()
		}
		c.Release()
		for _, wanted := range all {
			other.claim(wanted...).Release()
		}
	}
}

func claimWaits(s *shared) {
	replicas := s.replicas(3)
	first := replicas[0].claim("/w/a")
	second := make(chan store.Claim)
	go func() {
		c, err := replicas[1].Claim(s.Context(), vpath.Must("/w"))
		if err != nil {
			s.Errorf("Claim = %v", err)
		}
		second <- c
	}()
	if !replicas[2].barred("/w/a/b") {
		s.Error("the claim below was given")
	}
	// One who waits for part of it holds nothing of it.
	replicas[2].claim("/w/b").Release()
	select {
	case <-second:
		s.Fatal("the claim above was given")
	default:
	}
	first.Release()
	first.Release()
	c := <-second
	if !replicas[0].barred("/w/a") {
		s.Error("the claim was given twice")
	}
	c.Release()
	replicas[0].claim("/").Release()
}

// claimOwn takes overlapping paths in one process.
func claimOwn(s *shared) {
	replicas := s.replicas(2)
	var all []store.Claim
	for _, paths := range [][]string{{"/w/a"}, {"/w/a"}, {"/w"}, {"/w/a/b", "/w/a"}, {"/"}} {
		all = append(all, replicas[0].claim(paths...))
	}
	for i, c := range all {
		if !replicas[1].barred("/w/a") {
			s.Errorf("with %d claims left another process was given the path", len(all)-i)
		}
		c.Release()
	}
	replicas[1].claim("/").Release()
}

func claimEnds(s *shared) {
	b := s.replicas(1)[0] // named a
	holder := s.open(s.T, "holder")
	c, err := holder.Claim(s.Context(), vpath.Must("/w/a"))
	if err != nil {
		s.Fatal(err)
	}
	if !b.barred("/w/a/b") {
		s.Error("the claim was given twice")
	}
	if err := holder.Close(); err != nil {
		s.Error(err)
	}
	<-c.Lost()
	if c.Held() {
		s.Error("a claim of a store that is closed is held")
	}
	c.Release() // does no harm
	b.claim("/w").Release()
}

func claimNames(s *shared) {
	replicas := s.replicas(2)
	try := func(r *suite, kind, name string, want bool) store.Claim {
		s.Helper()
		c, ok, err := r.ClaimName(s.Context(), kind, name)
		if err != nil || ok != want || (c != nil) != want {
			s.Fatalf("ClaimName(%s, %s) of %s = %v, %t, %v, want %t", kind, name, r.Replica(), c, ok, err, want)
		}
		return c
	}
	c := try(replicas[0], "job", "reap", true)
	try(replicas[1], "job", "reap", false)
	try(replicas[1], "jo", "breap", true).Release()
	try(replicas[1], "job", "/w", true).Release()
	replicas[1].claim("/").Release() // stands in no claim's way
	c.Release()
	try(replicas[1], "job", "reap", true)
	try(replicas[0], "job", "reap", false)
}

// ledger is who holds what, as a test sees it.
type ledger struct {
	mu   sync.Mutex
	held map[int]holding
}

type holding struct {
	replica int
	paths   []vpath.Path
}

// put adds a claim, and names one that it should have waited for.
func (l *ledger) put(id int, h holding) (against *holding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.held {
		if other.replica != h.replica && overlap(other.paths, h.paths) {
			return &other
		}
	}
	l.held[id] = h
	return nil
}

func (l *ledger) drop(id int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, id)
}

// claimModel lets many goroutines of three processes claim at random, and holds
// what they were given against a ledger.
func claimModel(s *shared) {
	const workers, rounds = 12, 25
	replicas := s.replicas(3)
	l := &ledger{held: make(map[int]holding)}
	var wg sync.WaitGroup
	for w := range workers {
		rnd := rand.New(rand.NewPCG(20260301, uint64(w)))
		wg.Go(func() {
			for range rounds {
				claimOnce(replicas[w%3], l, w, rnd)
			}
		})
	}
	wg.Wait()
	for _, r := range replicas { // nothing is left behind
		r.claim("/").Release()
	}
}

func claimOnce(r *suite, l *ledger, worker int, rnd *rand.Rand) {
	var paths []vpath.Path
	for range 1 + rnd.IntN(2) {
		parts := []string{"/w"}
		for range rnd.IntN(4) {
			parts = append(parts, strconv.Itoa(rnd.IntN(3)))
		}
		paths = append(paths, vpath.Must(strings.Join(parts, "/")))
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	c, err := r.Claim(ctx, paths...)
	if err != nil {
		r.Errorf("Claim(%v) = %v", paths, err)
		return
	}
	if other := l.put(worker, holding{worker % 3, paths}); other != nil {
		r.Errorf("%s was given %v while replica %d has %v", r.Replica(), paths, other.replica, other.paths)
	}
	if rnd.IntN(2) == 0 {
		r.claim(paths[0].String()).Release() // a re-entrant one in between
	}
	l.drop(worker)
	c.Release()
}
