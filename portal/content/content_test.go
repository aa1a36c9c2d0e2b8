package content

import (
	"strings"
	"testing"

	"portico/files"
	"portico/vpath"
)

// TestShowable holds the allow-list: what a browser could run is saved alone
// (THREATS.md row 73).
func TestShowable(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"image/png": "image", "application/pdf": "pdf", "text/plain; charset=utf-8": "text", "video/mp4": "video", "audio/ogg": "audio",
		"text/html": "", "image/svg+xml": "", "application/xhtml+xml": "", "text/xml": "", "multipart/related": "", "text/javascript": "", "": "",
	} {
		if got := Showable(files.Node{ContentType: kind}); got != want {
			t.Errorf("Showable(%q) = %q, want %q", kind, got, want)
		}
	}
}

// TestPolicy: all is in a sandbox but a PDF, which Chromium's reader would not open
// there; and our pages may frame what they show, and nothing else.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][2]bool{
		"image/png": {true, true}, "text/plain; charset=utf-8": {true, true}, "application/pdf": {false, true},
		"application/octet-stream": {true, false}, "text/html": {true, false}, "image/svg+xml": {true, false}, "": {true, false},
	} {
		p := Policy(kind)
		if got := [2]bool{strings.HasPrefix(p, "sandbox;"), strings.Contains(p, "frame-ancestors 'self'")}; got != want || !strings.Contains(p, "default-src 'none'") {
			t.Errorf("Policy(%q) = %q: sandbox and frames %v, want %v", kind, p, got, want)
		}
	}
}

func TestOneRange(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]files.Range{
		"bytes=0-4": {Off: 0, Len: 5}, "bytes=7-": {Off: 7}, "bytes=-3": {Off: -3}, "bytes=5-5": {Off: 5, Len: 1},
	} {
		if got, ok := oneRange(header); !ok || got != want {
			t.Errorf("oneRange(%q) = %v, %t, want %v", header, got, ok, want)
		}
	}
	for _, header := range []string{"", "bytes=", "bytes=-0", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-", "bytes=1-x", "bytes=--1"} {
		if got, ok := oneRange(header); ok {
			t.Errorf("oneRange(%q) = %v, want none", header, got)
		}
	}
}

func TestNumbered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		n          int
	}{{"a.txt", "a.txt", 1}, {"a.txt", "a (2).txt", 2}, {"a", "a (3)", 3}, {".profile", ".profile (2)", 2}, {"a.tar.gz", "a.tar (2).gz", 2}} {
		if got := Numbered(c.name, c.n); got != c.want {
			t.Errorf("Numbered(%q, %d) = %q, want %q", c.name, c.n, got, c.want)
		}
	}
}

// TestSafeName keeps an archive from being a way elsewhere on Windows
// (CVE-2018-1002200).
func TestSafeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"/a/b.txt": "a/b.txt", `/a/..\..\b`: `a/.._.._b`, "/c:/x": "c_/x", "/a?*|<>": "a_____"} {
		p, err := vpath.Parse(in)
		if err != nil {
			continue // a name that is never stored
		}
		if got := safeName(p); got != want {
			t.Errorf("safeName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestBusy gives back what was taken, once each.
func TestBusy(t *testing.T) {
	t.Parallel()
	b := NewBusy(2)
	first, ok1 := b.Begin("ann")
	_, ok2 := b.Begin("ann")
	if _, ok3 := b.Begin("ann"); !ok1 || !ok2 || ok3 {
		t.Error("three have begun, where two may")
	}
	if _, ok := b.Begin("bob"); !ok {
		t.Error("one keeps another out")
	}
	first()
	if _, ok := b.Begin("ann"); !ok {
		t.Error("a place that was given back is taken")
	}
}
