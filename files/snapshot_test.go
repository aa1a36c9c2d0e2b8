package files

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/store"
	"portico/vpath"
)

func drawEntries(r *rapid.T) []entry {
	seen := map[string]bool{}
	var all []entry
	for range rapid.IntRange(0, 20).Draw(r, "entries") {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "aa", "ab", "é", "éa", "b c", "%"}), 1, 4).Draw(r, "names")
		e := entry{path: "/" + strings.Join(names, "/"), dir: rapid.Bool().Draw(r, "dir")}
		copy(e.mark[:], rapid.SliceOfN(rapid.Byte(), len(e.mark), len(e.mark)).Draw(r, "mark"))
		if !seen[e.path] {
			all = append(all, e)
		}
		seen[e.path] = true
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return all
}

func TestSnapshotRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		all := drawEntries(r)
		data := encode(all)
		back, err := decode(data)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(all, back, cmp.AllowUnexported(entry{})); d != "" {
			r.Fatal(d)
		}
		// Any part of it is refused, or is a part of the entries.
		cut := rapid.IntRange(0, len(data)-1).Draw(r, "cut")
		if part, err := decode(data[:cut]); err == nil && len(part) >= max(len(all), 1) {
			r.Fatalf("%d bytes of %d give %d entries of %d", cut, len(data), len(part), len(all))
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	f.Add(encode([]entry{{path: "/a"}, {path: "/a/b", dir: true}}))
	f.Add([]byte{})
	f.Add([]byte{snapshotForm, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := decode(b)
		if err != nil {
			if !errors.Is(err, errSnapshot) {
				t.Fatal(err)
			}
			return
		}
		again, err := decode(encode(all))
		if err != nil || len(again) != len(all) {
			t.Fatalf("%d entries, and then %d, %v", len(all), len(again), err)
		}
	})
}

// A folder of 10,000 files with names alike is small.
func TestSnapshotIsSmall(t *testing.T) {
	t.Parallel()
	var all []entry
	for i := range 10_000 {
		all = append(all, entry{path: fmt.Sprintf("/Clients/Acme & Co/document %05d.docx", i), mark: marked(Node{Size: int64(i)})})
	}
	if n := len(encode(all)); n > 300_000 {
		t.Errorf("10,000 files take %d bytes", n)
	}
}

func marked(n Node) mark {
	m, _ := markOf(nil, &n)
	return m
}

// Everything that a listing shows is in the mark, but for locks.
func TestMarks(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	base := Node{Path: vpath.Must("/w/a"), Size: 1, ModTime: at, Created: at, ETag: "e", Props: []store.Prop{{Space: "u", Local: "b", XML: "<b/>"}, {Space: "u", Local: "a", XML: "<a/>"}}}
	others := map[string]func(n *Node){
		"dir":      func(n *Node) { n.Dir = true },
		"title":    func(n *Node) { n.Title = "T" },
		"size":     func(n *Node) { n.Size++ },
		"time":     func(n *Node) { n.ModTime = at.Add(time.Second) },
		"no time":  func(n *Node) { n.ModTime = time.Time{} },
		"created":  func(n *Node) { n.Created = at.Add(time.Second) },
		"etag":     func(n *Node) { n.ETag = "f" },
		"sum":      func(n *Node) { n.SHA256 = "00" },
		"maker":    func(n *Node) { n.By = "ann" },
		"no props": func(n *Node) { n.Props = nil },
		"prop": func(n *Node) {
			n.Props = []store.Prop{{Space: "u", Local: "b", XML: "<b>1</b>"}, {Space: "u", Local: "a", XML: "<a/>"}}
		},
		"prop's end": func(n *Node) {
			n.Props = []store.Prop{{Space: "ub", Local: "", XML: "<b/>"}, {Space: "u", Local: "a", XML: "<a/>"}}
		},
	}
	seen := map[mark]string{marked(base): "nothing"}
	for what, change := range others {
		n := base
		change(&n)
		if twin, ok := seen[marked(n)]; ok {
			t.Errorf("a change of %s has the mark of %s", what, twin)
		}
		seen[marked(n)] = what
	}
	same := base
	same.Props = []store.Prop{base.Props[1], base.Props[0]}
	same.Locks = []Lock{{Token: "t"}}
	if marked(same) != marked(base) {
		t.Error("the order of properties, or a lock, changes the mark")
	}
	if base.Props[0].Local != "b" {
		t.Error("markOf has put the node's properties in order")
	}
}

func TestSurplus(t *testing.T) {
	t.Parallel()
	row := func(id, place, line string, size int64) store.Snapshot {
		return store.Snapshot{ID: id, Place: place, Line: line, Size: size}
	}
	made := row("new", "p", "l", 10)
	var many []store.Snapshot
	for i := range maxLines + 3 {
		many = append(many, row(fmt.Sprint("n", i), "p", fmt.Sprint("other", i), 1))
	}
	var crowd []store.Snapshot
	for i := range maxSnapshots + 1 {
		crowd = append(crowd, row(fmt.Sprint("c", i), fmt.Sprint("q", i), "l", 1))
	}
	for name, c := range map[string]struct {
		rows  []store.Snapshot
		made  store.Snapshot
		shown string
		want  []string
	}{
		"none":        {nil, made, "", nil},
		"the line":    {[]store.Snapshot{row("a", "p", "l", 1), row("b", "p", "l", 1), row("c", "p", "l", 1)}, made, "b", []string{"a", "c"}},
		"other place": {[]store.Snapshot{row("a", "q", "l", 1), row("b", "p", "m", 1)}, made, "x", nil},
		"lines":       {many, made, "", []string{fmt.Sprint("n", maxLines-1), fmt.Sprint("n", maxLines), fmt.Sprint("n", maxLines+1), fmt.Sprint("n", maxLines+2)}},
		"rows":        {crowd, made, "", []string{fmt.Sprint("c", maxSnapshots-1), fmt.Sprint("c", maxSnapshots)}},
		"bytes":       {[]store.Snapshot{row("a", "q", "l", maxKept-11), row("b", "r", "l", 2), row("c", "s", "l", 1)}, made, "", []string{"b"}},
		"asked":       {[]store.Snapshot{row("a", "p", asked, 1), row("b", "p", asked, 1), row("c", "q", asked, 1)}, row("new", "p", asked, 1), "", []string{"b"}},
	} {
		if got := surplus(c.rows, c.made, c.shown); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q go, want %q", name, got, c.want)
		}
	}
}

func TestEncodeOfNothing(t *testing.T) {
	t.Parallel()
	if all, err := decode(encode(nil)); err != nil || len(all) != 0 {
		t.Errorf("decode = %v, %v", all, err)
	}
	if _, err := decode(bytes.Repeat([]byte{9}, 40)); !errors.Is(err, errSnapshot) {
		t.Errorf("decode of another form = %v", err)
	}
}
