package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/app"
)

// The threats are rows of defects found in other products: paths and names.

// readers are the methods that look at what is there.
func readers() []string { return []string{"GET", "HEAD", "PROPFIND"} }

// hiddenFrom holds a path against one that does not exist, by each method.
func (w *world) hiddenFrom(user, path, hides string) {
	w.t.Helper()
	for _, depth := range []string{"0", "1"} {
		w.absent(user, "PROPFIND", path, hides, "", "Depth", depth)
	}
	w.absent(user, "GET", path, hides, "")
	w.absent(user, "GET", path, hides, "", "Range", "bytes=0-1")
	w.absent(user, "GET", path, hides, "", "If-None-Match", "*")
	w.absent(user, "GET", path+"/", hides, "")
	w.absent(user, "DELETE", path, hides, "")
	w.absent(user, "PROPPATCH", path, hides, setProp)
	w.absent(user, "UNLOCK", path, hides, "", "Lock-Token", "<opaquelocktoken:x>")
	w.absent(user, "LOCK", path, hides, "", "If", "(<opaquelocktoken:x>)")
	w.absent(user, "COPY", path, hides, "", "Destination", w.url+"/dav/team/stolen")
	w.absent(user, "MOVE", path, hides, "", "Destination", w.url+"/dav/team/stolen")
	if head := w.wire(user, "HEAD", path, ""); head.status != 404 {
		head.want(404)
	}
}

// TestThreat1_OneSpelling writes through forms that two layers could read in two
// ways, and wants what one layer says to be the canonical path.
func TestThreat1_OneSpelling(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.unchanged("/dav/team/secret", func() {
			for _, path := range []string{"/dav/team/x/..%2f..%2fsecret/f", `/dav/team\..\secret\f`, "/dav/team/x/..%5csecret/f", "/dav/team/..;/team/secret/f"} {
				for _, user := range []string{"alice", "bob"} {
					a := w.wire(user, "PUT", path, "x")
					if strings.Contains(path, ";") {
						a.either(400, 403, 404, 409) // a name like any other, of a folder that is not there
					} else {
						a.want(400)
					}
				}
			}
		})
		room := w.room()
		w.put(room+"/caf%C3%A9.txt", "x")
		w.wire("bob", "PUT", room+"/%63afe%CC%81.txt", "y").want(403).has(strings.TrimPrefix(room, "/dav") + "/caf\u00e9.txt")
	})
}

// TestThreat2_RuleOfAFolder asks for a folder that is denied, in all its spellings.
func TestThreat2_RuleOfAFolder(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, user := range []string{"alice", "bob"} {
			w.hiddenFrom(user, "/dav/team/denied", "denied")
			w.hiddenFrom(user, "/dav/team/denied/f", "denied")
			for _, path := range []string{"/dav/team/denied/", "/dav/team/%64enied", "/dav/team/d%65nied/f"} {
				for _, method := range readers() {
					w.wire(user, method, path, "", "Depth", "1").want(404).lacks("top secret")
				}
			}
			w.wire(user, "PROPFIND", "/dav/team/a/%2e%2e/denied", "", "Depth", "1").want(400)
			w.do(user, "PROPFIND", "/dav/team", "", "Depth", "1").want(207).lacks("denied/").lacks("secret").lacks("Caf")
			w.do(user, "GET", "/dav/team", "").want(200).lacks("denied/").lacks("secret").lacks("Caf")
		}
	})
}

// TestThreat3_DoubleSlash begins an address with more slashes than one.
func TestThreat3_DoubleSlash(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, path := range []string{"//team/secret/f", "///team/secret/f", "//secret/f", "///secret/f", "//dav/team/secret/f", "/dav//team/secret/f", "/dav/team//secret/f", "/dav///secret/f"} {
			for _, user := range []string{"ann", "alice", "bob"} {
				for _, method := range readers() {
					w.wire(user, method, path, "").either(400, 404, 405).lacks("top secret").lacks("multistatus")
				}
			}
		}
	})
}

// TestThreat4_NamesThatBeginAlike asks for a workspace and folders whose names begin
// with one that the caller has rights on.
func TestThreat4_NamesThatBeginAlike(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, user := range []string{"alice", "bob", "ida"} {
			w.hiddenFrom(user, "/dav/team2/f", "team2")
			w.hiddenFrom(user, "/dav/team2", "team2")
			w.absent(user, "PUT", "/dav/team2/new", "team2", "x")
			w.do(user, "PROPFIND", "/dav/", "", "Depth", "1").want(207).has("/dav/team/").lacks("team2")
		}
		w.do("ida", "PUT", "/dav/team/inbox2", "x").want(403)
		w.do("ann", "MKCOL", "/dav/team/secretary", "").either(201, 405)
		w.do("bob", "PROPFIND", "/dav/team/secretary", "", "Depth", "1").want(207) // nothing hides it
	})
}

