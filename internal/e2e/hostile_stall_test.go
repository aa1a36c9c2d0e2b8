//go:build !race

package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// stallWithin is how soon a request that stalls is answered, or its connection
	// closed: ten seconds, and room for those of one person that wait for each other's
	// turn, on a machine that has other work.
	stallWithin = mostTime + 10*time.Second
	// slowPause is longer than a document may take.
	slowPause = 12 * time.Second
)

// stalled is a request that stops in the middle, and keeps its connection.
type stalled struct {
	name string
	sent string // all that ever comes
	drip string // comes after that, byte by byte, one a second
	want []int  // 0 for a connection that was closed
}

// play sends it and waits for the answer.
func (s *stalled) play(host string) error {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	begun := time.Now()
	if err := conn.SetDeadline(begun.Add(stallWithin)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, s.sent); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	over := make(chan struct{})
	var dripping sync.WaitGroup
	dripping.Go(func() { drip(conn, s.drip, over) })
	method, _, _ := strings.Cut(s.sent, " ")
	status, err := lastAnswer(conn, method)
	close(over)
	dripping.Wait()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s: no answer after %v", s.name, time.Since(begun))
	case !acceptable(s.want, status):
		return fmt.Errorf("%s: %d after %v (%w), want %v", s.name, status, time.Since(begun), err, s.want)
	}
	return nil
}

// drip writes a byte each second until over.
func drip(w io.Writer, text string, over <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range text {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return
		}
	}
}

// startOf is the head of a request, with its header lines each with its end.
func startOf(user, method, path, header string) string {
	if user != "" {
		header += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
	}
	return method + " " + path + " HTTP/1.1\r\nHost: HOST\r\n" + header + "\r\n"
}

// stalledDocuments stop in what is read as a whole: the answer is that it took too
// long, or whatever could be said without it.
func stalledDocuments(user string) []stalled {
	const length, xml = "Content-Length: 1000\r\n", `<?xml version="1.0"?><D:x xmlns:D="DAV:"><D:prop>`
	late := []int{http.StatusRequestTimeout}
	var list []stalled
	for _, method := range []string{"PROPFIND", "PROPPATCH", "LOCK", "REPORT", "SEARCH", "MKCOL"} {
		path, want := "/dav/firm/victims/", late
		if method == "MKCOL" { // refuses the first byte of a body
			path, want = "/dav/firm/none", []int{http.StatusUnsupportedMediaType}
		}
		list = append(list,
			stalled{method + " without a body", startOf(user, method, path, length), "", late},
			stalled{method + " with half a body", startOf(user, method, path, length) + xml, "", want},
			stalled{method + " with half a chunk", startOf(user, method, path, chunked) + "3e8\r\n" + xml, "", want},
			stalled{method + " without the last chunk", startOf(user, method, path, chunked) + "4\r\n<a/>\r\n", "", want},
			stalled{method + " in half a chunk's size", startOf(user, method, path, chunked) + "3", "", late},
			stalled{method + " in a chunk's extension", startOf(user, method, path, chunked) + "3;ext", strings.Repeat("e", 20), late},
			stalled{method + " byte by byte", startOf(user, method, path, length), strings.Repeat("<", 20), want},
		)
	}
	form, json := "Content-Type: application/x-www-form-urlencoded\r\n"+length, "Content-Type: application/json\r\n"+length
	return append(list,
		stalled{"PROPFIND in the trailers", startOf(user, "PROPFIND", "/dav/firm/", chunked) + "4\r\n<a/>\r\n0\r\nT", "", late},
		stalled{"PROPFIND asked to go on", startOf(user, "PROPFIND", "/dav/firm/", length+"Expect: 100-continue\r\n"), "", late},
		stalled{"the form of sign-in", startOf("", "POST", "/login", form) + "name=a", "", late},
		stalled{"that form byte by byte", startOf("", "POST", "/login", form), "name=aaaaaaaaaaaaaaaaaaaaaaa", late},
		stalled{"JSON", startOf(user, "POST", "/api/v1/folders", json) + `{"path":`, "", late},
		stalled{"JSON byte by byte", startOf(user, "PUT", "/api/v1/preferences", json), `{"aaaaaaaaaaaaaaaaaaaaaaaaaa`, late},
	)
}

// stalledOthers stop where nobody reads on, or before anybody can.
func stalledOthers(user string) []stalled {
	const length = "Content-Length: 1000\r\n"
	var list []stalled
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "UNLOCK", "COPY", "MOVE", "POST", "BREW"} {
		list = append(list, stalled{method + " with half a body", startOf(user, method, "/dav/firm/nothing", length) + "abc", "", nil})
	}
	for _, method := range []string{"PUT", "PATCH", "PROPFIND"} {
		list = append(list, stalled{method + " of nobody", startOf("", method, "/dav/firm/x", length) + "abc", "", []int{401}})
	}
	head := startOf(user, "PROPFIND", "/dav/firm/", "")
	return append(list,
		stalled{"a PUT that is refused", startOf(user, "PUT", "/dav/firm/no/such/folder/x", length+"Expect: 100-continue\r\n"), "", []int{409, 403, 404}},
		stalled{"nothing at all", "", "", []int{0}},
		stalled{"half a method", "PROPF", "", []int{0, 400}},
		stalled{"half a head", head[:len(head)-4], "", []int{0, 408}},
		stalled{"a head byte by byte", head[:len(head)-4], strings.Repeat("a", 20), []int{0, 408}},
	)
}

