package gateway_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash/adler32"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/gateway/gatewaytest"
)

const ownCloud = "http://owncloud.org/ns"

// asked asks for properties by name, with the prefixes D: and oc:.
func asked(u *gatewaytest.User, path, depth string, names ...string) *gatewaytest.Response {
	body := `<D:propfind xmlns:D="DAV:" xmlns:oc="` + ownCloud + `"><D:prop><` + strings.Join(names, "/><") + `/></D:prop></D:propfind>`
	return u.Do("PROPFIND", path, body, "Depth: "+depth)
}

// value is a property's content without white space, and its status.
func value(m gatewaytest.Multistatus, href, name string) string {
	space, local := "DAV:", name
	if rest, ok := strings.CutPrefix(name, "oc:"); ok {
		space, local = ownCloud, rest
	}
	p, status := m.Prop(href, space, local)
	if status != 200 {
		return strconv.Itoa(status)
	}
	return p.Inner
}

func TestChecksums(t *testing.T) {
	ann := newHouse(t).as("ann")
	const body = "hello"
	sums := map[string]string{
		"MD5": fmt.Sprintf("%x", md5.Sum([]byte(body))), "SHA1": fmt.Sprintf("%x", sha1.Sum([]byte(body))),
		"SHA256": fmt.Sprintf("%x", sha256.Sum256([]byte(body))), "ADLER32": fmt.Sprintf("%08x", adler32.Checksum([]byte(body))),
	}
	known := func(path string) string {
		t.Helper()
		return value(asked(ann, path, "0", "oc:checksums").Want(207).Multistatus(), "/dav"+path, "oc:checksums")
	}
	for name, sum := range sums {
		ann.Put("/firm/a", body, "OC-Checksum: "+name+":"+sum).Want(201, 204)
		if got := known("/firm/a"); !strings.Contains(got, "<oc:checksum>"+name+":"+sum) {
			t.Errorf("%s: %s", name, got)
		}
		etag := ann.Do("HEAD", "/firm/a", "").ETag()
		wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, strings.Repeat("1", len(sum)))
		for path, text := range map[string]string{"/firm/a": body, "/firm/b": body, "/firm/empty": ""} {
			ann.Put(path, text, "OC-Checksum: "+name+":"+wrong).Want(400).WantIn(name)
			// Chunked, so that no length tells where the end is.
			ann.Send(ann.Request("PUT", path, io.NopCloser(strings.NewReader(text)), "OC-Checksum: "+name+":"+wrong)).Want(400)
			ann.Put(path, text, "OC-Checksum: "+name+":12").Want(400)
		}
		ann.Get("/firm/a").Want(200).WantHeader("ETag", etag)
		ann.Get("/firm/b").Want(404)
		ann.Get("/firm/empty").Want(404)
	}
	ann.Put("/firm/c", body, "OC-Checksum: SHA1:"+strings.ToUpper(sums["SHA1"])+" md5:"+sums["MD5"]).Want(201)
	if got := known("/firm/c"); !strings.Contains(got, "SHA1:"+sums["SHA1"]+" MD5:"+sums["MD5"]) {
		t.Errorf("two at once: %s", got)
	}
	// One that is not known is no promise.
	ann.Put("/firm/c", "other", "OC-Checksum: CRC64:xyz").Want(204)
	if got := known("/firm/c"); strings.Contains(got, "SHA1") {
		t.Errorf("the next version has the checksums of the one before: %s", got)
	}
	ann.Get("/firm/c").Want(200).WantHeader("OC-Checksum", fmt.Sprintf("SHA256:%x", sha256.Sum256([]byte("other"))))
	// It is no property of a client's: neither seen nor set.
	ann.Put("/firm/c", body, "OC-Checksum: SHA1:"+sums["SHA1"]).Want(204)
	ann.Propfind("/firm/c", "0").Want(207).WantNot("checksum", sums["SHA1"])
	ann.Do("PROPPATCH", "/firm/c", `<propertyupdate xmlns="DAV:"><set><prop><checksums xmlns="`+ownCloud+`">x</checksums></prop></set></propertyupdate>`).
		Want(207).WantIn("403", "cannot-modify-protected-property")
	ann.Do("MOVE", "/firm/c", "", "Destination: /dav/firm/d").Want(201)
	if got := known("/firm/d"); !strings.Contains(got, sums["SHA1"]) {
		t.Errorf("after MOVE: %s", got)
	}
}

