package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// kills is how often each storage's server is killed, mostKills until a save and a
// move were answered: on a slow machine a folder's move outlasts the first of them.
const (
	kills     = 12
	mostKills = 4 * kills
)

// TestKill kills the server with SIGKILL at random moments, while people save and
// move, and starts it anew. What was answered with 201 or 204 is there, with every
// byte; what was not is the old file or the new one; a folder on the move is at its
// old place or at its new one, whole.
func TestKill(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		config := writeConfig(t, st.yaml(t))
		w := &workers{t: t, known: map[string][]int{}}
		done := 0
		for ; done < kills || done < mostKills && (w.saves == 0 || w.moves == 0); done++ {
			s, cmd := spawn(t, config)
			if done == 0 {
				w.makeFolder(s)
			}
			w.verify(s)
			var g sync.WaitGroup
			for k := range 4 {
				g.Go(func() { w.save(s, k) })
			}
			g.Go(func() { w.move(s) })
			<-time.After(time.Duration(20+rand.IntN(400*(1+done/kills))) * time.Millisecond) // the moment of the crash
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			g.Wait()
			_ = cmd.Wait()
		}
		s, _ := spawn(t, config)
		w.verify(s)
		t.Logf("%d kills, %d acknowledged saves, %d acknowledged moves, 0 lost, 0 torn", done, w.saves, w.moves)
		if w.saves == 0 || w.moves == 0 {
			t.Error("nothing was acknowledged: the test shows nothing")
		}
	})
}

// workers are people who save and move until their server dies.
type workers struct {
	t            *testing.T
	mu           sync.Mutex
	known        map[string][]int // by path: the versions that may be there, the acknowledged one first
	version      int
	saves, moves int
}

// content is a version of a file: as long as it is told apart by each byte.
func content(path string, version int) []byte {
	line := fmt.Appendf(nil, "%s version %d\n", path, version)
	return bytes.Repeat(line, 1+version%3*6000)
}

// request gives the status, 0 where the server has died.
func (w *workers) request(s *server, method, path string, body []byte, header ...string) (int, []byte) {
	return w.requestTo(method, s.dav(path), body, header...)
}

// requestTo is request to any address of the server.
func (w *workers) requestTo(method, url string, body []byte, header ...string) (int, []byte) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	r.SetBasicAuth("ann", password)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, b
}

// save writes one version after the other, of files of its own.
func (w *workers) save(s *server, worker int) {
	for i := 0; ; i++ {
		path := fmt.Sprintf("/w%d-%d.txt", worker, i%3)
		w.mu.Lock()
		w.version++
		v := w.version
		was := w.known[path]
		if len(was) == 0 {
			was = []int{0} // 0: no file
		}
		w.known[path] = []int{was[0], v} // until it is answered
		w.mu.Unlock()
		status, _ := w.request(s, "PUT", path, content(path, v))
		if status == 0 {
			return
		}
		if status != 201 && status != 204 {
			w.t.Errorf("PUT %s: %d", path, status)
			return
		}
		w.mu.Lock()
		w.known[path] = []int{v}
		w.saves++
		w.mu.Unlock()
	}
}

const treeSize = 30

// makeFolder makes the folder that is moved.
func (w *workers) makeFolder(s *server) {
	if status, b := w.request(s, "MKCOL", "/here/", nil); status != 201 {
		w.t.Fatalf("MKCOL: %d %s", status, b)
	}
	for i := range treeSize {
		name := fmt.Sprintf("/here/f%d", i)
		if status, b := w.request(s, "PUT", name, content("tree", i)); status != 201 {
			w.t.Fatalf("PUT %s: %d %s", name, status, b)
		}
	}
}

// move moves the folder to and fro.
func (w *workers) move(s *server) {
	from, to := "/here/", "/there/"
	if status, _ := w.request(s, "PROPFIND", from, nil, "Depth", "0"); status == 404 {
		from, to = to, from
	}
	for {
		status, b := w.request(s, "MOVE", from, nil, "Destination", s.dav(to), "Overwrite", "F")
		if status == 0 {
			return
		}
		if status != 201 {
			w.t.Errorf("MOVE %s: %d %s", from, status, b)
			return
		}
		w.mu.Lock()
		w.moves++
		w.mu.Unlock()
		from, to = to, from
	}
}

// verify compares what the server has with what may be there.
func (w *workers) verify(s *server) {
	w.t.Helper()
	for path, versions := range w.known {
		status, got := w.request(s, "GET", path, nil)
		found := -1
		for _, v := range versions {
			if v == 0 && status == 404 || v != 0 && status == 200 && bytes.Equal(got, content(path, v)) {
				found = v
			}
		}
		if found < 0 {
			w.t.Fatalf("GET %s: %d, %d bytes, none of the versions %v", path, status, len(got), versions)
		}
		w.known[path] = []int{found}
	}
	places := 0
	for _, place := range []string{"/here/", "/there/"} {
		if status, _ := w.request(s, "PROPFIND", place, nil, "Depth", "0"); status == 404 {
			continue
		}
		places++
		for i := range treeSize {
			if status, got := w.request(s, "GET", fmt.Sprintf("%sf%d", place, i), nil); status != 200 || !bytes.Equal(got, content("tree", i)) {
				w.t.Fatalf("GET %sf%d after a crash: %d, %d bytes", place, i, status, len(got))
			}
		}
	}
	if places != 1 {
		w.t.Fatalf("the folder is at %d places", places)
	}
}
