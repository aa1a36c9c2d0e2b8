package e2e

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"
)

// The rows are those of the defects of x/net/webdav in locking and security.

// TestRow12_TaggedListOpensNothingElse sends one's own token, in every form of the
// If header, with every method that writes, against a file that another has locked.
func TestRow12_TaggedListOpensNothingElse(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/victim", "alice's", room+"/mine", "carl's", room+"/free", "f")
		theirs := w.lock("alice", room+"/victim")
		mine := w.lock("carl", room+"/mine")
		url := w.url + room
		w.unchanged(room, func() {
			for _, header := range []string{
				"<" + url + "/mine> (<" + mine + ">)",
				"<" + room + "/mine> (<" + mine + ">)",
				"<" + url + "/mine> (<" + mine + ">) <" + url + "/victim> (<" + mine + ">)",
				"<" + url + "/victim> (Not <" + mine + ">)",
				"(<" + mine + ">) (Not <DAV:no-lock>)",
				"(Not <DAV:no-lock>)",
				"<http://elsewhere.example/x> (Not <" + mine + ">)",
				"(<" + theirs + ">)", // the right token in the wrong hands
				"<" + url + "/victim> (<" + theirs + ">)",
			} {
				for _, request := range [][]string{
					{"PUT", "/victim"},
					{"DELETE", "/victim"},
					{"PROPPATCH", "/victim"},
					{"MOVE", "/victim", "Destination", url + "/away"},
					{"COPY", "/free", "Destination", url + "/victim", "Overwrite", "T"},
					{"MOVE", "/mine", "Destination", url + "/victim", "Overwrite", "T"},
					{"LOCK", "/victim"},
				} {
					body := map[string]string{"PROPPATCH": setProp, "PUT": "broken in", "LOCK": lockBody}[request[0]]
					a := w.do("carl", request[0], room+request[1], body, append(request[2:], "If", header)...)
					a.what += " If: " + header
					a.either(412, 423)
				}
			}
		})
		w.do("bob", "PROPFIND", room+"/victim", propfindOf("<p xmlns='urn:x'/>"), "Depth", "0").want(207).lacks("value")
	})
}

