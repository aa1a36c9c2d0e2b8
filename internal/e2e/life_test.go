package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"portico/internal/parts"
)

// edit replaces text in the config that the server watches.
func (s *server) edit(was, now string) {
	s.t.Helper()
	b, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(was)) {
		s.t.Fatalf("the config lacks %q", was)
	}
	next := s.config + ".new"
	if err := errors.Join(os.WriteFile(next, bytes.Replace(b, []byte(was), []byte(now), 1), 0o600), os.Rename(next, s.config)); err != nil {
		s.t.Fatal(err)
	}
}

// TestReload changes the config under a running server: a right one counts
// without a restart, a faulty one leaves the rules as they are and is reported.
func TestReload(t *testing.T) {
	s := start(t, storages()[0])
	s.do("bob", "PUT", "/dav/firm/a.txt", "x").want(201)
	s.do("eve", "PUT", "/dav/firm/a.txt", "x").want(403).has("eve may not write /firm/a.txt")

	s.edit(`"user:eve": viewer`, `"user:eve": editor`)
	eventually(t, "eve may write", func() bool { return s.do("eve", "PUT", "/dav/firm/a.txt", "x").status == 204 })

	s.edit(`"user:eve": editor`, `"user:eve": emperor`)
	eventually(t, "the fault is in readyz", func() bool {
		return strings.Contains(s.do("", "GET", "/readyz", "").want(200).body, "config: the file has a fault")
	})
	s.do("eve", "PUT", "/dav/firm/a.txt", "x").want(204)
	if !strings.Contains(s.log.String(), "emperor") {
		t.Errorf("the log does not name the fault:\n%s", s.log)
	}
	metrics := server{t: t, url: strings.TrimSuffix(s.metrics, "/metrics")}
	metrics.do("", "GET", "/metrics", "").want(200).has("portico_config_stale 1").has(`portico_config_reloads_total{result="refused"} 1`)

	s.edit("emperor", "viewer")
	eventually(t, "eve may not write", func() bool { return s.do("eve", "PUT", "/dav/firm/a.txt", "x").status == 403 })
	s.do("", "GET", "/readyz", "").want(200).has("config: ok")

	// Somebody who is taken out is out at once, with a password that was cached.
	s.edit("    eve: {", "    tom: {")
	s.edit(`"user:eve": viewer`, `"user:tom": viewer`)
	eventually(t, "eve is out", func() bool { return s.do("eve", "GET", "/dav/firm/a.txt", "").status == 401 })
	s.do("tom", "GET", "/dav/firm/a.txt", "").want(200)
}

// TestStorageAway takes MinIO away and gives it back.
func TestStorageAway(t *testing.T) {
	m := parts.OwnMinIO(t)
	s := serve(t, fmt.Sprintf(standard, t.TempDir(), inBucket(t, m), hash()))
	s.do("bob", "PUT", "/dav/firm/a.txt", "safe").want(201)
	s.do("", "GET", "/readyz", "").want(200)

	m.Stop(t)
	for _, method := range []string{"GET", "PUT", "DELETE", "PROPFIND", "MKCOL"} {
		path := "/dav/firm/a.txt"
		if method == "MKCOL" {
			path = "/dav/firm/new"
		}
		a := s.do("bob", method, path, "", "Depth", "0").want(503)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: 503 without Retry-After", method)
		}
		if strings.Contains(a.body, "127.0.0.1") || strings.Contains(a.body, "dial") {
			t.Errorf("%s tells internals: %s", method, a.body)
		}
	}
	s.do("", "GET", "/readyz", "").want(503).has("storage main: unavailable").has("state: ok")
	s.do("", "GET", "/healthz", "").want(200)

	m.Start(t)
	eventually(t, "the drive works again by itself", func() bool { return s.do("bob", "GET", "/dav/firm/a.txt", "").status == 200 })
	s.do("bob", "PUT", "/dav/firm/a.txt", "still safe").want(204)
	s.do("", "GET", "/readyz", "").want(200)
}

// TestSecondProcess wants a second server on the same state refused, in words.
func TestSecondProcess(t *testing.T) {
	s := start(t, storages()[0])
	exe, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, "serve", "--config", s.config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "portico.db") || !strings.Contains(string(out), "another") {
		t.Errorf("a second process: %v, %s", err, out)
	}
}

// TestHost wants requests under a foreign name refused, but for the health of the server.
func TestHost(t *testing.T) {
	s := start(t, storages()[0])
	for _, c := range []struct {
		host, path string
		want       int
	}{
		{"evil.example", "/dav/firm/", 421},
		{"localhost", "/dav/firm/", 200},
		{"evil.example", "/healthz", 200},
		{"evil.example", "/readyz", 200},
	} {
		s.do("bob", "GET", c.path, "", "Host", c.host).want(c.want)
	}
	s.do("bob", "PUT", "/dav/firm/x", "x", "Sec-Fetch-Site", "cross-site").want(403)
	s.do("bob", "DELETE", "/dav/firm/x", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").want(403)
	s.do("", "OPTIONS", "/", "").want(200)
	s.do("", "GET", "/", "").want(200).has("Map network drive")
	s.do("", "GET", "/assets/style.css", "").want(200)
	s.do("bob", "GET", "/dav/firm/"+strings.Repeat("a", 5000), "").want(414)
	if id := s.do("", "GET", "/davx", "").want(404).header.Get("X-Request-Id"); id == "" || !strings.Contains(s.log.String(), "request_id="+id) {
		t.Errorf("the request id %q is not in the log", id)
	}
}

// TestTLS serves over TLS with a certificate made for the test.
func TestTLS(t *testing.T) {
	s := startTLS(t, storages()[0])
	s.client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	r, err := http.NewRequestWithContext(t.Context(), "PUT", s.dav("/a.txt"), strings.NewReader("over TLS"))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("bob", password)
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 201 || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("PUT over TLS: %s, %s, %v", resp.Status, resp.Proto, resp.Header)
	}
}

// TestShutdown ends the server in the middle of an upload, which comes to its end.
func TestShutdown(t *testing.T) {
	s := start(t, storages()[0])
	body, feed := io.Pipe()
	status := make(chan int, 1)
	go func() {
		r, _ := http.NewRequest("PUT", s.dav("/slow.bin"), body)
		r.SetBasicAuth("bob", password)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	if _, err := io.WriteString(feed, "first "); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the upload is under way", func() bool { return s.uploads() == "1" })
	ended := make(chan int, 1)
	go func() { ended <- s.stop() }()
	eventually(t, "the server is stopping", func() bool { return strings.Contains(s.log.String(), "stopping") })
	if _, err := io.WriteString(feed, "second"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if got := <-status; got != 201 {
		t.Errorf("the upload under way: %d, want 201", got)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.run() // on the same state and storage
	s.do("bob", "GET", "/dav/firm/slow.bin", "").want(200).has("first second")
}

// uploads is what the metrics say of the uploads in flight.
func (s *server) uploads() string {
	s.t.Helper()
	metrics := server{t: s.t, url: strings.TrimSuffix(s.metrics, "/metrics")}
	for line := range strings.Lines(metrics.do("", "GET", "/metrics", "").want(200).body) {
		if value, ok := strings.CutPrefix(line, "portico_uploads_in_flight "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
