package gateway_test

import (
	"crypto/sha1"
	"fmt"
	"testing"
)

// X-OC-Mtime is "accepted" for a file that has the time then, and for nothing else.
func TestLandedTime(t *testing.T) {
	const when, date = "X-OC-Mtime: 1700000000", "Tue, 14 Nov 2023 22:13:20 GMT"
	ann := newHouse(t).as("ann")
	to := func(p string) string { return "Destination: /dav" + p }
	ann.Put("/firm/a", "x").Want(201)
	for _, step := range []struct {
		method, from, to string
		want             int
	}{
		{"COPY", "/firm/a", "/firm/b", 201},
		{"COPY", "/firm/a", "/firm/b", 204},
		{"MOVE", "/firm/a", "/firm/c", 201},
		{"MOVE", "/firm/c", "/firm/b", 204},
	} {
		ann.Do(step.method, step.from, "", to(step.to), when).Want(step.want).WantHeader("X-OC-Mtime", "accepted")
		ann.Get(step.to).Want(200).WantHeader("Last-Modified", date)
		if step.method == "COPY" {
			ann.Do("HEAD", step.from, "").Want(200).WantHeader("X-OC-Mtime", "")
		}
	}
	// As rclone does: the time that the file has already.
	ann.Do("MOVE", "/firm/b", "", to("/firm/d"), when).Want(201).WantHeader("X-OC-Mtime", "accepted")
	// Another time, of which no client would know without the answer.
	ann.Do("MOVE", "/firm/d", "", to("/firm/e"), "X-OC-Mtime: 1600000000").Want(201).WantHeader("X-OC-Mtime", "accepted")
	ann.Get("/firm/e").WantHeader("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT")
	// No time, and none that can be read.
	ann.Do("COPY", "/firm/e", "", to("/firm/f")).Want(201).WantHeader("X-OC-Mtime", "")
	ann.Do("MOVE", "/firm/f", "", to("/firm/g"), "X-OC-Mtime: soon").Want(201).WantHeader("X-OC-Mtime", "")
	ann.Get("/firm/g").WantHeader("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT")
	// The time of a folder is the storage's own.
	ann.Do("MKCOL", "/firm/dir", "", when).Want(201).WantHeader("X-OC-Mtime", "")
	ann.Do("COPY", "/firm/dir", "", to("/firm/dir2"), when).Want(201).WantHeader("X-OC-Mtime", "")
	ann.Do("MOVE", "/firm/dir", "", to("/firm/dir3"), when).Want(201).WantHeader("X-OC-Mtime", "")
	for _, p := range []string{"/firm/dir2", "/firm/dir3"} {
		ann.Propfind(p, "0", "getlastmodified").Want(207).WantNot(date)
	}
	// What programs keep beside a file has a time, but of a copy nobody asked for it.
	ann.Put("/firm/._g", "x", when).Want(201).WantHeader("X-OC-Mtime", "accepted")
	ann.Do("MOVE", "/firm/._g", "", to("/firm/._e"), when).Want(201).WantHeader("X-OC-Mtime", "")
}

// A client that keeps sums of files finds them at the copies, which is what it compares.
func TestChecksumsOfCopies(t *testing.T) {
	ann := newHouse(t, partial).as("ann")
	const body = "some words"
	sum := fmt.Sprintf("SHA1:%x", sha1.Sum([]byte(body)))
	has := func(p string, want bool) {
		t.Helper()
		got := ann.Do("PROPFIND", p, checksumsOf, "Depth: 0").Want(207)
		if want {
			got.WantIn(sum)
		} else {
			got.WantNot(sum)
		}
	}
	ann.Put("/firm/a", body, "OC-Checksum: "+sum).Want(201)
	ann.Put("/firm/old", "old").Want(201)
	ann.Do("COPY", "/firm/a", "", "Destination: /dav/firm/b").Want(201)
	ann.Do("COPY", "/firm/a", "", "Destination: /dav/firm/old").Want(204)
	ann.Do("MOVE", "/firm/b", "", "Destination: /dav/firm/c", "X-OC-Mtime: 1700000000").Want(201)
	for _, p := range []string{"/firm/a", "/firm/old", "/firm/c"} {
		has(p, true)
	}
	patch(ann, "/firm/c", "append", "!").Want(204)
	has("/firm/c", false)
	ann.Put("/firm/a", "others").Want(204)
	has("/firm/a", false)
	ann.Do("COPY", "/firm/a", "", "Destination: /dav/firm/old").Want(204)
	has("/firm/old", false)
}
