package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/internal/parts"
)

// remoteOf is the workspace as rclone names it, for bob.
func remoteOf(t *testing.T, s *server) string {
	t.Helper()
	pass := strings.TrimSpace(mustRun(t, "rclone", "obscure", password))
	// rclone waits 10 ms between any two requests: with three a file, ten thousand small
	// files would take five minutes whatever the server does.
	return ":webdav,vendor=owncloud,pacer_min_sleep=1ms,user=bob,pass=" + pass + ",url='" + s.dav("/") + "':"
}

// mountRclone mounts the workspace as bob until the test ends.
func mountRclone(t *testing.T, s *server, options ...string) (dir, remote string) {
	t.Helper()
	dir, remote = t.TempDir(), remoteOf(t, s)
	args := append([]string{"mount", remote, dir, "--ca-cert", s.ca, "--dir-cache-time", "1s", "--vfs-write-back", "0s", "--cache-dir", t.TempDir()}, options...)
	cmd := exec.Command(parts.Tool(t, "rclone"), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command(parts.Tool(t, "fusermount3"), "-uz", dir).Run() // also one that is in use
		hung := time.AfterFunc(clientTimeout, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		hung.Stop()
		if t.Failed() {
			t.Logf("rclone mount: %s", out.String())
		}
	})
	eventually(t, "mounted", func() bool {
		b, err := os.ReadFile("/proc/self/mounts")
		return err == nil && strings.Contains(string(b), " "+dir+" ")
	})
	return dir, remote
}

// TestRcloneMount lists and reads through a mount of rclone, because ls of a
// davfs2 mount fails on some new kernels.
func TestRcloneMount(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		s.do("bob", "PUT", "/dav/firm/one.txt", "1").want(201)
		s.do("bob", "MKCOL", "/dav/firm/two", "").want(201)
		dir, _ := mountRclone(t, s, "--vfs-cache-mode", "writes")
		list, err := os.ReadDir(dir)
		if err != nil || len(list) != 2 {
			t.Errorf("listing through the mount: %v, %v", list, err)
		}
		f, err := os.Create(filepath.Join(dir, "two", "new.txt"))
		if err == nil {
			_, err = io.WriteString(f, "written through the mount")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the file is on the server", func() bool {
			a := s.do("ann", "GET", "/dav/firm/two/new.txt", "")
			return a.status == 200 && a.body == "written through the mount"
		})
	})
}
