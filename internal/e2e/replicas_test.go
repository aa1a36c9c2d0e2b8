package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/app"
)

// TestReplicasAgree: what one gateway has done the others know, at once.
func TestReplicasAgree(t *testing.T) {
	c := newCluster(t, users("alice", "bob"), firm(`"user:alice": editor, "user:bob": editor`))
	one, two, three := c.nodes[0], c.nodes[1], c.nodes[2]
	one.do("alice", "PUT", "/dav/firm/plan.txt", "v1").want(201)
	for _, n := range c.nodes {
		if got := n.do("bob", "GET", "/dav/firm/plan.txt", "").want(200).body; got != "v1" {
			t.Errorf("GET = %q", got)
		}
	}
	const lock = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`
	token := strings.Trim(one.do("alice", "LOCK", "/dav/firm/plan.txt", lock).want(200).header.Get("Lock-Token"), "<>")
	for _, n := range []*node{two, three} {
		n.do("bob", "PUT", "/dav/firm/plan.txt", "bob's").want(423).has("Alice Peeters")
		n.do("bob", "DELETE", "/dav/firm/plan.txt", "").want(423).has("Alice Peeters")
		n.do("bob", "LOCK", "/dav/firm/plan.txt", lock).want(423)
		n.do("bob", "PROPFIND", "/dav/firm/plan.txt", "", "Depth", "0").want(207).has("lockdiscovery")
	}
	// Her own drive may come by another gateway at any moment.
	three.do("alice", "PUT", "/dav/firm/plan.txt", "v2", "If", "(<"+token+">)").want(204)
	two.do("alice", "LOCK", "/dav/firm/plan.txt", "", "If", "(<"+token+">)").want(200)
	three.do("alice", "UNLOCK", "/dav/firm/plan.txt", "", "Lock-Token", "<"+token+">").want(204)
	one.do("bob", "PUT", "/dav/firm/plan.txt", "v3").want(204)

	one.do("bob", "PROPPATCH", "/dav/firm/plan.txt",
		`<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><colour xmlns="urn:x">blue</colour></D:prop></D:set></D:propertyupdate>`).want(207)
	three.do("bob", "PROPFIND", "/dav/firm/plan.txt", `<D:propfind xmlns:D="DAV:"><D:prop><colour xmlns="urn:x"/></D:prop></D:propfind>`,
		"Depth", "0").want(207).has("blue")
}

// TestReplicasRaceForOneLock: of three who lock at once, one gets it.
func TestReplicasRaceForOneLock(t *testing.T) {
	c := newCluster(t, users("alice", "bob", "carl"), firm("everyone: editor"))
	const lock = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`
	for round := range 10 {
		path := fmt.Sprintf("/dav/firm/f%d.txt", round)
		c.nodes[0].do("alice", "PUT", path, "x").want(201)
		var got, refused atomic.Int32
		var g sync.WaitGroup
		for i, who := range []string{"alice", "bob", "carl"} {
			g.Go(func() {
				switch a := c.nodes[i].do(who, "LOCK", path, lock); a.status {
				case 200:
					got.Add(1)
				case 423:
					refused.Add(1)
				default:
					t.Errorf("LOCK: %d %s", a.status, a.body)
				}
			})
		}
		g.Wait()
		if got.Load() != 1 || refused.Load() != 2 {
			t.Errorf("round %d: %d got the lock, %d were refused", round, got.Load(), refused.Load())
		}
	}
}

// The work under way when a replica dies.
const (
	dyingUploads = 200
	dyingMoves   = 20
	dyingMembers = 8 // files in each folder that moves
)

