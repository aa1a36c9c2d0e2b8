package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
)

// The threats are rows of defects found in other products: verbs, rights and
// what is hidden.

// TestThreat14_CopyIntoReadOnly carries one's own file to where one may only read.
func TestThreat14_CopyIntoReadOnly(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/there", "alice's")
		mine := "/dav/own/f" + strings.TrimPrefix(room, "/dav/team/")
		w.do("bob", "PUT", mine, "bob's").want(201)
		w.unchanged("", func() {
			for _, method := range []string{"COPY", "MOVE"} {
				for _, overwrite := range []string{"T", "F"} {
					w.do("bob", method, mine, "", "Destination", w.url+room+"/f", "Overwrite", overwrite).want(403)
					w.do("bob", method, mine, "", "Destination", w.url+room+"/there", "Overwrite", overwrite).want(403)
					w.do("bob", method, mine, "", "Destination", w.url+room+"/nowhere/f", "Overwrite", overwrite).either(403, 404)
				}
				w.do("bob", method, mine, "", "Destination", w.url+"/dav/team").either(403, 409)
			}
		})
		w.do("bob", "PROPFIND", room, "", "Depth", "1").want(207).has("/there<").lacks("/f<")
	})
}

// TestThreat15_NoDeleteMeansNoOverwrite replaces files by one who may only make new
// ones.
func TestThreat15_NoDeleteMeansNoOverwrite(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/other")
		w.put(room+"/old", "old", room+"/src", "src", room+"/dir/member", "m", room+"/other/n", "n")
		w.unchanged(room, func() {
			for _, request := range [][]string{
				{"COPY", "/src", "/old"},
				{"MOVE", "/src", "/old"},
				{"MOVE", "/src", "/free"},
				{"COPY", "/src", "/dir"},
				{"COPY", "/other", "/dir"},
				{"MOVE", "/other", "/dir"},
			} {
				for _, overwrite := range []string{"T", ""} {
					w.do("cleo", request[0], room+request[1], "", "Destination", w.url+room+request[2], "Overwrite", overwrite).want(403)
				}
			}
			w.do("cleo", "PUT", room+"/old", "x").want(403)
			w.do("cleo", "DELETE", room+"/old", "").want(403)
			w.do("cleo", "PROPPATCH", room+"/old", setProp).want(403)
			w.do("cleo", "LOCK", room+"/old", lockBody).want(403)
		})
		w.do("cleo", "COPY", room+"/src", "", "Destination", w.url+room+"/copy").want(201)
		w.do("cleo", "PUT", room+"/copy", "mine, and yet").want(403)
	})
}

// writes is a request of each method that changes something, at a path.
func (w *world) writes(path string) [][]string {
	return [][]string{
		{"PUT", path, "x"},
		{"PUT", path + "-new", "x"},
		{"DELETE", path, ""},
		{"MKCOL", path + "-new", ""},
		{"PROPPATCH", path, setProp},
		{"LOCK", path, lockBody},
		{"LOCK", path + "-new", lockBody},
		{"MOVE", path, "", "Destination", w.url + path + "-new"},
		{"COPY", path, "", "Destination", w.url + path + "-new"},
		{"COPY", "/dav/team/readme.txt", "", "Destination", w.url + path, "Overwrite", "T"},
	}
}

// TestThreat17_EveryVerbAsks sends each writing method as one who may read, and as
// one who may nothing.
func TestThreat17_EveryVerbAsks(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "f", room+"/d/f", "f")
		w.unchanged("", func() {
			for _, path := range []string{room + "/f", room + "/d"} {
				for _, r := range w.writes(path) {
					w.do("bob", r[0], r[1], r[2], r[3:]...).want(403)
					w.do("", r[0], r[1], r[2], r[3:]...).want(401)
					w.absent("mallory", r[0], r[1], "team", r[2], r[3:]...)
				}
				w.hiddenFrom("mallory", path, "team")
			}
			for _, r := range w.writes("/dav/team/secret") { // a folder with a rule
				if r[1] == "/dav/team/secret" {
					w.do("alice", r[0], r[1], r[2], r[3:]...).either(403, 404, 409)
				}
			}
		})
		w.do("mallory", "PROPFIND", "/dav/", "", "Depth", "1").want(207).lacks("team")
		w.do("mallory", "GET", "/dav/", "").want(200).lacks("team")
	})
}

