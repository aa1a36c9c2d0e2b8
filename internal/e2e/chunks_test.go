package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// nextcloud is a remote of rclone's as bob has it of a Nextcloud, with chunks of n MiB.
func nextcloud(t *testing.T, s *server, n int) string {
	t.Helper()
	pass := strings.TrimSpace(mustRun(t, "rclone", "obscure", password))
	return fmt.Sprintf(":webdav,vendor=nextcloud,nextcloud_chunk_size=%dMi,user=bob,pass=%s,url='%s':", n, pass, s.url+"/remote.php/dav/files/bob/firm")
}

// randomFile writes n MiB and a bit of random bytes.
func randomFile(t *testing.T, file string, n int) {
	t.Helper()
	b := make([]byte, n<<20+12345)
	_, _ = rand.Read(b)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRcloneChunks copies a large file as to a Nextcloud: in chunks, with its time of
// change and its sum.
func TestRcloneChunks(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := start(t, st)
		src := t.TempDir()
		old := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
		randomFile(t, filepath.Join(src, "big.bin"), 300)
		randomFile(t, filepath.Join(src, "small.bin"), 1)
		if err := errors.Join(os.Chtimes(filepath.Join(src, "big.bin"), old, old), os.Chtimes(filepath.Join(src, "small.bin"), old, old)); err != nil {
			t.Fatal(err)
		}
		to := nextcloud(t, s, 20) + "tree"
		out := mustRun(t, "rclone", "copy", "-vv", src, to)
		if !strings.Contains(out, "chunked upload strategy") {
			t.Errorf("rclone sent no chunks:\n%s", out)
		}
		mustRun(t, "rclone", "check", "--download", src, to)
		out = mustRun(t, "rclone", "lsl", to)
		if !regexp.MustCompile(`2019-03-04 05:06:07\S* big.bin`).MatchString(out) {
			t.Errorf("the time of change was not kept:\n%s", out)
		}
		s.do("bob", "PROPFIND", "/dav/uploads/bob", "", "Depth", "1").want(207).lacks("rclone")
	})
}
