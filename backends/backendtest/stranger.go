package backendtest

import (
	"testing"

	"portico/backends"
	"portico/fault"
)

// strangerTests hold what other programs put into the store, with Options.Plant.
func strangerTests() []test {
	return []test{
		{"a stranger's file is a file", planted(strangerFile)},
		{"a stranger's folder is a folder", planted(strangerFolder)},
		{"a folder that only has members is a folder", planted(strangerMembers)},
		{"a stranger's change is seen", planted(strangerChange)},
		{"a foreign name is listed and not reached", planted(strangerName)},
	}
}

// planted gives run a plant that works below the suite's workspace.
func planted(run func(d *driver, plant func(name, content string))) func(d *driver) {
	return func(d *driver) {
		if d.o.Plant != nil {
			run(d, func(name, content string) { d.plant(d.T, name, content) })
		}
	}
}

func (d *driver) plant(t *testing.T, name, content string) {
	t.Helper()
	d.o.Plant(t, d.storage, space[1:]+"/"+name, content)
}

func strangerFile(d *driver, plant func(name, content string)) {
	plant("file % + \u00e9.txt", "not ours")
	info := d.stat("/file % + \u00e9.txt")
	if info.Creator != "" || info.ETag == "" || info.ModTime.IsZero() || info.Size != 8 {
		d.Errorf("Stat = %+v", info)
	}
	d.wantContent("/file % + \u00e9.txt", "not ours")
	d.wantSame("List's entry", d.list("/")[0], info)
	d.putWith("/file % + \u00e9.txt", "ours now", ifETag(info.ETag))
	d.wantContent("/file % + \u00e9.txt", "ours now")
	d.remove("/file % + \u00e9.txt")
	d.wantList("/")
}

func strangerFolder(d *driver, plant func(name, content string)) {
	plant("folder/", "")
	d.wantFolder("/folder")
	d.wantList("/", "folder/")
	d.wantList("/folder")
	d.put("/folder/file", "x")
	d.remove("/folder/file", "/folder")
	d.wantList("/")
}

// strangerMembers is a folder that no marker holds: it must not go with its
// last member, as one on disk would not.
func strangerMembers(d *driver, plant func(name, content string)) {
	plant("a/b/file", "x")
	d.wantFolder("/a")
	d.wantFolder("/a/b")
	d.wantList("/", "a/")
	d.wantList("/a", "b/")
	d.wantContent("/a/b/file", "x")
	d.wantMkdirErr("/a", errExist)
	d.wantRemoveErr("/a", fault.ErrNotEmpty)
	d.wantPutErr("/a", fault.ErrIsDir)
	d.put("/a/b/other", "y")
	d.remove("/a/b/other", "/a/b/file")
	d.wantFolder("/a/b")
	d.wantList("/a/b")
	d.remove("/a/b")
	d.wantFolder("/a")
	d.wantList("/", "a/")
}

func strangerChange(d *driver, plant func(name, content string)) {
	before := d.putWith("/file", "ours", backends.PutOptions{Meta: fullMeta()})
	plant("file", "theirs, and longer")
	d.wantContent("/file", "theirs, and longer")
	after := d.stat("/file")
	if after.ETag == before.ETag {
		d.Errorf("the ETag %q outlived a change", after.ETag)
	}
	if after.SHA256 == before.SHA256 {
		d.Error("the old content's SHA256 is told of the new")
	}
	if !after.Meta.ModTime.IsZero() || after.ModTime.Unix() == fullMeta().ModTime.Unix() {
		d.Errorf("ModTime = %v, the time of a version that is gone", after.ModTime)
	}
	d.wantRefused("/file", ifETag(before.ETag))
	d.putWith("/file", "ours again", ifETag(after.ETag))
}

// strangerName has one name that vpath refuses and all stores can hold.
func strangerName(d *driver, plant func(name, content string)) {
	d.mkdir("/folder")
	plant("folder/e\u0301 in NFD", "x")
	plant("folder/plain", "y")
	d.wantList("/folder", "foreign:e\u0301 in NFD", "plain")
	for _, info := range d.list("/folder") {
		if info.Foreign != "" && info.Name != "" {
			d.Errorf("a foreign entry has the name %q", info.Name)
		}
	}
	d.wantGone("/folder/\u00e9 in NFD")
	d.remove("/folder/plain")
	d.wantRemoveErr("/folder", fault.ErrNotEmpty)
}