// TestThreat18_HiddenIsNotReplaced moves and copies onto things that the caller does
// not see.
func TestThreat18_HiddenIsNotReplaced(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		name := strings.TrimPrefix(room, "/dav/team/")
		w.dirs(room + "/dir")
		w.put(room+"/x", "x", room+"/dir/y", "y")
		theirs := "/dav/team/members/" + name // alice does not see what carl puts there
		w.do("carl", "PUT", theirs, "carl's").want(201)
		for _, hidden := range []string{"/dav/team/secret", "/dav/team/secret/f", "/dav/team/denied", "/dav/team/tree/hidden", theirs, "/dav/team2"} {
			w.unchanged("", func() {
				for _, src := range []string{"/x", "/dir"} {
					for _, method := range []string{"MOVE", "COPY"} {
						w.do("alice", method, room+src, "", "Destination", w.url+hidden, "Overwrite", "T").either(403, 404, 409).lacks("arl")
					}
				}
				w.do("alice", "PUT", hidden, "x").either(403, 404, 405, 409).lacks("arl")
				w.do("alice", "DELETE", hidden, "").want(404)
			})
		}
		w.do("carl", "GET", theirs, "").want(200).has("carl's")
		w.hiddenFrom("alice", theirs, name)
	})
}

// TestThreat18_HiddenIsNotCarriedOff deletes, moves and copies the folder around a
// hidden one.
func TestThreat18_HiddenIsNotCarriedOff(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		name := strings.TrimPrefix(room, "/dav/team/")
		w.unchanged("/dav/team/tree", func() {
			w.do("alice", "DELETE", "/dav/team/tree", "").want(403)
			w.do("alice", "MOVE", "/dav/team/tree", "", "Destination", w.url+room+"/tree").want(403)
			w.dirs(room + "/t")
			w.do("alice", "MOVE", room+"/t", "", "Destination", w.url+"/dav/team/tree", "Overwrite", "T").want(403)
			w.do("alice", "COPY", "/dav/team/tree", "", "Destination", w.url+room+"/copy").want(201)
			for _, ruled := range []string{"/dav/team/tree", "/dav/team/tree/hidden"} { // by her who may do all else
				w.do("ann", "DELETE", ruled, "").want(403)
				w.do("ann", "MOVE", ruled, "", "Destination", w.url+room+"/t2").want(403)
			}
		})
		w.holds(room+"/copy/open/f", "open")
		w.gone(room + "/copy/hidden")

		// What another has made, in a folder of one's own where each sees their own.
		mine := "/dav/team/members/" + name
		w.dirs(mine)
		w.do("carl", "PUT", mine+"/theirs", "carl's").want(201)
		w.do("alice", "PUT", mine+"/mine", "alice's").want(201)
		w.unchanged("/dav/team/members", func() {
			w.do("alice", "DELETE", mine, "").want(403).lacks("theirs").lacks("arl")
			w.do("alice", "MOVE", mine, "", "Destination", w.url+room+"/m").want(403).lacks("theirs").lacks("arl")
		})
	})
}

// TestThreat21_NoRightFromACache makes a folder as a reader, after an editor has
// done the same a moment ago.
func TestThreat21_NoRightFromACache(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/hers")
		w.put(room+"/hers/f", "f")
		w.unchanged(room, func() {
			w.do("bob", "MKCOL", room+"/new", "").want(403)
			w.do("bob", "MKCOL", room+"/hers/new", "").want(403)
			w.do("bob", "MKCOL", room+"/hers", "").either(403, 405)
			w.do("bob", "MKCOL", "/dav/team/new", "").want(403)
			w.do("bob", "MKCOL", "/dav/new", "").want(403)
		})
	})
}

