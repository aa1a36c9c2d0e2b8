package e2e

import (
	"bufio"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wire sends a request letter by letter as it is given, over a connection of its
// own: http.Client would repair a path, follow a redirect and keep the promise
// of a Content-Length. A header may stand twice.
func (s *server) wire(user, method, target, body string, header ...string) answer {
	s.t.Helper()
	if !slices.Contains(header, "Content-Length") && !slices.Contains(header, "Transfer-Encoding") {
		header = append(header, "Content-Length", strconv.Itoa(len(body)))
	}
	a, err := s.wired(user, method, target, body, false, header...)
	if err != nil {
		s.t.Fatalf("%s: %v", a.what, err)
	}
	return a
}

// cut is an upload of alice's that ends the connection's sending side after body,
// whatever the headers promise. The server may answer or hang up: 0.
func (s *server) cut(target, body string, header ...string) answer {
	s.t.Helper()
	a, _ := s.wired("alice", "PUT", target, body, true, header...)
	return a
}

func (s *server) wired(user, method, target, body string, cut bool, header ...string) (answer, error) {
	a := answer{t: s.t, what: user + " " + method + " " + target}
	conn := s.dial()
	defer conn.Close()
	// The server may refuse before it has read everything: its answer counts.
	_, _ = io.WriteString(conn, s.head(user, method, target, header...)+body)
	if cut {
		_ = conn.CloseWrite()
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a.status, a.header, a.body = resp.StatusCode, resp.Header, string(b)
	return a, err
}

// dial connects to the server, for half a minute at most.
func (s *server) dial() *net.TCPConn {
	s.t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 10*time.Second)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(30 * time.Second))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// head is the head of a request; without a Host header of its own it gets ours.
func (s *server) head(user, method, target string, header ...string) string {
	var b strings.Builder
	b.WriteString(method + " " + target + " HTTP/1.1\r\nConnection: close\r\n")
	if !slices.Contains(header, "Host") {
		b.WriteString("Host: " + strings.TrimPrefix(s.url, "http://") + "\r\n")
	}
	if user != "" {
		b.WriteString("Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n")
	}
	for i := 0; i+1 < len(header); i += 2 {
		b.WriteString(header[i] + ": " + header[i+1] + "\r\n")
	}
	return b.String() + "\r\n"
}

// absent fails the test unless the answer is, status, headers and body, that of
// a path that does not exist. hides is the part of the path that must not be
// known of; the path that does not exist has its last letter changed, so that
// the answers have one length.
func (s *server) absent(user, method, path, hides, body string, header ...string) {
	s.t.Helper()
	twin := hides[:len(hides)-1] + "q"
	there := s.wire(user, method, path, body, header...)
	free := s.wire(user, method, strings.ReplaceAll(path, hides, twin), body, header...)
	if there.status != 404 || there.body == "" {
		there.want(404).has(" ")
	}
	for _, a := range []answer{there, free} {
		a.header.Del("Date")
		a.header.Del("X-Request-Id")
	}
	free.body = strings.ReplaceAll(free.body, twin, hides)
	if there.status != free.status || there.body != free.body || !maps.EqualFunc(there.header, free.header, slices.Equal) {
		s.t.Errorf("%s differs from %s:\n%d %v %s\n%d %v %s", there.what, free.what,
			there.status, there.header, there.body, free.status, free.header, free.body)
	}
}
