package vpath_test

import (
	"testing"

	"pgregory.net/rapid"

	"portico/vpath"
)

func TestAccompanies(t *testing.T) {
	for p, want := range map[string]string{
		"/firm/._a":            "/firm/a ._",
		"/firm/d/._é.txt":      "/firm/d/é.txt ._",
		"/firm/d/.DS_Store":    "/firm/d /.DS_Store",
		"/firm/.DS_Store":      "/firm /.DS_Store",
		"/firm/d/._.DS_Store":  "/firm/d /._.DS_Store",
		"/firm/d/._.":          "/firm/d /._.",
		"/firm/d/._":           "/firm/d /._",
		"/firm/d/._._a":        "/firm/d /._._a",
		"/firm/a":              "",
		"/firm/.a":             "",
		"/firm/_.a":            "",
		"/firm/.DS_Store/a":    "",
		"/firm/x.DS_Store":     "",
		"/._firm":              "",
		"/.DS_Store":           "",
		"/firm/.._a.Xy12":      "",
		"/firm/.ds_store.docx": "",
	} {
		of, name, ok := vpath.Must(p).Accompanies()
		if got := of.String() + " " + name; ok != (want != "") || ok && got != want {
			t.Errorf("%s accompanies %q, %v, want %q", p, got, ok, want)
		}
	}
}

// No two paths are kept under one key.
func TestAccompaniesIsInjective(t *testing.T) {
	names := rapid.SampledFrom([]string{"._", "._a", ".DS_Store", "._.DS_Store", "a", "._._a", "._.", "._._", "_a"})
	path := rapid.Custom(func(t *rapid.T) vpath.Path {
		p := vpath.Must("/firm")
		for _, name := range rapid.SliceOfN(names, 1, 3).Draw(t, "names") {
			p, _ = p.Child(name)
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := path.Draw(t, "a"), path.Draw(t, "b")
		ofA, nameA, okA := a.Accompanies()
		ofB, nameB, okB := b.Accompanies()
		if okA && okB && (ofA == ofB && nameA == nameB) != (a == b) {
			t.Fatalf("%s and %s have the key %s %s", a, b, ofA, nameA)
		}
	})
}

func TestIsClutter(t *testing.T) {
	for _, name := range []string{
		"Thumbs.db", "THUMBS.DB", "desktop.ini", "Desktop.ini", "ehthumbs.db", "EhThumbs.db", "~$plan.docx", ".~lock.plan.odt#", ".b.txt.swp", ".B.SWP",
		".Spotlight-V100", ".Trashes", ".fseventsd", ".TemporaryItems", ".metadata_never_index", ".metadata_never_index_unless_rootfs", ".hidden", "mach_kernel", "Mach_Kernel",
	} {
		if p := vpath.Must("/firm/" + name); !p.IsClutter() || !p.IsForPrograms() {
			t.Errorf("%s is no clutter", name)
		}
	}
	for _, name := range []string{"a", "swp", "plan.swp", "x~$a", ".~lock.a", "thumbs.db.pdf", "folder.jpg", "Contents", "Backups.backupdb", "~plan", "été"} {
		if p := vpath.Must("/firm/" + name); p.IsClutter() || p.IsForPrograms() {
			t.Errorf("%s is clutter", name)
		}
	}
	for _, name := range []string{"._a", ".DS_Store"} {
		if p := vpath.Must("/firm/" + name); p.IsClutter() || !p.IsForPrograms() {
			t.Errorf("%s is clutter, or not for programs", name)
		}
	}
	for name, want := range map[string]bool{
		".Trashes": true, ".TRASHES": true, ".fseventsd": true, ".TemporaryItems": true, ".Spotlight-V100": true,
		".hidden": false, "~$archive": false, "mach_kernel": false, ".metadata_never_index": false, ".b.swp": false, "Trashes": false, ".DS_Store": false,
	} {
		if got := vpath.Must("/firm/" + name).IsClutterFolder(); got != want {
			t.Errorf("%s is a folder of clutter: %v, want %v", name, got, want)
		}
	}
	if (vpath.Path{}).IsForPrograms() {
		t.Error("the root is for programs")
	}
}