// TestThreat22_TokensStayWithTheirOwner locks as those who may not, and looks for
// tokens in what others are told.
func TestThreat22_TokensStayWithTheirOwner(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		token := w.lock("alice", room+"/f")
		secret := token[len(token)-36:]
		w.absent("mallory", "LOCK", room+"/f", "team", lockBody)
		w.absent("mallory", "UNLOCK", room+"/f", "team", "", "Lock-Token", "<"+token+">")
		w.absent("mallory", "LOCK", room+"/f", "team", "", "If", "(<"+token+">)")
		w.do("bob", "LOCK", room+"/f", lockBody).want(403).lacks(secret)
		for _, r := range w.writes(room + "/f") {
			if r[1] == room+"/f" && r[0] != "COPY" {
				w.do("carl", r[0], r[1], r[2], r[3:]...).want(423).lacks(secret)
			}
		}
		for _, user := range []string{"bob", "carl", "ann"} {
			w.do(user, "PROPFIND", room, "", "Depth", "1").want(207).has("activelock").lacks(secret)
			w.do(user, "GET", room+"/f", "").want(200).lacks(secret)
		}
		w.do("alice", "PROPFIND", room, "", "Depth", "1").want(207).has(secret)
	})
}

// TestThreat24_OurOwnFolder writes to the folder that Portico keeps for itself, in a
// workspace that begins at the storage's top. Nothing can be read there, and what
// is refused is never stored.
func TestThreat24_OurOwnFolder(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, path := range []string{"/dav/whole/.portico", "/dav/whole/.portico/x", "/dav/whole/.portico/tmp/x", "/dav/whole/%2eportico/x"} {
			for _, slash := range []string{"", "/"} {
				for _, method := range []string{"GET", "HEAD", "PROPFIND", "DELETE"} {
					w.wire("ann", method, path+slash, "").want(404)
				}
				w.wire("ann", "PROPPATCH", path+slash, setProp).want(404)
				w.wire("ann", "MKCOL", path+slash, "").either(403, 404, 409)
				w.wire("ann", "LOCK", path+slash, lockBody).either(403, 404, 409)
				for _, method := range []string{"COPY", "MOVE"} {
					w.wire("ann", method, "/dav/whole/f", "", "Destination", path+slash).either(403, 404, 409)
					w.wire("ann", method, path+slash, "", "Destination", "/dav/whole/stolen").want(404)
				}
			}
			w.wire("ann", "PUT", path, "x").either(403, 404, 409)
		}
		w.do("ann", "PROPFIND", "/dav/whole", "", "Depth", "1").want(207).lacks(".portico")
		w.holds("/dav/whole/f", "of the whole")
		for _, name := range []string{".portico/x", ".portico/tmp/x"} {
			if w.hasSecond(name) {
				w.t.Errorf("the storage holds %s", name)
			}
		}
		if !w.hasSecond("f") {
			w.t.Error("the storage does not hold f: the test looks at the wrong place")
		}
	})
}

// hasSecond tells whether the storage of the workspace whole holds a file.
func (w *world) hasSecond(name string) bool {
	if w.dir != "" {
		_, err := os.Stat(filepath.Join(w.second, name))
		return err == nil
	}
	_, err := w.store.StatObject(w.t.Context(), w.second, name, minio.StatObjectOptions{})
	return err == nil
}

// TestInbox drops files where the sender sees nothing: no answer tells a name that
// exists from one that does not.
func TestInbox(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, method := range []string{"GET", "PROPFIND"} {
			w.do("ida", method, "/dav/team/inbox", "", "Depth", "1").either(200, 207, 403, 404).lacks("letter")
		}
		w.do("ida", "DELETE", "/dav/team/inbox", "").either(403, 404)
		w.absent("ida", "GET", "/dav/team/inbox/letter.txt", "letter", "")
		w.absent("ida", "PROPFIND", "/dav/team/inbox/letter.txt", "letter", "", "Depth", "0")
		w.absent("ida", "DELETE", "/dav/team/inbox/letter.txt", "letter", "")
		for range 2 {
			w.do("ida", "PUT", "/dav/team/inbox/letter.txt", "from ida").want(201)
		}
		w.holds("/dav/team/inbox/letter.txt", "top secret")
		w.holds("/dav/team/inbox/letter%20(2).txt", "from ida")
		w.do("ida", "PROPFIND", "/dav/team/inbox", "", "Depth", "1").lacks("letter")
		locked := w.do("ida", "LOCK", "/dav/team/inbox/letter.txt", lockBody)
		free := w.do("ida", "LOCK", "/dav/team/inbox/lettes.txt", lockBody)
		if locked.status != free.status {
			w.t.Errorf("LOCK in the inbox: %d for a name that exists, %d for a free one", locked.status, free.status)
		}
	})
}

