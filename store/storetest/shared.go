package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/store"
	"portico/vpath"
)

// OpenReplica opens a store under a replica's name. All that one test opens
// share what they hold; each test begins with nothing. The test closes it.
type OpenReplica func(t *testing.T, replica string) store.State

// RunShared puts a store through what several processes at once ask of it.
func RunShared(t *testing.T, open OpenReplica) {
	t.Helper()
	for name, test := range map[string]func(*shared){
		"one lock, one winner":     sharedLock,
		"no update is lost":        sharedCount,
		"audit streams":            sharedAudit,
		"alive":                    sharedAlive,
		"claims/each pair":         claimPairs,
		"claims/wait":              claimWaits,
		"claims/of one process":    claimOwn,
		"claims/end with holder":   claimEnds,
		"claims/against a model":   claimModel,
		"claims/names":             claimNames,
		"watch/wakes at a move":    watchMoves,
		"watch/wakes at a grant":   watchGrants,
		"watch/wakes all the time": watchTicks,
	} {
		t.Run(name, func(t *testing.T) {
			test(&shared{T: t, open: open})
		})
	}
}

// shared is one test with replicas.
type shared struct {
	*testing.T
	open OpenReplica
}

// replicas opens some, named a, b, c and so on.
func (s *shared) replicas(n int) []*suite {
	s.Helper()
	var all []*suite
	for i := range n {
		r := &suite{T: s.T, State: s.open(s.T, string(rune('a'+i)))}
		s.Cleanup(r.end)
		all = append(all, r)
	}
	return all
}

// sharedLock lets replicas judge and lock the same path at once.
func sharedLock(s *shared) {
	replicas := s.replicas(3)
	for round := range 20 {
		path := fmt.Sprintf("/w/%d", round)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				r := replicas[i%3]
				l := lock(path, true)
				l.Token += strconv.Itoa(i)
				err := r.Update(r.Context(), func(tx store.Tx) error {
					held, err := tx.LocksOn(r.Context(), l.Path, now())
					if err != nil || len(held) > 0 {
						return errors.Join(err, errNo)
					}
					return tx.PutLock(l)
				})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, errNo):
					r.Errorf("Update = %v", err)
				}
			})
		}
		wg.Wait()
		for _, r := range replicas {
			if held := must[[]store.Lock](r)(r.LocksOn(r.Context(), vpath.Must(path), now())); won.Load() != 1 || len(held) != 1 {
				r.Fatalf("%d took the lock on %s, and %d are stored, want 1", won.Load(), path, len(held))
			}
		}
	}
}

// sharedCount counts with a read and a write.
func sharedCount(s *shared) {
	replicas := s.replicas(3)
	const each = 60
	replicas[0].update(func(tx store.Tx) error { return tx.PutAttempts(store.Attempts{Key: "k"}) })
	var wg sync.WaitGroup
	for _, r := range replicas {
		for range each {
			wg.Go(func() {
				if err := r.Update(r.Context(), func(tx store.Tx) error {
					all, err := tx.Attempts(r.Context(), "k")
					if err != nil {
						return err
					}
					a := all["k"]
					a.Count++
					return tx.PutAttempts(a)
				}); err != nil {
					r.Errorf("Update = %v", err)
				}
			})
		}
	}
	wg.Wait()
	got := must[map[string]store.Attempts](replicas[1])(replicas[1].Attempts(s.Context(), "k"))
	replicas[1].equal("count", got["k"].Count, len(replicas)*each)
}

// sharedAudit lets each replica write its stream, side by side.
func sharedAudit(s *shared) {
	replicas := s.replicas(2)
	var wg sync.WaitGroup
	const rows = 80
	for _, r := range replicas {
		for i := range rows {
			wg.Go(func() {
				if err := r.Update(r.Context(), func(tx store.Tx) error {
					return Append(r.Context(), tx, r.Replica(), fmt.Appendf(nil, `%d`, i))
				}); err != nil {
					r.Errorf("Update = %v", err)
				}
			})
		}
	}
	wg.Wait()
	for i, r := range replicas {
		other := replicas[1-i] // sees what r wrote
		for n, row := range other.auditRows(r.Replica(), 0, 1000) {
			if row.Seq != int64(n+1) || row.Stream != r.Replica() {
				other.Fatalf("row %d is %d of %s", n+1, row.Seq, row.Stream)
			}
		}
		streams := must[[]store.AuditStream](other)(other.AuditStreams(other.Context()))
		if len(streams) != 2 || streams[i].Name != r.Replica() || streams[i].Last != rows {
			other.Errorf("AuditStreams = %v", streams)
		}
	}
}

