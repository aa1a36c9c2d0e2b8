package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"portico/files"
	"portico/vpath"
)

// BenchmarkPropfindWriter writes a folder of 10,000 files, for the properties
// that rclone and GNOME ask for. It should take less than 25 ms.
func BenchmarkPropfindWriter(b *testing.B) {
	nodes := manyNodes(10_000)
	for name, body := range map[string]string{
		"named":   `<propfind xmlns="DAV:"><prop><displayname/><getlastmodified/><getcontentlength/><resourcetype/><getcontenttype/></prop></propfind>`,
		"missing": `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getetag/><executable xmlns="http://apache.org/dav/props/"/></prop></propfind>`,
		"all":     "",
	} {
		doc, err := parseXML([]byte(body))
		if err != nil {
			b.Fatal(err)
		}
		lives := liveProps()
		q, err := parseQuery(doc, lives)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			h := New(Options{})
			b.ReportAllocs()
			var size int64
			for b.Loop() {
				w := &nowhere{header: http.Header{}}
				p := &page{answer: h.startXML(w, &request{}), query: q, lives: lives, quota: files.Quota{Available: -1, Used: -1}}
				if err := p.write(nodes); err != nil {
					b.Fatal(err)
				}
				size = w.size
			}
			b.ReportMetric(float64(size)/float64(len(nodes)), "bytes/entry")
		})
	}
}

func manyNodes(n int) []files.Node {
	list := make([]files.Node, n)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range list {
		list[i] = files.Node{
			Path: vpath.Must(fmt.Sprintf("/firm/Clients/Acme & Co/document %05d.docx", i)),
			Size: int64(i) * 1000, ModTime: at, Created: at, ETag: strings.Repeat("0123456789abcdef", 2),
			ContentType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		}
	}
	return list
}

type nowhere struct {
	header http.Header
	size   int64
}

func (w *nowhere) Header() http.Header { return w.header }
func (*nowhere) WriteHeader(int)       {}
func (w *nowhere) Write(p []byte) (int, error) {
	w.size += int64(len(p))
	return len(p), nil
}

// A listing costs a constant number of allocations, and two for each name that
// must be percent-encoded.
func TestPropfindWriterAllocates(t *testing.T) {
	nodes := manyNodes(1000)
	lives := liveProps()
	h := New(Options{})
	allocs := testing.AllocsPerRun(5, func() {
		p := &page{answer: h.startXML(&nowhere{header: http.Header{}}, &request{}), query: query{all: true}, lives: lives}
		if err := p.write(nodes); err != nil {
			t.Error(err)
		}
	})
	if allocs > 2*1000+50 {
		t.Errorf("%.0f allocations for 1,000 entries", allocs)
	}
}

// A short answer has a length; a long one is sent on in pieces.
func TestAnswerPieces(t *testing.T) {
	h := New(Options{})
	for n, want := range map[int]bool{1: true, 1000: false} {
		w := httptest.NewRecorder()
		p := &page{answer: h.startXML(w, &request{}), query: query{all: true}, lives: liveProps()}
		if err := p.write(manyNodes(n)); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Content-Length") != ""; got != want || w.Code != 207 {
			t.Errorf("%d entries: status %d, Content-Length %v, want %v", n, w.Code, got, want)
		}
		wellFormed(t, w.Body.String())
	}
}