// partial is the config of a server that takes parts of files.
func withPartial(t *testing.T, config string) string {
	t.Helper()
	b, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, append(b, "webdav: {partial: true}\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestHostileStalls holds many connections that stop in the middle. Each is answered
// or closed in time, they cost little memory, others work on meanwhile, and an upload
// whose line stands still for a while is not taken for one of them.
func TestHostileStalls(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s, cmd := spawn(t, withPartial(t, writeConfig(t, st.yaml(t))))
		host := strings.TrimPrefix(s.url, "http://")
		s.do("bob", "MKCOL", "/dav/firm/victims", "").want(201)
		s.do("bob", "PUT", "/dav/firm/victims/old.txt", "an old text").want(201)
		s.do("bob", "MKCOL", "/dav/uploads/bob/up", "").want(201)
		for _, user := range []string{"ann", "bob", "eve", "ida"} { // a password's hash takes 19 MiB
			s.do(user, "PROPFIND", "/dav/firm/", "", "Depth", "0")
		}
		idle := resident(t, cmd.Process.Pid)
		var list []stalled
		list = append(list, stalledDocuments("bob")...)
		for _, user := range []string{"eve", "ida"} { // some of it is not theirs to ask
			for _, a := range stalledDocuments(user) {
				a.want = nil
				list = append(list, a)
			}
		}
		for range 3 {
			list = append(list, stalledOthers("bob")...)
		}
		var slow errgroup.Group
		for name, send := range slowUploads() {
			slow.Go(func() error {
				if err := send(host); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			})
		}
		var stalls sync.WaitGroup
		for _, a := range list {
			a.sent = strings.Replace(a.sent, "HOST", host, 1)
			stalls.Go(func() {
				if err := a.play(host); err != nil {
					t.Error(err)
				}
			})
		}
		over := make(chan struct{})
		go func() { stalls.Wait(); close(over) }()
		s.workOn(t, over)
		cost := peak(t, cmd.Process.Pid) - idle
		t.Logf("%d stalled connections: %d KiB", len(list), cost>>10)
		if cost > mostMemory {
			t.Errorf("%d stalled connections take %d MiB", len(list), cost>>20)
		}
		if err := slow.Wait(); err != nil {
			t.Errorf("an upload that stood still for a while: %v", err)
		}
		s.do("bob", "GET", "/dav/firm/slow.txt", "").want(200).has("12345678")
		s.do("bob", "GET", "/dav/firm/victims/old.txt", "").want(200).has("an 12345678")
	})
}

// workOn is what others do until over; none of it may take long.
func (s *server) workOn(t *testing.T, over <-chan struct{}) {
	t.Helper()
	for i := 0; ; i++ {
		begun, file := time.Now(), fmt.Sprintf("/dav/firm/work-%d.txt", i%10)
		if a := s.do("ann", "PUT", file, "text"); a.status != 201 && a.status != 204 {
			t.Errorf("PUT meanwhile: %d %s", a.status, a.body)
		}
		s.do("ann", "PROPFIND", "/dav/firm/", "", "Depth", "1").want(207)
		s.do("ann", "GET", file, "").want(200)
		if took := time.Since(begun); took > mostTime/2 {
			t.Errorf("a save, a listing and a read took %v meanwhile", took)
		}
		select {
		case <-over:
			return
		default:
		}
	}
}

// slowUploads stand still for longer than a document may, and go on.
func slowUploads() map[string]func(host string) error {
	upload := func(method, path, header string, want int) func(string) error {
		return func(host string) error {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				return err
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(4 * slowPause)); err != nil {
				return err
			}
			head := strings.Replace(startOf("bob", method, path, header+"Content-Length: 8\r\n"), "HOST", host, 1)
			if _, err := io.WriteString(conn, head+"1234"); err != nil {
				return err
			}
			<-time.After(slowPause)
			if _, err := io.WriteString(conn, "5678"); err != nil {
				return err
			}
			status, err := lastAnswer(conn, method)
			if err == nil && status != want {
				err = fmt.Errorf("%d, want %d", status, want)
			}
			return err
		}
	}
	return map[string]func(string) error{
		"PUT":         upload("PUT", "/dav/firm/slow.txt", "", 201),
		"PUT of API":  upload("PUT", "/api/v1/content/firm/slow.json", "Content-Type: application/json\r\n", 201),
		"PUT of part": upload("PUT", "/dav/uploads/bob/up/1", "", 201),
		"PATCH":       upload("PATCH", "/dav/firm/victims/old.txt", "Content-Type: application/x-sabredav-partialupdate\r\nX-Update-Range: bytes=3-10\r\n", 204),
	}
}