// TestReplicaDies kills one of three replicas with SIGKILL in the middle of 200
// uploads and 20 moves of folders. Everything that was acknowledged is there;
// each folder is at one place, whole; and a client that tries again gets its
// work done through the balancer.
func TestReplicaDies(t *testing.T) {
	c := newCluster(t, users("alice"), firm(`"user:alice": owner`))
	for i := range dyingMoves {
		c.front.do("alice", "MKCOL", fmt.Sprintf("/dav/firm/old%d", i), "").want(201)
		for k := range dyingMembers {
			c.front.do("alice", "PUT", fmt.Sprintf("/dav/firm/old%d/f%d", i, k), string(content("tree", k))).want(201)
		}
	}
	d := &dying{t: t, c: c, half: make(chan struct{})}
	uploads, moves := make(chan int), make(chan int)
	var g sync.WaitGroup
	for range 6 {
		g.Go(func() {
			for i := range uploads {
				d.upload(i)
			}
		})
	}
	for range 2 {
		g.Go(func() {
			for i := range moves {
				d.move(i)
			}
		})
	}
	g.Go(func() { feed(uploads, dyingUploads) })
	g.Go(func() { feed(moves, dyingMoves) })
	<-d.half
	c.nodes[0].kill()
	g.Wait()
	if d.retries.Load() == 0 {
		t.Error("nothing was tried again: the replica died beside the work, and the test shows nothing")
	}
	for _, n := range c.nodes[1:] {
		d.verify(n.server)
	}
	c.nodes[0].again()
	d.verify(c.nodes[0].server)
	d.audited(c.nodes[1].config)
	t.Logf("%d uploads and %d moves through the balancer, %d tries again after the kill, 0 lost, 0 half", dyingUploads, dyingMoves, d.retries.Load())
}

func feed(to chan<- int, n int) {
	defer close(to)
	for i := range n {
		to <- i
	}
}

// dying is the work of TestReplicaDies.
type dying struct {
	t       *testing.T
	c       *cluster
	done    atomic.Int32
	retries atomic.Int32
	half    chan struct{} // closed in the middle of the work
}

// upload tries until the file is acknowledged.
func (d *dying) upload(i int) {
	path := fmt.Sprintf("/dav/firm/up%d.bin", i)
	d.until("PUT "+path, func() bool {
		status := d.request("PUT", path, content(path, i))
		return status == 201 || status == 204
	})
	if d.done.Add(1) == dyingUploads/3 {
		close(d.half)
	}
}

// move tries until the folder is at its new place. Where the answer was lost, a
// second try finds nothing at the old place any more.
func (d *dying) move(i int) {
	from, to := fmt.Sprintf("/dav/firm/old%d", i), fmt.Sprintf("/dav/firm/new%d", i)
	d.until("MOVE "+from, func() bool {
		status := d.request("MOVE", from, nil, "Destination", d.c.front.url+to, "Overwrite", "F")
		if status == 201 {
			return true
		}
		return (status == 404 || status == 412) && d.request("PROPFIND", to, nil, "Depth", "0") == 207 &&
			d.request("PROPFIND", from, nil, "Depth", "0") == 404
	})
}

// until repeats f, as a client does that was cut off or told to come again.
func (d *dying) until(what string, f func() bool) {
	deadline := time.Now().Add(90 * time.Second)
	for !f() {
		d.retries.Add(1)
		if time.Now().After(deadline) {
			d.t.Errorf("%s does not succeed", what)
			return
		}
		<-time.After(200 * time.Millisecond) // a client's pause
	}
}

// request gives the status, 0 where the connection broke. What no client could
// get over is an error.
func (d *dying) request(method, path string, body []byte, header ...string) int {
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.c.front.url+path, bytes.NewReader(body))
	if err != nil {
		d.t.Error(err)
		return 0
	}
	r.SetBasicAuth("alice", password)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	switch resp.StatusCode {
	case 201, 204, 207, 404, 412, 502, 503, 504, 423:
	default:
		d.t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp.StatusCode
}

// verify looks at all of it through one replica. A move that a dead replica had
// begun may still be under way; it ends by itself.
func (d *dying) verify(s *server) {
	d.t.Helper()
	for i := range dyingUploads {
		path := fmt.Sprintf("/dav/firm/up%d.bin", i)
		if got := s.do("alice", "GET", path, "").want(200).body; got != string(content(path, i)) {
			d.t.Errorf("GET %s: %d bytes that were not uploaded", path, len(got))
		}
	}
	for i := range dyingMoves {
		eventually(d.t, fmt.Sprintf("folder %d stands at its new place alone", i), func() bool {
			return s.do("alice", "PROPFIND", fmt.Sprintf("/dav/firm/new%d", i), "", "Depth", "0").status == 207 &&
				s.do("alice", "PROPFIND", fmt.Sprintf("/dav/firm/old%d", i), "", "Depth", "0").status == 404
		})
		for k := range dyingMembers {
			path := fmt.Sprintf("/dav/firm/new%d/f%d", i, k)
			if got := s.do("alice", "GET", path, "").want(200).body; got != string(content("tree", k)) {
				d.t.Errorf("GET %s: %d bytes, not those that were there", path, len(got))
			}
		}
	}
}

