package gateway_test

import (
	"strconv"
	"strings"
	"testing"

	"portico/gateway/gatewaytest"
)

// The tests of this file are what real clients were seen to send (WEBDAV.md §2),
// in their order and with their headers.

// windows adds what the Mini-Redirector sends with everything.
func windows(headers ...string) []string {
	return append(headers, "translate: f", "User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045")
}

const windowsLock = `<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
	`<D:locktype><D:write/></D:locktype><D:owner><D:href>DESKTOP-X\ed</D:href></D:owner></D:lockinfo>`

const windowsProps = `<?xml version="1.0" encoding="utf-8" ?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>` +
	`<Z:Win32CreationTime>Tue, 14 Nov 2023 22:13:20 GMT</Z:Win32CreationTime><Z:Win32LastAccessTime>Tue, 14 Nov 2023 22:13:20 GMT</Z:Win32LastAccessTime>` +
	`<Z:Win32LastModifiedTime>Tue, 14 Nov 2023 22:13:20 GMT</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>`

// W1, W2: mounting and looking around.
func TestWindowsMount(t *testing.T) {
	h := newHouse(t)
	nobody := gatewaytest.As(t, h.server.URL+"/dav", "", "")
	nobody.Do("OPTIONS", "", "", windows()...).Want(200).WantHeader("MS-Author-Via", "DAV")
	nobody.Do("PROPFIND", "", "", windows("Depth: 0")...).Want(401)
	ann := h.as("ann")
	ann.Do("PROPFIND", "", "", windows("Depth: 0", "Content-Length: 0")...).Want(207)
	ann.Do("PROPFIND", "/firm", "", windows("Depth: 1")...).Want(207).WantIn("<D:href>/dav/firm/</D:href>")
	for _, probe := range []string{"desktop.ini", "folder.jpg", "folder.gif"} {
		ann.Do("PROPFIND", "/firm/"+probe, "", windows("Depth: 0")...).Want(404)
	}
}

// W3: Explorer copies a file in.
func TestWindowsCopyIn(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Do("PROPFIND", "/firm/new.txt", "", windows("Depth: 0")...).Want(404)
	ann.Put("/firm/new.txt", "", windows()...).Want(201)
	token := ann.Do("LOCK", "/firm/new.txt", windowsLock, windows("Timeout: Second-3600")...).Want(200).
		WantIn(`<D:owner xmlns:D="DAV:"><D:href>DESKTOP-X\ed</D:href></D:owner>`, "Second-3600").Token()
	with := windows("If: (<" + token + ">)")
	ann.Do("PROPPATCH", "/firm/new.txt", windowsProps, with...).Want(207).WantIn("200 OK").WantNot("403", "424")
	ann.Do("HEAD", "/firm/new.txt", "", windows()...).Want(200)
	ann.Put("/firm/new.txt", "content", with...).Want(204)
	ann.Do("PROPPATCH", "/firm/new.txt", windowsProps, with...).Want(207)
	ann.Do("UNLOCK", "/firm/new.txt", "", windows("Lock-Token: <"+token+">")...).Want(204)
	ann.Get("/firm/new.txt").WantText("content")
}

// W4: the lock ends with the file that it was on.
func TestWindowsLockDelete(t *testing.T) {
	ann := newHouse(t).as("ann")
	token := ann.Do("LOCK", "/firm/new.txt", windowsLock, windows()...).Want(201).Token()
	ann.Put("/firm/new.txt", "", windows("If: (<"+token+">)")...).Want(204)
	ann.Do("DELETE", "/firm/new.txt", "", windows("If: (<"+token+">)")...).Want(204)
	ann.Put("/firm/new.txt", "content", windows()...).Want(201)
}

// W5: a new folder gets its attributes, and its name.
func TestWindowsFolder(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/New%20folder", "", windows()...).Want(201)
	ann.Do("PROPPATCH", "/firm/New%20folder", windowsProps, windows()...).Want(207).WantNot("403")
	ann.Do("MOVE", "/firm/New%20folder", "", windows("Destination: "+h.server.URL+"/dav/firm/Acme", "Overwrite: F")...).Want(201)
	ann.Do("DELETE", "/firm/Acme", "", windows()...).Want(204)
}

// W6: Excel writes beside the document and moves over it.
func TestExcelSave(t *testing.T) {
	for _, overwrite := range []string{"Overwrite: T", "X-None: absent"} {
		h := newHouse(t)
		ann := h.as("ann")
		ann.Put("/firm/doc.xlsx", "old").Want(201)
		doc := ann.Lock("/firm/doc.xlsx").Want(200).Token()
		temp := ann.Lock("/firm/~tmp").Want(201).Token()
		ann.Put("/firm/~tmp", "new", "If: (<"+temp+">)").Want(204)
		ann.Do("UNLOCK", "/firm/doc.xlsx", "", "Lock-Token: <"+doc+">").Want(204)
		ann.Do("UNLOCK", "/firm/~tmp", "", "Lock-Token: <"+temp+">").Want(204)
		again := ann.Lock("/firm/~tmp").Want(200).Token()
		ann.Do("MOVE", "/firm/~tmp", "", "Destination: "+h.server.URL+"/dav/firm/doc.xlsx", "If: (<"+again+">)", overwrite).Want(204)
		ann.Get("/firm/doc.xlsx").WantText("new")
	}
}

// Office refreshes its lock and must get the same token back.
func TestOffice(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/doc.docx", "old").Want(201)
	ann.Do("HEAD", "/firm/doc.docx", "").Want(200)
	token := ann.Do("LOCK", "/firm/doc.docx", windowsLock, windows("Timeout: Second-3600")...).Want(200).Token()
	ann.Get("/firm/doc.docx").Want(200).WantHeader("Cache-Control", "private, no-cache")
	ann.Do("LOCK", "/firm/doc.docx", "", "If: (<"+token+">)", "Timeout: Second-3600").Want(200).WantIn(token)
	ann.Put("/firm/doc.docx", "new", "If: If: (<"+token+">)").Want(204)
	ann.Put("/firm/doc.docx", "newer", "Lock-Token: <"+token+">").Want(204)
	ann.Do("UNLOCK", "/firm/doc.docx", "", "Lock-Token: <"+token+">").Want(204)
	ann.Get("/firm/doc.docx").WantText("newer")
}

// M1 to M5: Finder makes, renames, saves and opens.
func TestFinder(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	lock := func(path string) string {
		return ann.Do("LOCK", path, strings.Replace(windowsLock, `DESKTOP-X\ed`, "http://www.apple.com/webdav_fs/", 1), "Depth: 0", "Timeout: Second-600").Want(200).Token()
	}
	write := func(path, body string) {
		t.Helper()
		ann.Propfind(path, "0", "getlastmodified", "getcontentlength", "creationdate", "resourcetype").Want(404)
		ann.Put(path, "").Want(201)
		token := lock(path)
		ann.Send(ann.Request("PUT", path, chunked{strings.NewReader(body)}, "If: (<"+token+">)", "X-Expected-Entity-Length: "+strconv.Itoa(len(body)))).Want(201, 204)
		ann.Propfind(path, "0", "getcontentlength").Want(207).WantIn("<D:getcontentlength>" + strconv.Itoa(len(body)) + "<")
		ann.Do("UNLOCK", path, "", "Lock-Token: <"+token+">").Want(204)
	}
	to := func(path string) string { return "Destination: " + h.server.URL + "/dav" + path }
	write("/firm/a.txt", "first")
	write("/firm/._a.txt", "AppleDouble")
	ann.Do("MKCOL", "/firm/a.txt.sb-1a2b3c4d-XyZ/", "").Want(201)
	write("/firm/a.txt.sb-1a2b3c4d-XyZ/a.txt", "second")
	ann.Do("MOVE", "/firm/a.txt.sb-1a2b3c4d-XyZ/a.txt", "", to("/firm/a.txt")).Want(204)
	ann.Do("DELETE", "/firm/a.txt.sb-1a2b3c4d-XyZ/", "").Want(204)
	ann.Get("/firm/a.txt").WantText("second")
	token := lock("/firm/a.txt")
	ann.Do("MOVE", "/firm/a.txt", "", to("/firm/cafe%CC%81.txt"), "If: (<"+token+">)").Want(201)
	ann.Propfind("/firm", "1", "resourcetype").Want(207).WantIn("/dav/firm/caf%C3%A9.txt") // NFD came, NFC is kept
	ann.Get("/firm/cafe%CC%81.txt").Want(200).WantText("second")
}

// D2, D3: an editor on a davfs2 mount.
func TestDavfs(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	lock := `<?xml version="1.0" encoding="utf-8"?><lockinfo xmlns='DAV:'> <lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>davfs2 1.6.1</owner></lockinfo>`
	url := h.server.URL + "/dav/firm/"
	token := ann.Do("LOCK", "/firm/f", lock, "Depth: 0", "Timeout: Second-1800").Want(201).WantIn("Second-1800").Token()
	etag := ann.Do("HEAD", "/firm/f", "").Want(200).ETag()
	put := ann.Put("/firm/f", "text", "If: <"+url+"f> (<"+token+">)", "If-Match: "+etag).Want(204)
	if got, _ := ann.Propfind("/firm", "1", "getetag").Want(207).Multistatus().Prop("/dav/firm/f", "DAV:", "getetag"); got.Text != put.ETag() {
		t.Errorf("PUT gives ETag %s, PROPFIND %s", put.ETag(), got.Text)
	}
	ann.Do("UNLOCK", "/firm/f", "", "Lock-Token: <"+token+">").Want(204)

	swap := ann.Do("LOCK", "/firm/.b.swp", lock, "Depth: 0").Want(201).Token()
	ann.Put("/firm/.b.swp", "saved", "If: <"+url+".b.swp> (<"+swap+">)").Want(204)
	ann.Do("MOVE", "/firm/.b.swp", "", "Destination: "+url+"f", "Overwrite: T", "If: <"+url+".b.swp> (<"+swap+">)").Want(204)
	ann.Get("/firm/f").WantText("saved")

	ann.Do("MKCOL", "/firm/dir/", "").Want(201)
	ann.Do("MOVE", "/firm/dir/", "", "Destination: "+url+"dir2/").Want(201)
	ann.Do("DELETE", "/firm/dir2/", "").Want(204)
}

// LibreOffice opens and saves.
func TestLibreOffice(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a.odt", "old").Want(201)
	ann.Do("PROPFIND", "/firm/a.odt", `<?xml version="1.0" encoding="UTF-8"?><propfind xmlns="DAV:"><prop><resourcetype xmlns="DAV:"/>`+
		`<IsReadOnly xmlns="http://ucb.openoffice.org/dav/props/"/><getcontenttype xmlns="DAV:"/><supportedlock xmlns="DAV:"/></prop></propfind>`, "Depth: 0").
		Want(207).WantIn("<D:exclusive/>", "application/vnd.oasis.opendocument.text")
	token := ann.Do("LOCK", "/firm/a.odt", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>LibreOffice - </owner></lockinfo>`,
		"Depth: 0", "Timeout: Second-180", "Expect: 100-continue").Want(200).Token()
	ann.Do("HEAD", "/firm/", "").Want(200)
	ann.Get("/firm/", "Range: bytes=0-0").Want(200)
	ann.Put("/firm/a.odt", "new", "If: (<"+token+">)", "Expect: 100-continue").Want(204)
	ann.Do("UNLOCK", "/firm/a.odt", "", "Lock-Token: <"+token+">").Want(204)
}

