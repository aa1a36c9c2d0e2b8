package backendtest

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"portico/backends"
	"portico/vpath"
)

func metaTests() []test {
	return []test{
		{"meta comes back", metaBack},
		{"meta of odd letters comes back", metaOdd},
		{"meta goes with its version", metaVersion},
		{"a folder keeps its creator", metaFolder},
		{"the sum is the content's", metaSum},
		{"times of any year come back", metaTimes},
		{"each version has its own ETag", etagChanges},
		{"an ETag stands while its version does", etagStable},
	}
}

// fullMeta is a Meta with all that a caller sets.
func fullMeta() backends.Meta {
	return backends.Meta{
		Creator:     "yaml:ann",
		ModTime:     time.Date(2019, 3, 14, 15, 9, 26, 0, time.UTC),
		ContentType: `text/plain; charset="utf-8"`,
	}
}

// wantMeta demands m's three fields, in all places that tell them.
func (d *driver) wantMeta(path string, m backends.Meta) {
	d.Helper()
	_, opened := d.read(path)
	p := vpath.Must(path)
	infos := map[string]backends.Info{"Stat": d.stat(path), "Open": opened}
	for _, info := range d.list(p.Parent().String()) {
		if info.Name == p.Name() {
			infos["List"] = info
		}
	}
	for from, got := range infos {
		if got.Creator != m.Creator || got.ContentType != m.ContentType {
			d.Errorf("%s(%s) has creator %q and type %q, want %q and %q", from, path, got.Creator, got.ContentType, m.Creator, m.ContentType)
		}
		if m.ModTime.IsZero() != got.Meta.ModTime.IsZero() || got.Meta.ModTime.Unix() != m.ModTime.Unix() {
			d.Errorf("%s(%s) has the client's time %v, want %v", from, path, got.Meta.ModTime, m.ModTime)
		}
		if !m.ModTime.IsZero() && !got.ModTime.Equal(got.Meta.ModTime) {
			d.Errorf("%s(%s) has ModTime %v, want the client's %v", from, path, got.ModTime, m.ModTime)
		}
	}
}

func metaBack(d *driver) {
	info := d.putWith("/file", "content", backends.PutOptions{Meta: fullMeta()})
	d.wantSame("Put's Info", info, d.stat("/file"))
	d.wantMeta("/file", fullMeta())
	d.put("/plain", "content")
	d.wantMeta("/plain", backends.Meta{})
}

// metaOdd has what a header of HTTP cannot carry as it is.
func metaOdd(d *driver) {
	for _, creator := range []string{
		"ldap:zo\u00eb", "\u65e5\u672c", "with space", " edges ", "a=b&c", "100%", "%41", "=?utf-8?q?x?=", `quo"te`, `back\slash`, "line\nbreak", "com,ma;semi",
	} {
		m := backends.Meta{Creator: creator, ContentType: "text/plain"}
		d.putWith("/file", creator, backends.PutOptions{Meta: m})
		d.wantMeta("/file", m)
	}
}

func metaVersion(d *driver) {
	d.putWith("/file", "first", backends.PutOptions{Meta: fullMeta()})
	d.put("/file", "second")
	d.wantMeta("/file", backends.Meta{})
	other := backends.Meta{Creator: "bob", ModTime: time.Unix(1, 0)}
	d.putWith("/file", "third", backends.PutOptions{Meta: other})
	d.wantMeta("/file", other)
}

func metaFolder(d *driver) {
	p := vpath.Must("/folder")
	if _, err := d.Mkdir(d.ctx(), p, backends.Meta{Creator: "ldap:zo\u00eb"}); err != nil {
		d.Fatalf("Mkdir: %v", err)
	}
	d.put("/folder/file", "x")
	for from, info := range map[string]backends.Info{"Stat": d.stat("/folder"), "List": d.list("/")[0]} {
		if info.Creator != "ldap:zo\u00eb" {
			d.Errorf("%s has creator %q of the folder", from, info.Creator)
		}
	}
	d.remove("/folder/file")
	if got := d.stat("/folder").Creator; got != "ldap:zo\u00eb" {
		d.Errorf("creator %q after the last member went", got)
	}
}

// metaSum demands the sum of small files, and a right one or none of large ones.
func metaSum(d *driver) {
	for _, size := range []int{0, 1, 64 << 10, d.size(20<<20 + 1)} {
		content := blob(size, 3)
		sum := sha256.Sum256([]byte(content))
		want := hex.EncodeToString(sum[:])
		d.putWith("/file", content, backends.PutOptions{Meta: backends.Meta{SHA256: "the caller's is ignored"}})
		got := d.stat("/file").SHA256
		if got != want && (got != "" || size <= 64<<10) {
			d.Errorf("SHA256 of %d bytes = %q, want %s", size, got, want)
		}
	}
}

func metaTimes(d *driver) {
	for _, sec := range []int64{-62135596800 + 86400*365, -1, 1, 1<<31 - 1, 1 << 31, 1 << 32, 253402300799} {
		m := backends.Meta{ModTime: time.Unix(sec, 0)}
		d.putWith("/file", "x", backends.PutOptions{Meta: m})
		d.wantMeta("/file", m)
	}
}

// etagChanges replaces a file within one tick of any clock by others of one
// size, with one and the same time from the client.
func etagChanges(d *driver) {
	seen := map[string]int{}
	for i := range 50 {
		info := d.putWith("/file", string([]byte{byte('0' + i/10), byte('0' + i%10)}), backends.PutOptions{Meta: fullMeta()})
		if info.ETag != d.stat("/file").ETag {
			d.Fatalf("Put told the ETag %q, Stat tells %q", info.ETag, d.stat("/file").ETag)
		}
		if at, again := seen[info.ETag]; again {
			d.Fatalf("versions %d and %d both have the ETag %q", at, i, info.ETag)
		}
		seen[info.ETag] = i
	}
}

func etagStable(d *driver) {
	etag := d.put("/file", "content").ETag
	if etag == "" {
		d.Fatal("no ETag")
	}
	for _, c := range etag {
		if c <= ' ' || c == '"' || c > '~' {
			d.Errorf("the ETag %q cannot stand in a header", etag)
		}
	}
	d.put("/other", "content")
	d.mkdir("/folder")
	_, opened := d.read("/file")
	_, ranged, err := d.tryRead("/file", backends.Range{Off: 2, Len: 2})
	if err != nil {
		d.Fatalf("Open: %v", err)
	}
	for from, got := range map[string]string{
		"Stat": d.stat("/file").ETag, "Open": opened.ETag, "Open of a range": ranged.ETag, "List": d.list("/")[0].ETag,
	} {
		// List's first entry is the file: "file" < "folder" < "other".
		if got != etag {
			d.Errorf("%s tells the ETag %q, Put told %q", from, got, etag)
		}
	}
}
