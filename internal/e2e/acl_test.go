//go:build !race

package e2e

import (
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"portico/acl/acltest"
	"portico/backends"
	"portico/backends/local"
	"portico/vpath"
)

// policies is how many random policies the running server is held against.
const policies = 200

// TestRulesOverHTTP gives the running server one random policy after the other,
// by reload, and holds each of its answers and listings against the naive
// evaluator. Writes carry a condition that does not hold, so that 412 means
// "you may" and nothing changes.
func TestRulesOverHTTP(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	state := t.TempDir()
	text := func(rules *acltest.Rules) string {
		var users strings.Builder
		for _, who := range loginsOf(rules) {
			fmt.Fprintf(&users, "    %s: {password: %q}\n", who, hash())
		}
		return fmt.Sprintf("server: {listen: \"127.0.0.1:0\"}\nstate: sqlite:%s/p.db\nstorage: {main: {type: local, path: %s}}\nidentity:\n  users:\n%s%s",
			state, dir, users.String(), rules.Config("main"))
	}
	rules, things := acltest.Random(rng, true)
	lay(t, dir, rules, things)
	s := serve(t, text(rules))
	checks := 0
	for i := range policies {
		if i > 0 {
			rules, things = acltest.Random(rng, true)
			lay(t, dir, rules, things)
			reload(t, s, text(rules))
		}
		m := model{t: t, s: s, rules: rules, things: things, naive: acltest.NewNaive(rules)}
		for _, who := range loginsOf(rules) {
			m.check(who)
		}
		checks += m.n
		if t.Failed() {
			t.Fatalf("policy %d of seed %d:\n%s", i, seed, text(rules))
		}
	}
	t.Logf("%d policies, %d answers compared, 0 differ", policies, checks)
}

func loginsOf(rules *acltest.Rules) []string {
	var all []string
	for who := range rules.People {
		all = append(all, strings.TrimPrefix(who, "user:"))
	}
	slices.Sort(all)
	return all
}