// audited: the chains of all three replicas hold, over the death of one, and each
// acknowledged change has its row.
func (d *dying) audited(config string) {
	d.t.Helper()
	if code, out := run(d.t, "audit", "verify", "--config", config); code != 0 {
		d.t.Errorf("audit verify: %d\n%s", code, out)
	}
	_, out := run(d.t, "audit", "export", "--config", config, "--format", "jsonl")
	done := map[string]bool{}
	for line := range strings.Lines(out) {
		var row struct {
			Action, Path, Replica string
			Allowed               bool
			Error                 string
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			d.t.Fatalf("%v: %s", err, line)
		}
		done["replica "+row.Replica] = true
		if row.Allowed && row.Error == "" {
			done[row.Action+" "+row.Path] = true
		}
	}
	for i := range dyingUploads {
		if what := fmt.Sprintf("put /firm/up%d.bin", i); !done[what] {
			d.t.Errorf("the audit has no row of %s, which was acknowledged", what)
		}
	}
	for i := range dyingMoves {
		if what := fmt.Sprintf("move /firm/old%d", i); !done[what] {
			d.t.Errorf("the audit has no row of %s, which was acknowledged", what)
		}
	}
	for _, r := range []string{"r1", "r2", "r3"} {
		if !done["replica "+r] {
			d.t.Errorf("the audit has no row of %s", r)
		}
	}
}

// run runs a command of the program, and gives its exit code and all that it said.
func run(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var said, errs bytes.Buffer
	code = app.Run(t.Context(), args, os.LookupEnv, strings.NewReader(""), &said, &errs)
	return code, said.String() + errs.String()
}

// TestReplicaDrains: a replica that is told to end is red before it stops, so
// that the balancer takes it out, and no request is lost.
func TestReplicaDrains(t *testing.T) {
	c := newCluster(t, users("alice"), firm(`"user:alice": owner`))
	n := c.nodes[0]
	if err := n.cmd.Process.Signal(term); err != nil {
		t.Fatal(err)
	}
	eventually(t, "readyz is red", func() bool { return n.do("", "GET", "/readyz", "").status == 503 })
	n.do("alice", "PUT", "/dav/firm/late.txt", "x").want(201) // those that still come are served
	for i := range 100 {
		c.front.do("alice", "PUT", fmt.Sprintf("/dav/firm/d%d.txt", i), "x").want(201)
	}
	if err := n.cmd.Wait(); err != nil {
		t.Errorf("the replica ended with %v:\n%s", err, n.log)
	}
}

// TestPostgresAway: without the store nothing is answered that only the store
// knows, and everything goes on when it is back.
func TestPostgresAway(t *testing.T) {
	c := newCluster(t, users("alice"), firm(`"user:alice": owner`))
	n := c.nodes[0]
	n.do("alice", "PUT", "/dav/firm/a.txt", "v1").want(201)
	c.postgres.Stop(t)
	within(t, 5*time.Second, "readyz is red", func() bool { return n.do("", "GET", "/readyz", "").status == 503 })
	n.do("alice", "PUT", "/dav/firm/a.txt", "v2").want(503)
	n.do("alice", "DELETE", "/dav/firm/a.txt", "").want(503)
	n.do("alice", "LOCK", "/dav/firm/a.txt", `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`).want(503)
	n.do("alice", "GET", "/dav/firm/a.txt", "").want(503)
	n.doAs("alice", "a wrong password", "GET", "/dav/firm/a.txt", "").want(503) // the throttle is there too
	c.postgres.Start(t)
	eventually(t, "readyz is green", func() bool { return n.do("", "GET", "/readyz", "").status == 200 })
	if got := n.do("alice", "GET", "/dav/firm/a.txt", "").want(200).body; got != "v1" {
		t.Errorf("GET = %q, want what stood there before", got)
	}
	n.do("alice", "PUT", "/dav/firm/a.txt", "v2").want(204)
}
