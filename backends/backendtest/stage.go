package backendtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// stageTests hold a Stager; they pass over a driver that is none.
func stageTests() []test {
	return []test{
		{"a file comes in pieces of many sizes", stager(stagedSizes)},
		{"a file comes byte by byte", stager(stagedBytes)},
		{"an empty file comes in pieces", stager(stagedEmpty)},
		{"a file in pieces keeps its meta", stager(stagedMeta)},
		{"two processes go on with one upload", stager(stagedTwo)},
		{"a piece at the wrong place takes nothing", stager(stagedWrongPlace)},
		{"what came before a cut counts", stager(stagedCut)},
		{"a handle that was lost is none", stager(stagedLostHandle)},
		{"the wrong length is not published", stager(stagedWrongLength)},
		{"a refused finish changes nothing", stager(stagedRefused)},
		{"a finish heeds its condition", stager(stagedCondition)},
		{"a finish replaces a file", stager(stagedReplaces)},
		{"a finish needs its folder", stager(stagedNoParent)},
		{"a finish under another name loses nothing", stager(stagedRenamed)},
		{"a loose upload finishes under any name", stager(stagedLoose)},
		{"a finish whose answer was lost is found", stager(stagedFinished)},
		{"an aborted upload leaves nothing", stager(stagedAbort)},
		{"the reaper takes the dead and spares the living", stager(stagedReaped)},
		{"a hundred MiB come in pieces of 5 MiB", stager(stagedLarge)},
	}
}

// staging is one upload in pieces.
type staging struct {
	*driver
	backends.Stager
	handle string
	off    int64
	size   int64
	loose  bool // what begins is
}

func stager(run func(d *driver, s *staging)) func(d *driver) {
	return func(d *driver) {
		if s, ok := d.Backend.(backends.Stager); ok {
			d.mkdir("/here")
			run(d, &staging{driver: d, Stager: s})
		}
	}
}

// begin starts the upload anew.
func (s *staging) begin(path string, size int, m backends.Meta) {
	s.Helper()
	var err error
	s.off, s.size = 0, int64(size)
	s.handle, err = s.Begin(s.ctx(), vpath.Must(path), backends.PutOptions{Size: s.size, Meta: m, Loose: s.loose})
	if err != nil {
		s.Fatalf("Begin(%s): %v", path, err)
	}
}

// add appends a piece, which must succeed.
func (s *staging) add(piece string) {
	s.Helper()
	next, n, err := s.Append(s.ctx(), s.handle, s.off, s.size, strings.NewReader(piece))
	if err != nil || n != int64(len(piece)) {
		s.Fatalf("Append of %d bytes at %d = %d, %v", len(piece), s.off, n, err)
	}
	s.handle, s.off = next, s.off+n
}

// addAll appends content in pieces of n bytes.
func (s *staging) addAll(content string, n int) {
	s.Helper()
	for len(content) > 0 {
		k := min(n, len(content))
		s.add(content[:k])
		content = content[k:]
	}
}

// end finishes, which must succeed.
func (s *staging) end(path string, o backends.PutOptions) backends.Info {
	s.Helper()
	info, err := s.tryEnd(path, o)
	if err != nil {
		s.Fatalf("Finish(%s): %v", path, err)
	}
	return info
}

func (s *staging) tryEnd(path string, o backends.PutOptions) (backends.Info, error) {
	o.Size = s.off
	return s.Finish(s.ctx(), s.handle, vpath.Must(path), o)
}

// nothingLeft demands that no upload has left anything that Reap could find.
func (s *staging) nothingLeft() {
	s.Helper()
	if n, err := s.storage.Reap(s.ctx(), farFuture()); n != 0 || err != nil {
		s.Errorf("Reap found %d, %v", n, err)
	}
}

func stagedSizes(d *driver, s *staging) {
	whole := d.size(20<<20 + 7)
	content := blob(whole, 5)
	for _, n := range []int{whole, d.size(16 << 20), d.size(9 << 20), d.size(5<<20 + 1), d.size(1 << 20)} {
		for _, announced := range []int{whole, -1} {
			s.begin("/here/file", announced, backends.Meta{})
			s.addAll(content, n)
			d.wantNone("/here/file")
			info := s.end("/here/file", backends.PutOptions{})
			d.wantContent("/here/file", content)
			if info.Size != int64(whole) || info.ETag == "" || info.ETag != d.stat("/here/file").ETag {
				d.Errorf("Finish of pieces of %d told %+v", n, info)
			}
			d.remove("/here/file")
		}
	}
	s.nothingLeft()
}