func sharedAlive(s *shared) {
	replicas := s.replicas(2)
	wants := func(r *suite, want ...string) {
		s.Helper()
		if got := must[[]string](r)(r.Alive(r.Context())); !slices.Equal(got, want) {
			r.Errorf("Alive of %s = %q, want %q", r.Replica(), got, want)
		}
	}
	for _, r := range replicas {
		if !r.Shared() {
			r.Error("Shared = false")
		}
		wants(r, "a", "b")
	}
	third := s.open(s.T, "ü ' third")
	wants(replicas[0], "a", "b", "ü ' third")
	if err := third.Close(); err != nil {
		s.Fatal(err)
	}
	s.eventually("the third is gone", func() bool {
		return slices.Equal(must[[]string](replicas[1])(replicas[1].Alive(s.Context())), []string{"a", "b"})
	})
	// Its name is free for another.
	if err := s.open(s.T, "ü ' third").Close(); err != nil {
		s.Fatal(err)
	}
}

// eventually asks until the answer is yes: what another process does cannot be
// waited for.
func (s *shared) eventually(what string, ask func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-late.C:
			s.Fatalf("%s: not after 20 s", what)
		}
	}
}

// watchMoves changes moves on one replica and wants the other to hear of it.
func watchMoves(s *shared) {
	watchWakes(s, func(tx store.Tx, round int) error {
		if round%2 == 1 {
			return tx.DropMove("m")
		}
		return tx.PutMove(store.Move{ID: "m", From: vpath.Must("/w/a"), To: vpath.Must("/w/b"), Phase: strconv.Itoa(round), Began: now()})
	})
}

// watchGrants does so with grants, in each way that there is to change one.
func watchGrants(s *shared) {
	a, b := vpath.Must("/w/a"), vpath.Must("/w/b")
	ways := []func(store.Tx) error{
		func(tx store.Tx) error { return tx.PutGrant(store.Grant{ID: "g", Path: a, Subject: "user:ann"}) },
		func(tx store.Tx) error { return tx.MoveGrants(a, b) },
		func(tx store.Tx) error { return tx.MoveGrants(b, a) },
		func(tx store.Tx) error { return tx.DropGrantsBelow(a) },
		func(tx store.Tx) error { return tx.PutGrant(store.Grant{ID: "g", Path: a, Subject: "user:ann"}) },
		func(tx store.Tx) error { return tx.DropGrantsTo("user:ann") },
		func(tx store.Tx) error { return tx.PutGrant(store.Grant{ID: "g", Path: a, Subject: "user:ann"}) },
		func(tx store.Tx) error { return tx.DropGrant("g") },
	}
	watchWakes(s, func(tx store.Tx, round int) error { return ways[round%len(ways)](tx) })
}

// watchWakes wants the other replica to hear of each change sooner than the wake of
// every second would tell, and to find it.
func watchWakes(s *shared, change func(tx store.Tx, round int) error) {
	replicas := s.replicas(2)
	woken, over := watch(s, replicas[1])
	defer over()
	<-woken // at the start
	const rounds = 10
	var quick int
	for i := range rounds {
		drain(woken)
		replicas[0].update(func(tx store.Tx) error { return change(tx, i) })
		soon := time.NewTimer(400 * time.Millisecond)
		select {
		case <-woken:
			quick++
		case <-soon.C:
		}
		soon.Stop()
		mine, theirs := must[int64](replicas[0])(replicas[0].GrantsChange(s.Context())), must[int64](replicas[1])(replicas[1].GrantsChange(s.Context()))
		if mine != theirs {
			s.Errorf("round %d: the grants have changed %d times here, and %d there", i, mine, theirs)
		}
	}
	// The wake of every second alone would be in time for 4 of 10.
	if quick < rounds-1 {
		s.Errorf("%d of %d changes were told within 400 ms", quick, rounds)
	}
}

func watchTicks(s *shared) {
	woken, over := watch(s, s.replicas(1)[0])
	defer over()
	for range 3 {
		late := time.NewTimer(5 * time.Second)
		select {
		case <-woken:
		case <-late.C:
			s.Fatal("nothing woke the watcher for 5 s")
		}
		late.Stop()
	}
}

// watch runs Watch; over ends it and wants it to end.
func watch(s *shared, r *suite) (woken chan struct{}, over func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	woken = make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		done <- r.Watch(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		}, func(err error) { s.Errorf("lost: %v", err) })
	}()
	return woken, func() {
		cancel()
		if err := <-done; err != nil {
			s.Errorf("Watch = %v, want nil", err)
		}
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
