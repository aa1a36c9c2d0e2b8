package backendtest

import (
	"strings"

	"portico/backends"
	"portico/vpath"
)

func nameTests() []test {
	return []test{
		{"odd names hold files", oddFiles},
		{"odd names hold folders", oddFolders},
		{"names differ in case", caseNames},
		{"a name has 255 bytes", longNames},
		{"a path has 1024 bytes", longPath},
	}
}

// oddNames are legal for vpath and each a trap of some store, URL or shell.
func oddNames() []string {
	return []string{
		" leading space", "trailing space ", "two  spaces", " ",
		"percent%", "%20", "%2F", "%2e%2e", "100%25", "plus+plus", "a+b c", "am&p", "hash#tag", "what?", "?x=1&y=2",
		"quote'single", `quote"double`, "back`tick", "<angle>", "pipe|", "star*", "colon:", "semi;colon", "com,ma", "eq=ual", "at@", "tilde~", "~",
		"dollar$HOME", "ex!claim", "(round)", "[square]", "{curly}", "caret^",
		"dot.", "dots...", "...", ".hidden", ".portico.txt", "-dash", "--", "_", "a.b.c.tar.gz",
		"Ann\u00e9e", "stra\u00dfe", "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac", "\u0420\u0443\u0441\u0441\u043a\u0438\u0439",
		"\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u05e2\u05d1\u05e8\u05d9\u05ea", "\u4e2d\u6587\u6587\u4ef6", "\ud55c\uad6d\uc5b4", "\u0939\u093f\u0928\u094d\u0926\u0940",
		"\U0001F600 smile", "\u00a0no-break", "line\u2028separator", "z\u200dwj", "COM1", "aux.txt", "desktop.ini", "Thumbs.db",
	}
}

func oddFiles(d *driver) {
	for _, name := range oddNames() {
		path := "/" + name
		d.put(path, "content of "+name)
		d.wantContent(path, "content of "+name)
		if got := d.stat(path).Name; got != name {
			d.Errorf("Stat(%q).Name = %q", name, got)
		}
	}
	d.wantNames("/", oddNames())
	for _, name := range oddNames() {
		d.remove("/" + name)
	}
	d.wantList("/")
}

func oddFolders(d *driver) {
	for _, name := range oddNames() {
		d.mkdir("/" + name)
		d.put("/"+name+"/"+name, name)
	}
	d.wantNames("/", oddNames())
	for _, name := range oddNames() {
		d.wantFolder("/" + name)
		d.wantList("/"+name, name)
		d.wantContent("/"+name+"/"+name, name)
	}
}

// wantNames demands those names in the folder, in any order.
func (d *driver) wantNames(path string, want []string) {
	d.Helper()
	got := map[string]bool{}
	for _, info := range d.list(path) {
		got[info.Name] = true
	}
	for _, name := range want {
		if !got[name] {
			d.Errorf("List(%s) misses %q", path, name)
		}
		delete(got, name)
	}
	for name := range got {
		d.Errorf("List(%s) has %q, which nobody made", path, name)
	}
}

func caseNames(d *driver) {
	d.put("/Report", "upper")
	d.wantGone("/report")
	d.put("/report", "lower")
	d.wantContent("/Report", "upper")
	d.wantContent("/report", "lower")
	d.wantList("/", "Report", "report")
}

func longNames(d *driver) {
	for _, name := range []string{strings.Repeat("n", vpath.MaxName), strings.Repeat("\u4e2d", vpath.MaxName/3)} {
		d.put("/"+name, "file")
		d.wantContent("/"+name, "file")
		d.wantList("/", name)
		d.remove("/" + name)
		dir := "/" + strings.ToValidUTF8(name[:min(len(name), d.o.MaxFolder)], "")
		d.mkdir(dir)
		d.put(dir+"/"+name, "inside")
		d.wantContent(dir+"/"+name, "inside")
		d.wantList(dir, name)
		d.remove(dir+"/"+name, dir)
	}
	d.wantList("/")
}

func longPath(d *driver) {
	room := d.o.MaxPath - len(space)
	dir := ""
	for len(dir)+101 < room-1 {
		dir += "/" + strings.Repeat("d", 100)
		d.mkdir(dir)
	}
	file := dir + "/" + strings.Repeat("f", room-len(dir)-1)
	d.putWith(file, "at the end", backends.PutOptions{Meta: backends.Meta{Creator: "ann"}})
	d.wantContent(file, "at the end")
	d.wantList(dir, vpath.Must(file).Name())
	d.remove(file)
	d.wantList(dir)
}