// TestThreat5_Case asks in another case, and makes twins.
func TestThreat5_Case(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, user := range []string{"alice", "bob"} {
			w.absent(user, "GET", "/dav/team/SECRET/f", "SECRET", "")
			for _, path := range []string{"/dav/team/%73ecret/f", "/dav/team/%53ecret/f", "/dav/TEAM/secret/f", "/dav/%54eam/secret/f"} {
				w.wire(user, "GET", path, "").want(404).lacks("top secret")
			}
		}
		room := w.room()
		w.dirs(room + "/Plans")
		w.put(room+"/file", "x")
		for _, twin := range []string{"/plans", "/PLANS", "/pLANS"} {
			w.do("alice", "MKCOL", room+twin, "").want(409)
		}
		w.dirs(room + "/other")
		w.do("alice", "MOVE", room+"/other", "", "Destination", w.url+room+"/PLANS").want(409)
		w.do("alice", "COPY", room+"/other", "", "Destination", w.url+room+"/plans").want(409)
		for _, twin := range []string{"/Secret", "/SECRET", "/Denied"} { // of a folder with rules
			for _, method := range []string{"MKCOL", "PUT", "LOCK"} {
				body := map[string]string{"PUT": "x", "LOCK": lockBody}[method]
				w.do("alice", method, "/dav/team"+twin, body).want(409)
			}
			w.do("alice", "COPY", room+"/file", "", "Destination", w.url+"/dav/team"+twin).want(409)
			w.do("alice", "PUT", "/dav/team"+twin+"/f", "x").either(403, 404, 409)
		}
	})
}

// TestThreat6_Backslash sends the separator of Windows, in every place.
func TestThreat6_Backslash(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		w.unchanged("", func() {
			for _, tail := range []string{"/a%5cb", "/a%5C..%5Cb", "%5c..%5csecret%5cf", `\..\secret\f`, "/%5c%5chost%5cshare", "/c:%5cwindows"} {
				for _, method := range []string{"GET", "PUT", "MKCOL", "PROPFIND", "LOCK", "DELETE"} {
					w.wire("ann", method, room+tail, "").want(400)
				}
				w.wire("ann", "COPY", room+"/f", "", "Destination", w.url+room+tail).want(400)
				w.wire("ann", "MOVE", room+"/f", "", "Destination", room+tail).want(400)
			}
		})
	})
}

// TestThreat7_DotsLeaveNothing climbs out of the root with encoded dots.
func TestThreat7_DotsLeaveNothing(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, dots := range []string{"%2e%2e", "..", "%2E.", ".%2e"} {
			for _, path := range []string{"/dav/" + dots + "/" + dots + "/etc/passwd", "/dav/team/" + strings.Repeat(dots+"/", 8) + "etc/passwd", "/dav/team/" + dots} {
				w.wire("ann", "GET", path, "").want(400).lacks("root:")
			}
		}
		w.wire("ann", "GET", "/dav/team/%252e%252e/%252e%252e/etc/passwd", "").want(404).lacks("root:")
		room := w.room()
		w.put(room+"/%252e%252e", "a literal name")
		w.holds(room+"/%252e%252e", "a literal name")
	})
}

// TestThreat8_Overlong sends what is no UTF-8.
func TestThreat8_Overlong(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		for _, bad := range []string{"%c0%af", "%c0%ae%c0%ae", "%e0%80%af", "%ff", "%c3", "%ed%a0%80", "caf\xe9"} {
			for _, method := range []string{"GET", "PROPFIND", "PUT", "MKCOL", "LOCK"} {
				w.wire("ann", method, "/dav/team/"+bad+"secret", "").want(400)
				w.wire("ann", method, "/dav/"+bad, "").want(400)
			}
			w.wire("ann", "COPY", room+"/f", "", "Destination", w.url+room+"/"+bad).want(400)
		}
	})
}

