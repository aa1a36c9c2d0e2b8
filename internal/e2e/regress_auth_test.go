package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/app"
)

// The threats are rows of defects found in other products: who is asking, and
// whose page asks.

// basic asks for a file with an Authorization header as it stands.
func (s *server) basic(value string) answer {
	return s.wire("", "GET", "/dav/team/readme.txt", "", "Authorization", value)
}

func credentials(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

// TestThreat54_EmptyPasswords presents what can be nobody's. A directory would
// take an empty password for an anonymous bind, and agree.
func TestThreat54_EmptyPasswords(t *testing.T) {
	w := worldOf(t, "disk")
	w.basic(credentials("alice:" + password)).want(200)
	for _, text := range []string{
		"alice:", "alice:\x00", "alice", ":", ":" + password, "alice:" + password + "\x00", "alice\x00:" + password, " alice:" + password,
		"alice: " + password, "alice:" + strings.Repeat("x", 257), "\xff:" + password, "alice:\xff", "*:" + password, "a)(uid=*:" + password, "alice:" + hash(),
	} {
		a := w.basic(credentials(text)).want(401).lacks("read me")
		if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") {
			t.Errorf("%q: WWW-Authenticate is %q", text, got)
		}
	}
	for _, header := range []string{"", "Basic", "Basic ", "Basic !!!", "Bearer", "Bearer x", "Digest username=alice", "basic" + credentials("alice:" + password)[5:] + "x", "Negotiate"} {
		w.basic(header).want(401)
	}
	two := w.wire("alice", "GET", "/dav/team/readme.txt", "", "Authorization", credentials("bob:"+password))
	two.want(401) // who of the two?
	w.wire("", "GET", "/dav/team/readme.txt", "", "Cookie", "session="+password, "Remote-User", "ann", "X-Forwarded-User", "ann").want(401)
}

// TestThreat59_NobodyLearnsWhoWorksHere compares wrong passwords of a user with
// those of nobody: one answer, and about one time.
func TestThreat59_NobodyLearnsWhoWorksHere(t *testing.T) {
	w := newWorld(t, "disk") // where nobody has guessed before
	var took [2][]time.Duration
	for i := range 5 { // that many failures are free
		var answers [2]answer
		for k, login := range []string{"alice", "alicf"} {
			start := time.Now()
			a := w.basic(credentials(fmt.Sprintf("%s:wrong password %d", login, i)))
			took[k] = append(took[k], time.Since(start))
			a.header.Del("Date")
			a.header.Del("X-Request-Id")
			answers[k] = a.want(401)
		}
		if answers[0].body != answers[1].body || fmt.Sprint(answers[0].header) != fmt.Sprint(answers[1].header) {
			t.Fatalf("the answers differ:\n%v %s\n%v %s", answers[0].header, answers[0].body, answers[1].header, answers[1].body)
		}
	}
	known, unknown := median(took[0]), median(took[1])
	// Without a hash for the unknown it is a hundredth; the rest is this machine's noise.
	if ratio := float64(known) / float64(unknown); ratio < 0.6 || ratio > 1.7 {
		t.Errorf("a known login took %v, an unknown one %v", known, unknown)
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// TestThreat60_LoginFlood signs in a hundred times at once, and with a password of
// a megabyte: some are told to come back, and the server's health answers on.
func TestThreat60_LoginFlood(t *testing.T) {
	w := newWorld(t, "disk")
	w.do("alice", "GET", "/dav/team/readme.txt", "").want(200) // her drive is open
	large, err := w.wired("", "GET", "/dav/team/readme.txt", "", false, "Authorization", credentials("alice:"+strings.Repeat("x", 1<<20)))
	if err == nil {
		large.either(400, 401, 413, 431)
	}
	answers := make(chan answer)
	for i := range 100 {
		go func() { answers <- w.basic(credentials(fmt.Sprintf("alice:flood %d", i))) }()
	}
	var refused, busy int
	for i := range 100 {
		switch a := (<-answers).either(401, 429, 503); a.status {
		case 401:
			refused++
		default:
			busy++
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%d without Retry-After", a.status)
			}
		}
		if i == 0 {
			start := time.Now()
			w.do("", "GET", "/healthz", "").want(200)
			w.do("alice", "GET", "/dav/team/readme.txt", "").want(200) // is remembered
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("under the flood the server's health took %v", took)
			}
		}
	}
	if refused == 0 || busy == 0 {
		t.Errorf("%d were refused and %d told to come back, want some of both", refused, busy)
	}
}

