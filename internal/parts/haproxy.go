package parts

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// balancerConfig is the one that is shipped: what the tests show of retries and
// health checks holds for it, and not for another.
const balancerConfig = "deploy/compose/haproxy.cfg"

// Balancer is an HAProxy that runs.
type Balancer struct {
	port       string
	securePort string
	roots      *x509.CertPool

	p *process
}

// HAProxy is Debian's haproxy in front of backends, each "127.0.0.1:PORT", with
// the shipped configuration. It ends with the test, and a test that fails shows
// its log.
func HAProxy(tb testing.TB, backends ...string) Balancer {
	tb.Helper()
	b, err := newHAProxy(tb.TempDir(), backends)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		b.p.stop()
		if tb.Failed() { // which gateway got what, and how it ended, is the first thing to ask
			tb.Logf("haproxy said:\n%s", b.p.out.String())
		}
	})
	return b
}

func newHAProxy(dir string, backends []string) (Balancer, error) {
	path, err := tool("haproxy")
	if err != nil {
		return Balancer{}, err
	}
	shipped, err := readShipped(balancerConfig)
	if err != nil {
		return Balancer{}, err
	}
	var ports [3]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return Balancer{}, err
		}
	}
	b := Balancer{port: ports[0], securePort: ports[1]}
	config, err := adapt(shipped, b.port, ports[2], len(backends))
	if err != nil {
		return Balancer{}, err
	}
	file, cert := filepath.Join(dir, "haproxy.cfg"), filepath.Join(dir, "tls.pem")
	if b.roots, err = writeCertificate(cert); err != nil {
		return Balancer{}, err
	}
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return Balancer{}, fmt.Errorf("parts: haproxy: %w", err)
	}
	env := []string{"PORTICO_BIND=127.0.0.1:" + b.securePort, "PORTICO_CERT=" + cert}
	for i, at := range backends {
		env = append(env, fmt.Sprintf("PORTICO_GATEWAY%d=%s", i+1, at))
	}
	b.p = &process{path: path, args: []string{"-db", "-f", file}, env: env, health: "http://127.0.0.1:" + ports[2] + "/"}
	if err := b.p.start(); err != nil {
		b.p.stop()
		return Balancer{}, err
	}
	return b, nil
}

// URL is the balancer's address without TLS, which the shipped configuration has
// not: clients of the tests need not trust a certificate.
func (b Balancer) URL() string { return "http://127.0.0.1:" + b.port }

// SecureURL is the address with TLS, for those who trust Roots.
func (b Balancer) SecureURL() string { return "https://127.0.0.1:" + b.securePort }

// Roots hold the balancer's certificate.
func (b Balancer) Roots() *x509.CertPool { return b.roots }

// PID is the balancer's process, 0 while it is stopped.
func (b Balancer) PID() int { return b.p.pid() }

// Stop ends the balancer.
func (b Balancer) Stop(tb testing.TB) {
	tb.Helper()
	b.p.stop()
}

// Start runs a stopped balancer again, on its ports.
func (b Balancer) Start(tb testing.TB) {
	tb.Helper()
	if err := b.p.start(); err != nil {
		tb.Fatal(err)
	}
}

// serverLines are those of the gateways, which end the file.
func serverLines() *regexp.Regexp {
	return regexp.MustCompile(`(?m)(^    server gateway\d+ "\$\{PORTICO_GATEWAY\d+\}"\n)+\z`)
}

// adapt makes of the shipped file one for this test: a line for each backend,
// a second way in without TLS, and a port that answers as soon as the program
// runs, whether or not a gateway does.
func adapt(shipped []byte, port, ready string, backends int) ([]byte, error) {
	const bind = "    bind \"${PORTICO_BIND}\""
	servers := serverLines().FindIndex(shipped)
	if servers == nil || bytes.Count(shipped, []byte(bind)) != 1 {
		return nil, errors.New("parts: " + balancerConfig + ` has no longer one line bind "${PORTICO_BIND}" and lines server gatewayN "${PORTICO_GATEWAYN}" at its end`)
	}
	out := bytes.Clone(shipped[:servers[0]])
	for i := range backends {
		out = fmt.Appendf(out, "    server gateway%d \"${PORTICO_GATEWAY%[1]d}\"\n", i+1)
	}
	out = fmt.Appendf(out, "\nlisten started\n    bind 127.0.0.1:%s\n    http-request return status 200\n", ready)
	return bytes.Replace(out, []byte(bind), []byte("    bind 127.0.0.1:"+port+"\n"+bind), 1), nil
}

// readShipped reads a file of the project from a test in whatever folder of it.
func readShipped(name string) ([]byte, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) //nolint:gosec // the project's own file
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil, errors.New("parts: no folder above the test has a go.mod")
		}
		dir = up
	}
}

// writeCertificate writes httptest's own certificate, which is for 127.0.0.1,
// with its key, as HAProxy wants them: in one file.
func writeCertificate(name string) (*x509.CertPool, error) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("parts: haproxy's key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return nil, fmt.Errorf("parts: haproxy's certificate: %w", err)
	}
	return roots, nil
}
