//go:build !race

package e2e

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// What a hostile request may cost (THREATS.md §4.1). The time is a watchdog, with
// room for a machine that has other work.
const (
	mostMemory = 32 << 20
	mostTime   = 10 * time.Second
)

// attack is one hostile request, from the request line on.
type attack struct {
	name   string
	method string
	path   string
	header string    // lines, each with its end
	body   io.Reader // the rest of the connection, as it goes over the wire
	want   []int     // 0 for a connection that was cut
	short  bool      // the rest never comes
	open   bool      // the head does not end: the body goes on with it
}

// head is what goes before the body.
func (a *attack) head(host string) string {
	auth := base64.StdEncoding.EncodeToString([]byte("bob:" + password))
	head := a.method + " " + a.path + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Basic " + auth + "\r\n" + a.header
	if a.open {
		return head
	}
	return head + "\r\n"
}

// send sends the request, reads the answer to its end, and tells the status.
func (a *attack) send(host string) (status int, took time.Duration, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	begun := time.Now()
	if err := conn.SetDeadline(begun.Add(mostTime)); err != nil {
		return 0, 0, err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if _, err := io.WriteString(conn, a.head(host)); err == nil && a.body != nil {
			_, _ = io.Copy(conn, a.body) // a server that has heard enough hangs up
		}
		if a.short {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	status, err = lastAnswer(conn, a.method)
	took = time.Since(begun)
	_ = conn.Close()
	<-sent
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return status, took, fmt.Errorf("no answer after %v", took)
	}
	return status, took, nil // a cut connection is an answer, too
}

// lastAnswer reads the answer that a method gets after the 100s before it.
func lastAnswer(conn io.Reader, method string) (status int, err error) {
	from := bufio.NewReader(conn)
	for status = http.StatusContinue; err == nil && status == http.StatusContinue; {
		status, err = readAnswer(from, method)
	}
	return status, err
}

// readAnswer reads an answer to its end, 0 if there is none.
func readAnswer(from *bufio.Reader, method string) (status int, err error) {
	resp, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// inFull is a body with its length.
func inFull(body string) (header string, r io.Reader) {
	return "Content-Length: " + strconv.Itoa(len(body)) + "\r\n", strings.NewReader(body)
}

// hostility is all of it, in the order in which it is played. Over a second storage
// only what can get as far as that: a body that is too large is refused before.
func hostility(second bool) [][]attack {
	sizes := []int{60 << 10, 1 << 20}
	if second {
		sizes = sizes[:1]
	}
	return [][]attack{headerAttacks(), bodyAttacks(), xmlAttacks(sizes)}
}

// TestHostileRequests sends what no client would, one after the other, and sees what
// each costs.
func TestHostileRequests(t *testing.T) {
	for i, st := range storages() {
		t.Run(st.name, func(t *testing.T) {
			s, cmd := spawn(t, writeConfig(t, st.yaml(t)))
			host := strings.TrimPrefix(s.url, "http://")
			s.layOutVictims()
			oneByOne(t, host, cmd.Process.Pid, hostility(i > 0))
			allAtOnce(t, host, hostility(i > 0))
			t.Logf("at the end %d MiB", resident(t, cmd.Process.Pid)>>20)
			s.do("bob", "GET", "/dav/firm/victims/file-007.txt", "").want(200).has("text")
		})
	}
}

// layOutVictims makes what the requests are about, and has the server do once what it
// keeps memory for.
func (s *server) layOutVictims() {
	s.t.Helper()
	s.do("bob", "MKCOL", "/dav/firm/victims", "").want(201)
	for i := range 100 {
		s.do("bob", "PUT", fmt.Sprintf("/dav/firm/victims/file-%03d.txt", i), "text").want(201)
	}
	s.do("bob", "PUT", "/dav/firm/victim.txt", strings.Repeat("text", 1000)).want(201)
	s.do("bob", "PUT", "/dav/firm/large", strings.Repeat("text", 4<<20)).want(201)
	s.do("bob", "GET", "/dav/firm/large", "").want(200)
	s.do("bob", "PROPFIND", "/dav/firm/victims", "", "Depth", "1").want(207)
}

// oneByOne sees what each costs.
func oneByOne(t *testing.T, host string, pid int, kinds [][]attack) {
	t.Helper()
	idle := resident(t, pid)
	t.Logf("idle %d MiB", idle>>20)
	for _, a := range slices.Concat(kinds...) {
		before := resident(t, pid)
		idle = min(idle, before) // what is free goes back to the system bit by bit
		status, took, err := a.send(host)
		most := peak(t, pid)
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
		// What another has left behind is that one's fault.
		if most-idle > mostMemory && most > before {
			t.Errorf("%s: %d after %v: the process takes %d MiB more than before", a.name, status, took, (most-idle)>>20)
		}
		if status >= 500 && status != 501 && status != 505 && status != 507 || !acceptable(a.want, status) {
			t.Errorf("%s: %d, want %v", a.name, status, a.want)
		}
	}
}

// allAtOnce sends them together: each has its answer in time.
func allAtOnce(t *testing.T, host string, kinds [][]attack) {
	t.Helper()
	for _, kind := range kinds {
		var g errgroup.Group
		g.SetLimit(16)
		for _, a := range kind {
			g.Go(func() error {
				if _, _, err := a.send(host); err != nil {
					return fmt.Errorf("%s, among others: %w", a.name, err)
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func acceptable(want []int, status int) bool { return len(want) == 0 || slices.Contains(want, status) }

// resident is the memory that a process holds now.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	forgetPeak(t, pid)
	return peak(t, pid)
}

// forgetPeak makes the memory of now the peak (proc(5), clear_refs).
func forgetPeak(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o600); err != nil {
		t.Fatal(err)
	}
}