// lay replaces what is in the storage by things.
func lay(t *testing.T, dir string, rules *acltest.Rules, things []acltest.Thing) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		// The workspace's own folder stays: the server has it open.
		inside, err := os.ReadDir(path.Join(dir, e.Name()))
		if err != nil || e.Name() == backends.Reserved {
			continue
		}
		for _, f := range inside {
			if err := os.RemoveAll(path.Join(dir, e.Name(), f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	st, err := local.Open(local.Options{Dir: dir, Rand: crand.Reader, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for name := range rules.Workspaces {
		tree, err := st.At(vpath.Must("/" + name))
		if err != nil {
			t.Fatal(err)
		}
		for _, th := range things {
			p := vpath.Must(th.Path)
			if p.Top() != name || p.Depth() < 2 {
				continue
			}
			meta := backends.Meta{Creator: th.Creator}
			if th.Dir {
				_, err = tree.Mkdir(t.Context(), p.Tail(), meta)
			} else {
				_, err = tree.Put(t.Context(), p.Tail(), strings.NewReader("x"), backends.PutOptions{Size: 1, Meta: meta})
			}
			if err != nil {
				t.Fatalf("lay %s: %v", p, err)
			}
		}
	}
}

// reload puts the config in place, whole at any moment, and waits until the
// server has taken just this one over.
func reload(t *testing.T, s *server, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(s.config+".new", []byte(text), 0o600), os.Rename(s.config+".new", s.config)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	loaded := fmt.Sprintf("config loaded\" sha256=%x", sha256.Sum256([]byte(text)))
	eventually(t, "the config is reloaded", func() bool {
		log := s.log.String()
		if strings.Contains(log, "has a fault") {
			t.Fatalf("the config has a fault:\n%s\n%s", log, text)
		}
		return strings.Contains(log, loaded)
	})
}

// model says what the server must answer.
type model struct {
	t      *testing.T
	s      *server
	rules  *acltest.Rules
	things []acltest.Thing
	naive  *acltest.Naive
	n      int
}

func (m *model) sees(who string, th acltest.Thing) bool {
	if th.Dir {
		return m.naive.SeesFolder(who, th.Path)
	}
	return m.naive.SeesFile(who, th.Path, th.Creator)
}

// expect is the status for one who needs a right on a thing: yes if it is held.
func (m *model) expect(who string, th acltest.Thing, right string, yes int) int {
	switch {
	case !m.sees(who, th): // does not exist, even for one who might write it
		return 404
	case m.naive.Allows(who, right, th.Path, th.Creator):
		return yes
	}
	return 403
}

func (m *model) ask(want int, login, method, p string, header ...string) answer {
	m.t.Helper()
	m.n++
	body := ""
	if method == "PROPPATCH" {
		body = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set></D:propertyupdate>`
	}
	return m.s.do(login, method, "/dav"+(&url.URL{Path: p}).EscapedPath(), body, header...).want(want)
}

const never = `"never"` // no file's ETag

func (m *model) check(login string) {
	who := "user:" + login
	m.listing(login, "/", m.tops())
	for _, th := range append(m.tops(), m.things...) {
		if th.Dir {
			m.folder(login, who, th)
			continue
		}
		m.ask(m.expect(who, th, "read", 200), login, "GET", th.Path)
		m.ask(m.put(who, th), login, "PUT", th.Path, "If-Match", never)
		m.ask(m.expect(who, th, "write", 412), login, "PROPPATCH", th.Path, "If", "(["+never+"])")
		m.ask(m.expect(who, th, "delete", 412), login, "DELETE", th.Path, "If-Match", never)
	}
}

// put is the status of a PUT on a file that is there. Where it is not seen, it
// is that of a new file; a name that is taken all the same is refused, but to one
// who drops things blindly, who gets a free one.
func (m *model) put(who string, th acltest.Thing) int {
	want := m.expect(who, th, "write", 412)
	if want != 404 {
		return want
	}
	dir := path.Dir(th.Path)
	create := m.naive.Allows(who, "create", dir, "")
	blind := !m.naive.Allows(who, "list", dir, who) && !m.naive.Allows(who, "read", dir, who)
	switch {
	case create && blind:
		return 412
	case create || m.naive.SeesFolder(who, dir):
		return 403
	}
	return 404
}

// tops are the workspaces' own folders.
func (m *model) tops() []acltest.Thing {
	var all []acltest.Thing
	for name := range m.rules.Workspaces {
		all = append(all, acltest.Thing{Path: "/" + name, Dir: true})
	}
	return all
}

func (m *model) folder(login, who string, th acltest.Thing) {
	var members []acltest.Thing
	for _, other := range m.things {
		if path.Dir(other.Path) == th.Path {
			members = append(members, other)
		}
	}
	if m.naive.SeesFolder(who, th.Path) {
		m.listing(login, th.Path, members)
	} else {
		m.ask(404, login, "PROPFIND", th.Path, "Depth", "1")
	}
	create := 404
	switch {
	case m.naive.Allows(who, "create", th.Path, ""):
		create = 412
	case m.naive.SeesFolder(who, th.Path):
		create = 403
	}
	m.ask(create, login, "PUT", th.Path+"/new.txt", "If-Match", never)
	m.ask(create, login, "MKCOL", th.Path+"/new folder", "If", "(["+never+"])")
}

// listing compares what PROPFIND shows with what the model sees.
func (m *model) listing(login, folder string, members []acltest.Thing) {
	var want, got []string
	for _, th := range members {
		if m.sees("user:"+login, th) {
			want = append(want, th.Path)
		}
	}
	a := m.ask(207, login, "PROPFIND", folder, "Depth", "1")
	var answer struct {
		Responses []struct {
			Href string `xml:"DAV: href"`
		} `xml:"DAV: response"`
	}
	if err := xml.Unmarshal([]byte(a.body), &answer); err != nil {
		m.t.Errorf("%s PROPFIND %s: %v: %s", login, folder, err, a.body)
	}
	for _, r := range answer.Responses {
		p, err := url.PathUnescape(strings.TrimSuffix(strings.TrimPrefix(r.Href, "/dav"), "/"))
		if err != nil {
			m.t.Error(err)
		}
		if p != strings.TrimSuffix(folder, "/") {
			got = append(got, p)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		m.t.Errorf("%s sees in %s %v, want %v", login, folder, got, want)
	}
}
