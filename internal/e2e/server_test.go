// Package e2e holds the tests that act as users do: they start the real program
// on a free port, over a folder and over MinIO, and drive it with real clients.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/app"
	"portico/internal/parts"
)

const password = "correct-horse-battery" // of every user in these tests

// hash is password's, worked out once: argon2id is slow on purpose.
var hash = sync.OnceValue(func() string {
	var out, errs bytes.Buffer
	if code := app.Run(context.Background(), []string{"hash-password"}, os.LookupEnv, strings.NewReader(password+"\n"), &out, &errs); code != 0 {
		panic(errs.String())
	}
	return strings.TrimSpace(out.String())
})

// server is a running Portico.
type server struct {
	t       *testing.T
	url     string // http://127.0.0.1:PORT
	metrics string
	config  string // the file
	log     *syncBuffer
	stop    func() int
	client  *http.Client // nil for the default one
	ca      string       // the file of the authority of its certificate, if it speaks TLS
}

// storage is a place for the files of a test: the YAML of a config's storage.
type storage struct {
	name string
	yaml func(t *testing.T) string
}

// storages are those that each real client is tried on.
func storages() []storage {
	return []storage{
		{"disk", func(t *testing.T) string { return "{type: local, path: " + t.TempDir() + "}" }},
		{"minio", func(t *testing.T) string { return inBucket(t, parts.MinIO(t)) }},
	}
}

// inBucket is a storage in a new bucket.
func inBucket(t *testing.T, m parts.S3) string {
	t.Helper()
	bucket := "b" + strings.ToLower(rand.Text())
	m.MakeBucket(t, bucket)
	return fmt.Sprintf("{type: minio, endpoint: %q, bucket: %s, access_key: %s, secret_key: %s}",
		m.Endpoint, bucket, m.AccessKey, m.SecretKey)
}

// onEach runs f over each storage.
func onEach(t *testing.T, f func(t *testing.T, st storage)) {
	t.Helper()
	for _, st := range storages() {
		t.Run(st.name, func(t *testing.T) { f(t, st) })
	}
}

// standard is a config with an owner, ann, an editor, bob, and a viewer, eve. ida drops
// files into the inbox.
const standard = `
server: {listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0"}
state: sqlite:%[1]s/portico.db
storage: {main: %[2]s}
identity:
  users:
    ann: {name: Ann Peeters, password: %[3]q}
    bob: {name: Bob Maes, password: %[3]q}
    eve: {name: Eve Claes, password: %[3]q}
    ida: {name: Ida Smets, password: %[3]q}
workspaces:
  firm:
    storage: main
    folders:
      /: {grant: {"user:ann": owner, "user:bob": editor, "user:eve": viewer}}
      /inbox: {inherit: false, grant: {"user:ann": owner, "user:ida": inbox}}
`

// start runs `portico serve` until the test ends.
func start(t *testing.T, st storage) *server {
	t.Helper()
	return serve(t, fmt.Sprintf(standard, t.TempDir(), st.yaml(t), hash()))
}

// serve runs `portico serve` with a config until the test ends.
func serve(t *testing.T, yaml string) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "portico.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, config: file, log: &syncBuffer{}}
	s.run()
	return s
}

// startTLS is start of a server that ends TLS itself, with a certificate that the
// desktops of its clients trust.
func startTLS(t *testing.T, st storage) *server {
	t.Helper()
	cert, key, trust := certificate(t)
	yaml := fmt.Sprintf(standard, t.TempDir(), st.yaml(t), hash())
	s := serve(t, strings.Replace(yaml, "server: {", fmt.Sprintf("server: {tls: {cert: %s, key: %s}, ", cert, key), 1))
	s.url, s.ca = strings.Replace(s.url, "http:", "https:", 1), cert
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// run starts the program and waits until it says where it listens.
func (s *server) run() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	reader, out := io.Pipe()
	from := s.log.Len()
	go func() {
		ended <- app.Run(ctx, []string{"serve", "--config", s.config}, os.LookupEnv, strings.NewReader(""), out, s.log)
		out.Close()
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	s.t.Cleanup(func() {
		if code := s.stop(); code != 0 {
			s.t.Errorf("serve ended with %d; its log:\n%s", code, s.log)
		}
	})
	var said strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(said.String(), "davfs") { // the last line of the welcome
		n, err := reader.Read(buf)
		said.Write(buf[:n])
		if err != nil {
			s.t.Fatalf("serve ended with %d before it listened: %s", s.stop(), s.log)
		}
	}
	go io.Copy(io.Discard, reader) //nolint:errcheck // ends with the program
	m := regexp.MustCompile(`listening on ([0-9.:]+)`).FindStringSubmatch(said.String())
	if m == nil {
		s.t.Fatalf("no address in %q", said.String())
	}
	s.url = "http://" + m[1]
	if m := regexp.MustCompile(`address=(http://\S+/metrics)`).FindStringSubmatch(s.log.String()[from:]); m != nil {
		s.metrics = m[1]
	}
}

// dav is the address of a path in the workspace firm.
func (s *server) dav(path string) string { return s.url + "/dav/firm" + path }

// answer is what came back.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// do sends one request as a user, "" for nobody.
func (s *server) do(user, method, path, body string, header ...string) answer {
	s.t.Helper()
	return s.doAs(user, password, method, path, body, header...)
}

// doAs is do with another password than that of all.
func (s *server) doAs(user, password, method, path, body string, header ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	resp, err := cmp.Or(s.client, http.DefaultClient).Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{s.t, user + " " + method + " " + path, resp.StatusCode, resp.Header, string(b)}
}

// want fails the test unless the status is the one given.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: %d, want %d; %s", a.what, a.status, status, a.body)
	}
	return a
}

// has fails the test unless the body holds text.
func (a answer) has(text string) answer {
	a.t.Helper()
	if !strings.Contains(a.body, text) {
		a.t.Errorf("%s: the body lacks %q: %s", a.what, text, a.body)
	}
	return a
}

// eventually asks again until f agrees, at most for ten seconds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	waitFor(t, 10*time.Second, what, f)
}

// waitFor asks again until f agrees, at most for so long.
func waitFor(t *testing.T, limit time.Duration, what string, f func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", limit, what)
		case <-tick.C:
		}
	}
}

// syncBuffer is a buffer that the program writes and the test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Len()
}
