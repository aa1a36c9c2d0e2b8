package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// crowd are three processes at which things happen in an order that its seed gives.
type crowd struct {
	*testing.T
	rs   []*replica
	seed uint64

	mu    sync.Mutex
	rng   *rand.Rand
	acked map[string]string // the bodies that somebody was told are stored, by file name
	log   []string
}

// idle lets others run for a while; all of a bubble's waits together take no time.
func (c *crowd) idle() {
	time.Sleep(time.Duration(c.pick(6)) * time.Millisecond)
}

// pick is a number below n.
func (c *crowd) pick(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

func (c *crowd) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, fmt.Sprintf(format, args...))
}

func newCrowd(t *testing.T, shape mem2backend, seed uint64) *crowd {
	t.Helper()
	c := &crowd{T: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), acked: map[string]string{}}
	c.rs = replicas(t, 3, shape, options{})
	c.rs[0].seed("ann", "/firm/a/0", "/firm/a/e/1", "/lab/")
	for _, r := range c.rs {
		r.follow()
		r.step = func(string) error { c.idle(); return nil }
	}
	c.acked["0"], c.acked["1"] = "/firm/a/0", "/firm/a/e/1"
	return c
}

// put stores a file of its own name at one of the folder's places.
func (c *crowd) put(r *replica, dir, name string) {
	c.idle()
	p := vpath.Must(dir + "/" + name)
	body := hold(name, c.idle)
	_, _, err := r.as("ann").tree().Put(c.Context(), p, body, files.PutOptions{Size: -1})
	c.note("%s put %s: %v", r.name, p, err)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.acked[name] = name
		return
	}
	c.expected(err)
}

func (c *crowd) move(r *replica, from, to string) {
	c.idle()
	_, err := r.as("ann").tree().Move(c.Context(), vpath.Must(from), vpath.Must(to), files.TransferOptions{})
	c.note("%s move %s %s: %v", r.name, from, to, err)
	c.expected(err)
}

// expected are the answers to one who comes too late.
func (c *crowd) expected(err error) {
	for _, kind := range []error{
		nil, fs.ErrNotExist, fault.ErrNoParent, fault.ErrUnavailable, fault.ErrPrecondition, fault.ErrConflict,
	} {
		if errors.Is(err, kind) {
			return
		}
	}
	c.Errorf("seed %d: unexpected: %v", c.seed, err)
}

// run lets everybody do something at once.
func (c *crowd) run() {
	var all sync.WaitGroup
	some := func() *replica { return c.rs[c.pick(len(c.rs))] }
	places := []string{"/firm/a", "/firm/b", "/lab/c"}
	for i := range 12 {
		r, dir, name, later := some(), places[c.pick(3)], fmt.Sprintf("f%d", i), time.Duration(c.pick(150))*time.Millisecond
		all.Go(func() { time.Sleep(later); c.put(r, dir, name) })
	}
	for range 3 {
		i := c.pick(3)
		r, from, to := some(), places[i], places[(i+1+c.pick(2))%3]
		all.Go(func() { c.move(r, from, to) })
	}
	all.Wait()
}

// check looks at what has become of it, after all is over.
func (c *crowd) check(whole bool) {
	c.Helper()
	for _, r := range c.rs {
		r.step = nil
	}
	last := c.rs[slices.IndexFunc(c.rs, func(r *replica) bool { return !r.dead.Load() })]
	last.settle()
	if n := last.held(); n > 0 {
		c.Errorf("seed %d: %d claims are held", c.seed, n)
	}
	found, places := map[string]string{}, 0
	for _, place := range []string{"/firm/a", "/firm/b", "/lab/c"} {
		list := last.tree(place)
		if last.isThere(place) {
			places++
		}
		for _, line := range list {
			if name, body, ok := strings.Cut(line, "="); ok {
				found[name[strings.LastIndex(name, "/")+1:]] = body
			}
		}
	}
	for name, body := range c.acked {
		if found[name] != body {
			c.Errorf("seed %d: %s is lost, or holds %q: %q %q", c.seed, name, found[name], last.tree("/firm"), c.log)
		}
	}
	if whole && places != 1 {
		c.Errorf("seed %d: the folder is at %d places: %q %q %q", c.seed, places, last.tree("/firm"), last.tree("/lab"), c.log)
	}
}

// Uploads into a folder that others move to and fro, each through another process:
// what anybody was told is stored is stored, and the folder is at one place.
func TestUploadsAndMovesOfManyProcesses(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		for seed := range uint64(70) {
			synctest.Test(on.T, func(t *testing.T) {
				c := newCrowd(t, shape, seed)
				c.run()
				c.check(true)
			})
		}
	})
}

// The same where one of the processes dies at some moment.
func TestUploadsAndMovesWhileAProcessDies(t *testing.T) {
	t.Parallel()
	everyShape(t, func(on *onShape) {
		shape := on.shape
		for seed := range uint64(70) {
			synctest.Test(on.T, func(t *testing.T) {
				c := newCrowd(t, shape, seed)
				at := time.Duration(c.pick(100)) * time.Millisecond
				for _, r := range c.rs {
					r.deaf = seed%2 == 0 // what it must know, it asks the store
				}
				var dying sync.WaitGroup
				dying.Go(func() { time.Sleep(at); c.rs[1].kill(); c.note("r1 dies") })
				c.run()
				dying.Wait()
				c.check(true)
			})
		}
	})
}

// The same where the state store breaks off for a moment, and all claims with it.
// A call that is on its way then may still be done: nobody is told that it was.
func TestUploadsAndMovesWhileClaimsAreLost(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]mem2backend{"objects": mem.Objects, "bare": mem.Bare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(70) {
				synctest.Test(t, func(t *testing.T) {
					c := newCrowd(t, shape, seed)
					at := time.Duration(c.pick(100)) * time.Millisecond
					var breaking sync.WaitGroup
					breaking.Go(func() {
						time.Sleep(at)
						for _, r := range c.rs {
							r.lose()
						}
						c.note("all claims are lost")
					})
					c.run()
					breaking.Wait()
					c.check(false)
				})
			}
		})
	}
}
