package backendtest

import (
	"fmt"
	"io/fs"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// namerTests hold a Namer; they pass over a driver that is none.
func namerTests() []test {
	return []test{
		{"names are those of the listing", namesOfListing},
		{"some members are described as in the listing", describesSome},
		{"names of what is missing", namesMissing},
	}
}

// mixed are files and folders, more than a driver may read at once.
func (d *driver) mixed() {
	d.mkdir("/many", "/many/a-", "/many/a", "/other")
	for _, name := range []string{"/a0", "/many/a/inner", "/many/a0", "/many/a!", "/many/\u00e9", "/many/%2F + .txt"} {
		d.putWith(name, name, backends.PutOptions{Meta: fullMeta()})
	}
	for i := range 300 {
		d.put(fmt.Sprintf("/many/x %03d", i), "x")
	}
}

func namesOfListing(d *driver) {
	n, ok := d.Backend.(backends.Namer)
	if !ok {
		return
	}
	d.mixed()
	for _, path := range []string{"/", "/many", "/many/a", "/other"} {
		p := vpath.Must(path)
		wantSelf, want, err := d.List(d.ctx(), p)
		if err != nil {
			d.Fatalf("List(%s): %v", p, err)
		}
		for i, info := range want {
			want[i] = backends.Info{Name: info.Name, Dir: info.Dir, Foreign: info.Foreign}
		}
		self, got, err := n.Names(d.ctx(), p)
		if err != nil {
			d.Fatalf("Names(%s): %v", p, err)
		}
		d.wantSame("the folder of Names", self, wantSelf)
		if diff := cmp.Diff(append([]backends.Info{}, want...), append([]backends.Info{}, got...)); diff != "" {
			d.Errorf("Names(%s) differs (-want +got):\n%s", p, diff)
		}
	}
}

func describesSome(d *driver) {
	n, ok := d.Backend.(backends.Namer)
	if !ok {
		return
	}
	d.mixed()
	all := map[string]backends.Info{}
	for _, info := range d.list("/many") {
		all[info.Name] = info
	}
	for _, names := range [][]string{nil, {"no"}, {"x 007", "no", "a", "\u00e9", "a0", "%2F + .txt"}, {"x 299", "x 000"}} {
		got, err := n.Describe(d.ctx(), vpath.Must("/many"), names)
		if err != nil {
			d.Fatalf("Describe(%q): %v", names, err)
		}
		want := []backends.Info{}
		for _, name := range names {
			if info, there := all[name]; there {
				want = append(want, info)
			}
		}
		if diff := cmp.Diff(want, append([]backends.Info{}, got...)); diff != "" {
			d.Errorf("Describe(%q) differs (-want +got):\n%s", names, diff)
		}
	}
}

func namesMissing(d *driver) {
	n, ok := d.Backend.(backends.Namer)
	if !ok {
		return
	}
	d.put("/file", "x")
	for path, want := range map[string]error{"/no": fs.ErrNotExist, "/file": fault.ErrNotDir, "/file/x": fs.ErrNotExist} {
		_, _, err := n.Names(d.ctx(), vpath.Must(path))
		d.wantErr("Names", err, want)
		_, err = n.Describe(d.ctx(), vpath.Must(path), []string{"x"})
		d.wantErr("Describe", err, want)
	}
}
