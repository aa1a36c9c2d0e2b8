package e2e

import (
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"
)

// TestCopiesKeepTimeAndSum: what rclone and the clients of ownCloud and Nextcloud compare
// of a file, its time and its checksum, a copy has as well, whether the storage names a
// version by its bytes, as a bucket does a small object, or not, as it does a large one.
func TestCopiesKeepTimeAndSum(t *testing.T) {
	const checksums = `<o:checksums xmlns:o="http://owncloud.org/ns"/>`
	timed := func(a answer, want string) {
		a.t.Helper()
		if got := a.header.Get("X-OC-Mtime"); got != want {
			a.t.Errorf("X-OC-Mtime: %q, want %q", got, want)
		}
	}
	onWorlds(t, func(w *world) {
		room := w.room()
		to := func(path string) string { return w.url + path }
		for name, body := range map[string]string{"small": "some words", "large": strings.Repeat("0123456789abcdef", 1<<20+1)} {
			sum := fmt.Sprintf("SHA1:%x", sha1.Sum([]byte(body)))
			at := func(n int) string { return fmt.Sprintf("%s/%s%d", room, name, n) }
			tells := func(n int, date string) {
				w.t.Helper()
				w.do("alice", "PROPFIND", at(n), propfindOf("<D:getlastmodified/>"+checksums), "Depth", "0").want(207).has(sum).has(date)
			}
			const first, second = "Tue, 14 Nov 2023 22:13:20 GMT", "Sun, 13 Sep 2020 12:26:40 GMT"
			timed(w.do("alice", "PUT", at(1), body, "OC-Checksum", sum, "X-OC-Mtime", "1700000000").want(201), "accepted")
			tells(1, first)
			timed(w.do("alice", "COPY", at(1), "", "Destination", to(at(2))).want(201), "")
			tells(2, first)
			timed(w.do("alice", "COPY", at(1), "", "Destination", to(at(3)), "X-OC-Mtime", "1600000000").want(201), "accepted")
			tells(3, second)
			timed(w.do("alice", "MOVE", at(3), "", "Destination", to(at(2)), "X-OC-Mtime", "1600000000").want(204), "accepted")
			tells(2, second)
			timed(w.do("alice", "MOVE", at(2), "", "Destination", to(at(4)), "X-OC-Mtime", "1700000000").want(201), "accepted")
			tells(4, first)
			w.do("alice", "PUT", at(4), "other words").want(204)
			w.do("alice", "PROPFIND", at(4), propfindOf(checksums), "Depth", "0").want(207).lacks(sum)
		}
		timed(w.do("alice", "MKCOL", room+"/d", "", "X-OC-Mtime", "1700000000").want(201), "")
		timed(w.do("alice", "MOVE", room+"/d", "", "Destination", to(room+"/e"), "X-OC-Mtime", "1700000000").want(201), "")
		w.do("alice", "DELETE", room, "").want(204)
	})
}

// TestQuotaInBlocks: macOS' own pair says of a workspace what that of the RFC says, and
// nothing of one whose size nobody knows.
func TestQuotaInBlocks(t *testing.T) {
	const both = "<D:quota-available-bytes/><D:quota-used-bytes/><D:quota/><D:quotaused/>"
	onWorlds(t, func(w *world) {
		w.do("alice", "PROPFIND", "/dav/small", propfindOf(both), "Depth", "0").want(207).has("<D:quota>").has("<D:quotaused>")
		w.do("alice", "PROPFIND", w.room(), propfindOf(both), "Depth", "0").want(207).has("<D:quota/>").has("<D:quotaused/>")
	})
}
