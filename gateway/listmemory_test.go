package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// watched is a state store that looks at the memory in use whenever properties are
// asked for, and fails where it is told to.
type watched struct {
	store.State
	peak, pages, fail *atomic.Int64
}

func watch(s *settings) *watched {
	w := &watched{peak: new(atomic.Int64), pages: new(atomic.Int64), fail: new(atomic.Int64)}
	s.state = func(st store.State) store.State { w.State = st; return w }
	return w
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (w *watched) PropsAt(ctx context.Context, list []vpath.Path) (map[vpath.Path][]store.Prop, int, error) {
	if w.pages.Add(1) == w.fail.Load() {
		return nil, 0, fault.ErrUnavailable
	}
	props, done, err := w.State.PropsAt(ctx, list)
	w.peak.Store(max(w.peak.Load(), inUse()))
	return props, done, err
}

// ask sends a request and counts the properties in the answer as it comes.
func ask(tb testing.TB, h *house, method, body string) (n int, err error) {
	tb.Helper()
	r := h.as("ann").Request(method, "/firm/heavy", strings.NewReader(body))
	if method == "PROPFIND" {
		r.Header.Set("Depth", "1")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMultiStatus {
		return 0, errors.New(res.Status)
	}
	in := bufio.NewReader(res.Body)
	for {
		word, err := in.ReadString('<')
		if strings.HasPrefix(word, "Z:Win32Property") && strings.Contains(word, "xxx") {
			n++
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// heavyAsks are the questions whose answers have all properties of all files.
func heavyAsks() map[string]string {
	return map[string]string{
		"PROPFIND": `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`,
		"REPORT": `<D:sync-collection xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop>` +
			win32Names() + `</D:prop></D:sync-collection>`,
		"SEARCH": `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:allprop/></D:select>` +
			`<D:from><D:scope><D:href>/dav/firm/heavy</D:href><D:depth>1</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`,
	}
}

func win32Names() string {
	var b strings.Builder
	for i := range files.MaxProps {
		b.WriteString("<Z:Win32Property" + string([]byte{'0' + byte(i/10), '0' + byte(i%10)}) + "/>")
	}
	return b.String()
}

// TestListingOfHeavyFiles: the properties of a folder may be thousands of times what one
// request may take, and all of them come all the same, a few at a time.
func TestListingOfHeavyFiles(t *testing.T) {
	const many, most = 250, 40 << 20 // of 65 MB
	var w *watched
	h := newHouse(t, func(s *settings) { w = watch(s) })
	h.fill(t, "/heavy", many, files.MaxProps, files.MaxPropBytes-100)
	for method, body := range heavyAsks() {
		before := inUse()
		w.peak.Store(0)
		w.pages.Store(0)
		n, err := ask(t, h, method, body)
		if err != nil || n != many*files.MaxProps {
			t.Errorf("%s: %d properties, %v, want %d", method, n, err, many*files.MaxProps)
		}
		used := w.peak.Load() - before
		t.Logf("%s: %d pages, %d KiB", method, w.pages.Load(), used>>10)
		if used > most || w.pages.Load() < many*files.MaxProps/512 {
			t.Errorf("%s: %d bytes of memory in %d pages, want %d at most", method, used, w.pages.Load(), most)
		}
	}
}

// TestListingBreaks: where the properties cannot be read, the answer is 503 before its
// first byte, and ends without its end after that: no client may take it for whole.
func TestListingBreaks(t *testing.T) {
	var w *watched
	h := newHouse(t, func(s *settings) { w = watch(s) })
	h.fill(t, "/heavy", 100, files.MaxProps, files.MaxPropBytes-100)
	for method, body := range heavyAsks() {
		for _, page := range []int64{1, 3} {
			w.pages.Store(0)
			w.fail.Store(page)
			n, err := ask(t, h, method, body)
			if err == nil || page == 1 && n > 0 {
				t.Errorf("%s, page %d: %d properties, %v", method, page, n, err)
			}
		}
		w.fail.Store(0)
	}
}

// TestListingIsTheSame: whether the properties come with the listing or in pages, the
// answer is the same, with its locks and checksums.
func TestListingIsTheSame(t *testing.T) {
	var cut atomic.Bool
	h := newHouse(t, func(s *settings) {
		s.state = func(st store.State) store.State { return thrifty{st, &cut} }
	})
	h.fill(t, "/heavy", 300, 3, 50)
	ann := h.as("ann")
	ann.Lock("/firm/heavy/document%2000007.docx").Want(200)
	ann.Put("/firm/heavy/document%2000008.docx", "abc", "OC-Checksum: MD5:900150983cd24fb0d6963f7d28e17f72").Want(204)
	for method, body := range heavyAsks() {
		said := map[bool]string{}
		for _, is := range []bool{false, true} {
			cut.Store(is)
			said[is] = ann.Do(method, "/firm/heavy", body, "Depth: "+map[bool]string{true: "1", false: "0"}[method == "PROPFIND"]).Want(207).Text
		}
		whole, _, _ := strings.Cut(said[false], "<D:sync-token>")
		paged, _, _ := strings.Cut(said[true], "<D:sync-token>")
		if whole = timeless(whole); whole != timeless(paged) || strings.Count(whole, "<Z:Win32Property") < 900 {
			t.Errorf("%s: in pages the answer is another one: %d and %d bytes", method, len(whole), len(paged))
		}
	}
}

// timeless is an answer without what is left of a lock's time.
func timeless(s string) string {
	for i := range 3 {
		s = strings.ReplaceAll(s, "Second-"+string([]byte{'3', '5', '9', '9' - byte(i)}), "Second-3600")
	}
	return s
}

// thrifty is a state store that finds everything too much at once.
type thrifty struct {
	store.State
	cut *atomic.Bool
}

func (s thrifty) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	if s.cut.Load() && l.Bytes > 0 {
		l.Bytes = 1
	}
	return s.State.Around(ctx, l, now)
}