// wantNone demands that an upload cannot be seen yet.
func (d *driver) wantNone(path string) {
	d.Helper()
	d.wantGone(path)
	d.wantList(vpath.Must(path).Parent().String())
}

func stagedBytes(d *driver, s *staging) {
	const content = "byte by byte, one at a time, more than any tail holds pieces for: 0123456789"
	s.begin("/here/file", len(content), backends.Meta{})
	s.addAll(content, 1)
	s.add("")
	s.end("/here/file", backends.PutOptions{})
	d.wantContent("/here/file", content)
	s.nothingLeft()
}

func stagedEmpty(d *driver, s *staging) {
	s.begin("/here/file", 0, backends.Meta{})
	s.end("/here/file", backends.PutOptions{})
	d.wantContent("/here/file", "")
	s.nothingLeft()
}

func stagedMeta(d *driver, s *staging) {
	for _, n := range []int{5, d.size(9 << 20)} {
		m := fullMeta()
		s.begin("/here/file", n, m)
		s.addAll(blob(n, 1), n/2+1)
		info := s.end("/here/file", backends.PutOptions{Meta: backends.Meta{SHA256: sumOf(blob(n, 1))}})
		got := d.stat("/here/file")
		if info.SHA256 != sumOf(blob(n, 1)) || got.SHA256 != "" && got.SHA256 != info.SHA256 {
			d.Errorf("sums: %q by Finish, %q by Stat", info.SHA256, got.SHA256)
		}
		got.SHA256, info.SHA256, m.SHA256 = "", "", ""
		if got.Creator != m.Creator || got.ContentType != m.ContentType || !got.ModTime.Equal(m.ModTime) {
			d.Errorf("meta = %+v, want %+v", got.Meta, m)
		}
		info.Created = got.Created
		d.wantSame("Finish and Stat", info, got)
	}
}

// stagedTwo lets two processes take turns.
func stagedTwo(d *driver, s *staging) {
	other := d.again().Backend.(backends.Stager)
	content := blob(d.size(24<<20), 9)
	s.begin("/here/file", len(content), backends.Meta{})
	for i, rest := 0, content; len(rest) > 0; i++ {
		k := min(d.size(3<<20), len(rest))
		s.add(rest[:k])
		rest = rest[k:]
		s.Stager, other = other, s.Stager
	}
	s.end("/here/file", backends.PutOptions{})
	d.wantContent("/here/file", content)
	s.nothingLeft()
}

func stagedWrongPlace(d *driver, s *staging) {
	s.begin("/here/file", 10, backends.Meta{})
	s.add("01234")
	for _, off := range []int64{0, 4, 6, -1} {
		next, n, err := s.Append(d.ctx(), s.handle, off, 10, strings.NewReader("x"))
		d.wantErr(fmt.Sprintf("Append at %d", off), err, fault.ErrConflict)
		if n != 0 || next != s.handle {
			d.Errorf("Append at %d took %d", off, n)
		}
	}
	s.add("56789")
	s.end("/here/file", backends.PutOptions{})
	d.wantContent("/here/file", "0123456789")
	for _, bad := range []string{"", "{}", "no handle", `{"n":"st-../../x","k":""}`} {
		_, _, err := s.Append(d.ctx(), bad, 0, 1, strings.NewReader("x"))
		d.wantErr("Append to "+bad, err, errNotExist)
	}
}

func stagedCut(d *driver, s *staging) {
	for _, sent := range []int{0, 1, 70_000, d.size(9 << 20), d.size(17 << 20)} {
		content := blob(d.size(20<<20)+100_000, 77)
		s.begin("/here/file", len(content), backends.Meta{})
		next, n, err := s.Append(d.ctx(), s.handle, 0, s.size, failAfter(sent, func() error { return errBody }))
		d.wantErr("Append", err, errBody)
		if n != int64(sent) {
			d.Fatalf("Append took %d bytes of %d", n, sent)
		}
		s.handle, s.off = next, n
		rest := blob(len(content)-sent, 3)
		s.add(rest)
		s.end("/here/file", backends.PutOptions{})
		d.wantContent("/here/file", blob(sent, 77)+rest)
		d.remove("/here/file")
	}
	s.nothingLeft()
}

