package parts

import (
	"context"
	_ "embed" // the server's configuration
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// LDAP is a directory that runs: Debian's slapd, on TLS of an authority of its own.
type LDAP struct {
	URL      string // "ldaps://127.0.0.1:PORT"
	StartTLS string // "ldap://127.0.0.1:PORT", which offers StartTLS
	Address  string // the host and port of URL
	CA       string // a PEM file
	Dir      string

	Base, People, Groups   string // DNs
	BindDN, BindPassword   string // may search, and read all but passwords
	AdminDN, AdminPassword string
	Persons                []Person // whom it was started with
	authority              *authority
	p                      *process
}

// SlapdOptions say what a directory is started with; the zero value is the firm.
type SlapdOptions struct {
	Empty bool  // nobody, no groups
	Like  *LDAP // the second server of a firm: the same data under the same authority
}

const (
	base       = "dc=firm,dc=example"
	peopleBase = "ou=people," + base
	groupsBase = "ou=groups," + base
)

// Slapd is a directory of a whole firm (see firm.go): the process's own under
// Main, else one for this test. Tests that change it take OwnSlapd.
func Slapd(tb testing.TB) LDAP {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.on {
		return OwnSlapd(tb, SlapdOptions{})
	}
	if shared.slapd == nil {
		dir, err := os.MkdirTemp("", "portico-slapd-") //nolint:usetesting // outlives the test; Main removes it
		if err != nil {
			tb.Fatal(err)
		}
		l, err := newSlapd(dir, SlapdOptions{})
		if err != nil {
			_ = os.RemoveAll(dir)
			tb.Fatal(err)
		}
		shared.slapd = l
	}
	return *shared.slapd
}

// OwnSlapd is a directory that no other test uses.
func OwnSlapd(tb testing.TB, o SlapdOptions) LDAP {
	tb.Helper()
	l, err := newSlapd(tb.TempDir(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.p.stop)
	return *l
}

func newSlapd(dir string, o SlapdOptions) (*LDAP, error) {
	l := &LDAP{
		CA: filepath.Join(dir, "ca.pem"), Dir: dir, Base: base, People: peopleBase, Groups: groupsBase,
		BindDN: "cn=portico,ou=apps," + base, BindPassword: "service-secret",
		AdminDN: "cn=admin," + base, AdminPassword: "admin-secret",
	}
	if err := l.write(o); err != nil {
		return nil, err
	}
	plain, err := freePort()
	if err != nil {
		return nil, err
	}
	secure, err := freePort()
	if err != nil {
		return nil, err
	}
	path, err := tool("slapd")
	if err != nil {
		return nil, err
	}
	l.Address = "127.0.0.1:" + secure
	l.URL, l.StartTLS = "ldaps://"+l.Address, "ldap://127.0.0.1:"+plain
	l.p = &process{
		path:  path,
		args:  []string{"-d", "0", "-f", filepath.Join(dir, "slapd.conf"), "-h", l.StartTLS + " " + l.URL},
		ready: func(ctx context.Context) bool { return listens(ctx, "127.0.0.1:"+plain) && listens(ctx, l.Address) },
	}
	if err := l.p.start(); err != nil {
		l.p.stop()
		return nil, err
	}
	return l, nil
}

//go:embed slapd.conf
var slapdConf string

// write lays down certificates, configuration and data. slapadd takes the firm
// in a second, where adding it over the network takes many.
func (l *LDAP) write(o SlapdOptions) error {
	var err error
	if o.Like != nil {
		l.authority = o.Like.authority
	} else if l.authority, err = newAuthority(); err != nil {
		return err
	}
	if err := l.authority.issue(l.Dir, "127.0.0.1"); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(l.Dir, "db"), 0o700); err != nil {
		return fmt.Errorf("parts: slapd: %w", err)
	}
	conf, data := filepath.Join(l.Dir, "slapd.conf"), filepath.Join(l.Dir, "data.ldif")
	text := strings.NewReplacer("{dir}", l.Dir, "{base}", l.Base, "{bind_dn}", l.BindDN, "{admin_dn}", l.AdminDN, "{admin_password}", l.AdminPassword).Replace(slapdConf)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return fmt.Errorf("parts: slapd: %w", err)
	}
	ldif := skeleton(l)
	if !o.Empty {
		l.Persons = firmPeople()
		ldif += firmLDIF(l.Persons)
	}
	if err := os.WriteFile(data, []byte(ldif), 0o600); err != nil {
		return fmt.Errorf("parts: slapd: %w", err)
	}
	path, err := tool("slapadd")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(context.Background(), path, "-q", "-f", conf, "-l", data).CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return fmt.Errorf("parts: slapadd: %w\n%s", err, out)
	}
	return nil
}

// listens tells whether somebody takes connections at an address.
func listens(ctx context.Context, address string) bool {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// PID is the server's process, 0 while it is stopped.
func (l LDAP) PID() int { return l.p.pid() }

// Stop ends the server, as an outage does: connections are refused.
func (l LDAP) Stop(tb testing.TB) {
	tb.Helper()
	l.p.stop()
}

// Start runs a stopped server again, with its data and its ports.
func (l LDAP) Start(tb testing.TB) {
	tb.Helper()
	if err := l.p.start(); err != nil {
		tb.Fatal(err)
	}
}

// Kill ends the server with SIGKILL, as a power cut does.
func (l LDAP) Kill(tb testing.TB) {
	tb.Helper()
	l.signal(tb, syscall.SIGKILL)
	l.p.stop()
}

// Freeze stops the server's clock: connections are taken and nothing is
// answered, the worst kind of outage. The test's end thaws it.
func (l LDAP) Freeze(tb testing.TB) {
	tb.Helper()
	l.signal(tb, syscall.SIGSTOP)
	awaitHalt(tb, l.PID())
	tb.Cleanup(func() { _ = l.p.signal(syscall.SIGCONT) })
}

// Thaw lets a frozen server go on.
func (l LDAP) Thaw(tb testing.TB) {
	tb.Helper()
	l.signal(tb, syscall.SIGCONT)
}

func (l LDAP) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := l.p.signal(sig); err != nil {
		tb.Fatal(err)
	}
}
