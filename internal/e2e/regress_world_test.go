package e2e

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"portico/app"
	"portico/backends"
	"portico/internal/parts"
)

// people is the config of the regression tests. In the workspace team, ann owns
// everything, alice, carl and dave edit, bob reads, cleo reads and makes new
// things, ida drops files into the inbox, and mallory has no right at all. The
// folders secret and Café are ann's alone, and denied is denied to all others.
const people = `
server: {listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0", max_upload: 32MiB}
state: sqlite:%[1]s/portico.db
storage: {main: %[2]s, second: %[3]s}
identity:
  users:
    ann: {name: Ann Peeters, password: %[4]q}
    alice: {name: Alice Jacobs, password: %[4]q}
    carl: {name: Carl Willems, password: %[4]q}
    dave: {name: Dave Goossens, password: %[4]q}
    bob: {name: Bob Maes, password: %[4]q}
    cleo: {name: Cleo Wouters, password: %[4]q}
    ida: {name: Ida Claes, password: %[4]q}
    mallory: {name: Mallory Mertens, password: %[4]q}
roles:
  filer: [list, read, create]
workspaces:
  team:
    storage: main
    folders:
      /: {grant: {"user:ann": owner, "user:alice": editor, "user:carl": editor, "user:dave": editor, "user:bob": viewer, "user:cleo": filer}}
      /secret: {inherit: false}
      /denied: {deny: {everyone: [all]}}
      "/Caf\u00e9": {inherit: false}
      /inbox: {inherit: false, grant: {"user:ida": inbox}}
      /members: {inherit: false, grant: {"user:alice": member, "user:carl": member}}
      /tree/hidden: {inherit: false}
  team2: {storage: main, folders: {/: {grant: {"user:ann": owner}}}}
  own: {storage: main, folders: {/: {grant: {"user:ann": owner, "user:bob": owner}}}}
  small: {storage: main, quota: 1MiB, folders: {/: {grant: {"user:ann": owner, "user:alice": editor}}}}
  played: {storage: main, quota: 1GiB, folders: {/: {grant: {"user:alice": editor, "user:carl": editor}}}}
  whole: {storage: second, root: "", folders: {/: {grant: {"user:ann": owner}}}}
`

// planted is what ann puts there before the first test.
func planted() map[string]string {
	return map[string]string{
		"/dav/team/secret/f": "top secret", "/dav/team/denied/f": "top secret", "/dav/team/Caf%C3%A9/f": "top secret",
		"/dav/team2/f": "top secret", "/dav/team/tree/hidden/f": "top secret", "/dav/team/tree/open/f": "open",
		"/dav/team/inbox/letter.txt": "top secret", "/dav/team/readme.txt": "read me", "/dav/whole/f": "of the whole",
	}
}

// world is a server that the regression tests share, one for each storage. A
// test works in a folder of its own.
type world struct {
	*server
	dir    string      // of the storage main, if it is a disk
	store  *minio.Core // else
	bucket string
	second string // folder or bucket of the storage second
}

// worlds are those that run. They are the test process's own: started by the
// first test that asks, ended by TestMain.
var worlds struct {
	mu    sync.Mutex
	byFor map[string]*world
	end   []func()
}

// endWorlds stops them and removes what they leave.
func endWorlds() {
	worlds.mu.Lock()
	defer worlds.mu.Unlock()
	for _, end := range worlds.end {
		end()
	}
	worlds.end, worlds.byFor = nil, nil
}

// onWorlds runs f over each storage, in the server that all tests share.
func onWorlds(t *testing.T, f func(w *world)) {
	t.Helper()
	for _, kind := range []string{"disk", "minio"} {
		t.Run(kind, func(t *testing.T) { f(worldOf(t, kind)) })
	}
}

// worldOf is the shared world of a storage, speaking for t.
func worldOf(t *testing.T, kind string) *world {
	t.Helper()
	worlds.mu.Lock()
	defer worlds.mu.Unlock()
	if worlds.byFor[kind] == nil {
		if worlds.byFor == nil {
			worlds.byFor = map[string]*world{}
		}
		worlds.byFor[kind] = newWorld(t, kind)
	}
	mine := *worlds.byFor[kind]
	talks := *mine.server
	talks.t, mine.server = t, &talks
	return &mine
}

// newWorld starts a server that outlives t.
func newWorld(t *testing.T, kind string) *world {
	t.Helper()
	base, err := os.MkdirTemp("", "portico-e2e-world") //nolint:usetesting // outlives the test; endWorlds removes it
	if err != nil {
		t.Fatal(err)
	}
	w := &world{server: &server{t: t, config: filepath.Join(base, "portico.yaml"), log: &syncBuffer{}}}
	var main, second string
	if kind == "disk" {
		w.dir, w.second = filepath.Join(base, "files"), filepath.Join(base, "second")
		main, second = disk(t, w.dir), disk(t, w.second)
	} else {
		m := parts.MinIO(t)
		w.store = m.Client(t)
		main, second = inBucket(t, m), inBucket(t, m)
		bucket := regexp.MustCompile(`bucket: (\w+)`)
		w.bucket, w.second = bucket.FindStringSubmatch(main)[1], bucket.FindStringSubmatch(second)[1]
	}
	if err := os.WriteFile(w.config, fmt.Appendf(nil, people, base, main, second, hash()), 0o600); err != nil {
		t.Fatal(err)
	}
	end := w.launch()
	worlds.end = append(worlds.end, func() { end(); _ = os.RemoveAll(base) })
	for _, folder := range []string{"secret", "denied", "Caf%C3%A9", "inbox", "members", "tree", "tree/hidden", "tree/open"} {
		w.do("ann", "MKCOL", "/dav/team/"+folder, "").want(201)
	}
	for path, text := range planted() {
		w.do("ann", "PUT", path, text).want(201)
	}
	return w
}