// GNOME, KDE, rclone and Cyberduck rename without overwriting, keep times, and
// send bodies of their own taste.
func TestOtherClients(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	to := func(p string) string { return "Destination: " + h.server.URL + "/dav" + p }
	ann.Put("/firm/a", "A", "Overwrite: T").Want(201)
	ann.Put("/firm/b", "B").Want(201)
	ann.Do("MOVE", "/firm/a", "", to("/firm/b"), "Overwrite: F").Want(412)                    // gvfs: exists
	ann.Do("MOVE", "/firm/a", "", to("/firm/c"), "Depth: infinity", "Overwrite: F").Want(201) // KIO, for a file
	ann.Do("MKCOL", "/firm/x/y", "").Want(409)                                                // rclone makes parents then
	ann.Put("/firm/c", "C", "X-OC-Mtime: 1700000000.5").Want(204).WantHeader("X-OC-Mtime", "accepted")
	ann.Do("PROPPATCH", "/firm/c", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><lastmodified xmlns="DAV:">1700000000</lastmodified></D:prop></D:set></D:propertyupdate>`).
		Want(207).WantIn("200 OK")
	token := ann.Lock("/firm/c").Want(200).Token()
	ann.Do("MOVE", "/firm/c", "", to("/firm/d/"), "Overwrite: T", "If: </dav/firm/c> (<"+token+">)").Want(201) // Cyberduck
	ann.Do("PROPPATCH", "/firm/d", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop/></D:set><D:remove><D:prop><x xmlns="SAR:"/></D:prop></D:remove></D:propertyupdate>`).Want(207)
	ann.Do("PROPFIND", "/firm", `<propfind xmlns="DAV:"><prop><resourcetype><collection/></resourcetype></prop></propfind>`, "Depth: 1").Want(207)     // davix
	ann.Do("PROPFIND", "/firm", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><propfind xmlns=\"DAV:\"><allprop/></propfind>", "Depth: 1").Want(207) // BitKinex
}
