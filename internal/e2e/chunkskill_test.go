package e2e

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/parts"
)

// chunkSize is more than S3 wants of a part, and less than a part of ours.
const chunkSize = 6 << 20

// pieces is a client of Nextcloud's that uploads one file.
type pieces struct {
	*workers
	content []byte
	mu      sync.Mutex
	taken   map[int]bool // chunks that were acknowledged
}

func (p *pieces) chunk(i int) []byte {
	return p.content[i*chunkSize : min(len(p.content), (i+1)*chunkSize)]
}

func (p *pieces) count() int { return (len(p.content) + chunkSize - 1) / chunkSize }

const piecesAt = "/dav/uploads/ann/up"

// send sends the chunks that are not there yet, in any order and three at once, until
// all are there or the server dies.
func (p *pieces) send(s *server) {
	todo := make(chan int, p.count())
	for _, i := range rand.Perm(p.count()) {
		if !p.taken[i] {
			todo <- i
		}
	}
	close(todo)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := range todo {
				status, b := p.requestTo("PUT", fmt.Sprintf("%s%s/%05d", s.url, piecesAt, i+1), p.chunk(i))
				switch status {
				case 201, 204:
					p.mu.Lock()
					p.taken[i] = true
					p.mu.Unlock()
				case 0:
				default:
					p.t.Errorf("PUT of chunk %d: %d %s", i+1, status, b)
				}
			}
		})
	}
	all.Wait()
}

// lists demands that each chunk that was acknowledged is there.
func (p *pieces) lists(s *server) {
	p.t.Helper()
	status, b := p.requestTo("PROPFIND", s.url+piecesAt, nil, "Depth", "1")
	if status != 207 {
		p.t.Fatalf("PROPFIND: %d %s", status, b)
	}
	for i := range p.taken {
		if !bytes.Contains(b, fmt.Appendf(nil, "/uploads/ann/up/%05d<", i+1)) {
			p.t.Errorf("chunk %d was acknowledged, and is not there:\n%s", i+1, b)
		}
	}
	if status, _ := p.request(s, "GET", "/big.bin", nil); status != 404 {
		p.t.Errorf("the file is there before its time: %d", status)
	}
}

// TestChunksKill kills the server while a client sends chunks out of order, several
// at once. Nothing of the file can be seen; what was acknowledged is there; the
// client goes on with the rest, and the file is whole.
func TestChunksKill(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		config := writeConfig(t, st.yaml(t))
		p := &pieces{workers: &workers{t: t}, content: make([]byte, 10*chunkSize+12345), taken: map[int]bool{}}
		_, _ = rand.NewChaCha8([32]byte{1}).Read(p.content)
		total := strconv.Itoa(len(p.content))
		for kill := range 4 {
			s, cmd := spawn(t, config)
			if kill == 0 {
				if status, b := p.requestTo("MKCOL", s.url+piecesAt, nil, "Destination", s.dav("/big.bin"), "OC-Total-Length", total); status != 201 {
					t.Fatalf("MKCOL: %d %s", status, b)
				}
			}
			p.lists(s)
			done := make(chan struct{})
			go func() { p.send(s); close(done) }()
			select {
			case <-done:
			case <-time.After(time.Duration(20+rand.IntN(150)) * time.Millisecond): // the moment of the crash
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-done
			_ = cmd.Wait()
		}
		t.Logf("%d of %d chunks were acknowledged before the last kill", len(p.taken), p.count())
		s, cmd := spawn(t, config)
		p.lists(s)
		p.send(s)
		sum := fmt.Sprintf("SHA1:%x", sha1.Sum(p.content))
		status, b := p.requestTo("MOVE", s.url+piecesAt+"/.file", nil, "Destination", s.dav("/big.bin"), "OC-Total-Length", total, "OC-Checksum", sum)
		if status != 201 {
			t.Fatalf("MOVE: %d %s", status, b)
		}
		if status, b := p.request(s, "GET", "/big.bin", nil); status != 200 || !bytes.Equal(b, p.content) {
			t.Errorf("the file is not what was sent: %d, %d bytes", status, len(b))
		}
		if most := peak(t, cmd.Process.Pid); most > 200<<20 {
			t.Errorf("the server took %d MiB", most>>20)
		}
	})
}

// TestRcloneChunksCut kills rclone in the middle: nothing can be seen of the file, and
// the next run brings it whole.
func TestRcloneChunksCut(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := start(t, st)
		src := t.TempDir()
		randomFile(t, filepath.Join(src, "big.bin"), 40)
		to := nextcloud(t, s, 5) + "tree"
		cmd := exec.Command(parts.Tool(t, "rclone"), "copy", "--bwlimit", "20M", src, to)
		cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "some chunks are there", func() bool {
			return strings.Count(s.do("bob", "PROPFIND", "/dav/uploads/bob", "", "Depth", "1").body, "rclone-chunked-upload") > 0
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		s.do("bob", "GET", "/dav/firm/tree/big.bin", "").want(404)
		mustRun(t, "rclone", "copy", src, to)
		mustRun(t, "rclone", "check", "--download", src, to)
		s.do("bob", "PROPFIND", "/dav/uploads/bob", "", "Depth", "1").want(207).lacks("rclone")
	})
}

// TestPatchOverStorages changes parts of a file of several parts of S3.
func TestPatchOverStorages(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := serve(t, fmt.Sprintf(standard, t.TempDir(), st.yaml(t), hash())+"webdav: {partial: true}\n")
		w := &workers{t: t}
		content := make([]byte, 40<<20)
		_, _ = rand.NewChaCha8([32]byte{2}).Read(content)
		if status, b := w.request(s, "PUT", "/f", content); status != 201 {
			t.Fatalf("PUT: %d %s", status, b)
		}
		for _, off := range []int{0, 17 << 20, 40<<20 - 5, 40 << 20} {
			part := bytes.Repeat([]byte{byte(off>>20) + 1}, 1<<20)
			status, b := w.request(s, "PATCH", "/f", part, "Content-Type", "application/x-sabredav-partialupdate", "X-Update-Range", fmt.Sprintf("bytes=%d-", off))
			if status != 204 {
				t.Fatalf("PATCH at %d: %d %s", off, status, b)
			}
			rest := content[min(off+len(part), len(content)):]
			content = slices.Concat(content[:off], part, rest)
		}
		if status, b := w.request(s, "GET", "/f", nil); status != 200 || !bytes.Equal(b, content) {
			t.Errorf("the file is not what was sent: %d, %d bytes of %d", status, len(b), len(content))
		}
	})
}
