package parts

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	readyWithin = 60 * time.Second // a cold start on a busy machine
	endWithin   = 10 * time.Second // then SIGKILL
)

// process is one program that runs, and can be stopped and started again with
// the same arguments, on the same port and the same data.
type process struct {
	path   string
	args   []string
	env    []string
	health string                     // URL that answers 200 when the program is ready
	ready  func(context.Context) bool // asked instead where the program does not speak HTTP
	as     *syscall.Credential        // the user who runs it; nil for the tester

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	out  tail
}

// start runs the program and waits until it is ready.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return fmt.Errorf("parts: %s runs already", p.path)
	}
	cmd := exec.CommandContext(context.Background(), p.path, p.args...) //nolint:gosec // our own arguments
	cmd.Env = append(cmd.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	dieWithParent(cmd)
	if p.as != nil {
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Credential = p.as
	}
	if err := startPinned(cmd); err != nil {
		return fmt.Errorf("parts: start %s: %w", p.path, err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the exit of a store that is told to end says nothing
		close(done)
	}()
	p.cmd, p.done = cmd, done
	return p.waitReady()
}

// waitReady polls the health address; the connection that is refused or the
// server that says 503 is asked again.
func (p *process) waitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	ready := p.ready
	if ready == nil {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		ready = func(ctx context.Context) bool { return healthy(ctx, client, p.health) }
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx) {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("parts: %s ended at once:\n%s", p.path, p.out.String())
		case <-ctx.Done():
			return fmt.Errorf("parts: %s is not ready after %v:\n%s", p.path, readyWithin, p.out.String())
		case <-tick.C:
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop ends the program: politely, then for good. It is nil if none runs.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // a frozen program hears nothing else
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(endWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}

// signal sends sig to the program.
func (p *process) signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("parts: %s does not run", p.path)
	}
	return p.cmd.Process.Signal(sig)
}

func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// freePort asks the kernel for a loopback port. Another process may take it
// before the program does; then the program ends at once and says so.
func freePort() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("parts: no free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// tail keeps the last output of a program, for the message of a failed test.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	if over := t.buf.Len() - tailSize; over > 0 {
		t.buf.Next(over)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