func TestPermissions(t *testing.T) {
	h := newHouse(t)
	ann, bob, ida := h.as("ann"), h.as("bob"), h.as("ida")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Do("MKCOL", "/firm/Inbox", "").Want(201)
	ann.Put("/firm/a", "x").Want(201)
	ann.Put("/firm/Clients/b", "x").Want(201)
	of := func(u *gatewaytest.User, path, depth string) map[string]string {
		t.Helper()
		m := asked(u, path, depth, "oc:permissions", "isreadonly").Want(207).Multistatus()
		got := map[string]string{}
		for _, href := range m.Hrefs() {
			got[strings.TrimPrefix(href, "/dav")] = value(m, href, "oc:permissions")
		}
		return got
	}
	for name, c := range map[string]struct{ got, want map[string]string }{
		"ann": {of(ann, "/firm", "1"), map[string]string{"/firm/": "RGCK", "/firm/a": "RGDNVW", "/firm/Clients/": "RGDNVCK", "/firm/Inbox/": "RGDNVCK"}},
		"bob": {of(bob, "/firm", "1"), map[string]string{"/firm/": "G", "/firm/a": "G", "/firm/Clients/": "GDNVCK", "/firm/Inbox/": "G"}},
		"ida": {of(ida, "/firm/Inbox", "0"), map[string]string{"/firm/Inbox/": "CK"}},
		"top": {of(bob, "/", "1"), map[string]string{"/": "", "/firm/": "G"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestFlags(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/.a", "12345", "X-OC-Mtime: 1700000000").Want(201)
	names := []string{"D:iscollection", "D:ishidden", "D:isreadonly", "D:lastmodified", "oc:size", "D:checked-in", "oc:id", "oc:fileid"}
	m := asked(h.as("bob"), "/firm", "1", names...).Want(207).Multistatus()
	for href, want := range map[string][]string{
		"/dav/firm/.a": {"0", "1", "1", "1700000000", "5", "404", "404", "404"},
		"/dav/firm/d/": {"1", "0", "1", "404", "404", "404", "404", "404"},
	} {
		for i, name := range names {
			if got := value(m, href, strings.TrimPrefix(name, "D:")); got != want[i] {
				t.Errorf("%s of %s = %q, want %q", name, href, got, want[i])
			}
		}
	}
	if got := value(asked(ann, "/firm/.a", "0", "D:isreadonly").Multistatus(), "/dav/firm/.a", "isreadonly"); got != "0" {
		t.Errorf("isreadonly of ann's file = %s", got)
	}
}

func TestAccessProperties(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	bob.Put("/firm/Clients/b", "x").Want(201)
	names := []string{"D:owner", "D:current-user-privilege-set", "D:acl", "D:acl-restrictions", "D:supported-privilege-set", "D:principal-collection-set", "oc:owner-id", "oc:owner-display-name"}
	get := func(u *gatewaytest.User, path, href, name string) string {
		t.Helper()
		return value(asked(u, path, "0", names...).Want(207).Multistatus(), href, name)
	}
	const file, folder = "/dav/firm/Clients/b", "/dav/firm/Clients/"
	if got := get(ann, "/firm/Clients/b", file, "owner"); got != "<D:href>urn:portico:user:bob</D:href>" {
		t.Errorf("owner = %s", got)
	}
	if got := get(ann, "/firm/Clients/b", file, "oc:owner-display-name"); got != "bob" {
		t.Errorf("owner-display-name = %s", got)
	}
	mine := get(bob, "/firm/Clients", folder, "current-user-privilege-set")
	for _, p := range []string{"read", "write", "write-content", "write-properties", "bind", "unbind"} {
		if !strings.Contains(mine, "<D:privilege><D:"+p+"/></D:privilege>") {
			t.Errorf("bob may not %s: %s", p, mine)
		}
	}
	if strings.Contains(mine, "read-acl") {
		t.Errorf("bob may read who has access: %s", mine)
	}
	top := get(bob, "/firm", "/dav/firm/", "current-user-privilege-set")
	if top != "<D:privilege><D:read/></D:privilege><D:privilege><D:read-current-user-privilege-set/></D:privilege>" {
		t.Errorf("bob on /firm: %s", top)
	}
	// Who has access is for those whom the page of details tells.
	if got := get(bob, "/firm/Clients", folder, "acl"); got != "404" {
		t.Errorf("bob reads who has access: %s", got)
	}
	acl := get(ann, "/firm/Clients", folder, "acl")
	for _, who := range []string{"user:ann", "user:bob", "group:readers"} {
		if !strings.Contains(acl, "urn:portico:"+who) {
			t.Errorf("%s is not in %s", who, acl)
		}
	}
	if got := get(ann, "/firm/Clients", folder, "acl-restrictions"); got != "<D:grant-only/>" {
		t.Errorf("acl-restrictions = %s", got)
	}
	// Of the members nobody is told, and allprop has none of it.
	m := asked(ann, "/firm/Clients", "1", "D:acl").Want(207).Multistatus()
	if got := value(m, file, "acl"); got != "404" {
		t.Errorf("acl of a member = %s", got)
	}
	ann.Propfind("/firm/Clients", "1").Want(207).WantNot("privilege", "<D:owner", "acl", "oc:", "iscollection")
	ann.Do("PROPPATCH", "/firm/Clients", `<propertyupdate xmlns="DAV:"><set><prop><acl/></prop></set></propertyupdate>`).Want(207).WantIn("403")
}

// TestTimeOfWindows has what Windows set for the old bytes end with them.
func TestTimeOfWindows(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "x").Want(201)
	set := func(name, text string) string {
		return `<Z:` + name + `>` + text + `</Z:` + name + `>`
	}
	const times = "Tue, 14 Nov 2023 22:13:20 GMT"
	all := []string{set("Win32CreationTime", times), set("Win32LastAccessTime", times), set("Win32LastModifiedTime", times), set("Win32FileAttributes", "00000020")}
	ann.Do("PROPPATCH", "/firm/a", `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>`+strings.Join(all, "")+`</D:prop></D:set></D:propertyupdate>`).Want(207)
	ann.Propfind("/firm/a", "0").Want(207).WantIn(all...).WantIn(` xmlns:Z="urn:schemas-microsoft-com:"><D:response>`)
	if p, status := ann.Propfind("/firm/a", "0").Multistatus().Prop("/dav/firm/a", "urn:schemas-microsoft-com:", "Win32LastAccessTime"); status != 200 || p.Text != times {
		t.Errorf("Win32LastAccessTime = %q (%d)", p.Text, status)
	}
	// Others' use of the prefix is theirs.
	const other = `<Z:a xmlns:Z="urn:z"><Z:b>c</Z:b></Z:a>`
	ann.Do("PROPPATCH", "/firm/a", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>`+other+`</D:prop></D:set></D:propertyupdate>`).Want(207)
	ann.Propfind("/firm/a", "0").Want(207).WantIn(other)
	ann.Put("/firm/a", "y").Want(204)
	ann.Propfind("/firm/a", "0").Want(207).WantIn(all[0], all[3]).WantNot("Win32LastModifiedTime")
}

// TestEntrySize bounds what a file takes in a listing: Windows shows nothing of a
// folder beyond 1,000,000 bytes.
func TestEntrySize(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	const files, most, mostWindows = 40, 780, 1100
	for i := range files {
		ann.Put(fmt.Sprintf("/firm/Clients/A%%20name%%20of%%20thirty%%20letters%%20%02d", i)+".pdf", "x").Want(201)
	}
	all := ann.Propfind("/firm/Clients", "1").Want(207)
	per := (len(all.Text) - len(ann.Propfind("/firm/Clients", "0").Text)) / files
	t.Logf("%d bytes an entry", per)
	if per > most {
		t.Errorf("%d bytes an entry, want %d at most", per, most)
	}
	// With what Explorer sets on each file that it copies.
	const name = "/firm/Clients/A%20name%20of%20thirty%20letters%2000.pdf"
	bare := len(ann.Propfind(name, "0").Text)
	const date = `>Tue, 14 Nov 2023 22:13:20 GMT</Z:Win32`
	ann.Do("PROPPATCH", name, `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop><Z:Win32CreationTime`+date+`CreationTime><Z:Win32LastAccessTime`+date+
		`LastAccessTime><Z:Win32LastModifiedTime`+date+`LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>`).Want(207)
	full := per + len(ann.Propfind(name, "0").Text) - bare
	t.Logf("%d bytes an entry that Explorer made", full)
	if full > mostWindows {
		t.Errorf("%d bytes an entry that Explorer made, want %d at most", full, mostWindows)
	}
}
