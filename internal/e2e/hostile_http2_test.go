//go:build !race

package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sync/errgroup"
)

// spawnTLS is spawn of a server that ends TLS itself, so that it speaks HTTP/2.
func spawnTLS(t *testing.T, storage string) (s *server, pid int, trust *x509.CertPool) {
	t.Helper()
	cert, key, trust := certificate(t)
	config := writeConfig(t, storage)
	b, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("server: {"), fmt.Appendf(nil, "server: {tls: {cert: %s, key: %s}, ", cert, key), 1)
	if err := os.WriteFile(config, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, cmd := spawn(t, config)
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s, cmd.Process.Pid, trust
}

// peer2 is a client that speaks HTTP/2 by hand.
type peer2 struct {
	net.Conn
	out    *http2.Framer
	header bytes.Buffer
	packer *hpack.Encoder
	stream uint32 // the last one
}

// dial2 begins a connection with settings of the test's.
func dial2(host string, trust *x509.CertPool, settings ...http2.Setting) (*peer2, error) {
	conn, err := tls.Dial("tcp", host, &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
	if err != nil {
		return nil, err
	}
	p := &peer2{Conn: conn, out: http2.NewFramer(conn, conn)}
	p.packer = hpack.NewEncoder(&p.header)
	p.out.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	err = conn.SetDeadline(time.Now().Add(stallWithin))
	if err == nil {
		_, err = io.WriteString(conn, http2.ClientPreface)
	}
	if err == nil {
		err = p.out.WriteSettings(settings...)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return p, nil
}

// ask opens a stream. Its body follows, if it does not end here.
func (p *peer2) ask(user, method, path string, end bool) (uint32, error) {
	p.header.Reset()
	for _, f := range [][2]string{
		{":method", method},
		{":scheme", "https"},
		{":authority", p.RemoteAddr().String()},
		{":path", path},
		{"authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))},
		{"depth", "1"},
	} {
		if err := p.packer.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			return 0, err
		}
	}
	p.stream = max(1, p.stream+2)
	if p.stream%2 == 0 {
		p.stream++
	}
	return p.stream, p.out.WriteHeaders(http2.HeadersFrameParam{
		StreamID: p.stream, BlockFragment: p.header.Bytes(), EndStream: end, EndHeaders: true,
	})
}

// answers reads until so many streams have their status, by stream.
func (p *peer2) answers(n int) (map[uint32]string, error) {
	got := map[uint32]string{}
	for len(got) < n {
		frame, err := p.out.ReadFrame()
		if err != nil {
			return got, err
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			got[f.StreamID] = f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			if got[f.StreamID] == "" {
				got[f.StreamID] = f.ErrCode.String()
			}
		}
	}
	return got, nil
}

// pour writes a great many frames, until the server has had enough or the time is up:
// what it has cost then is for the caller to say.
func (p *peer2) pour(write func() error) error {
	var drained sync.WaitGroup
	drained.Go(func() { _, _ = io.Copy(io.Discard, p.Conn) })
	defer drained.Wait()
	defer p.Close()
	for range 200_000 {
		if write() != nil {
			return nil
		}
	}
	return nil
}

// floods are streams and frames without an end.
func floods() map[string]func(*peer2) error {
	return map[string]func(*peer2) error{
		"streams that are reset at once": func(p *peer2) error { // CVE-2023-44487
			return p.pour(func() error {
				id, err := p.ask("bob", "PROPFIND", "/dav/firm/victims/", true)
				return errors.Join(err, p.out.WriteRSTStream(id, http2.ErrCodeCancel))
			})
		},
		"a head without an end": func(p *peer2) error { // CVE-2023-45288
			if _, err := p.ask("bob", "GET", "/dav/firm/", true); err != nil {
				return err
			}
			p.header.Reset()
			if err := p.packer.WriteField(hpack.HeaderField{Name: "x-name", Value: strings.Repeat("v", 1000)}); err != nil {
				return err
			}
			err := p.out.WriteHeaders(http2.HeadersFrameParam{StreamID: p.stream + 2, BlockFragment: p.header.Bytes()})
			return errors.Join(err, p.pour(func() error { return p.out.WriteContinuation(p.stream+2, false, p.header.Bytes()) }))
		},
		"one field again and again": func(p *peer2) error { // the table makes a byte of it a kilobyte
			p.header.Reset()
			for range 16_000 {
				if err := p.packer.WriteField(hpack.HeaderField{Name: "x-name", Value: strings.Repeat("v", 1000)}); err != nil {
					return err
				}
			}
			err := p.out.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.header.Bytes()[:16_000]})
			return errors.Join(err, p.pour(func() error { return io.EOF }))
		},
		"pings":    func(p *peer2) error { return p.pour(func() error { return p.out.WritePing(false, [8]byte{}) }) },
		"settings": func(p *peer2) error { return p.pour(func() error { return p.out.WriteSettings() }) },
		"windows":  func(p *peer2) error { return p.pour(func() error { return p.out.WriteWindowUpdate(0, 1) }) },
		"empty data": func(p *peer2) error {
			id, err := p.ask("bob", "PUT", "/dav/firm/none", false)
			return errors.Join(err, p.pour(func() error { return p.out.WriteData(id, false, nil) }))
		},
	}
}

