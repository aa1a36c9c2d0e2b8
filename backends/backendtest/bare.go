package backendtest

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// bareTests hold the uploads of a Stager that have no name yet.
func bareTests() []test {
	return []test{
		{"an upload without a name becomes any file", stager(bareFinish)},
		{"an upload without a name is read back", stager(bareFetch)},
		{"an upload without a name heeds its condition", stager(bareRefused)},
		{"an upload without a name is found when its answer was lost", stager(bareFinished)},
		{"an upload with a name is not read back", stager(bareNamed)},
		{"the reaper takes an upload without a name", stager(bareReaped)},
	}
}

// sizesOfBare are those of one piece, of a few and of many.
func sizesOfBare(d *driver) []int { return []int{0, 10, d.size(9 << 20), d.size(20<<20 + 7)} }

func bareFinish(d *driver, s *staging) {
	taken := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, n := range sizesOfBare(d) {
		content := blob(n, 3)
		s.begin("/", -1, backends.Meta{Creator: "nobody"})
		s.addAll(content, d.size(5<<20+1))
		d.wantList("/here")
		meta := backends.Meta{Creator: "ann", ModTime: taken, ContentType: "text/x-test", SHA256: sumOf(content)}
		info := s.end("/here/file", backends.PutOptions{Meta: meta})
		d.wantContent("/here/file", content)
		seen := d.stat("/here/file")
		for _, got := range []backends.Info{info, seen} {
			if got.Size != int64(n) || got.Creator != "ann" || !got.ModTime.Equal(taken) || got.ContentType != "text/x-test" || got.ETag != seen.ETag || got.SHA256 != sumOf(content) {
				d.Errorf("the file of %d bytes is %+v", n, got)
			}
		}
		d.put("/here/file", "old")
		s.begin("/", -1, backends.Meta{})
		s.addAll(content, d.size(5<<20+1))
		s.end("/here/file", backends.PutOptions{Meta: meta})
		d.wantContent("/here/file", content)
		d.remove("/here/file")
	}
	s.nothingLeft()
}

func (s *staging) fetch() string {
	s.Helper()
	body, err := s.Fetch(s.ctx(), s.handle)
	if err != nil {
		s.Fatalf("Fetch: %v", err)
	}
	text, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		s.Fatalf("Fetch: %v", err)
	}
	return string(text)
}

func bareFetch(d *driver, s *staging) {
	for _, n := range sizesOfBare(d) {
		content := blob(n, 4)
		s.begin("/", -1, backends.Meta{})
		s.addAll(content, max(1, n/3))
		for range 2 {
			if got := s.fetch(); got != content {
				d.Errorf("Fetch gave %d bytes, want the %d that came", len(got), n)
			}
		}
		s.end("/here/file", backends.PutOptions{})
		d.wantContent("/here/file", content)
		if _, err := s.Fetch(d.ctx(), s.handle); n > 10 && !errors.Is(err, fs.ErrNotExist) {
			d.Errorf("Fetch of what was published: %v", err)
		}
		d.remove("/here/file")
	}
	s.begin("/", -1, backends.Meta{})
	s.add("gone")
	if err := s.Abort(d.ctx(), s.handle); err != nil {
		d.Errorf("Abort: %v", err)
	}
	s.nothingLeft()
}

func bareRefused(d *driver, s *staging) {
	refusal := errors.New("no")
	for _, n := range []int{10, d.size(18 << 20)} {
		content := blob(n, 5)
		d.put("/here/file", "old")
		s.begin("/", -1, backends.Meta{})
		s.add(content)
		_, err := s.tryEnd("/here/file", backends.PutOptions{If: backends.Condition{NotExist: true}})
		d.wantErr("Finish", err, fault.ErrPrecondition)
		_, err = s.tryEnd("/here/file", backends.PutOptions{Commit: func() error { return refusal }})
		d.wantErr("Finish", err, refusal)
		_, err = s.tryEnd("/none/file", backends.PutOptions{})
		d.wantErr("Finish", err, fault.ErrNoParent)
		d.wantContent("/here/file", "old")
		s.end("/here/new", backends.PutOptions{If: backends.Condition{NotExist: true}})
		d.wantContent("/here/new", content)
		d.remove("/here/new")
	}
	s.nothingLeft()
}

func bareFinished(d *driver, s *staging) {
	for _, n := range []int{10, d.size(18 << 20)} {
		content := blob(n, 6)
		o := backends.PutOptions{Size: int64(n), Meta: backends.Meta{SHA256: sumOf(content)}}
		s.begin("/", -1, backends.Meta{})
		s.add(content)
		for i, want := range []bool{false, true} {
			_, ok, err := s.Finished(d.ctx(), s.handle, vpath.Must("/here/file"), o)
			if ok != want || err != nil {
				d.Errorf("Finished = %v, %v, want %v", ok, err, want)
			}
			if i == 0 {
				s.end("/here/file", o)
			}
		}
		d.remove("/here/file")
	}
}

func bareNamed(d *driver, s *staging) {
	s.begin("/here/file", -1, backends.Meta{})
	s.add("x")
	if _, err := s.Fetch(d.ctx(), s.handle); !errors.Is(err, fs.ErrInvalid) {
		d.Errorf("Fetch of an upload with a name: %v", err)
	}
	s.end("/here/file", backends.PutOptions{})
	if n, ok := d.Backend.(backends.Neighbour); ok && !n.IsBeside(d.Backend) {
		d.Errorf("a tree does not know itself")
	}
}

func bareReaped(d *driver, s *staging) {
	for _, n := range []int{10, d.size(18 << 20)} {
		s.begin("/", -1, backends.Meta{})
		s.add(strings.Repeat("x", n))
		if n > 10 {
			s.fetch() // it is an object now
		}
		if found, err := s.storage.Reap(d.ctx(), farFuture()); found == 0 || err != nil {
			d.Errorf("Reap found %d, %v", found, err)
		}
		_, err := s.tryEnd("/here/file", backends.PutOptions{})
		d.wantErr("Finish", err, fs.ErrNotExist)
	}
	s.nothingLeft()
}
