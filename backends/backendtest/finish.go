package backendtest

import (
	"errors"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func stagedRefused(d *driver, s *staging) {
	no := errors.New("no")
	for _, n := range []int{10, d.size(18 << 20)} {
		for _, path := range []string{"/here/old", "/here/new"} {
			d.put("/here/old", "old bytes")
			before := d.stat("/here/old")
			s.begin(path, n, backends.Meta{})
			s.addAll(blob(n, 1), n/2+1)
			_, err := s.tryEnd(path, backends.PutOptions{Commit: func() error { return no }})
			d.wantErr("Finish", err, no)
			d.wantOnly("/here/old", "old bytes")
			d.wantSame("Stat", d.stat("/here/old"), before)
			s.end(path, backends.PutOptions{}) // it is as good as before
			d.wantContent(path, blob(n, 1))
			d.remove(path)
		}
	}
	s.nothingLeft()
}

func stagedCondition(d *driver, s *staging) {
	for _, n := range []int{10, d.size(18 << 20)} {
		d.put("/here/old", "old bytes")
		etag := d.stat("/here/old").ETag
		s.begin("/here/old", n, backends.Meta{})
		s.add(blob(n, 1))
		for _, o := range []backends.PutOptions{ifNotExist(), ifETag("x" + etag)} {
			_, err := s.tryEnd("/here/old", o)
			d.wantErr("Finish", err, fault.ErrPrecondition)
		}
		d.wantContent("/here/old", "old bytes")
		s.end("/here/old", ifETag(etag))
		d.wantContent("/here/old", blob(n, 1))
	}
	s.nothingLeft()
}

func stagedReplaces(d *driver, s *staging) {
	d.put("/here/old", "old bytes")
	before := d.stat("/here/old")
	s.begin("/here/old", 9, backends.Meta{})
	s.add("new")
	s.add(" bytes")
	d.wantContent("/here/old", "old bytes")
	if info := s.end("/here/old", backends.PutOptions{}); info.ETag == before.ETag {
		d.Errorf("the new version has the ETag %s of the old one", info.ETag)
	}
	d.wantOnly("/here/old", "new bytes")
}

func stagedNoParent(d *driver, s *staging) {
	d.mkdir("/folder")
	s.begin("/here/file", 1, backends.Meta{})
	s.add("x")
	_, err := s.tryEnd("/none/file", backends.PutOptions{})
	d.wantErr("Finish", err, fault.ErrNoParent)
	_, err = s.tryEnd("/folder", backends.PutOptions{})
	d.wantErr("Finish", err, fault.ErrIsDir)
	s.end("/here/file", backends.PutOptions{})
}

func stagedRenamed(d *driver, s *staging) {
	for _, n := range []int{10, d.size(18 << 20)} {
		s.begin("/here/file", n, backends.Meta{})
		s.add(blob(n, 1))
		path := "/here/other"
		if _, err := s.tryEnd(path, backends.PutOptions{}); err != nil {
			d.wantErr("Finish", err, fault.ErrConflict)
			path = "/here/file"
			s.end(path, backends.PutOptions{})
		}
		d.wantOnly(path, blob(n, 1))
		d.remove(path)
	}
}

// stagedLoose is taken over by others again and again, as in a folder where nobody
// sees what is there, and finds a place in the end.
func stagedLoose(d *driver, s *staging) {
	s.loose = true
	for _, n := range []int{10, d.size(18<<20 + 5)} {
		content := blob(n, 1)
		o := backends.PutOptions{Size: int64(n), Meta: backends.Meta{SHA256: sumOf(content)}}
		made := backends.Meta{Creator: "ann", ContentType: "text/plain"}
		d.put("/here/file", "theirs")
		d.put("/here/file 2", "theirs, too")
		s.begin("/here/file", n, made)
		s.addAll(content, n/2+1)
		for _, taken := range []string{"/here/file", "/here/file 2"} {
			_, err := s.tryEnd(taken, ifNotExist())
			d.wantErr("Finish at "+taken, err, fault.ErrPrecondition)
		}
		d.wantContent("/here/file", "theirs")
		d.wantContent("/here/file 2", "theirs, too")
		info := s.end("/here/file 3", ifNotExist())
		d.wantContent("/here/file 3", content)
		there := d.stat("/here/file 3")
		if info.ETag != there.ETag || there.Size != int64(n) || there.Creator != "ann" || there.ContentType != "text/plain" {
			d.Errorf("Finish told %+v, there is %+v", info, there)
		}
		if _, ok, err := s.Finished(d.ctx(), s.handle, vpath.Must("/here/file 3"), o); err != nil || !ok {
			d.Errorf("Finished = %v, %v", ok, err)
		}
		for _, p := range []string{"/here/file", "/here/file 2", "/here/file 3"} {
			d.remove(p)
		}
		// One that is given up after a try leaves nothing.
		d.put("/here/file", "theirs")
		s.begin("/here/file", n, made)
		s.addAll(content, n/2+1)
		_, err := s.tryEnd("/here/file", ifNotExist())
		d.wantErr("Finish", err, fault.ErrPrecondition)
		if err := s.Abort(d.ctx(), s.handle); err != nil {
			d.Errorf("Abort: %v", err)
		}
		d.remove("/here/file")
		d.wantList("/here")
		s.nothingLeft()
	}
}

func stagedFinished(d *driver, s *staging) {
	for _, n := range []int{10, d.size(18 << 20)} {
		content := blob(n, 1)
		o := backends.PutOptions{Size: int64(n), Meta: backends.Meta{SHA256: sumOf(content)}}
		d.put("/here/file", content) // the same bytes are not the same upload
		s.begin("/here/file", n, backends.Meta{})
		s.add(content)
		want := func(is bool) {
			d.Helper()
			info, ok, err := s.Finished(d.ctx(), s.handle, vpath.Must("/here/file"), o)
			if err != nil || ok != is || ok && (info.Size != o.Size || info.Name != "file" || info.SHA256 != o.SHA256) {
				d.Errorf("Finished = %+v, %v, %v, want %v", info, ok, err, is)
			}
		}
		want(false)
		s.end("/here/file", o)
		want(true)
		d.put("/here/file", "other")
		want(false)
		d.remove("/here/file")
		want(false)
	}
}