// TestHostileStreams is TestHostileRequests and TestHostileStalls for HTTP/2: floods of
// frames, and streams that stop in the middle or never take their answer.
func TestHostileStreams(t *testing.T) {
	disk := t.TempDir()
	s, pid, trust := spawnTLS(t, "{type: local, path: "+disk+"}")
	host := strings.TrimPrefix(s.url, "https://")
	s.layOutVictims()
	for _, user := range []string{"ann", "eve", "ida"} { // a password's hash takes 19 MiB
		s.do(user, "PROPFIND", "/dav/firm/", "", "Depth", "0")
	}
	idle := resident(t, pid)
	costs := func(what string, act func() error) {
		t.Helper()
		idle = min(idle, resident(t, pid)) // what is free goes back to the system bit by bit
		begun, over := time.Now(), make(chan struct{})
		var g errgroup.Group
		g.Go(func() error { defer close(over); return act() })
		s.workOn(t, over)
		if err := g.Wait(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		cost := peak(t, pid) - idle
		t.Logf("%s: %v, %d KiB", what, time.Since(begun).Round(10*time.Millisecond), cost>>10)
		if cost > mostMemory {
			t.Errorf("%s: the process takes %d MiB more", what, cost>>20)
		}
	}
	for name, flood := range floods() {
		costs(name, func() error {
			p, err := dial2(host, trust)
			if err != nil {
				return err
			}
			defer p.Close()
			return flood(p)
		})
	}
	costs("documents that stall", func() error { return stallStreams(host, trust) })

	many := filepath.Join(disk, "firm", "many")
	if err := os.Mkdir(many, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := os.WriteFile(filepath.Join(many, "file-"+strconv.Itoa(i)+".txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.do("bob", "PROPFIND", "/dav/firm/many/", "", "Depth", "1").want(207)
	idle = resident(t, pid)
	// A window of nothing: not a byte of an answer may be sent.
	p, err := dial2(host, trust, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	costs("listings that nobody takes", func() error { return p.askInVain("/dav/firm/many/") })
	s.do("bob", "GET", "/dav/firm/victim.txt", "").want(200)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	s.do("bob", "PROPFIND", "/dav/firm/many/", "", "Depth", "1").want(207)
}

// askInVain asks for more listings than one person gets at once, and waits until
// as many are begun.
func (p *peer2) askInVain(path string) error {
	const asked, begun = 30, 4
	for range asked {
		if _, err := p.ask("bob", "PROPFIND", path, true); err != nil {
			return err
		}
	}
	got, err := p.answers(begun)
	if err != nil {
		return fmt.Errorf("%v: %w", got, err)
	}
	return nil
}

// stallStreams opens as many streams as one connection may have, and more, and stops
// in their bodies.
func stallStreams(host string, trust *x509.CertPool) error {
	const most = 100
	p, err := dial2(host, trust)
	if err != nil {
		return err
	}
	defer p.Close()
	for i := range most + 20 {
		id, err := p.ask([]string{"bob", "eve", "ida"}[i%3], "PROPFIND", "/dav/firm/", false)
		if err == nil {
			err = p.out.WriteData(id, false, []byte("<D:propfind"))
		}
		if err != nil {
			return err
		}
	}
	got, err := p.answers(most + 20)
	if err != nil {
		return fmt.Errorf("%d answers: %w", len(got), err)
	}
	count := map[string]int{}
	for _, status := range got {
		count[status]++
	}
	if count["408"] < most/2 || count["REFUSED_STREAM"] < 20 {
		return fmt.Errorf("answers %v, want 408 and for those beyond the limit REFUSED_STREAM", count)
	}
	return nil
}
