package gateway_test

import (
	"io/fs"
	"strconv"
	"sync/atomic"
	"testing"

	"portico/vpath"
)

// finder adds what webdavfs sends with everything.
func finder(headers ...string) []string {
	return append(headers, "Accept: */*", "User-Agent: WebDAVFS/3.0.0 (03008000) Darwin/21.6.0 (x86_64)")
}

const finderLock = `<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
	`<D:locktype><D:write/></D:locktype><D:owner><D:href>http://www.apple.com/webdav_fs/</D:href></D:owner></D:lockinfo>`

const finderProps = `<?xml version="1.0" encoding="utf-8"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x:y xmlns:x="urn:x">1</x:y></D:prop></D:set></D:propertyupdate>`

// M1 to M3 with the AppleDouble file beside it, which nobody else sees.
func TestFinderKeepsItsOwnFiles(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/d/", "", finder()...).Want(201)
	for p, body := range map[string]string{"/firm/d/a": "the file", "/firm/d/._a": "Mac OS X    \x00\x02ATTR", "/firm/d/.DS_Store": "Bud1"} {
		ann.Do("PROPFIND", p, "", finder("Depth: 0")...).Want(404)
		ann.Put(p, "", finder()...).Want(201)
		ann.Do("PROPFIND", p, "", finder("Depth: 0")...).Want(207).WantIn("<D:getcontentlength>0<")
		token := ann.Do("LOCK", p, finderLock, finder("Depth: 0", "Timeout: Second-600")...).Want(200).Token()
		ann.Put(p, body, finder("If: (<"+token+">)", "X-Expected-Entity-Length: "+strconv.Itoa(len(body)))...).Want(204)
		ann.Do("PROPFIND", p, "", finder("Depth: 0")...).Want(207).WantIn("<D:getcontentlength>" + strconv.Itoa(len(body)) + "<")
		ann.Do("UNLOCK", p, "", finder("Lock-Token: <"+token+">")...).Want(204)
		ann.Get(p, finder()...).Want(200).WantText(body)
		ann.Do("HEAD", p, "", finder()...).Want(200)
		ann.Get(p, finder("Range: bytes=0-3")...).Want(206).WantText(body[:4])
	}
	ann.Do("PROPPATCH", "/firm/d/._a", finderProps, finder()...).Want(207).WantNot("403")
	ann.Do("PROPFIND", "/firm/d/", "", finder("Depth: 1")...).Want(207).WantIn("/dav/firm/d/a<").WantNot("._a", "DS_Store")
	ann.Get("/firm/d/").Want(200).WantNot("._a", "DS_Store")
	h.as("mallory").Get("/firm/d/._a").Want(404)
	h.as("bob").Get("/firm/d/._a").Want(200)
	h.as("bob").Put("/firm/d/._a", "x").Want(403)
	ann.Do("MOVE", "/firm/d/a", "", finder("Destination: "+h.server.URL+"/dav/firm/d/b")...).Want(201)
	ann.Do("MOVE", "/firm/d/._a", "", finder("Destination: "+h.server.URL+"/dav/firm/d/._b")...).Want(204)
	ann.Do("HEAD", "/firm/d/._b", "", finder()...).Want(200)
	ann.Do("DELETE", "/firm/d/b", "", finder()...).Want(204)
	ann.Do("DELETE", "/firm/d/._b", "", finder()...).Want(404)
	ann.Do("PROPFIND", "/firm/d/", "", finder("Depth: 1")...).Want(207).WantNot("/firm/d/.") // empty: it may be removed
	ann.Do("DELETE", "/firm/d/", "", finder()...).Want(204)
	ann.Do("HEAD", "/firm/d/.DS_Store", "", finder()...).Want(404)
}

// M6: what Finder asks for before anything else costs no call to the file store, nor does
// what Explorer, Office, LibreOffice, vim, GNOME and KDE look for.
func TestProbesCostNothing(t *testing.T) {
	var calls atomic.Int64
	h := newHouse(t, func(s *settings) {
		s.mem.Hook = func(string, vpath.Path) error {
			calls.Add(1)
			return fs.ErrInvalid
		}
	})
	ann := h.as("ann")
	for _, p := range []string{
		"/firm/._.", "/firm/.DS_Store", "/firm/d/._x", "/firm/.Spotlight-V100", "/firm/.metadata_never_index", "/firm/mach_kernel", "/firm/.hidden",
		"/firm/d/desktop.ini", "/firm/d/Thumbs.db", "/firm/d/~$plan.docx", "/firm/d/.~lock.plan.odt%23", "/firm/d/.plan.txt.swp",
	} {
		ann.Do("PROPFIND", p, "", finder("Depth: 0")...).Want(404)
		ann.Do("PROPFIND", p, "", finder("Depth: 1")...).Want(404)
		ann.Do("HEAD", p, "", finder()...).Want(404)
		ann.Get(p, finder()...).Want(404)
	}
	if calls.Load() != 0 {
		t.Errorf("the probes call the store %d times", calls.Load())
	}
}
