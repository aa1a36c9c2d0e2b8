package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"portico/config"
)

const password = "correct-horse-battery"

// hashOf is a weak hash, and so quick: these tests check passwords often.
func hashOf(password string) string {
	salt := []byte("sixteen bytes ok")
	sum := argon2.IDKey([]byte(password), salt, 1, 8<<10, 1, 32)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// standard is a config with one user and one workspace. DIR is the test's folder.
const standard = `
server: {listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0"}
state: sqlite:DIR/portico.db
storage: {disk: {type: local, path: DIR/files}}
identity:
  users:
    ann: {password: "HASH"}
workspaces:
  firm: {storage: disk, folders: {/: {grant: {"user:ann": editor}}}}
`

// house is a server process of a test.
type house struct {
	*process
	t    *testing.T
	log  *syncBuffer
	url  string // once it runs
	stop func() error
}

// build opens a process over the standard config with pairs of texts replaced.
func build(t *testing.T, pairs ...string) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, log: &syncBuffer{}}
	text := strings.NewReplacer(append(pairs, "DIR", dir, "HASH", hashOf(password))...).Replace(standard)
	text = strings.NewReplacer("DIR", dir, "HASH", hashOf(password)).Replace(text)
	file := filepath.Join(dir, "portico.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	h.process, err = newServerProcess(t.Context(), cfg, os.LookupEnv, newLogger(h.log, "text", slog.LevelDebug))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// start is build, and runs it until the test ends.
func start(t *testing.T, pairs ...string) *house {
	t.Helper()
	return build(t, pairs...).serve()
}

// serve runs a process that was built until the test ends.
func (h *house) serve() *house {
	t := h.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- h.run(ctx, w)
		w.Close()
	}()
	h.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Errorf("run = %v", err)
		}
	})
	welcome := make([]byte, 4096)
	n, _ := r.Read(welcome)
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if m := regexp.MustCompile(`listening on ([0-9.:]+)`).FindSubmatch(welcome[:n]); m != nil {
		h.url = "http://" + string(m[1])
		return h
	}
	t.Fatalf("serve did not start: %s", h.log)
	return nil
}

// edit writes another config, and takes it over.
func (h *house) edit(was, now string) {
	h.t.Helper()
	b, err := os.ReadFile(h.file)
	if err != nil {
		h.t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(was)) {
		h.t.Fatalf("the config lacks %q", was)
	}
	if err := os.WriteFile(h.file, bytes.Replace(b, []byte(was), []byte(now), 1), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.reloadConfig(h.t.Context())
}

// do sends a request, by ann if a password is given.
func (h *house) do(method, path, body, password string, headers ...string) (status int, text string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if password != "" {
		r.SetBasicAuth("ann", password)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// syncBuffer is a log that can be read while it is written.
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

// eventually waits for what another goroutine does.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(10 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-end:
			tb.Fatalf("not so after 10 s: %s", what)
		}
	}
}

// listener is a free port that is taken.
func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
