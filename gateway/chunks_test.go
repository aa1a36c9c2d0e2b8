package gateway_test

import (
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"hash/adler32"
	"slices"
	"strings"
	"testing"

	"portico/files"
	"portico/gateway"
	"portico/gateway/gatewaytest"
	"portico/sharing"
)

// begun is an upload of ann's, without a destination.
func begun(u *gatewaytest.User, id string, headers ...string) string {
	at := "/uploads/ann/" + id
	u.Do("MKCOL", at, "", headers...).Want(201)
	return at
}

// join is the request that ends an upload.
func join(u *gatewaytest.User, at, dst string, headers ...string) *gatewaytest.Response {
	return u.Do("MOVE", at+"/.file", "", append([]string{"Destination: " + dst}, headers...)...)
}

// What rclone sends with vendor nextcloud: each chunk named by its bytes, one after
// the other.
func TestChunksByOffset(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("DELETE", "/uploads/ann/up-1/", "").Want(404) // rclone sweeps first
	at := begun(ann, "up-1/")
	ann.Put(at+"000000000000000-000000000000004", "hello").Want(201)
	ann.Put(at+"000000000000005-000000000000009", " worl").Want(201)
	ann.Put(at+"000000000000010-000000000000010", "d").Want(201)
	ann.Get("/firm/a.txt").Want(404)
	at = strings.TrimSuffix(at, "/")
	res := join(ann, at, "/dav/files/ann/firm/a.txt", "X-OC-Mtime: 1700000000", "OC-Total-Length: 11",
		fmt.Sprintf("OC-Checksum: SHA1:%x", sha1.Sum([]byte("hello world")))).Want(201).WantHeader("X-OC-Mtime", "accepted")
	ann.Get("/firm/a.txt").Want(200).WantText("hello world").WantHeader("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT").WantHeader("ETag", res.ETag())
	// The answer may get lost, and the request is sent again.
	join(ann, at, "/dav/files/ann/firm/a.txt").Want(201)
	join(ann, at, "/dav/files/ann/firm/b.txt").Want(404)
	ann.Do("PROPFIND", at, "", "Depth: 1").Want(404)
	if n := h.store.Staged(); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// Nextcloud's own clients tell the destination with the beginning and number the
// chunks from 1; they come in any order, and some twice.
func TestChunksOutOfOrder(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a.txt", "old").Want(201)
	at := begun(ann, "web-2", "Destination: "+h.server.URL+"/dav/files/ann/firm/a.txt", "OC-Total-Length: 20")
	ann.Put(at+"/00003", "ccccc").Want(201)
	ann.Put(at+"/00002", "xxxxx").Want(201)
	ann.Put(at+"/00002", "bbbbb").Want(204)
	ann.Put(at+"/00001", "aaaaa").Want(201)
	ann.Put(at+"/00001", "aaaaa").Want(204)
	ann.Put(at+"/1", "AAAAA").Want(409)
	got := ann.Propfind(at, "1", "getcontentlength").Want(207).WantIn("<D:getcontentlength>5<").Multistatus().Hrefs()
	if want := []string{at, at + "/00001", at + "/00002", at + "/00003"}; !slices.Equal(trimmed(got), want) {
		t.Errorf("the upload has %q, want %q", got, want)
	}
	join(ann, at, "/dav/firm/a.txt").Want(400).WantIn("15 bytes", "20")
	ann.Get("/firm/a.txt").WantText("old")
	ann.Put(at+"/00004", "ddddd").Want(201)
	ann.Put(at+"/00005", "e").Want(413)
	join(ann, at, "/dav/firm/a.txt", "OC-Total-Length: 19").Want(400)
	join(ann, at, "/remote.php/webdav/firm/a.txt", "OC-Total-Length: 20",
		fmt.Sprintf("OC-Checksum: SHA3:00 ADLER32:%08x", adler32.Checksum([]byte("aaaaabbbbbcccccddddd")))).Want(204)
	ann.Get("/firm/a.txt").WantText("aaaaabbbbbcccccddddd")
}

// trimmed are hrefs as the tests write addresses.
func trimmed(hrefs []string) (list []string) {
	for _, h := range hrefs {
		list = append(list, strings.TrimSuffix(strings.TrimPrefix(h, "/dav"), "/"))
	}
	return list
}

// ownCloud's clients name a chunk by where it begins, and its older ones count from
// zero.
func TestChunksOfOwnCloud(t *testing.T) {
	ann := newHouse(t).as("ann")
	big := strings.Repeat("0123456789", 2000)
	at := begun(ann, "oc-1")
	ann.Put(at+"/0000000000020000", "end").Want(201)
	ann.Put(at+"/0000000000000000", big).Want(201)
	join(ann, at, "/dav/firm/oc.txt", fmt.Sprintf("OC-Checksum: MD5:%x", md5.Sum([]byte(big+"end")))).Want(201)
	ann.Get("/firm/oc.txt").WantText(big + "end")
	at = begun(ann, "oc-2")
	for i, part := range []string{"one ", "two ", "three"} {
		ann.Put(fmt.Sprintf("%s/%08d", at, i), part).Want(201)
	}
	join(ann, at, "/dav/firm/oc.txt").Want(204)
	ann.Get("/firm/oc.txt").WantText("one two three")
	at = begun(ann, "from-one") // nothing says that no chunk 0 will come
	ann.Put(at+"/2", "b").Want(201)
	ann.Put(at+"/1", "a").Want(201)
	join(ann, at, "/dav/firm/ab.txt").Want(201)
	ann.Get("/firm/ab.txt").WantText("ab")
}

// A small number that is also the length so far is a number, and not where a chunk
// begins.
func TestChunkNumberThatLooksLikeAnOffset(t *testing.T) {
	ann := newHouse(t).as("ann")
	at := begun(ann, "n")
	ann.Put(at+"/0", "zero ").Want(201)
	ann.Put(at+"/5", "five").Want(201)
	ann.Put(at+"/1", "one ").Want(201)
	join(ann, at, "/dav/firm/n.txt").Want(201)
	ann.Get("/firm/n.txt").WantText("zero one five")
}

func TestChunkNamesThatAreNone(t *testing.T) {
	ann := newHouse(t).as("ann")
	at := begun(ann, "names")
	for _, name := range []string{".file", "x", "-1", "1-", "-", "1-2-3", "0x10", "1e3", "+1", "1_0", "%20", "1%0a", "9999999999999999999", "%2e%2e%2f1", "a%5cb", strings.Repeat("1", 300)} {
		ann.Put(at+"/"+name, "x").Want(400)
	}
	for _, name := range []string{"../1", "..", "./1", "/1"} {
		ann.Put(at+"/"+name, "x").Want(400)
	}
	ann.Put(at+"/1/2", "x").Want(404)
	ann.Put(at, "x").Want(405)
	ann.Get(at+"/1").Want(405).WantHeader("Allow", "OPTIONS, MKCOL, PUT, PROPFIND, MOVE, DELETE")
	ann.Do("MKCOL", at+"/2", "").Want(405)
	ann.Do("MKCOL", "/uploads/ann/"+strings.Repeat("x", 200), "").Want(404)
	ann.Do("MKCOL", at, "").Want(405)
	ann.Do("PROPPATCH", at, "").Want(405)
	ann.Do("LOCK", at, "").Want(405)
	ann.Do("MOVE", at, "", "Destination: /dav/firm/x").Want(405)
	ann.Do("COPY", at+"/.file", "", "Destination: /dav/firm/x").Want(405)
	for _, length := range []string{"x", "-1", "1.5", "99999999999999999999"} {
		join(ann, at, "/dav/firm/x", "OC-Total-Length: "+length).Want(400)
	}
	join(ann, at, "/dav/firm/x", "OC-Checksum: SHA1").Want(400)
	join(ann, at, "/dav/firm/x", "Overwrite: maybe").Want(400)
	join(ann, at, "").Want(400)
	join(ann, at, "/dav/uploads/ann/names").Want(404)
	join(ann, at, "http://elsewhere.example/dav/firm/x").Want(502)
	if got := ann.Propfind(at, "1", "getetag").Want(207).Multistatus().Hrefs(); len(got) != 1 {
		t.Errorf("the upload has %q", got)
	}
}

// Nobody reaches another's uploads, nor learns whether there are any.
func TestChunksOfOthers(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	begun(ann, "mine")
	for _, at := range []string{"/uploads/ann", "/uploads/ann/mine", "/uploads/nobody", "/files/ann", "/files/ann/firm", "/files/nobody/firm"} {
		bob.Do("PROPFIND", at, "", "Depth: 0").Want(404).WantText("There is nothing at this address.\n")
	}
	bob.Do("MKCOL", "/uploads/ann/other", "").Want(404)
	bob.Put("/uploads/ann/mine/1", "x").Want(404)
	bob.Do("DELETE", "/uploads/ann/mine", "").Want(404)
	join(bob, "/uploads/ann/mine", "/dav/firm/Clients/x").Want(404)
	// The same name is another upload.
	bob.Do("DELETE", "/uploads/bob/mine", "").Want(404)
	bob.Do("MKCOL", "/uploads/bob/mine", "").Want(201)
	bob.Put("/uploads/bob/mine/0-0", "x").Want(201)
	if got := ann.Propfind("/uploads/ann/mine", "1", "getetag").Want(207).Multistatus().Hrefs(); len(got) != 1 {
		t.Errorf("ann's upload has %q", got)
	}
	if got := ann.Propfind("/uploads/ANN/", "1", "getetag").Want(207).Multistatus().Hrefs(); len(got) != 2 {
		t.Errorf("ann's uploads are %q", got)
	}
	h.with("ann", "wrong").Do("MKCOL", "/uploads/ann/x", "").Want(401)
	ann.Do("DELETE", "/uploads/ann/mine", "").Want(204)
	ann.Do("PROPFIND", "/uploads/ann/mine", "").Want(404)
}

// Rights, locks and conditions are those of a PUT.
func TestChunksAreJudged(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	h.as("mallory").Do("MKCOL", "/uploads/mallory/x", "").Want(403)
	bob.Do("MKCOL", "/uploads/bob/v2", "", "Destination: /dav/firm/no.txt").Want(403)
	bob.Do("MKCOL", "/uploads/bob/v2", "", "Destination: /dav/lab/no.txt").Want(403, 404)
	bob.Do("MKCOL", "/uploads/bob/v2", "", "Destination: /dav/firm/Clients").Want(405)
	bob.Do("MKCOL", "/uploads/bob/v2", "", "Destination: /dav/firm/Clients/big", "OC-Total-Length: 2000000").Want(507)
	at := "/uploads/bob/b"
	bob.Do("MKCOL", at, "").Want(201)
	bob.Put(at+"/0-2", "new").Want(201)
	join(bob, at, "/dav/firm/no.txt").Want(403)
	join(bob, at, "/dav/firm/Clients/gone/a.txt").Want(409)
	ann.Get("/firm/no.txt").Want(404)
	ann.Put("/firm/Clients/a.txt", "old").Want(201)
	join(bob, at, "/dav/firm/Clients/a.txt", "Overwrite: F").Want(412)
	join(bob, at, "/dav/firm/Clients/a.txt", `If-Match: "none"`).Want(412)
	token := ann.Lock("/firm/Clients/a.txt").Want(200).Token()
	join(bob, at, "/dav/firm/Clients/a.txt").Want(423)
	ann.Get("/firm/Clients/a.txt").WantText("old")
	mine := begun(ann, "l", "Destination: /dav/firm/Clients/a.txt")
	ann.Put(mine+"/1", "mine").Want(201)
	join(ann, mine, "/dav/firm/Clients/a.txt").Want(423)
	join(ann, mine, "/dav/firm/Clients/a.txt", "If: (<"+token+">)").Want(204)
	ann.Do("UNLOCK", "/firm/Clients/a.txt", "", "Lock-Token: <"+token+">").Want(204)
	join(bob, at, "/dav/firm/Clients/a.txt", `If-Match: `+ann.Get("/firm/Clients/a.txt").WantText("mine").ETag()).Want(204)
	ann.Get("/firm/Clients/a.txt").WantText("new")
}

// A chunk that breaks off counts for nothing, and a wrong sum refuses it.
func TestChunkBroken(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	at := begun(ann, "broken")
	ann.Put(at+"/0-4", "hello", "OC-Checksum: SHA1:00").Want(400)
	ann.Put(at+"/5-9", "world", "OC-Checksum: MD5:00").Want(400)
	r := ann.Request("PUT", at+"/0-4", strings.NewReader("hel"))
	r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	r.Header.Set("X-Expected-Entity-Length", "5")
	ann.Send(r).Want(400)
	ann.Put(at+"/0-4", "hello", fmt.Sprintf("OC-Checksum: SHA1:%x", sha1.Sum([]byte("hello")))).Want(201)
	join(ann, at, "/dav/firm/x", fmt.Sprintf("OC-Checksum: SHA1:%x", sha1.Sum([]byte("other")))).Want(400).WantIn("sum")
	ann.Get("/firm/x").Want(404)
	join(ann, at, "/dav/firm/x").Want(201)
}

// The other doors show the same tree, with their own addresses.
func TestDoors(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a.txt", "text").Want(201)
	for _, door := range []string{"/dav/files/ann", "/remote.php/dav/files/ann", "/remote.php/webdav", "/dav/files/ANN", "/dav/files/%61nn"} {
		u := gatewaytest.As(t, h.server.URL+door, "ann", password)
		u.Get("/firm/a.txt").Want(200).WantText("text")
		want := strings.NewReplacer("ANN", "ann", "%61nn", "ann").Replace(door)
		if got := u.Propfind("/firm", "1", "getetag").Want(207).Multistatus().Hrefs(); !slices.Equal(got, []string{want + "/firm/", want + "/firm/a.txt"}) {
			t.Errorf("%s shows %q", door, got)
		}
		u.Do("MOVE", "/firm/a.txt", "", "Destination: "+h.server.URL+door+"/firm/b.txt").Want(201)
		u.Do("MOVE", "/firm/b.txt", "", "Destination: "+want+"/firm/a.txt").Want(201)
	}
	for _, at := range []string{"/remote.php", "/remote.php/dav", "/remote.php/dav/firm", "/remote.php/davx/files/ann", "/remote.php/dav/filesx/ann", "/dav/files", "/dav/files/"} {
		h.at(at).Do("PROPFIND", "", "", "Depth: 0").Want(404)
	}
	h.at("/dav/files").Do("MKCOL", "", "").Want(403)
}

// A customer uploads into what was shared with them.
func TestChunksOfCustomers(t *testing.T) {
	h, carol := newShared(t)
	at := "/uploads/carol%40acme.example/up"
	carol.Do("MKCOL", at, "").Want(201)
	carol.Put(at+"/0-4", "hello").Want(201)
	join(carol, at, "/dav/shared/Acme/v1.txt").Want(201)
	carol.Get("/shared/Acme/v1.txt").WantText("hello")
	door := gatewaytest.As(t, h.server.URL+"/dav/files/carol@acme.example", "carol@acme.example", password)
	door.Get("/shared/Acme/v1.txt").Want(200).WantText("hello")
	carol.Do("MKCOL", at+"2", "", "Destination: /dav/files/carol@acme.example/shared/Acme/v2.txt").Want(201)
	carol.Put(at+"2/2", "world").Want(201)
	carol.Put(at+"2/1", "hello ").Want(201)
	join(carol, at+"2", "/dav/files/carol@acme.example/shared/Acme/v2.txt").Want(201)
	h.as("ann").Get("/firm/Clients/Acme/v2.txt").Want(200).WantText("hello world")
	carol.Do("MKCOL", at+"3", "").Want(201)
	carol.Put(at+"3/0-0", "x").Want(201)
	for dst, want := range map[string]int{"/dav/firm/Clients/x": 502, "/dav/shared/firm": 403, "/dav/shared/plan.txt": 403, "/dav/shared/none/x": 404, "/dav/x": 502} {
		join(carol, at+"3", dst).Want(want).WantNot("Clients")
	}
	carol.Do("MKCOL", at+"4", "", "Destination: /dav/shared/plan.txt").Want(403).WantNot("Clients")
}

// An app password for one workspace, or for reading alone, reaches no further here.
func TestChunksByAppPassword(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	at := begun(ann, "lab", "Destination: /dav/lab/a.txt")
	ann.Put(at+"/1", "a").Want(201)
	h.people.with.Limit.Workspace = "lab"
	join(ann, at, "/dav/firm/a.txt").Want(403, 404)
	ann.Do("MKCOL", "/uploads/ann/firm", "", "Destination: /dav/firm/a.txt").Want(403, 404)
	join(ann, at, "/dav/lab/a.txt").Want(201)
	h.people.with.Limit.ReadOnly = true
	ann.Do("MKCOL", "/uploads/ann/new", "").Want(403)
	ann.Do("MKCOL", "/uploads/ann/new", "", "Destination: /dav/lab/b.txt").Want(403)
}

// A link takes no chunks, whatever is asked of its room.
func TestNoChunksByLink(t *testing.T) {
	if _, ok := any(&sharing.Room{}).(gateway.Chunker); ok {
		t.Error("what a link opens takes chunks")
	}
	if _, ok := any(&files.Window{}).(gateway.Chunker); !ok {
		t.Error("a window does not")
	}
}
