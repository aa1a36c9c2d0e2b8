package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"portico/internal/parts"
)

// cluster is three gateways that share PostgreSQL and a bucket, with HAProxy in
// front.
type cluster struct {
	t        *testing.T
	postgres parts.PG
	nodes    []*node
	front    *server // through the balancer
}

// node is one gateway.
type node struct {
	*server
	cmd *exec.Cmd
}

// term is how an init system ends a program.
const term = syscall.SIGTERM

// auditKey is what the replicas of a test share.
const auditKey = "an audit key of thirty-two bytes or more"

// newCluster starts it. identity and workspaces are the sections of the config
// that the tests differ in, written with two spaces of indentation.
func newCluster(t *testing.T, identity, workspaces string) *cluster {
	t.Helper()
	return newClusterOver(t, identity, workspaces, func(_ int, storage string) string { return storage })
}

// newClusterOver is newCluster where the nodes' ways to the bucket differ: way
// changes the storage section of the node i.
func newClusterOver(t *testing.T, identity, workspaces string, way func(i int, storage string) string) *cluster {
	t.Helper()
	c := &cluster{t: t, postgres: parts.OwnPostgres(t)}
	storage := inBucket(t, parts.MinIO(t))
	var addresses []string
	for range 3 {
		addresses = append(addresses, freeAddress(t))
	}
	balancer := parts.HAProxy(t, addresses...)
	for i, address := range addresses {
		text := fmt.Sprintf(`
server:
  listen: %q
  public_url: %q
  hosts: [127.0.0.1]
  trusted_proxies: [127.0.0.1]
  replica: r%d
  drain: 2s
state: %q
audit: {key: %q, checkpoints: %q}
storage: {main: %s}
identity:
%s
workspaces:
%s`, address, balancer.URL(), i+1, c.postgres.DSN, auditKey, filepath.Join(t.TempDir(), "checkpoints.jsonl"), way(i, storage), identity, workspaces)
		file := filepath.Join(t.TempDir(), "portico.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, spawnNode(t, file))
	}
	c.front = &server{t: t, url: balancer.URL()}
	eventually(t, "the balancer sees the gateways", func() bool {
		resp, err := http.Get(balancer.URL() + "/healthz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return c
}

func spawnNode(t *testing.T, config string) *node {
	t.Helper()
	s, cmd := spawn(t, config)
	return &node{s, cmd}
}

// kill ends a node as a power cut would.
func (n *node) kill() {
	n.t.Helper()
	if err := n.cmd.Process.Kill(); err != nil {
		n.t.Fatal(err)
	}
	_ = n.cmd.Wait()
}

// again starts a node that was killed, on its old address.
func (n *node) again() {
	n.t.Helper()
	*n = *spawnNode(n.t, n.config)
}

// freeAddress is a port of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// users is an identity section of the config: logins with everybody's password.
func users(logins ...string) string {
	var b strings.Builder
	b.WriteString("  users:\n")
	for _, l := range logins {
		fmt.Fprintf(&b, "    %s: {name: %s Peeters, password: %q}\n", l, strings.ToUpper(l[:1])+l[1:], hash())
	}
	return b.String()
}

// firm is a workspaces section whose rules are those of its root folder.
func firm(grants string) string {
	return "  firm: {storage: main, folders: {/: {grant: {" + grants + "}}}}\n"
}

// within runs f until it agrees, and fails the test if it does so later than the
// promise says.
func within(t *testing.T, promise time.Duration, what string, f func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	eventually(t, what, f)
	took := time.Since(began)
	if took > promise {
		t.Errorf("%s: after %v, promised within %v", what, took, promise)
	}
	return took
}