// TestThreat9_Assets climbs out of the one static route.
func TestThreat9_Assets(t *testing.T) {
	w := worldOf(t, "disk")
	for _, path := range []string{
		"/assets/..%2f..%2fportico.db", "/assets/%2Fetc%2Fpasswd", "/assets/../portico.db", "/assets/%2e%2e/%2e%2e/etc/passwd", `/assets/..\..\portico.db`,
		"/assets/..%5c..%5cportico.yaml", "/assets//etc/passwd", "/assets/", "/assets", "/assets/.", "/assets/style.css/..", "/assets/style.css/", "/assets/%00",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			a := w.wire("ann", method, path, "").either(307, 400, 404, 405).lacks("root:").lacks("SQLite").lacks("argon2")
			if to := a.header.Get("Location"); to != "" { // the canonical path, where there is nothing
				w.wire("ann", method, to, "").either(404, 405)
			}
		}
	}
}

// checked runs `portico check` on a config and gives its exit code and what it says.
func checked(t *testing.T, command, yaml string) (int, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "portico.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a server that starts ends at once
	code := app.Run(ctx, []string{command, "--config", file}, os.LookupEnv, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// withUsers is a config with these users.
func withUsers(t *testing.T, users string) string {
	t.Helper()
	dir := t.TempDir()
	return fmt.Sprintf("server: {listen: \"127.0.0.1:0\"}\nstate: sqlite:%s/p.db\nstorage: {main: {type: local, path: %s/files}}\nidentity:\n  users: %s\n"+
		"workspaces:\n  firm: {storage: main, folders: {/: {grant: {everyone: viewer}}}}\n", dir, dir, users)
}

// TestThreat10_TwoPeopleAreTwo names two users so that one could be taken for the other.
func TestThreat10_TwoPeopleAreTwo(t *testing.T) {
	for _, pair := range [][2]string{{"Ann", "ann"}, {"caf\u00e9", "cafe\u0301"}, {"\u212aarl", "karl"}, {"ann", "ann"}} {
		users := fmt.Sprintf("{%q: {password: %q}, %q: {password: %q}}", pair[0], hash(), pair[1], hash())
		if code, said := checked(t, "check", withUsers(t, users)); code != 1 || !strings.Contains(said, "portico.yaml:5:") {
			t.Errorf("check of the users %q: %d, want 1 and the line; %s", pair, code, said)
		}
	}
}

// TestThreat11_LoginsAreNoPaths names users like paths.
func TestThreat11_LoginsAreNoPaths(t *testing.T) {
	for _, login := range []string{"..", ".", "a/../b", "a/b", "/", `a\b`, "a\x00b", "a\nb", " ann", "", "a:b"} {
		code, said := checked(t, "check", withUsers(t, fmt.Sprintf("{%q: {password: %q}}", login, hash())))
		if code != 1 || !strings.Contains(said, "portico.yaml:") {
			t.Errorf("check of the user %q: %d, want 1; %s", login, code, said)
		}
	}
	w := worldOf(t, "disk")
	for _, login := range []string{"..", "a/../b", "ann/../bob", "../ann", "ann\x00"} {
		w.do(login, "GET", "/dav/team/readme.txt", "").want(401)
	}
}

// TestThreat12_UnicodeTwins reaches a folder with a rule through the other normal
// form, and makes names that look like others.
func TestThreat12_UnicodeTwins(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, spelling := range []string{"Caf%C3%A9", "Cafe%CC%81", "Caf%c3%a9", "%43af%C3%A9"} {
			w.wire("ann", "GET", "/dav/team/"+spelling+"/f", "").want(200).has("top secret")
			w.wire("alice", "GET", "/dav/team/"+spelling+"/f", "").want(404)
			w.absent("bob", "PUT", "/dav/team/"+spelling+"/f", "/f", "x")
		}
		room := w.room()
		w.put(room+"/f", "f")
		w.unchanged(room, func() {
			for _, name := range []string{
				"%E2%80%AEfdp.exe", "a%E2%80%8Bb", "%EF%BB%BFa", "a%E2%80%A8b", "%01", "a%1fb", "a%7f", "a%C2%85", "dot.", "space%20", "%20", "...",
				"CON", "nul", "con.txt", "Com1", "LPT9.log", "aux%20.c", "CONIN$", "a%EF%BF%BE",
			} {
				w.wire("alice", "PUT", room+"/"+name, "x").want(400)
				w.wire("alice", "MKCOL", room+"/"+name, "").want(400)
				w.wire("alice", "LOCK", room+"/"+name, lockBody).want(400)
				w.wire("alice", "COPY", room+"/f", "", "Destination", w.url+room+"/"+name).want(400)
				w.wire("alice", "MOVE", room+"/f", "", "Destination", room+"/"+name).want(400)
			}
		})
		w.put(room+"/a%CC%8A", "one") // å in NFD
		w.holds(room+"/%C3%A5", "one")
		w.do("alice", "PUT", room+"/%C3%A5", "the same").want(204)
	})
}
