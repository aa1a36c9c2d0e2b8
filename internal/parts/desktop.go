package parts

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Desktop is a computer of somebody's own, as a client of the drive sees it: a home, and
// the authorities that its system trusts. What runs there cannot harm the tester's own
// home, session or certificates, and nothing of it is left when a command has ended.
type Desktop struct {
	tb    testing.TB
	home  string
	certs string
}

// NewDesktop makes one whose system trusts the certificate authority in the file ca, and
// no other.
func NewDesktop(tb testing.TB, ca string) *Desktop {
	tb.Helper()
	d := &Desktop{tb: tb, home: tb.TempDir(), certs: tb.TempDir()}
	pem, err := os.ReadFile(ca) //nolint:gosec // of a test
	if err != nil {
		tb.Fatal(err)
	}
	// GnuTLS reads the bundle, OpenSSL (KDE's) looks the authority up by its hash.
	hash, err := exec.CommandContext(tb.Context(), Tool(tb, "openssl"), "x509", "-noout", "-subject_hash", "-in", ca).Output() //nolint:gosec // of a test
	if err != nil {
		tb.Fatalf("parts: hash of the authority: %v", err)
	}
	for _, name := range []string{"ca-certificates.crt", strings.TrimSpace(string(hash)) + ".0"} {
		if err := os.WriteFile(filepath.Join(d.certs, name), pem, 0o600); err != nil { //nolint:gosec // of a test
			tb.Fatal(err)
		}
	}
	return d
}

// Home is the home of the desktop's owner.
func (d *Desktop) Home() string { return d.home }

// Command is a program on the desktop, ended with all that it has started after within.
// Programs of a session (GNOME, KDE) want to be run by dbus-run-session.
func (d *Desktop) Command(within time.Duration, name string, args ...string) *exec.Cmd {
	d.tb.Helper()
	// The namespaces: of mounts, so that the certificates are the desktop's alone; of
	// processes, because helpers of KDE and GNOME outlive who started them; of users,
	// where the tester is not root.
	space := []string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		space = append(space, "--map-root-user")
	}
	const trust = `mount --bind "$0" /etc/ssl/certs && exec "$@"`
	args = append(append(space, "sh", "-c", trust, d.certs, Tool(d.tb, name)), args...)
	ctx, cancel := context.WithTimeout(d.tb.Context(), within)
	d.tb.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, Tool(d.tb, "unshare"), args...) //nolint:gosec // our own arguments
	cmd.WaitDelay = endWithin
	cmd.Env = append(os.Environ(), "HOME="+d.home, "XDG_RUNTIME_DIR="+d.tb.TempDir(), "LANG=C.UTF-8", "QT_QPA_PLATFORM=offscreen")
	for _, v := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "DBUS_SESSION_BUS_ADDRESS"} {
		cmd.Env = append(cmd.Env, v+"=")
	}
	return cmd
}
