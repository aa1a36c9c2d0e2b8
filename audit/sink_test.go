package audit

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func items(lines ...string) []Item {
	var all []Item
	for _, l := range lines {
		all = append(all, Item{Kind: kindRow, Time: time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC), Line: []byte(l)})
	}
	return all
}

func newFile(t *testing.T) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	f := NewFile("file", path)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, path
}

func send(t *testing.T, s Sink, lines ...string) {
	t.Helper()
	if err := s.Send(t.Context(), items(lines...)); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		t.Errorf("%s = %q, %v, want %q", filepath.Base(path), text, err, want)
	}
}

func TestFile(t *testing.T) {
	f, path := newFile(t)
	send(t, f, "a", "b")
	send(t, f, "c")
	wantFile(t, path, "a\nb\nc\n")
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// As logrotate does, without a word to anybody.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	send(t, f, "d")
	wantFile(t, path+".1", "a\nb\nc\n")
	wantFile(t, path, "d\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	send(t, f, "e")
	wantFile(t, path, "e\n")
	// copytruncate, too.
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	send(t, f, "f")
	wantFile(t, path, "f\n")
}

// TestFileMended begins with half a line, which a crash has left.
func TestFileMended(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a\nhal", "a\nx\n"},
		{"hal", "x\n"},
		{"a\n", "a\nx\n"},
		{"a\n" + strings.Repeat("h", 100_000), "a\nx\n"},
	} {
		f, path := newFile(t)
		if err := os.WriteFile(path, []byte(c.text), 0o640); err != nil {
			t.Fatal(err)
		}
		send(t, f, "x")
		wantFile(t, path, c.want)
	}
}

func TestFileDiskFull(t *testing.T) {
	f := NewFile("file", "/dev/full")
	if err := f.Send(t.Context(), items("a")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Send = %v, want ENOSPC", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	none := NewFile("file", filepath.Join(t.TempDir(), "none", "audit"))
	if err := none.Send(t.Context(), items("a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Send = %v, want os.ErrNotExist", err)
	}
}

// TestFileFullInTheMiddle takes half a batch back. The limit on a file's size
// stands for a disk that is full: other than /dev/full it takes some bytes.
func TestFileFullInTheMiddle(t *testing.T) {
	f, path := newFile(t)
	send(t, f, "a")
	limit(t, 10)
	err := f.Send(t.Context(), items(strings.Repeat("b", 20)))
	limit(t, 1<<40)
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Send = %v, want EFBIG", err)
	}
	wantFile(t, path, "a\n")
	send(t, f, "c")
	wantFile(t, path, "a\nc\n")
}

// limit bounds the size of files of this process. Go ignores SIGXFSZ.
func limit(t *testing.T, size uint64) {
	t.Helper()
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		t.Fatal(err)
	}
	r.Cur = min(size, r.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		t.Fatal(err)
	}
}

// TestFilePipeHangs writes to a pipe that nobody reads.
func TestFilePipeHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f := NewFile("file", path)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Send(ctx, items(strings.Repeat("x", 1<<20))) }()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil { // it has begun
		t.Fatal(err)
	}
	if err := f.Close(); err == nil || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("Close = %v, want that it hangs", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Send = %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func newSyslog(t *testing.T, to string, secure *tls.Config) *Syslog {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSyslog("syslog", "gw 1", u, secure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

const wantMessage = `<109>1 2026-03-01T12:00:00.000001Z gw_1 portico - audit - {"a":1}`

func TestSyslogPackets(t *testing.T) {
	for _, network := range []string{"udp", "unixgram"} {
		address := "127.0.0.1:0"
		if network == "unixgram" {
			address = filepath.Join(t.TempDir(), "log")
		}
		l, err := (&net.ListenConfig{}).ListenPacket(t.Context(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		to := "udp://" + l.LocalAddr().String()
		if network == "unixgram" {
			to = "unix://" + address
		}
		s := newSyslog(t, to, nil)
		send(t, s, `{"a":1}`, `{"b":2}`)
		packet := make([]byte, 1000)
		n, _, err := l.ReadFrom(packet)
		if got := string(packet[:n]); got != wantMessage || err != nil {
			t.Errorf("%s: %q, %v, want %q", network, got, err, wantMessage)
		}
	}
}

// frame reads a message with its length in front.
func frame(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	size, err := r.ReadString(' ')
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, digit := range strings.TrimSpace(size) {
		n = 10*n + int(digit-'0')
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestSyslogTCP(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newSyslog(t, "tcp://"+l.Addr().String(), nil)
	send(t, s, `{"a":1}`, `{"a":1}`)
	conn := accept(t, l)
	r := bufio.NewReader(conn)
	for range 2 {
		if got := frame(t, r); got != wantMessage {
			t.Errorf("%q, want %q", got, wantMessage)
		}
	}
	// The other side ends: the next goes over a new connection.
	gone := s.gone
	conn.Close()
	<-gone
	send(t, s, `{"a":1}`)
	if got := frame(t, bufio.NewReader(accept(t, l))); got != wantMessage {
		t.Errorf("%q, want %q", got, wantMessage)
	}
}

// TestSyslogHangs has a receiver that takes nothing.
func TestSyslogHangs(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newSyslog(t, "tcp://"+l.Addr().String(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Send(ctx, items(strings.Repeat("x", 64<<20))) }()
	conn := accept(t, l)
	if _, err := io.ReadFull(conn, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("Close = %v, want that it hangs", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Send = %v", err)
	}
}

// certificate is one for 127.0.0.1, and what trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestSyslogTLS(t *testing.T) {
	cert, pool := certificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		for { // the one who does not trust us comes first
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			if _, err := r.Peek(1); err == nil {
				got <- frame(t, r)
			}
			conn.Close()
		}
	}()
	if err := newSyslog(t, "tls://"+l.Addr().String(), nil).Send(t.Context(), items("a")); err == nil {
		t.Error("a certificate that nobody trusts is taken")
	}
	send(t, newSyslog(t, "tls://"+l.Addr().String(), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}), `{"a":1}`)
	if got := <-got; got != wantMessage {
		t.Errorf("%q, want %q", got, wantMessage)
	}
}

func TestNewSyslog(t *testing.T) {
	for to, want := range map[string]string{
		"udp://log.firm.example":      "log.firm.example:514",
		"tcp://[2001:db8::1]:601":     "[2001:db8::1]:601",
		"tls://log.firm.example":      "log.firm.example:6514",
		"unix:///dev/log":             "/dev/log",
		"http://log.firm.example":     "",
		"udp://":                      "",
		"unix:":                       "",
		"tls://log.firm.example:6514": "log.firm.example:6514",
	} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSyslog("syslog", "", u, nil)
		if (err == nil) != (want != "") || err == nil && s.to != want {
			t.Errorf("NewSyslog(%s) = %+v, %v, want %q", to, s, err, want)
		}
	}
	for text, want := range map[string]string{"": "-", "gw-1": "gw-1", "a b\n\x00é": "a_b___", strings.Repeat("a", 300): strings.Repeat("a", 255)} {
		if got := headerField(text); got != want {
			t.Errorf("headerField(%q) = %q, want %q", text, got, want)
		}
	}
}
