package backendtest

import (
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/vpath"
)

func listTests() []test {
	return []test{
		{"a listing is sorted by name", listSorted},
		{"a listing has all of 2,500 members", listMany},
		{"a listing tells what Stat tells", listTells},
		{"a listing describes its folder", listSelf},
	}
}

// listSorted has names that a store which sorts whole keys ("a/" for a folder)
// puts in another order.
func listSorted(d *driver) {
	d.mkdir("/a", "/a-", "/b")
	for _, name := range []string{"a!", "a.txt", "a0", "B", "\u00e9", "\uffee", "\U0001F600"} {
		d.put("/"+name, "x")
	}
	d.put("/a/inner", "x")
	d.put("/a-/inner", "x")
	d.wantList("/", "B", "a/", "a!", "a-/", "a.txt", "a0", "b/", "\u00e9", "\uffee", "\U0001F600")
}

func listMany(d *driver) {
	const count = 2500
	d.mkdir("/many")
	var g errgroup.Group
	g.SetLimit(32)
	want := make([]string, count)
	for i := range count {
		want[i] = fmt.Sprintf("entry %04d", i)
		p := "/many/" + want[i]
		g.Go(func() error {
			if i%100 != 50 {
				_, err := d.tryPut(p, "x", backends.PutOptions{})
				return err
			}
			_, err := d.Mkdir(d.ctx(), vpath.Must(p), backends.Meta{})
			return err
		})
		if i%100 == 50 {
			want[i] += "/"
		}
	}
	if err := g.Wait(); err != nil {
		d.Fatalf("making entries: %v", err)
	}
	d.put("/many/entry 0050/inner", "x")
	d.put("/manyother", "x")
	if got := names(d.list("/many")); !slices.Equal(got, want) {
		d.Errorf("List gave %d names, the first %q; want %d in order", len(got), got[:min(3, len(got))], count)
	}
	d.wantList("/", "many/", "manyother")
	d.walkMany(count)
}

// walkMany counts the same entries through the Walker, if there is one.
func (d *driver) walkMany(count int) {
	w, ok := d.Backend.(backends.Walker)
	if !ok {
		return
	}
	seen := 0
	err := w.Walk(d.ctx(), vpath.Must("/many"), func(vpath.Path, backends.Info) error {
		seen++
		return nil
	})
	if err != nil || seen != count+1 {
		d.Errorf("Walk saw %d entries, %v; want %d", seen, err, count+1)
	}
}

func listTells(d *driver) {
	d.putWith("/with", "content", backends.PutOptions{Meta: fullMeta()})
	d.put("/without", "content")
	d.put("/empty", "")
	if _, err := d.Mkdir(d.ctx(), vpath.Must("/folder"), backends.Meta{Creator: "bob"}); err != nil {
		d.Fatalf("Mkdir: %v", err)
	}
	for _, info := range d.list("/") {
		d.wantSame("List's "+info.Name, info, d.stat("/"+info.Name))
	}
	d.wantList("/", "empty", "folder/", "with", "without")
}

func listSelf(d *driver) {
	if _, err := d.Mkdir(d.ctx(), vpath.Must("/folder"), backends.Meta{Creator: "bob"}); err != nil {
		d.Fatalf("Mkdir: %v", err)
	}
	for _, path := range []string{"/folder", "/"} {
		self, _, err := d.List(d.ctx(), vpath.Must(path))
		if err != nil {
			d.Fatalf("List(%s): %v", path, err)
		}
		d.wantSame("List's own folder", self, d.stat(path))
	}
}