// TestThreat61_RandomIsRandom wants ids that do not repeat, and no source of random
// in the product that can be foreseen.
func TestThreat61_RandomIsRandom(t *testing.T) {
	w := worldOf(t, "disk")
	seen := map[string]bool{}
	for range 200 {
		id := w.do("", "OPTIONS", "/", "").header.Get("X-Request-Id")
		if len(id) < 12 || seen[id] {
			t.Fatalf("the id %q is short, or has been seen", id)
		}
		seen[id] = true
	}
	err := filepath.WalkDir("../..", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "test/") || strings.Contains(file, "internal/") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, "math/rand") || strings.Contains(i.Path.Value, "rs/xid") {
				t.Errorf("%s imports %s", file, i.Path.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestThreat67_PasswordsOfOne presents one person's password, which the server
// remembers, as another's, and an old one after it was changed.
func TestThreat67_PasswordsOfOne(t *testing.T) {
	t.Parallel()
	const other = "another-horse-battery"
	var out bytes.Buffer
	if code := app.Run(context.Background(), []string{"hash-password"}, os.LookupEnv, strings.NewReader(other+"\n"), &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	otherHash := strings.TrimSpace(out.String())
	yaml := fmt.Sprintf(standard, t.TempDir(), storages()[0].yaml(t), hash())
	s := serve(t, strings.Replace(yaml, fmt.Sprintf("eve: {name: Eve Claes, password: %q}", hash()), fmt.Sprintf("eve: {name: Eve Claes, password: %q}", otherHash), 1))
	as := func(login, pass string) int {
		return s.wire("", "GET", "/dav/firm/", "", "Authorization", credentials(login+":"+pass)).status
	}
	warm := func() {
		for range 3 {
			if bob, eve := as("bob", password), as("eve", other); bob != 200 || eve != 200 {
				t.Fatalf("signing in: %d, %d, want 200", bob, eve)
			}
		}
	}
	warm()
	for _, c := range [][2]string{{"eve", password}, {"bob", other}, {"bo", "b" + password}, {"bob", ":" + password}, {"bobcorrect", password[7:]}} {
		if got := as(c[0], c[1]); got != 401 {
			t.Errorf("%s with the password %q: %d, want 401", c[0], c[1], got)
		}
	}
	warm()
	s.edit(otherHash, hash()) // eve's password is changed
	eventually(t, "the new password counts", func() bool { return as("eve", password) == 200 })
	if got := as("eve", other); got != 401 {
		t.Errorf("the old password: %d, want 401", got)
	}
}

// TestThreat75_CrossSite makes the drive's requests from a page of another site, in
// the name of somebody whose browser knows the password.
func TestThreat75_CrossSite(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		w.unchanged(room, func() {
			for _, r := range append(w.writes(room+"/f"), []string{"PROPFIND", room, ""}, []string{"POST", room + "/f", ""}) {
				if r[0] == "COPY" && r[1] == "/dav/team/readme.txt" {
					continue
				}
				for _, page := range [][]string{
					{"Sec-Fetch-Site", "cross-site"},
					{"Sec-Fetch-Site", "same-site"},
					{"Origin", "https://evil.example"},
					{"Origin", "null"},
					{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
				} {
					w.do("alice", r[0], r[1], r[2], append(page, r[3:]...)...).want(403)
				}
			}
			for _, page := range []string{"none", "same-origin", "cross-site"} { // a link to a file is no forgery
				w.do("alice", "GET", room+"/f", "", "Sec-Fetch-Site", page).want(200)
			}
		})
		w.do("alice", "PUT", room+"/f", "own page", "Origin", w.url).want(204)
	})
}

// TestThreat90_NeverOpen starts with every way to know nobody: the server refuses to
// start, or lets nobody in.
func TestThreat90_NeverOpen(t *testing.T) {
	dir := t.TempDir()
	for name, identity := range map[string]string{
		"nothing":          "",
		"no users":         "identity: {users: {}}",
		"empty":            "identity: {}",
		"null":             "identity:",
		"no password":      "identity: {users: {ann: {name: Ann}}}",
		"empty password":   `identity: {users: {ann: {password: ""}}}`,
		"plain password":   "identity: {users: {ann: {password: correct-horse-battery}}}",
		"broken hash":      `identity: {users: {ann: {password: "$argon2id$v=19$m=19456"}}}`,
		"weak bcrypt":      `identity: {users: {ann: {password: "$2b$04$abcdefghijklmnopqrstuuxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012"}}}`,
		"lost variable":    `identity: {users: {ann: {password: "${NO_SUCH_VARIABLE}"}}}`,
		"lost file":        `identity: {users: {ann: {password: "${file:` + dir + `/none}"}}}`,
		"directory":        "identity: {ldap: {url: ldap://127.0.0.1:1, bind_dn: x, bind_password: y}}",
		"unknown user":     fmt.Sprintf("identity: {users: {bob: {password: %q}}}", hash()),
		"another's groups": fmt.Sprintf("identity: {users: {bob: {password: %q}}}\ngroups: {staff: {members: [zoe]}}", hash()),
	} {
		yaml := fmt.Sprintf("server: {listen: \"127.0.0.1:0\"}\nstate: sqlite:%s/p.db\nstorage: {main: {type: local, path: %s/files}}\n%s\n"+
			"workspaces: {firm: {storage: main, folders: {/: {grant: {everyone: viewer, \"user:ann\": owner}}}}}\n", dir, dir, identity)
		if code, said := checked(t, "serve", yaml); code != 2 || !regexp.MustCompile(`portico\.yaml:\d+: `).MatchString(said) {
			t.Errorf("%s: serve ended with %d, want 2 and the line; %s", name, code, said)
		}
	}
	w := worldOf(t, "disk")
	for _, path := range []string{"/dav/", "/dav/team/", "/dav/team/readme.txt", "/dav/nothing", "/dav/%2e%2e"} {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK"} {
			w.wire("", method, path, "").want(401)
		}
	}
}

// TestBadInput_ConfigNeverStarts serves configs with a fault: exit code 1, and each
// fault with its line.
func TestBadInput_ConfigNeverStarts(t *testing.T) {
	good := withUsers(t, fmt.Sprintf("{ann: {password: %q}}", hash()))
	if code, said := checked(t, "check", good); code != 0 {
		t.Fatalf("the good config: %d; %s", code, said)
	}
	for old, bad := range map[string]string{
		"everyone: viewer":        "everyone: emperor",
		"storage: main":           "storage: elsewhere",
		"identity:":               "identity:\n  surprise: 1",
		"folders: {/:":            "folders: {/../x:",
		"listen: \"127.0.0.1:0\"": "listen: \"0.0.0.0:0\"", // a password in clear for all to hear
		"type: local":             "type: floppy",
		"workspaces:":             "---\nworkspaces:",
		"  firm:":                 "  firm: {storage: main}\n  firm:",
	} {
		if !strings.Contains(good, old) {
			t.Fatalf("the config lacks %q", old)
		}
		code, said := checked(t, "serve", strings.Replace(good, old, bad, 1))
		if code != 2 || !regexp.MustCompile(`portico\.yaml:\d+: `).MatchString(said) {
			t.Errorf("with %q serve ended with %d, want 2 and the line; %s", bad, code, said)
		}
	}
	if code, said := checked(t, "serve", ""); code != 2 {
		t.Errorf("an empty config: %d, want 2; %s", code, said)
	}
}

// TestThreat84_SlowHeaders sends a head a letter at a time, which ends after ten
// seconds.
func TestThreat84_SlowHeaders(t *testing.T) {
	t.Parallel()
	s := start(t, storages()[0])
	conn := s.dial()
	start := time.Now()
	stop := make(chan struct{})
	go func() {
		for letter := range strings.SplitSeq("GET /dav/ HTTP/1.1\r\nX-Slow: "+strings.Repeat("x", 1000), "") {
			if _, err := conn.Write([]byte(letter)); err != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	defer close(stop)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("a slow head: %d", resp.StatusCode)
		}
	}
	if took := time.Since(start); took < 5*time.Second || took > 20*time.Second {
		t.Errorf("a slow head was cut after %v, want ten seconds", took)
	}
}
