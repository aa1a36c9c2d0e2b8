package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/config"
)

// certificate is a new pair for a name, as PEM.
func certificate(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// TestRenewal renews the certificate of a running server: file by file, to
// nonsense, and away.
func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	step := 0
	write := func(file string, b []byte) {
		step++
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(step) * time.Second) // two writes of one tick
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := certificate(t, "old")
	write(certFile, cert)
	write(keyFile, key)
	log := &syncBuffer{}
	cfg := &config.Config{Server: config.Server{Listen: "127.0.0.1:0", TLS: &config.TLS{Cert: certFile, Key: config.NewSecret(keyFile)}}}
	l, err := listen(t.Context(), cfg, newLogger(log, "text", slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).HandshakeContext(context.Background())
			c.Close()
		}
	}()
	serves := func(want, when string) {
		t.Helper()
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		defer c.Close()
		if got := c.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName; got != want {
			t.Errorf("%s: the certificate is %q, want %q", when, got, want)
		}
	}
	serves("old", "at the start")
	cert, key = certificate(t, "new")
	write(certFile, cert)
	serves("old", "half renewed")
	serves("old", "half renewed, again")
	if n := strings.Count(log.String(), "renewed certificate cannot be used"); n != 1 {
		t.Errorf("told %d times that it is half renewed, want once:\n%s", n, log)
	}
	write(keyFile, key)
	serves("new", "renewed")
	write(certFile, []byte("nonsense"))
	serves("new", "renewed to nonsense")
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	serves("new", "with the file gone")
	if strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("the log has the key:\n%s", log)
	}

	old := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}}
	if c, err := old.DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("TLS 1.1 was served")
	}
}

// TestListenFails wants the key of the config and the mend named.
func TestListenFails(t *testing.T) {
	taken := listener(t)
	for address, want := range map[string]string{
		taken.Addr().String(): "another program listens there",
		"192.0.2.1:0":         "this machine does not have the address",
		"host.invalid:0":      "check the address",
	} {
		_, err := listenOn(t.Context(), "server.listen", address)
		if err == nil || !strings.HasPrefix(err.Error(), "server.listen: cannot listen on "+address) || !strings.Contains(err.Error(), want) {
			t.Errorf("listen on %s: %v, want %q", address, err, want)
		}
	}
	cfg := &config.Config{Server: config.Server{Listen: "127.0.0.1:0", TLS: &config.TLS{Cert: "/none", Key: config.NewSecret("/none")}}}
	if _, err := listen(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), "server.tls: ") {
		t.Errorf("listen without a certificate: %v", err)
	}
}
