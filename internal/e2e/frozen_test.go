package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"portico/audit"
	"portico/internal/parts"
	"portico/store/postgres"
)

// frozenFor is well beyond what the store allows a silent replica (15 s).
const frozenFor = 25 * time.Second

// TestReplicaFreezes halts one of three replicas in the middle of uploads and moves
// of folders, as a host does that swaps or a virtual machine that is paused, and
// lets it go on when the others have taken over. What was acknowledged meanwhile
// is not replaced by what the frozen one was about to do; each folder stands at
// one place, whole; and the audit's chains hold.
//
// A request that waited at the frozen one, and was answered with yes after it went
// on, is a new request of then: it may replace what is there. That is told apart by
// the answer, since who publishes by a claim of before the freeze says 503. The
// moves say "Overwrite: F", and by then both ends of each are taken.
//
// The frozen one's answers from the bucket are slow, so that it is frozen between a
// look under its claim and the write that follows: the answer is there when it goes
// on, and the write is the next thing that it does.
func TestReplicaFreezes(t *testing.T) {
	var slow *slowStore
	c := newClusterOver(t, users("alice"), firm(`"user:alice": owner`), func(i int, storage string) string {
		if i > 0 {
			return storage
		}
		slow = newSlowStore(t, parts.MinIO(t).Endpoint)
		return strings.Replace(storage, parts.MinIO(t).Endpoint, slow.url, 1)
	})
	const folders, members = 8, 12
	for i := range folders {
		c.nodes[1].do("alice", "MKCOL", fmt.Sprintf("/dav/firm/old%d", i), "").want(201)
		for k := range members {
			c.nodes[1].do("alice", "PUT", fmt.Sprintf("/dav/firm/old%d/f%d", i, k), string(content("tree", k))).want(201)
		}
	}
	sick := c.nodes[0]
	d := &dying{t: t, c: &cluster{front: sick.server}, half: make(chan struct{})}
	slow.on.Store(true)
	var moved atomic.Int32
	var thawed atomic.Bool
	var late [6]atomic.Value // what was acknowledged after that
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
					body := fmt.Sprintf("sick %d", n)
					status := d.request("PUT", fmt.Sprintf("/dav/firm/file%d", i), []byte(body))
					if thawed.Load() && (status == 201 || status == 204) {
						late[i].Store(body)
					}
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
	takenUp(t, c)
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
	thawed.Store(true)
	signal(t, sick, syscall.SIGCONT)
	g.Wait()
	eventually(t, "the frozen replica is ready again", func() bool { return sick.do("", "GET", "/readyz", "").status == 200 })
	for _, n := range c.nodes {
		for i := range 6 {
			if got := n.do("alice", "GET", fmt.Sprintf("/dav/firm/file%d", i), "").want(200).body; got != "well" && got != late[i].Load() {
				t.Errorf("file%d = %q: an acknowledged upload is lost (acknowledged since: %v)", i, got, late[i].Load())
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

// slowStore stands before a store, and takes its time with the answers to reads.
type slowStore struct {
	url string
	on  atomic.Bool
}

// slowness is long beside what lies between two calls to the bucket, so that
// nearly all work stands at one of them at any moment.
const slowness = 200 * time.Millisecond

func newSlowStore(t *testing.T, endpoint string) *slowStore {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowStore{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if m := r.Request.Method; s.on.Load() && (m == http.MethodGet || m == http.MethodHead) {
				<-time.After(slowness)
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // it tells of each connection that the fence closed
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	s.url = front.URL
	return s
}

// takenUp waits until what the frozen one has begun to move is ended by others:
// until then it shows at its old place, and may go on to the new one.
func takenUp(t *testing.T, c *cluster) {
	t.Helper()
	s, err := postgres.Open(t.Context(), c.postgres.DSN, postgres.Options{Replica: "look"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.After(90 * time.Second); ; {
		left, err := s.Moves(t.Context())
		if err == nil && len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%d moves are not taken up (%v)", len(left), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
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