const setProp = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><p xmlns="urn:x">value</p></D:prop></D:set></D:propertyupdate>`

// TestRow13_LockedChild deletes and moves a folder around another's lock on a
// child, a grandchild and a folder, locked to any depth.
func TestRow13_LockedChild(t *testing.T) {
	onWorlds(t, func(w *world) {
		for name, lock := range map[string][]string{"child": {"/d/a"}, "grandchild": {"/d/e/b"}, "folder": {"/d/e"}, "shallow": {"/d/e", "Depth", "0"}} {
			room := w.room()
			w.dirs(room+"/d", room+"/d/e")
			w.put(room+"/d/a", "a", room+"/d/e/b", "b")
			w.lock("alice", room+lock[0], lock[1:]...)
			w.unchanged(room, func() {
				for _, a := range []answer{
					w.do("carl", "DELETE", room+"/d", ""),
					w.do("carl", "MOVE", room+"/d/", "", "Destination", w.url+room+"/away"),
				} {
					a.what += " around a locked " + name
					a.want(423).has(room + strings.TrimSuffix(lock[0], "/"))
				}
			})
		}
	})
}

// TestRow14_LocksEndWithTheFile deletes and moves a locked file: the old name is
// free. Windows does LOCK, PUT, DELETE, PUT.
func TestRow14_LocksEndWithTheFile(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		token := w.lock("alice", room+"/a")
		w.do("alice", "PUT", room+"/a", "", "If", "(<"+token+">)").either(201, 204)
		w.do("alice", "DELETE", room+"/a", "", "If", "(<"+token+">)").want(204)
		w.do("alice", "PUT", room+"/a", "again").want(201)
		w.do("carl", "PUT", room+"/a", "and another").want(204)

		token = w.lock("alice", room+"/a")
		w.do("alice", "MOVE", room+"/a", "", "Destination", w.url+room+"/b", "If", "(<"+token+">)").want(201)
		w.do("carl", "PUT", room+"/a", "new here").want(201)
		w.do("carl", "PUT", room+"/b", "not locked").want(204)

		token = w.lock("alice", room+"/d/inside")
		w.do("alice", "DELETE", room+"/d", "", "If", "<"+w.url+room+"/d/inside> (<"+token+">)").want(204)
		w.dirs(room + "/d")
		w.do("carl", "PUT", room+"/d/inside", "free").want(201)
	})
}

// forms are the three ways to write a token that clients use.
func (w *world) forms(path, token string) map[string]string {
	return map[string]string{
		"untagged": "(<" + token + ">)",
		"absolute": "<" + w.url + path + "> (<" + token + ">)",
		"path":     "<" + path + "> (<" + token + ">)",
	}
}

// TestRow15_MoveOfALockedFile renames a locked file, as davfs2 and Excel save.
func TestRow15_MoveOfALockedFile(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, form := range []string{"untagged", "absolute", "path"} {
			room := w.room()
			w.put(room+"/old", "old")
			token := w.lock("alice", room+"/.b.swp", "Depth", "0")
			header := w.forms(room+"/.b.swp", token)[form]
			w.do("alice", "PUT", room+"/.b.swp", "saved", "If", header).either(201, 204)
			w.do("alice", "MOVE", room+"/.b.swp", "", "Destination", w.url+room+"/old", "Overwrite", "T", "If", header).want(204)
			w.holds(room+"/old", "saved")
			token = w.lock("alice", room+"/old")
			w.do("alice", "MOVE", room+"/old", "", "Destination", w.url+room+"/free", "If", w.forms(room+"/old", token)[form]).want(201)
			w.holds(room+"/free", "saved")
			w.gone(room + "/old")
		}
	})
}

// TestRow16_TwoLocks moves one locked file onto another, with both tokens.
func TestRow16_TwoLocks(t *testing.T) {
	onWorlds(t, func(w *world) {
		for form, want := range map[string]int{
			"<%a> (<1>) <%b> (<2>)": 204,
			"(<1>) (<2>)":           204,
			"(<2>) (<1>)":           204,
			"<%b> (<2>)":            423, // nothing for the source
			"(<1>)":                 423, // nothing for the destination
			"(<1> <2>)":             412, // RFC 4918 §10.4.3: both would have to be the source's
		} {
			room := w.room()
			w.put(room+"/a", "a", room+"/b", "b")
			header := strings.NewReplacer("%a", w.url+room+"/a", "%b", w.url+room+"/b",
				"1", w.lock("alice", room+"/a"), "2", w.lock("alice", room+"/b")).Replace(form)
			a := w.do("alice", "MOVE", room+"/a", "", "Destination", w.url+room+"/b", "Overwrite", "T", "If", header)
			a.what += " If: " + form
			a.want(want)
			w.holds(room+"/b", map[bool]string{true: "a", false: "b"}[want == 204])
		}
	})
}

// TestRow17_FormsOfIf evaluates each kind of condition and of tag.
func TestRow17_FormsOfIf(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/free", "0", room+"/locked", "0", room+"/e", "e")
		token := w.lock("alice", room+"/locked")
		port := w.url[strings.LastIndex(w.url, ":"):]
		for _, c := range []struct {
			path, header string
			want         int
		}{
			{"/free", "([E])", 204},
			{"/free", `(["wrong"])`, 412},
			{"/free", "(Not <DAV:no-lock>)", 204},
			{"/free", "(<DAV:no-lock>)", 412},
			{"/free", "(not [E])", 412},
			{"/free", `(Not ["wrong"])`, 204},
			{"/free", "(<urn:uuid:none>) ([E])", 204},
			{"/free", "([E] <urn:uuid:none>)", 412},
			{"/free", "<" + room + "/e> ([E2])", 204},
			{"/free", "<" + w.url + room + "/e> ([E2])", 204},
			{"/free", "<" + room + "/e> ([E])", 412},
			{"/free", "<http://LOCALHOST" + port + room + "/e> ([E2])", 204},
			{"/free", "<https://127.0.0.1" + port + room + "/e> ([E2])", 204}, // behind a proxy with TLS
			{"/free", "<http://elsewhere.example" + room + "/e> ([E2])", 412},
			{"/free", "If: ([E])", 204}, // Word
			{"/free", "(", 400},
			{"/free", "()", 400},
			{"/free", "<" + room + "/e>", 400},
			{"/locked", "(<T> [E])", 204},
			{"/locked", `(<T> ["wrong"])`, 412},
			{"/locked", "([E])", 423},
			{"/locked", "(<T>)", 204},
		} {
			etag := func(name string) string { return w.do("alice", "HEAD", room+name, "").header.Get("ETag") }
			header := strings.NewReplacer("[E]", "["+etag(c.path)+"]", "[E2]", "["+etag("/e")+"]", "<T>", "<"+token+">").Replace(c.header)
			a := w.do("alice", "PUT", room+c.path, rand.Text(), "If", header)
			a.what += " If: " + c.header
			a.want(c.want)
		}
		etag := w.do("alice", "HEAD", room+"/free", "").header.Get("ETag")
		w.wire("alice", "PUT", room+"/free", "joined", "If", "(<urn:uuid:none>)", "If", "(["+etag+"])").want(204)
	})
}

// TestRow18_TokensAreRandom takes locks in a row, and again after a restart: no
// token follows from another.
func TestRow18_TokensAreRandom(t *testing.T) {
	t.Parallel()
	s := start(t, storages()[0])
	seen := map[string]bool{}
	take := func() {
		for name := range strings.FieldsSeq("a b c d e f g h i j") {
			token := s.lock("bob", "/dav/firm/"+name)
			if !regexp.MustCompile(`^[a-z]+(:[a-z]+)?:[0-9a-f-]{36}$`).MatchString(token) {
				t.Errorf("%s is no URI with a UUID", token)
			}
			head, _, _ := strings.Cut(token, "-")
			if seen[head] {
				t.Errorf("two tokens begin with %s", head)
			}
			seen[head] = true
			s.do("bob", "UNLOCK", "/dav/firm/"+name, "", "Lock-Token", "<"+token+">").want(204)
		}
	}
	take()
	s.stop()
	s.run()
	take()
}

// TestRow19_OnlyTheHolderUnlocks refreshes and ends locks by the wrong people and
// at the wrong places.
func TestRow19_OnlyTheHolderUnlocks(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "f", room+"/other", "o")
		token := w.lock("alice", room+"/f", "Timeout", "Second-600")
		for _, who := range []struct{ user, path string }{{"carl", "/f"}, {"carl", "/other"}, {"alice", "/other"}, {"alice", "/none"}, {"alice", "/d"}} {
			w.do(who.user, "UNLOCK", room+who.path, "", "Lock-Token", "<"+token+">").either(403, 404, 409)
			w.do(who.user, "LOCK", room+who.path, "", "If", "(<"+token+">)", "Timeout", "Second-3600").either(403, 404, 412)
		}
		if left := timeouts(w.do("bob", "PROPFIND", room+"/f", propfindOf("<D:lockdiscovery/>"), "Depth", "0")); len(left) != 1 || left[0] > 600 {
			w.t.Errorf("the lock has %v seconds left, want 600 at most", left)
		}
		w.do("alice", "LOCK", room+"/f", "", "If", "(<"+token+"> [\"wrong\"])").want(412)
		a := w.do("alice", "LOCK", room+"/f", "", "If", "(<"+token+">)", "Timeout", "Second-3000").want(200).has(token)
		if left := timeouts(a); len(left) != 1 || left[0] < 2900 {
			w.t.Errorf("refreshed, the lock has %v seconds left, want 3000", left)
		}
		w.do("alice", "UNLOCK", room+"/f", "", "Lock-Token", "<"+token+">").want(204)
		w.do("alice", "UNLOCK", room+"/f", "", "Lock-Token", "<"+token+">").want(409)
		w.do("carl", "PUT", room+"/f", "free").want(204)
	})
}