// TestThreat87_LinksLeadNowhere plants symbolic links that lead out of the storage
// and about in it.
func TestThreat87_LinksLeadNowhere(t *testing.T) {
	w := worldOf(t, "disk")
	room := w.room()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "loot"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(w.dir, strings.TrimPrefix(room, "/dav/"))
	for name, target := range map[string]string{
		"abs": outside, "loot": filepath.Join(outside, "loot"), "up": "../../../../../../../../.." + outside,
		"secret": filepath.Join(w.dir, "team", "secret"), "rel": "../secret", "self": ".", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(inside, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.put(room+"/f", "f")
	for _, link := range []string{"/abs", "/loot", "/up", "/secret", "/rel", "/self", "/loop"} {
		for _, tail := range []string{"", "/", "/loot", "/f", "/new"} {
			for _, method := range []string{"GET", "PROPFIND", "PUT", "MKCOL", "DELETE", "LOCK"} {
				body := map[string]string{"PUT": "written", "LOCK": lockBody}[method]
				a := w.wire("alice", method, room+link+tail, body, "Depth", "1").lacks("outside").lacks("top secret")
				if a.status < 400 || a.status >= 500 {
					t.Errorf("%s: %d, want a refusal; %s", a.what, a.status, a.body)
				}
			}
			w.wire("alice", "COPY", room+"/f", "", "Destination", room+link+tail).either(400, 403, 404, 405, 409, 412)
		}
	}
	w.do("ann", "PROPFIND", "/dav/team/secret", "", "Depth", "1").want(207).lacks("new")
	w.holds("/dav/team/secret/f", "top secret")
	if list, err := os.ReadDir(outside); err != nil || len(list) != 1 {
		t.Errorf("outside there is %v, %v, want the loot alone", list, err)
	}
	if b, err := os.ReadFile(filepath.Join(outside, "loot")); err != nil || string(b) != "outside" {
		t.Errorf("the file outside is %q, %v", b, err)
	}
	w.do("alice", "DELETE", room, "").either(204, 207, 403, 409)
	if _, err := os.Stat(filepath.Join(outside, "loot")); err != nil {
		t.Errorf("DELETE of the folder went through a link: %v", err)
	}
}

// TestThreat23_LockSequences sends locks, refreshes, unlocks and conditions in an
// order that no client has, and wants answers that are no fault of the server.
func TestThreat23_LockSequences(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		tokens := []string{"opaquelocktoken:none"}
		paths := []string{"/d", "/d/a", "/d/a/b", "/c", "/d/"}
		for i := range 120 {
			path := room + paths[i*7%len(paths)]
			token := tokens[i*5%len(tokens)]
			var a answer
			switch i * 11 % 8 {
			case 0, 1:
				a = w.do("alice", "LOCK", path, lockBody, "Depth", []string{"0", "infinity"}[i%2])
			case 2:
				a = w.do("alice", "LOCK", path, "", "If", "(<"+token+">)")
			case 3:
				a = w.do("alice", "UNLOCK", path, "", "Lock-Token", "<"+token+">")
			case 4:
				a = w.do("alice", "PUT", strings.TrimSuffix(path, "/"), "x", "If", "(<"+token+">) (Not <DAV:no-lock>)")
			case 5:
				a = w.do("alice", "DELETE", path, "", "If", "<"+path+"> (<"+token+">)")
			case 6:
				a = w.do("alice", "MOVE", path, "", "Destination", room+paths[i%len(paths)], "If", "(<"+token+">) ([\"x\"])")
			case 7:
				a = w.do("carl", "MKCOL", path, "")
			}
			if a.status >= 500 {
				w.t.Errorf("step %d, %s: %d; %s", i, a.what, a.status, a.body)
			}
			if got := strings.Trim(a.header.Get("Lock-Token"), "<>"); got != "" {
				tokens = append(tokens, got)
			}
		}
		w.do("ann", "GET", "/healthz", "").want(200)
		if len(tokens) < 5 {
			w.t.Error(fmt.Sprint("only these locks were taken: ", tokens))
		}
	})
}
