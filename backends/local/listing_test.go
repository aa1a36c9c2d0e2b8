package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/vpath"
)

// namer is the ability that a disk has.
func (d *disk) namer() backends.Namer {
	d.Helper()
	n, ok := d.Backend.(backends.Namer)
	if !ok {
		d.Fatal("it is no Namer")
	}
	return n
}

// TestNamesLeaveOutWhatIsNoFile: no link, pipe or folder of Portico's own is named
// or described, and a name that cannot be reached is foreign.
func TestNamesLeaveOutWhatIsNoFile(t *testing.T) {
	d := newDisk(t)
	d.must(d.put("/file", "x"))
	d.must(os.Symlink("file", d.path("link")))
	d.must(os.Symlink(".", d.path("loop")))
	d.must(unix.Mkfifo(d.path("pipe"), 0o600))
	d.must(os.WriteFile(d.path(`back\slash`), []byte("x"), 0o600))
	d.must(os.Mkdir(d.path("folder"), 0o700))
	_, names, err := d.namer().Names(t.Context(), vpath.Path{})
	d.must(err)
	want := []backends.Info{{Foreign: `back\slash`}, {Name: "file"}, {Name: "folder", Dir: true}}
	if !slices.Equal(names, want) {
		t.Errorf("Names = %+v, want %+v", names, want)
	}
	list, err := d.namer().Describe(t.Context(), vpath.Path{}, []string{".portico", "link", "loop", "pipe", `back\slash`, "file", "../" + "x", "folder/.."})
	d.must(err)
	if len(list) != 1 || list[0].Name != "file" || list[0].Size != 1 {
		t.Errorf("Describe = %+v, want the file alone", list)
	}
}

// TestLongListing wants the parts of a long listing to end with the caller, and to
// be all there, whatever another program removes meanwhile.
func TestLongListing(t *testing.T) {
	d := newDisk(t)
	const count = 1500
	for i := range count {
		d.must(os.WriteFile(d.path(fmt.Sprintf("file %04d", i)), []byte("x"), 0o600))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.List(ended, vpath.Path{}); !errors.Is(err, context.Canceled) {
		t.Errorf("List = %v, want %v", err, context.Canceled)
	}
	gone := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < count; i += 2 {
			err = errors.Join(err, os.Remove(d.path(fmt.Sprintf("file %04d", i))))
		}
		gone <- err
	}()
	for i := 0; ; i++ {
		_, list, err := d.List(t.Context(), vpath.Path{})
		d.must(err)
		sorted := slices.IsSortedFunc(list, func(a, b backends.Info) int { return strings.Compare(a.Name, b.Name) })
		if len(list) < count/2 || !sorted {
			t.Fatalf("listing %d has %d members, sorted %v", i, len(list), sorted)
		}
		select {
		case err := <-gone:
			d.must(err)
			if _, list, err := d.List(t.Context(), vpath.Path{}); err != nil || len(list) != count/2 {
				t.Errorf("List = %d members, %v, want %d", len(list), err, count/2)
			}
			return
		default:
		}
	}
}
