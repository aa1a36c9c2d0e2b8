package files_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// What is found by name and described is what the whole listing tells, for all who
// may see some of it, by whoever it was made.
func TestNamesTellWhatTheListingTells(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("root", "/firm/a.txt", "/firm/b/", "/firm/HR/plan.txt", "/firm/Drop/root.txt", "/lab/x")
		w.seed("mia", "/firm/mine.txt", "/firm/b/mine.txt")
		w.seed("ida", "/firm/Drop/ida.txt")
		for _, who := range []string{"root", "ann", "bob", "mia", "tom", "hal", "ida", "stranger"} {
			for _, path := range []string{"/", "/firm", "/firm/b", "/firm/HR", "/firm/Drop", "/firm/a.txt", "/firm/no", "/lab"} {
				compareNames(t, w, who, vpath.Must(path))
			}
		}
	})
}

func compareNames(t *onShape, w *world, who string, p vpath.Path) {
	t.Helper()
	tree := w.as(who).tree()
	wantSelf, want, wantErr := tree.Find(t.Context(), p, true, files.Want{})
	self, named, err := tree.Find(t.Context(), p, true, files.Want{Names: true})
	if kind(err) != kind(wantErr) || err != nil && err.Error() != wantErr.Error() {
		t.Errorf("%s: Find(%s) = %v, want %v", who, p, err, wantErr)
	}
	for i, n := range named {
		if n.Bare && (i >= len(want) || n.Path != want[i].Path || n.Dir != want[i].Dir) {
			t.Errorf("%s: %s is named in %s", who, n.Path, p)
		}
	}
	got, err := tree.Describe(t.Context(), p, named)
	if err != nil {
		t.Errorf("%s: Describe(%s): %v", who, p, err)
	}
	if diff := cmp.Diff(told(append(want, wantSelf)), told(append(got, self))); diff != "" {
		t.Errorf("%s: %s differs by its names (-want +got):\n%s", who, p, diff)
	}
}

// told is all of the nodes, a line each.
func told(list []files.Node) (lines []string) {
	for _, n := range list {
		lines = append(lines, fmt.Sprintf("%+v", n))
	}
	return lines
}

// Where who made a file decides whether it is seen, the listing comes whole: else a
// name would tell that it is there.
func TestNamesOfOwnFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/others.txt")
	w.seed("mia", "/firm/mine.txt")
	for who, bare := range map[string]bool{"mia": false, "ann": true} {
		_, list, err := w.as(who).tree().Find(t.Context(), vpath.Must("/firm"), true, files.Want{Names: true})
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: Find = %v, %v", who, list, err)
		}
		for _, n := range list {
			if n.Bare != bare || n.Path.Name() == "others.txt" && who == "mia" {
				t.Errorf("%s: %s, Bare %v, want %v", who, n.Path, n.Bare, bare)
			}
		}
	}
}

// Between the names and the look at them, a file may go, and somebody may ask for
// what they may not see.
func TestDescribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/a.txt", "/firm/b.txt", "/firm/HR/plan.txt")
	ann, firm := w.as("ann").tree(), vpath.Must("/firm")
	_, list, err := ann.Find(t.Context(), firm, true, files.Want{Names: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.back["firm"].Remove(t.Context(), vpath.Must("/a.txt")); err != nil {
		t.Fatal(err)
	}
	list = append(list, files.Node{Path: vpath.Must("/firm/HR"), Dir: true, Bare: true})
	got, err := ann.Describe(t.Context(), firm, list)
	if err != nil || len(got) != 1 || got[0].Path.Name() != "b.txt" || got[0].Size == 0 {
		t.Errorf("Describe = %+v, %v, want b.txt alone", got, err)
	}
	if got, err := ann.Describe(t.Context(), vpath.Must("/firm/HR"), []files.Node{{Path: vpath.Must("/firm/HR/plan.txt"), Bare: true}}); len(got) != 0 {
		t.Errorf("what is hidden is described: %+v, %v", got, err)
	}
	w.mem.FailNext("Describe", fault.ErrUnavailable)
	if _, err := ann.Describe(t.Context(), firm, list); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Describe of a store that is away: %v", err)
	}
	bare := newWorld(t, options{shape: mem.Bare, quiet: true})
	bare.seed("root", "/firm/a.txt")
	_, list, err = bare.as("ann").tree().Find(t.Context(), firm, true, files.Want{Names: true})
	if err != nil || len(list) != 1 || list[0].Bare || list[0].Size == 0 {
		t.Errorf("a store without names: %+v, %v", list, err)
	}
}