func disk(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return "{type: local, path: " + dir + "}"
}

// launch runs the program and gives the function that ends it.
func (s *server) launch() (end func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended, said := make(chan int, 1), &syncBuffer{}
	go func() {
		ended <- app.Run(ctx, []string{"serve", "--config", s.config}, os.LookupEnv, strings.NewReader(""), said, s.log)
	}()
	var at []string
	eventually(s.t, "the server listens", func() bool {
		at = regexp.MustCompile(`listening on ([0-9.:]+)`).FindStringSubmatch(said.String())
		if len(ended) > 0 {
			s.t.Fatalf("serve ended: %s", s.log)
		}
		return at != nil && strings.Contains(said.String(), "davfs")
	})
	s.url = "http://" + at[1]
	if m := regexp.MustCompile(`address=(http://\S+/metrics)`).FindStringSubmatch(s.log.String()); m != nil {
		s.metrics = m[1]
	}
	return func() { cancel(); <-ended }
}

// room makes a folder in the workspace team for one test and gives its path.
func (w *world) room() string {
	w.t.Helper()
	path := "/dav/team/r" + strings.ToLower(rand.Text())
	w.do("ann", "MKCOL", path, "").want(201)
	return path
}

// put stores files as alice: path, text, path, text.
func (s *server) put(pairs ...string) {
	s.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		s.do("alice", "PUT", pairs[i], pairs[i+1]).want(201)
	}
}

// dirs makes folders as alice.
func (s *server) dirs(paths ...string) {
	s.t.Helper()
	for _, p := range paths {
		s.do("alice", "MKCOL", p, "").want(201)
	}
}

// holds fails the test unless a file has this content.
func (s *server) holds(path, text string) {
	s.t.Helper()
	if a := s.do("ann", "GET", path, ""); a.status != 200 || a.body != text {
		s.t.Errorf("GET %s: %d %.80q, want 200 %.80q", path, a.status, a.body, text)
	}
}

// gone fails the test unless there is nothing at the path.
func (s *server) gone(path string) {
	s.t.Helper()
	s.do("ann", "PROPFIND", path, "", "Depth", "0").want(404)
}

// lock takes a lock and gives its token.
func (s *server) lock(user, path string, header ...string) string {
	s.t.Helper()
	a := s.do(user, "LOCK", path, lockBody, header...)
	token := strings.Trim(a.header.Get("Lock-Token"), "<>")
	if a.status != 200 && a.status != 201 || token == "" {
		s.t.Fatalf("%s: %d, token %q, want a lock; %s", a.what, a.status, token, a.body)
	}
	return token
}

// either fails the test unless the status is one of those given.
func (a answer) either(statuses ...int) answer {
	a.t.Helper()
	if !slices.Contains(statuses, a.status) {
		a.t.Errorf("%s: %d, want one of %v; %.300s", a.what, a.status, statuses, a.body)
	}
	return a
}

// lacks fails the test if the body or a header holds text.
func (a answer) lacks(text string) answer {
	a.t.Helper()
	if strings.Contains(a.body, text) || strings.Contains(fmt.Sprint(a.header), text) {
		a.t.Errorf("%s: the answer holds %q: %v %s", a.what, text, a.header, a.body)
	}
	return a
}

// stored is what the storage itself holds below a path, read past the server.
func (w *world) stored(path string) map[string]string {
	w.t.Helper()
	found := map[string]string{}
	inside := strings.TrimPrefix(path, "/dav/")
	if w.dir == "" {
		for o := range w.store.ListObjectsIter(w.t.Context(), w.bucket, minio.ListObjectsOptions{Prefix: inside, Recursive: true}) {
			if o.Err != nil {
				w.t.Fatal(o.Err)
			}
			if !strings.HasPrefix(o.Key, backends.Reserved) {
				found[o.Key] = o.ETag
			}
		}
		return found
	}
	err := filepath.WalkDir(w.dir, func(file string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.dir, file)
		if err != nil || !strings.HasPrefix(name, inside) || strings.HasPrefix(name, backends.Reserved) {
			return err
		}
		found[name] = "a folder"
		if !e.IsDir() {
			b, err := os.ReadFile(file)
			found[name] = fmt.Sprintf("%x", sha256.Sum256(b))
			return err
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	return found
}

// unchanged fails the test if f changes anything that the storage holds below a path.
func (w *world) unchanged(path string, f func()) {
	w.t.Helper()
	before := w.stored(path)
	f()
	if diff := cmp.Diff(before, w.stored(path)); diff != "" {
		w.t.Errorf("%s was changed (-before +after):\n%s", path, diff)
	}
}
