//go:build !race

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	smallFiles = 10_000
	aFolder    = 500
	hugeFile   = 5 << 30

	// What is on the disk at once: the mount's copy of the long file and the
	// storage's, which a server of the tests keeps until its end.
	wholeSpace = 2*hugeFile + 1<<30

	wholeWithin = 10 * time.Minute
)

// TestRcloneMountWhole copies many small files and a long one into a mount of rclone,
// as a person moves house. All of it arrives, as rclone finds when it reads it back.
// The long one goes through the mount's cache to one storage, which announces its
// length and its checksum, and straight on to the other, which announces nothing.
func TestRcloneMountWhole(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		needSpace(t, t.TempDir(), wholeSpace)
		s := startTLS(t, st)
		m := mountWrites(t, s)
		copySmall(t, s, m)
		if st.name == "disk" {
			copyFilm(t, s, m.dir, m.idle)
			return
		}
		straight, _ := mountRclone(t, s, "--vfs-cache-mode", "off")
		copyFilm(t, s, straight, func(context.Context) (bool, error) { return true, nil })
	})
}

func copySmall(t *testing.T, s *server, m *writingMount) {
	t.Helper()
	small := t.TempDir()
	if err := fillSmall(small); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	mustDo(t, "cp", "-r", small+"/.", filepath.Join(m.dir, "small"))
	sent(t, m.idle, func() bool { return countSmall(s) == smallFiles })
	took := time.Since(begun)
	t.Logf("%d files sent in %v: %.0f a second", smallFiles, took, smallFiles/took.Seconds())
	begun = time.Now()
	mustDo(t, "rclone", "check", "--ca-cert", s.ca, "--download", "--checkers", "8", small, m.remote+"small")
	t.Logf("checked in %v", time.Since(begun))
}

func copyFilm(t *testing.T, s *server, dir string, idle func(context.Context) (bool, error)) {
	t.Helper()
	begun := time.Now()
	sums, err := writeFilm(filepath.Join(dir, "film.bin"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the film is in the mount after %v", time.Since(begun))
	sent(t, idle, func() bool {
		return s.do("bob", "HEAD", "/dav/firm/film.bin", "").header.Get("Content-Length") == strconv.Itoa(hugeFile)
	})
	took := time.Since(begun)
	t.Logf("%d MiB sent in %v: %.0f MiB a second", hugeFile>>20, took, hugeFile/took.Seconds()/(1<<20))
	list := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := os.WriteFile(list, []byte(sums), 0o600); err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	mustDo(t, "rclone", "check", "--ca-cert", s.ca, "--download", "--checkfile", "sha256", list, remoteOf(t, s), "--include", "/film.bin")
	t.Logf("checked in %v", time.Since(begun))
	s.do("bob", "DELETE", "/dav/firm/film.bin", "").want(204)
}

// mustDo is mustRun for what takes long.
func mustDo(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := commandFor(t, wholeWithin, name, args...); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// fillSmall makes the small files, each with a text of its own, in several folders.
func fillSmall(dir string) error {
	for i := range smallFiles {
		folder := filepath.Join(dir, fmt.Sprintf("%02d", i/aFolder))
		if i%aFolder == 0 {
			if err := os.Mkdir(folder, 0o700); err != nil {
				return err
			}
		}
		file := filepath.Join(folder, fmt.Sprintf("file %05d é.txt", i))
		if err := os.WriteFile(file, fmt.Appendf(nil, "the text of file %d", i), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// countSmall is how many of them the drive lists.
func countSmall(s *server) (n int) {
	for i := range smallFiles / aFolder {
		n += strings.Count(s.do("bob", "PROPFIND", fmt.Sprintf("/dav/firm/small/%02d/", i), "", "Depth", "1").body, "<D:response>") - 1
	}
	return n
}

// writeFilm writes a long file that nothing can guess, from front to back, and gives
// its line for a list of checksums: rclone compares with that, so that the disk need
// not hold the file once more.
func writeFilm(file string) (sums string, err error) {
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), hugeFile), sum), make([]byte, 1<<20))
	return fmt.Sprintf("%x  %s\n", sum.Sum(nil), filepath.Base(file)), errors.Join(err, f.Close())
}

// needSpace fails a test that would fill the disk.
func needSpace(t *testing.T, dir string, want uint64) {
	t.Helper()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		t.Fatal(err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < want {
		t.Fatalf("this test needs %d MiB of free space in %s, and there are %d: make room, or set TMPDIR to a folder on another disk", want>>20, dir, free>>20)
	}
}

// writingMount is a mount of rclone that takes writes into a cache and sends them in
// its own time.
type writingMount struct {
	dir, remote string
	control     *http.Client
}

// mountWrites mounts the workspace with rclone's remote control on a socket of its own.
func mountWrites(t *testing.T, s *server) *writingMount {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "rc")
	m := &writingMount{control: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}}
	t.Cleanup(m.control.CloseIdleConnections)
	m.dir, m.remote = mountRclone(t, s, "--vfs-cache-mode", "writes", "--dir-cache-time", "1h", "--transfers", "8", "--vfs-write-back", "100ms",
		"--rc", "--rc-no-auth", "--rc-addr", "unix://"+socket)
	return m
}

// sent waits until the mount has nothing left to send, which it tells by itself: to
// list the drive again and again would cost more than the sending. The kernel tells
// the mount late that a file was closed, so that the drive has the last word.
func sent(t *testing.T, idle func(context.Context) (bool, error), arrived func() bool) {
	t.Helper()
	waitFor(t, wholeWithin, "the mount has sent all", func() bool {
		rests, err := idle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return rests && arrived()
	})
}

// idle tells whether the mount sends nothing and has nothing to send: what it could not
// send it queues again.
func (m *writingMount) idle(ctx context.Context) (bool, error) {
	cache, err := m.cache(ctx)
	return cache.UploadsInProgress+cache.UploadsQueued == 0, err
}

// diskCache is what vfs/stats of rclone tells of what waits.
type diskCache struct{ UploadsInProgress, UploadsQueued int }

func (m *writingMount) cache(ctx context.Context) (diskCache, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://rclone/vfs/stats", http.NoBody)
	if err != nil {
		return diskCache{}, err
	}
	resp, err := m.control.Do(r)
	if err != nil {
		return diskCache{}, err
	}
	defer resp.Body.Close()
	var stats struct{ DiskCache *diskCache }
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil || stats.DiskCache == nil {
		return diskCache{}, fmt.Errorf("vfs/stats: %s without a cache: %w", resp.Status, err)
	}
	return *stats.DiskCache, nil
}
