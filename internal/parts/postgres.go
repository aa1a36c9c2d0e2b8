package parts

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PG is an empty database on a PostgreSQL server that runs.
type PG struct {
	DSN   string // of the database, with the password
	Admin string // of the server's own database, for pg_terminate_backend and the like

	s *postgres
}

// postgres is one server.
type postgres struct {
	dir  string
	addr string // host:port
	p    *process
	made atomic.Int64 // databases
}

const (
	pgUser     = "portico"
	pgPassword = "portico-pg-secret" //nolint:gosec // of the tests' own server
)

// Postgres is a fresh database on the process's server under Main, else on one
// of this test. Tests that stop the server take OwnPostgres.
func Postgres(tb testing.TB) PG {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.on {
		return OwnPostgres(tb)
	}
	if shared.pg == nil {
		s, err := newPostgres()
		if err != nil {
			tb.Fatal(err)
		}
		shared.pg = s
	}
	return shared.pg.database(tb)
}

// OwnPostgres is a fresh database on a server that no other test uses.
func OwnPostgres(tb testing.TB) PG {
	tb.Helper()
	s, err := newPostgres()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Error(err)
		}
	})
	return s.database(tb)
}

// newPostgres makes a cluster in a folder of its own and starts its server.
// PostgreSQL refuses to run as root, and its user could not enter a test's
// folder, which is root's alone.
func newPostgres() (s *postgres, err error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := postgresUser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "portico-postgres-")
	if err != nil {
		return nil, fmt.Errorf("parts: postgres: %w", err)
	}
	s = &postgres{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove())
		}
	}()
	if err := s.initialise(bin, as); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s.addr = "127.0.0.1:" + port
	s.p = &process{
		path: filepath.Join(bin, "postgres"), as: as, ready: s.ready,
		args: []string{
			"-D", s.data(), "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
			"-c", "max_connections=300", "-c", "shared_buffers=64MB", "-c", "log_min_messages=warning",
		},
	}
	return s, s.p.start()
}

func (s *postgres) data() string { return filepath.Join(s.dir, "data") }

// initialise makes the cluster. Its order of texts is that of a language, as on
// many a real server: a query that wants the order of bytes must say so.
func (s *postgres) initialise(bin string, as *syscall.Credential) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(pgPassword), 0o600); err != nil {
		return fmt.Errorf("parts: postgres: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "-D", s.data(), "-U", pgUser, //nolint:gosec // our own arguments
		"--auth=scram-sha-256", "--pwfile", secret, "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--no-sync")
	cmd.Dir = s.dir
	if as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		for _, file := range []string{s.dir, secret} {
			if err := os.Chown(file, int(as.Uid), int(as.Gid)); err != nil {
				return fmt.Errorf("parts: postgres: %w", err)
			}
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("parts: initdb: %w\n%s", err, out)
	}
	return nil
}

// postgresBin is the newest server of Debian's packages, which keep it off the
// PATH; else the one on the PATH.
func postgresBin() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("parts: postgres: %w", err)
	}
	slices.SortFunc(dirs, func(a, b string) int { return pgVersion(b) - pgVersion(a) })
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("this test needs a PostgreSQL server of version 15 or later: install Debian's package postgresql")
}

func pgVersion(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

// postgresUser is nil for a tester who is not root.
func postgresUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else is to run it
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("parts: postgres does not run as root, and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("parts: postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("parts: postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *postgres) dsn(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(pgUser, pgPassword), Host: s.addr, Path: database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (s *postgres) ready(ctx context.Context) bool {
	c, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return false
	}
	_ = c.Close(ctx)
	return true
}

func (s *postgres) database(tb testing.TB) PG {
	tb.Helper()
	name := "test_" + strconv.FormatInt(s.made.Add(1), 10)
	p := PG{DSN: s.dsn(name), Admin: s.dsn("postgres"), s: s}
	p.Exec(tb, p.Admin, "CREATE DATABASE "+name)
	return p
}

// Fresh is another empty database on the same server.
func (p PG) Fresh(tb testing.TB) PG {
	tb.Helper()
	return p.s.database(tb)
}

// Exec runs a statement as an admin would, on either DSN.
func (p PG) Exec(tb testing.TB, dsn, statement string, args ...any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx) //nolint:errcheck // the statement was answered
	if _, err := c.Exec(ctx, statement, args...); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// PID is the server's process, 0 while it is stopped.
func (p PG) PID() int { return p.s.p.pid() }

// Stop ends the server, as an outage does: its connections end, and new ones
// are refused.
func (p PG) Stop(testing.TB) { p.s.stop() }

// stop asks for a fast shutdown; SIGTERM alone would wait for all clients.
func (s *postgres) stop() {
	if s.p == nil {
		return
	}
	_ = s.p.signal(syscall.SIGINT) // an error is one of a server that does not run
	s.p.stop()
}

func (s *postgres) remove() error {
	s.stop()
	return os.RemoveAll(s.dir)
}

// Start runs a stopped server again, with its data and its port.
func (p PG) Start(tb testing.TB) {
	tb.Helper()
	if err := p.s.p.start(); err != nil {
		tb.Fatal(err)
	}
}

// Kill ends the server and all of its processes with SIGKILL, as a power cut
// does.
func (p PG) Kill(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGKILL)
	p.s.p.stop()
}

// Freeze stops the clock of the server and of all its processes: connections
// stay, are even taken, and nothing is answered. The test's end thaws it.
func (p PG) Freeze(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGSTOP)
	awaitHalt(tb, append(children(p.PID()), p.PID())...)
	tb.Cleanup(func() { p.Thaw(tb) })
}

// Thaw lets a frozen server go on.
func (p PG) Thaw(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGCONT)
}

// signal goes to the children too. The postmaster is halted first, so that it
// makes no new one meanwhile.
func (p PG) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	pid := p.PID()
	if pid == 0 {
		return
	}
	if sig != syscall.SIGCONT {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // the loop below tells of a failure
	}
	for _, one := range append(children(pid), pid) {
		if err := syscall.Kill(one, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			tb.Fatal(err)
		}
	}
}

// children are the processes whose parent is pid.
func children(pid int) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	var all []int
	for _, file := range files {
		b, err := os.ReadFile(file) //nolint:gosec // of the kernel
		if err != nil {
			continue // it has ended
		}
		// "PID (name) state PPID …"; a name may hold anything.
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
