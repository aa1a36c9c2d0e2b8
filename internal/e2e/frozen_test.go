package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"portico/audit"
	"portico/store/postgres"
)

// frozenFor is well beyond what the store allows a silent replica (15 s).
const frozenFor = 25 * time.Second

// TestReplicaFreezes halts one of three replicas in the middle of uploads and moves
// of folders, as a host does that swaps or a virtual machine that is paused, and
// lets it go on when the others have taken over. What was acknowledged meanwhile
// is not replaced by what the frozen one was about to do; each folder stands at
// one place, whole; and the audit's chains hold.
func TestReplicaFreezes(t *testing.T) {
	c := newCluster(t, users("alice"), firm(`"user:alice": owner`))
	const folders, members = 8, 12
	for i := range folders {
		c.nodes[1].do("alice", "MKCOL", fmt.Sprintf("/dav/firm/old%d", i), "").want(201)
		for k := range members {
			c.nodes[1].do("alice", "PUT", fmt.Sprintf("/dav/firm/old%d/f%d", i, k), string(content("tree", k))).want(201)
		}
	}
	sick := c.nodes[0]
	d := &dying{t: t, c: &cluster{front: sick.server}, half: make(chan struct{})}
	var moved atomic.Int32
	var g sync.WaitGroup
	for i := range folders {
		g.Go(func() {
			d.request("MOVE", fmt.Sprintf("/dav/firm/old%d", i), nil,
				"Destination", sick.url+fmt.Sprintf("/dav/firm/new%d", i), "Overwrite", "F")
			moved.Add(1)
		})
	}
	stop := make(chan struct{})
	for i := range 6 { // each writes one file over and over, through the replica that will freeze
		g.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					d.request("PUT", fmt.Sprintf("/dav/firm/file%d", i), []byte(fmt.Sprintf("sick %d", n)))
				}
			}
		})
	}
	eventually(t, "some moves are done, and some are not", func() bool { return moved.Load() > 0 })
	signal(t, sick, syscall.SIGSTOP)
	thaw := time.After(frozenFor)
	t.Logf("%d of %d moves were answered before the freeze", moved.Load(), folders)
	well := &dying{t: t, c: &cluster{front: c.nodes[1].server}}
	for i := range 6 { // acknowledged while the other is frozen
		path := fmt.Sprintf("/dav/firm/file%d", i)
		well.until("PUT "+path, func() bool {
			status := well.request("PUT", path, []byte("well"))
			return status == 201 || status == 204
		})
	}
	for i := range folders {
		one := func(s *server, name string) bool {
			return s.do("alice", "PROPFIND", fmt.Sprintf("/dav/firm/%s%d", name, i), "", "Depth", "0").status == 207
		}
		deadline := time.After(40 * time.Second)
		for one(c.nodes[1].server, "new") == one(c.nodes[1].server, "old") {
			select {
			case <-deadline:
				t.Fatalf("folder %d is at both places or at none", i)
			case <-time.After(200 * time.Millisecond):
			}
		}
		// What is free by now belongs to somebody else.
		free := "old"
		if one(c.nodes[1].server, "old") {
			free = "new"
		}
		mk := fmt.Sprintf("/dav/firm/%s%d", free, i)
		well.until("MKCOL "+mk, func() bool { return well.request("MKCOL", mk, nil) == 201 })
		for k := range members {
			well.until("PUT "+mk, func() bool {
				s := well.request("PUT", fmt.Sprintf("%s/f%d", mk, k), []byte("well"))
				return s == 201 || s == 204
			})
		}
	}
	close(stop)
	<-thaw
	signal(t, sick, syscall.SIGCONT)
	g.Wait()
	eventually(t, "the frozen replica is ready again", func() bool { return sick.do("", "GET", "/readyz", "").status == 200 })
	for _, n := range c.nodes {
		for i := range 6 {
			if got := n.do("alice", "GET", fmt.Sprintf("/dav/firm/file%d", i), "").want(200).body; got != "well" {
				t.Errorf("file%d = %q: an acknowledged upload is lost", i, got)
			}
		}
		for i := range folders {
			for k := range members {
				var all []string
				for _, place := range []string{"old", "new"} {
					body := n.do("alice", "GET", fmt.Sprintf("/dav/firm/%s%d/f%d", place, i, k), "").want(200).body
					all = append(all, strings.SplitN(body, " ", 2)[0])
				}
				if got := strings.Join(all, ","); !strings.Contains(got, "well") || got == "well,well" {
					t.Errorf("folder %d, file %d: %q, want one that was moved and one that is new", i, k, got)
				}
			}
		}
	}
	verifyAudit(t, c)
}

func signal(t *testing.T, n *node, sig syscall.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// verifyAudit checks the chains of all replicas.
func verifyAudit(t *testing.T, c *cluster) {
	t.Helper()
	s, err := postgres.Open(t.Context(), c.postgres.DSN, postgres.Options{Replica: "verify"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys, err := audit.NewKeys([]byte(auditKey))
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), s, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		t.Errorf("audit: %+v", f)
	}
}