// stagedLostHandle goes on from an old handle, as after a crash between the
// piece and its record.
func stagedLostHandle(d *driver, s *staging) {
	for _, k := range []int{10, d.size(9 << 20), d.size(17 << 20)} {
		s.begin("/here/file", -1, backends.Meta{})
		s.add(blob(k, 1))
		for range 2 {
			if _, n, err := s.Append(d.ctx(), s.handle, s.off, -1, strings.NewReader(blob(2*k, 2))); n != int64(2*k) || err != nil {
				d.Fatalf("Append = %d, %v", n, err)
			}
		}
		s.add(blob(k, 3))
		s.end("/here/file", backends.PutOptions{})
		d.wantContent("/here/file", blob(k, 1)+blob(k, 3))
	}
	s.nothingLeft()
}

func stagedWrongLength(d *driver, s *staging) {
	s.begin("/here/file", 10, backends.Meta{})
	s.add("01234")
	for _, size := range []int64{10, 4, 0} {
		_, err := s.Finish(d.ctx(), s.handle, vpath.Must("/here/file"), backends.PutOptions{Size: size})
		d.wantErr("Finish", err, fault.ErrTruncated)
	}
	d.wantNone("/here/file")
	s.add("56789")
	s.end("/here/file", backends.PutOptions{})
}

func stagedAbort(d *driver, s *staging) {
	for _, n := range []int{0, 10, d.size(18 << 20)} {
		s.begin("/here/file", n, backends.Meta{})
		s.addAll(blob(n, 1), n/3+1)
		for range 2 {
			if err := s.Abort(d.ctx(), s.handle); err != nil {
				d.Errorf("Abort: %v", err)
			}
		}
		s.nothingLeft()
		if _, err := s.tryEnd("/here/file", backends.PutOptions{}); err == nil && n > 0 {
			d.Error("an aborted upload was published")
		}
	}
	if err := s.Abort(d.ctx(), "no handle"); err != nil {
		d.Errorf("Abort of nothing: %v", err)
	}
}

func stagedReaped(d *driver, s *staging) {
	s.begin("/here/file", -1, backends.Meta{})
	s.add(blob(d.size(9<<20), 1))
	s.add("more")
	if n, err := d.storage.Reap(d.ctx(), time.Unix(1, 0)); n != 0 || err != nil {
		d.Errorf("Reap of the living = %d, %v", n, err)
	}
	s.add("and more")
	s.end("/here/file", backends.PutOptions{})
	for _, pieces := range [][]string{{"x"}, {blob(d.size(9<<20), 1)}, {blob(d.size(9<<20), 1), "x"}} {
		s.begin("/here/dead", -1, backends.Meta{})
		for _, p := range pieces {
			s.add(p)
		}
		if n, err := d.storage.Reap(d.ctx(), farFuture()); n == 0 || err != nil {
			d.Errorf("Reap of the dead = %d, %v", n, err)
		}
		_, err := s.tryEnd("/here/dead", backends.PutOptions{})
		d.wantErr("Finish of the dead", err, errNotExist)
		s.nothingLeft()
	}
}

// stagedLarge is an upload whose whole is never in memory.
func stagedLarge(d *driver, s *staging) {
	const pieces = 20
	piece := d.size(5 << 20)
	s.begin("/here/file", pieces*piece, backends.Meta{})
	for i := range pieces {
		s.add(blob(piece, byte(i)))
	}
	s.end("/here/file", backends.PutOptions{})
	rc, _, err := d.Open(d.ctx(), vpath.Must("/here/file"), backends.Range{})
	if err != nil {
		d.Fatal(err)
	}
	defer rc.Close() //nolint:errcheck // only read
	buf := make([]byte, piece)
	for i := range pieces {
		if _, err := io.ReadFull(rc, buf); err != nil || string(buf) != blob(piece, byte(i)) {
			d.Fatalf("piece %d came back as another one (%v)", i, err)
		}
	}
}

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}
