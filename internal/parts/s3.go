package parts

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a store that runs.
type S3 struct {
	Endpoint  string // "http://127.0.0.1:PORT"
	AccessKey string
	SecretKey string
	Dir       string // the store's data

	p *process
}

// The credentials of all stores that this package starts.
const (
	accessKey = "portico-test"
	secretKey = "portico-test-secret"
)

// stores are those that a process shares between its tests.
type stores struct {
	mu     sync.Mutex
	on     bool // Main runs, and will end them
	byKind map[string]*S3
	slapd  *LDAP     // see Slapd
	pg     *postgres // see Postgres
}

// shared belongs to the process as its TestMain does.
//
//nolint:gochecknoglobals // testing offers no other place between TestMain and a test
var shared stores

// Main runs the tests of a package whose MinIO and VersityGW are started once,
// by the first test that asks, and ended after the last:
//
//	func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }
func Main(m *testing.M) int {
	shared.mu.Lock()
	shared.on, shared.byKind, shared.slapd, shared.pg = true, map[string]*S3{}, nil, nil
	shared.mu.Unlock()
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.slapd != nil {
		shared.slapd.p.stop()
		if err := os.RemoveAll(shared.slapd.Dir); err != nil && code == 0 {
			code = 1
		}
	}
	if shared.pg != nil {
		if err := shared.pg.remove(); err != nil && code == 0 {
			code = 1
		}
	}
	for _, s := range shared.byKind {
		s.p.stop()
		if err := os.RemoveAll(s.Dir); err != nil && code == 0 {
			code = 1
		}
	}
	shared.on = false
	return code
}

// MinIO is a MinIO server: the process's own under Main, else one for this
// test. Tests that stop it take OwnMinIO.
func MinIO(tb testing.TB) S3 {
	tb.Helper()
	return common(tb, "minio", newMinIO)
}

// OwnMinIO is a MinIO server that no other test uses.
func OwnMinIO(tb testing.TB) S3 {
	tb.Helper()
	return own(tb, newMinIO)
}

// VersityGW is versitygw over a folder: the second S3 store, which keeps objects
// as plain files and so has no file and folder of one name.
func VersityGW(tb testing.TB) S3 {
	tb.Helper()
	return common(tb, "versitygw", newVersityGW)
}

func newMinIO(dir string) (*S3, error) {
	return newS3("minio", dir, "/minio/health/ready",
		func(port string) []string {
			return []string{"server", "--quiet", "--address", "127.0.0.1:" + port, "--console-address", "127.0.0.1:0", dir}
		},
		"MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "CI=true") // CI: a single disk of any size will do
}

func newVersityGW(dir string) (*S3, error) {
	return newS3("versitygw", dir, "/health",
		func(port string) []string {
			return []string{"--quiet", "--keep-alive", "--health", "/health", "--port", "127.0.0.1:" + port, "posix", dir}
		},
		"ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
}

func newS3(name, dir, health string, args func(port string) []string, env ...string) (*S3, error) {
	path, err := tool(name)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &S3{Endpoint: "http://127.0.0.1:" + port, AccessKey: accessKey, SecretKey: secretKey, Dir: dir}
	s.p = &process{path: path, args: args(port), env: env, health: s.Endpoint + health}
	if err := s.p.start(); err != nil {
		s.p.stop()
		return nil, err
	}
	return s, nil
}

// own starts a store that ends with the test.
func own(tb testing.TB, start func(dir string) (*S3, error)) S3 {
	tb.Helper()
	s, err := start(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.p.stop)
	return *s
}

// common is the process's store of one kind.
func common(tb testing.TB, kind string, start func(dir string) (*S3, error)) S3 {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.on {
		return own(tb, start)
	}
	if s := shared.byKind[kind]; s != nil {
		return *s
	}
	dir, err := os.MkdirTemp("", "portico-"+kind+"-") //nolint:usetesting // outlives the test; Main removes it
	if err != nil {
		tb.Fatal(err)
	}
	s, err := start(dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		tb.Fatal(err)
	}
	shared.byKind[kind] = s
	return *s
}

// PID is the server's process, 0 while it is stopped.
func (s S3) PID() int { return s.p.pid() }

// Client is a plain client of the store, for what other tools would do.
func (s S3) Client(tb testing.TB) *minio.Core {
	tb.Helper()
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := minio.NewCore(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""),
		Region: "us-east-1",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// MakeBucket makes a bucket, which must not exist.
func (s S3) MakeBucket(tb testing.TB, name string) {
	tb.Helper()
	if err := s.Client(tb).MakeBucket(tb.Context(), name, minio.MakeBucketOptions{}); err != nil {
		tb.Fatalf("MakeBucket(%q): %v", name, err)
	}
}

// Stop ends the server, as an outage does: connections are refused.
func (s S3) Stop(tb testing.TB) {
	tb.Helper()
	s.p.stop()
}

// Start runs a stopped server again, with its data and its port.
func (s S3) Start(tb testing.TB) {
	tb.Helper()
	if err := s.p.start(); err != nil {
		tb.Fatal(err)
	}
}

// Freeze stops the server's clock: connections are taken and nothing is
// answered, the worst kind of outage. The test's end thaws it.
func (s S3) Freeze(tb testing.TB) {
	tb.Helper()
	if err := s.p.signal(syscall.SIGSTOP); err != nil {
		tb.Fatal(err)
	}
	awaitHalt(tb, s.PID())
	tb.Cleanup(func() { _ = s.p.signal(syscall.SIGCONT) })
}

// Thaw lets a frozen server go on.
func (s S3) Thaw(tb testing.TB) {
	tb.Helper()
	if err := s.p.signal(syscall.SIGCONT); err != nil {
		tb.Fatal(err)
	}
}

// Kill ends the server with SIGKILL, as a power cut does.
func (s S3) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.p.signal(syscall.SIGKILL); err != nil {
		tb.Fatal(fmt.Errorf("kill: %w", err))
	}
	s.p.stop()
}

// Pending lists the keys of a bucket's open multipart uploads.
func (s S3) Pending(tb testing.TB, bucket string) []string {
	tb.Helper()
	res, err := s.Client(tb).ListMultipartUploads(context.WithoutCancel(tb.Context()), bucket, "", "", "", "", 1000)
	if err != nil {
		tb.Fatal(err)
	}
	keys := make([]string, len(res.Uploads))
	for i, u := range res.Uploads {
		keys[i] = u.Key
	}
	return keys
}
