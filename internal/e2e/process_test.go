package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// binary is the program, built once for all tests that need a process of its own:
// to kill it, and to see what memory it takes.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "portico-e2e")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "portico")
	cmd := exec.Command("go", "build", "-o", file, "portico")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

// spawn runs `portico serve` as a process of its own until the test ends.
func spawn(t *testing.T, config string) (*server, *exec.Cmd) {
	t.Helper()
	exe, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, config: config, log: &syncBuffer{}}
	cmd := exec.Command(exe, "serve", "--config", config)
	cmd.Stderr = s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // dies with the test
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := regexp.MustCompile(`listening on ([0-9.:]+)`).FindStringSubmatch(lines.Text()); m != nil {
			s.url = "http://" + m[1]
			go io.Copy(io.Discard, out) //nolint:errcheck // ends with the process
			return s, cmd
		}
	}
	t.Fatalf("serve did not start: %s", s.log)
	return nil, nil
}

// writeConfig writes the standard config over a storage.
func writeConfig(t *testing.T, storage string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, standard, dir, storage, hash()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// peak is the most memory that a process has held, in bytes.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(b))
	if m == nil {
		t.Fatal("no VmHWM")
	}
	kb, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// storageCalls is the number of calls that the server made to its storage so far.
func (s *server) storageCalls() (n int) {
	s.t.Helper()
	metrics := server{t: s.t, url: strings.TrimSuffix(s.metrics, "/metrics")}
	for _, m := range regexp.MustCompile(`(?m)^portico_backend_calls_total\{.*\} (\d+)$`).FindAllStringSubmatch(
		metrics.do("", "GET", "/metrics", "").want(200).body, -1) {
		calls, err := strconv.Atoi(m[1])
		if err != nil {
			s.t.Fatal(err)
		}
		n += calls
	}
	return n
}
