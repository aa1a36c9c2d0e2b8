package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// dice choose what happens next.
type dice func(what string, n int) int

// TestSyncModel lets several people, and a tool behind the server's back, change
// files and rights at random. Whenever a client has synced, it knows what PROPFIND
// shows to its user, to the letter: no more, and no less.
func TestSyncModel(t *testing.T) {
	o := newOffice(t, memStorage(t))
	rapid.Check(t, func(r *rapid.T) {
		o.model(func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(r, what) }, 30)
		if t.Failed() {
			r.FailNow()
		}
	})
}

func TestSyncModelOnDisk(t *testing.T) { syncRounds(t, newOffice(t, localStorage(t)), 12) }

func TestSyncModelOnMinIO(t *testing.T) { syncRounds(t, newOffice(t, minioStorage(t)), 8) }

func syncRounds(t *testing.T, o *office, rounds int) {
	t.Helper()
	for i := range rounds {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		o.model(func(_ string, n int) int { return r.IntN(n) }, 40)
		if t.Failed() {
			t.Fatalf("in round %d", i)
		}
	}
}

// model is one round, in a folder of its own.
func (o *office) model(d dice, steps int) {
	m := &modelRound{office: o, d: d, base: o.fresh()}
	m.mirrors = []*mirror{
		newMirror(o.tb, o.as("ann"), m.base, "infinite"), newMirror(o.tb, o.as("bob"), m.base, "infinite"),
		newMirror(o.tb, o.as("bob"), m.base, "1"), newMirror(o.tb, o.as("ida"), m.base, "infinite"),
		newMirror(o.tb, o.as("bob"), "/", "1"), newMirror(o.tb, o.as("carol@acme.example"), "/shared", "infinite"),
	}
	for range steps {
		m.step()
	}
	for _, client := range m.mirrors {
		m.sync(client, m.d("limit", 4))
	}
}

type modelRound struct {
	*office
	d       dice
	base    string
	mirrors []*mirror
}

// path is one of few, so that things meet.
func (m *modelRound) path() string {
	names := []string{m.base}
	for range 1 + m.d("depth", 3) {
		names = append(names, string(rune('a'+m.d("name", 3))))
	}
	return strings.Join(names, "/")
}

func (m *modelRound) paths(most int) (list []string) {
	for range m.d("how many", most+1) {
		list = append(list, m.path())
	}
	return list
}

// step changes something, or lets a client sync. Whether a change is allowed is
// not asked here: whatever became of it, the clients must see it.
func (m *modelRound) step() {
	who := m.as([]string{"ann", "ann", "ida"}[m.d("who", 3)])
	p := m.path()
	switch m.d("what", 18) {
	case 0, 1:
		who.Put(p, strings.Repeat("x", m.d("size", 4)))
	case 2:
		who.Put(p, "same bytes", fmt.Sprintf("X-OC-Mtime: %d", 1_700_000_000+m.d("mtime", 3)))
	case 3, 4:
		who.Do("MKCOL", p, "")
	case 5:
		who.Do("DELETE", p, "")
	case 6:
		who.Do("MOVE", p, "", "Destination: /dav"+m.path())
	case 7:
		who.Do("COPY", p, "", "Destination: /dav"+m.path())
	case 8:
		who.Do("PROPPATCH", p, fmt.Sprintf(`<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">%d</x></prop></set></propertyupdate>`, m.d("value", 3)))
	case 9:
		m.plant(p, strings.Repeat("y", m.d("size", 4)))
	case 10:
		m.unplant(p)
	case 11:
		m.rules(m.paths(2), m.paths(1))
	case 12:
		m.share(p)
	default:
		m.sync(m.mirrors[m.d("client", len(m.mirrors))], m.d("limit", 4))
	}
}

// sync is one client's, which may have been away too long, or have lost an answer.
func (m *modelRound) sync(client *mirror, limit int) {
	m.tb.Helper()
	if client.at == "/shared" && client.user.Do("PROPFIND", "/shared", "", "Depth: 0").StatusCode == 404 {
		return // nothing is shared
	}
	if client.user.Do("PROPFIND", client.at, "", "Depth: 0").StatusCode == 404 {
		client.report(0).Want(404)
		return
	}
	switch m.d("trouble", 8) {
	case 0:
		if !client.late {
			client.report(limit).Want(207) // and lost
		}
	case 1:
		m.later.Add(int64(31 * 24 * time.Hour))
		for _, each := range m.mirrors {
			each.late = true
		}
	}
	if client.late && client.token != "" {
		client.report(limit).Want(403).WantIn("valid-sync-token")
		client.token, client.known = "", map[string]string{}
	}
	client.late = false
	told := client.sync(limit)
	client.wantSame()
	// Nothing is told twice in one go, but by a limit that cut a replacement in two.
	slices.Sort(told)
	if limit == 0 && len(slices.Compact(slices.Clone(told))) != len(told) {
		m.tb.Errorf("told twice: %q", told)
	}
}
