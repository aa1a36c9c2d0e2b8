//go:build !race

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// stream is n bytes that are not all alike, without holding them.
type stream struct{ at, n int64 }

func (s *stream) Read(p []byte) (int, error) {
	if s.at >= s.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.n-s.at)]
	for i := range p {
		p[i] = streamByte(s.at + int64(i))
	}
	s.at += int64(len(p))
	return len(p), nil
}

func streamByte(at int64) byte { return byte(at>>20) ^ byte(at>>8) ^ byte(at) }

// sameStream reads r to its end and compares it with a stream of n bytes.
func sameStream(r io.Reader, n int64) error {
	want, got, ref := &stream{n: n}, make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		k, err := io.ReadFull(r, got)
		if _, err := io.ReadFull(want, ref[:k]); err != nil {
			return fmt.Errorf("longer than %d bytes", n)
		}
		if !bytes.Equal(got[:k], ref[:k]) {
			return fmt.Errorf("differs before byte %d", want.at)
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			if want.at != n {
				return fmt.Errorf("%d bytes, want %d", want.at, n)
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// TestMemoryOfLargeFiles puts and gets 2 GiB over MinIO, with the length
// announced and without. The process stays under 100 MiB.
func TestMemoryOfLargeFiles(t *testing.T) {
	const size, limit = 2 << 30, 100 << 20
	s, cmd := spawn(t, writeConfig(t, storages()[1].yaml(t)))
	request := func(method, path string, body io.Reader, length int64) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, s.dav(path), body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.SetBasicAuth("bob", password)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	for name, length := range map[string]int64{"/known.bin": size, "/chunked.bin": -1} {
		resp := request("PUT", name, &stream{n: size}, length)
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("PUT %s: %s", name, resp.Status)
		}
		t.Logf("peak after PUT %s: %d MiB", name, peak(t, cmd.Process.Pid)>>20)
	}
	resp := request("GET", "/known.bin", nil, 0)
	defer resp.Body.Close()
	if err := sameStream(resp.Body, size); err != nil {
		t.Errorf("GET: %v", err)
	}
	got := peak(t, cmd.Process.Pid)
	t.Logf("peak after GET: %d MiB", got>>20)
	if got > limit {
		t.Errorf("the process took %d MiB, want at most %d", got>>20, limit>>20)
	}
}

// TestListingOf10000Files counts the calls to MinIO of one PROPFIND.
func TestListingOf10000Files(t *testing.T) {
	const count, most = 10_000, 12
	s := start(t, storages()[1])
	s.do("bob", "MKCOL", "/dav/firm/many", "").want(201)
	var g errgroup.Group
	g.SetLimit(16)
	for i := range count {
		g.Go(func() error {
			if a := s.do("bob", "PUT", fmt.Sprintf("/dav/firm/many/file-%05d.txt", i), "x"); a.status != 201 {
				return fmt.Errorf("PUT %d: %d", i, a.status)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	before := s.storageCalls()
	a := s.do("eve", "PROPFIND", "/dav/firm/many/", "", "Depth", "1").want(207)
	calls := s.storageCalls() - before
	t.Logf("%d files: %d calls, %d bytes an entry", count, calls, len(a.body)/count)
	if calls == 0 || calls > most {
		t.Errorf("%d calls to the store, want at most %d", calls, most)
	}
	if n := strings.Count(a.body, "<D:response>"); n != count+1 {
		t.Errorf("%d entries, want %d", n, count+1)
	}
}
