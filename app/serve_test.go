package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// noBucket is an S3 store that has no bucket.
func noBucket(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code></Error>")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// run runs a command to its end; the end of what serves comes once it does.
func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var e bytes.Buffer
	o := &untilServing{end: cancel}
	code = Run(ctx, args, os.LookupEnv, strings.NewReader(""), o, &e)
	return code, o.String(), e.String()
}

type untilServing struct {
	bytes.Buffer
	end func()
}

func (u *untilServing) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("Portico serves")) {
		u.end()
	}
	return u.Buffer.Write(p)
}

// TestServeStarts is the table of what an admin meets at the first start: the
// exit code, and a text that names the key and the mend.
func TestServeStarts(t *testing.T) {
	taken := listener(t)
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		was, now string
		code     int
		says     []string
	}{
		{"right", "", "", exitOK, nil},
		{"port in use", `listen: "127.0.0.1:0"`, `listen: "` + taken.Addr().String() + `"`, exitError, []string{"server.listen", "another program listens there"}},
		{"metrics port in use", `metrics_listen: "127.0.0.1:0"`, `metrics_listen: "` + taken.Addr().String() + `"`, exitError, []string{"server.metrics_listen", "another program listens there"}},
		{"state folder", "sqlite:DIR/", "sqlite:" + blocked + "/", exitError, []string{"portico: state: ", blocked}},
		{"storage folder", "path: DIR/files", "path: DIR/no/such/files", exitError, []string{"storage.disk", "no/such/files", "make it"}},
		{"two faults", "sqlite:DIR/portico.db", "mysql:x, xs: {}", exitError, []string{"portico.yaml:3: "}},
		{"rule", "editor", "emperor", exitError, []string{"portico.yaml:9: ", "emperor"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			text := standard
			if c.was != "" {
				text = strings.Replace(text, c.was, c.now, 1)
			}
			file := filepath.Join(dir, "portico.yaml")
			if err := os.WriteFile(file, []byte(strings.NewReplacer("DIR", dir, "HASH", hashOf(password)).Replace(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, errs := run(t, "serve", "--config", file)
			if code != c.code {
				t.Errorf("exit code %d, want %d; %s", code, c.code, errs)
			}
			for _, want := range c.says {
				if !strings.Contains(errs, want) {
					t.Errorf("it says %q, which lacks %q", errs, want)
				}
			}
			if started := strings.Contains(out, "Portico serves"); started != (c.code == exitOK) {
				t.Errorf("it says that it serves: %t; %s", started, out)
			}
		})
	}
}

// TestServeEndsWhileItStarts wants a signal at that moment to be no error.
func TestServeEndsWhileItStarts(t *testing.T) {
	file := build(t).file
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	if code := Run(ctx, []string{"serve", "--config", file}, os.LookupEnv, nil, io.Discard, &errs); code != exitOK || errs.Len() > 0 {
		t.Errorf("exit code %d, %s", code, &errs)
	}
}

// TestExitCodes is the table of the other commands.
func TestExitCodes(t *testing.T) {
	file := build(t).file
	missing := file + ".none"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "storage disk: unavailable")
		}
	}))
	defer server.Close()
	if _, _, errs := run(t, "healthcheck", "--url", server.URL); !strings.Contains(errs, "storage disk: unavailable") {
		t.Errorf("healthcheck does not say what is not ready: %s", errs)
	}
	for _, c := range []struct {
		args string
		code int
	}{
		{"version", exitOK},
		{"--help", exitOK},
		{"why --help", exitOK},
		{"", exitError},
		{"fly", exitError},
		{"serve --colour red", exitError},
		{"check --config " + file, exitOK},
		{"check --config " + missing, exitError},
		{"check --json --config " + missing, exitError},
		{"serve --config " + missing, exitError},
		{"why ann write /firm/x --config " + file, exitOK},
		{"why ann transfer /firm/x --config " + file, exitNo},
		{"why ann fly /firm/x --config " + file, exitError},
		{"why tom write /firm/x --config " + file, exitError},
		{"plan " + file + " --config " + file, exitOK},
		{"plan " + missing + " --config " + file, exitError},
		{"hash-password", exitError},
		{"healthcheck --url " + server.URL + "/readyz", exitOK},
		{"healthcheck --url " + server.URL + "/other", exitNo},
	} {
		code, out, errs := run(t, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("portico %s: exit code %d, want %d; %s%s", c.args, code, c.code, out, errs)
		}
		if code == exitError && errs == "" {
			t.Errorf("portico %s fails without a word", c.args)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestDrain ends a server with a request under way that does not come to an end:
// it is cut off, and gets the time to tidy up before the storage is closed.
func TestDrain(t *testing.T) {
	h := build(t)
	inside, tidied := make(chan bool), false
	server := newServer(h.withCount(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside <- true
		_, err := io.ReadAll(r.Body)
		if err == nil {
			t.Error("the body that was cut off looks whole")
		}
		time.Sleep(50 * time.Millisecond) // an abort that takes its time
		tidied = true
	})), h.process.log)
	l := listener(t)
	go func() { _ = server.Serve(l) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "PUT /dav/firm/x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
	<-inside
	if err := h.drain(server, time.Millisecond); err != nil {
		t.Errorf("drain = %v", err)
	}
	if !tidied {
		t.Error("drain did not wait for the request that it cut off")
	}
	if !strings.Contains(h.log.String(), "requests=1") {
		t.Errorf("the log does not say how many were cut off:\n%s", h.log)
	}
}
