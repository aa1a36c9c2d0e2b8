package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/parts"
)

// clientTimeout bounds one run of a real client.
const clientTimeout = 4 * time.Minute

// command runs a real client and gives what it prints.
func command(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	return commandFor(t, clientTimeout, name, args...)
}

// commandFor is command for one that has more to do.
func commandFor(t *testing.T, limit time.Duration, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, parts.Tool(t, name), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := command(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// TestCurl saves, reads, moves and locks with curl alone, as an admin tries a
// server out.
func TestCurl(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		curl := func(args ...string) string {
			return mustRun(t, "curl", append([]string{"-sS", "--cacert", s.ca, "-u", "bob:" + password, "-w", " %{http_code}"}, args...)...)
		}
		file := filepath.Join(t.TempDir(), "letter.txt")
		if err := os.WriteFile(file, []byte("Dear client"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ want, got string }{
			{" 201", curl("-T", file, s.dav("/letter.txt"))},
			{" 204", curl("-T", file, s.dav("/letter.txt"))},
			{"Dear client 200", curl(s.dav("/letter.txt"))},
			{"client 206", curl("-r", "5-", s.dav("/letter.txt"))},
			{" 201", curl("-X", "MKCOL", s.dav("/sent/"))},
			{" 201", curl("-X", "MOVE", "-H", "Destination: "+s.dav("/sent/letter.txt"), s.dav("/letter.txt"))},
			{" 404", last(curl(s.dav("/letter.txt")), 4)},
			{" 200", last(curl("-X", "LOCK", "-H", "Content-Type: text/xml", "-d", lockBody, s.dav("/sent/letter.txt")), 4)},
			{" 423", last(curl("-T", file, s.dav("/sent/letter.txt")), 4)},
		} {
			if step.got != step.want {
				t.Errorf("curl: %q, want %q", step.got, step.want)
			}
		}
	})
}

const lockBody = `<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
	`<D:locktype><D:write/></D:locktype><D:owner>test</D:owner></D:lockinfo>`

func last(s string, n int) string { return s[max(len(s)-n, 0):] }

// TestCadaver drives cadaver as a person at its prompt.
func TestCadaver(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		dir := t.TempDir()
		file := filepath.Join(dir, "note.txt")
		if err := os.WriteFile(file, []byte("a note"), 0o600); err != nil {
			t.Fatal(err)
		}
		d := parts.NewDesktop(t, s.ca)
		u, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		netrc := "machine " + u.Hostname() + "\nlogin bob\npassword " + password + "\n"
		if err := os.WriteFile(filepath.Join(d.Home(), ".netrc"), []byte(netrc), 0o600); err != nil {
			t.Fatal(err)
		}
		script := strings.Join([]string{
			"put " + file, "mkcol box", "move note.txt box/note.txt", "ls box", "lock box/note.txt", "discover box/note.txt",
			"unlock box/note.txt", "copy box/note.txt again.txt", "get again.txt " + filepath.Join(dir, "back.txt"), "quit", "",
		}, "\n")
		cmd := d.Command(clientTimeout, "cadaver", s.dav("/"))
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("cadaver: %v\n%s", err, out)
		}
		if strings.Contains(string(out), "failed") {
			t.Errorf("cadaver says that something failed:\n%s", out)
		}
		back, err := os.ReadFile(filepath.Join(dir, "back.txt"))
		if err != nil || string(back) != "a note" {
			t.Errorf("what came back: %q, %v\n%s", back, err, out)
		}
		s.do("bob", "GET", "/dav/firm/box/note.txt", "").want(200).has("a note")
	})
}

// TestDavfs2 works in a mounted folder: the kernel, davfs2 and its cache, with
// locks.
func TestDavfs2(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		dir := mountDavfs(t, s)
		file := filepath.Join(dir, "Überweisung 1.txt")
		if err := os.WriteFile(file, []byte("first"), 0o600); err != nil {
			t.Fatal(err)
		}
		seen := func(path, want string) func() bool {
			return func() bool { a := s.do("ann", "GET", "/dav/firm/"+path, ""); return a.status == 200 && a.body == want }
		}
		eventually(t, "the file is on the server", seen("%C3%9Cberweisung%201.txt", "first"))
		// An editor's save: a temporary file, renamed over the document.
		temp := filepath.Join(dir, ".save.tmp")
		if err := os.WriteFile(temp, []byte("second, and longer"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, file); err != nil {
			t.Fatalf("rename over: %v", err)
		}
		eventually(t, "the new version is on the server", seen("%C3%9Cberweisung%201.txt", "second, and longer"))
		if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file, filepath.Join(dir, "folder", "moved.txt")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the moved file is on the server", seen("folder/moved.txt", "second, and longer"))
		s.do("bob", "PUT", "/dav/firm/from-elsewhere.txt", "new here").want(201)
		if err := os.RemoveAll(filepath.Join(dir, "folder")); err != nil {
			t.Fatal(err)
		}
		s.do("ann", "PROPFIND", "/dav/firm/folder", "", "Depth", "0").want(404)
		// A file that is open for writing is locked, for others as well.
		held, err := os.Create(filepath.Join(dir, "held.txt"))
		if err != nil {
			t.Fatal(err)
		}
		s.do("bob", "PUT", "/dav/firm/held.txt", "mine").want(423).has("Ann Peeters")
		if _, err := held.WriteString("ann's"); err != nil {
			t.Fatal(err)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the lock has ended with the file", func() bool { return s.do("bob", "PUT", "/dav/firm/held.txt", "mine").status == 204 })
		eventually(t, "another's file is in the mount", func() bool { // davfs2 looks again after dir_refresh
			b, err := os.ReadFile(filepath.Join(dir, "from-elsewhere.txt"))
			return err == nil && string(b) == "new here"
		})
	})
}

// mountDavfs mounts the workspace as ann until the test ends. The options make
// davfs2 write at once and look again at once.
func mountDavfs(t *testing.T, s *server) string {
	t.Helper()
	conf := t.TempDir()
	secrets := filepath.Join(conf, "secrets")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(secrets, s.dav("/")+" ann "+password+"\n")
	write(filepath.Join(conf, "davfs2.conf"), "secrets "+secrets+"\nuse_locks 1\ndelay_upload 0\nask_auth 0\n"+
		"dir_refresh 1\nfile_refresh 1\ntrust_server_cert "+s.ca+"\n")
	// davfs2 reads the certificate as a user of its own.
	if err := os.Chmod(filepath.Dir(filepath.Dir(s.ca)), 0o711); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(conf, "mount")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "mount", "-t", "davfs", "-o", "conf="+filepath.Join(conf, "davfs2.conf"), s.dav("/"), dir)
	t.Cleanup(func() {
		cmd := exec.Command(parts.Tool(t, "umount"), dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return dir
}

// TestRclone copies a tree up, compares it by checksums and dates, changes it and
// syncs again.
func TestRclone(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		rclone := func(args ...string) string { return mustRun(t, "rclone", append(args, "--ca-cert", s.ca)...) }
		src := t.TempDir()
		old := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
		for name, size := range map[string]int{
			"a.txt": 10, "deep/b c & d.bin": 100_000, "deep/deeper/é漢字.pdf": 1, "empty.dat": 0, "big.bin": 20 << 20,
		} {
			file := filepath.Join(src, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, size)
			_, _ = rand.Read(b)
			if err := errors.Join(os.WriteFile(file, b, 0o600), os.Chtimes(file, old, old)); err != nil {
				t.Fatal(err)
			}
		}
		remote := func(vendor string) string {
			pass := strings.TrimSpace(mustRun(t, "rclone", "obscure", password))
			return ":webdav,vendor=" + vendor + ",user=bob,pass=" + pass + ",url='" + s.dav("/") + "':tree"
		}
		for _, vendor := range []string{"other", "owncloud", "rclone"} {
			to := remote(vendor) + "-" + vendor
			rclone("copy", src, to)
			rclone("check", "--download", src, to)
			if err := os.WriteFile(filepath.Join(src, "a.txt"), []byte("changed by "+vendor), 0o600); err != nil {
				t.Fatal(err)
			}
			rclone("sync", src, to)
			rclone("check", "--download", src, to)
			if vendor == "owncloud" { // it has the checksums that it sent
				here, there := sortedLines(rclone("sha1sum", src)), sortedLines(rclone("sha1sum", to))
				if diff := cmp.Diff(here, there); diff != "" || len(here) != 5 {
					t.Errorf("checksums: -want +got\n%s", diff)
				}
			}
			rclone("moveto", to+"/deep", to+"/moved")
			rclone("purge", to+"/moved")
		}
		out := rclone("lsl", remote("owncloud")+"-owncloud")
		if !regexp.MustCompile(`2019-03-04 05:06:07\S* empty.dat`).MatchString(out) {
			t.Errorf("the time of change was not kept:\n%s", out)
		}
	})
}

// sortedLines are the lines of what rclone says, without its remarks.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "NOTICE") })
	slices.Sort(lines)
	return lines
}
