package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

const nfd = "cafe\u0301" // as macOS would write it

// foreignKeys are what other tools may put beside ours. What lies below an
// object's own name ("twin/inside"), MinIO stores and does not list.
func foreignKeys() []string {
	return []string{
		"firm/plain", "firm/back\\slash", "firm/control\x01", "firm/new\nline", "firm/" + nfd, "firm/back\\folder/deep/file",
		"firm/twin/", "firm/twin", "firm/twin-", "firm/ok/" + nfd + "/x", "firm/ok/file", "firm/" + strings.Repeat("d/", 80) + "deep",
	}
}

// brief is an entry without what the test does not know.
func brief(i backends.Info) string {
	name := i.Name
	if i.Foreign != "" {
		name = fmt.Sprintf("foreign %q", i.Foreign)
	}
	if i.Dir {
		name += " (folder)"
	}
	return name
}

func TestForeignKeys(t *testing.T) {
	t.Parallel()
	for _, isMinIO := range []bool{true, false} {
		t.Run(fmt.Sprintf("minio=%v", isMinIO), func(t *testing.T) {
			t.Parallel()
			b, _ := workspace(t, parts.MinIO(t), Options{MinIO: isMinIO})
			for _, key := range foreignKeys() {
				plantObject(t, parts.MinIO(t), b.s.o.Bucket, key, "x")
			}
			_, members, err := b.List(t.Context(), vpath.Must("/"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range members {
				got = append(got, brief(m))
			}
			want := []string{
				`foreign "back\\folder" (folder)`, `foreign "back\\slash"`, `foreign "` + nfd + `"`, `foreign "control\x01"`, `foreign "new\nline"`,
				"d (folder)", "ok (folder)", "plain", "twin (folder)", "twin-",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("List differs (-want +got):\n%s", diff)
			}
			checkForeignWalk(t, b)
			for path, want := range map[string]error{"/twin": nil, "/ok": nil, "/none": fs.ErrNotExist, "/caf\u00e9": fs.ErrNotExist} {
				info, err := b.Stat(t.Context(), vpath.Must(path))
				if !errors.Is(err, want) || err == nil && !info.Dir {
					t.Errorf("Stat(%s) = %+v, %v, want a folder or %v", path, info, err, want)
				}
			}
			if err := b.Remove(t.Context(), vpath.Must("/ok")); !errors.Is(err, fault.ErrNotEmpty) {
				t.Errorf("Remove of a folder with foreign members = %v, want ErrNotEmpty", err)
			}
		})
	}
}

func checkForeignWalk(t *testing.T, b *Backend) {
	t.Helper()
	seen := map[string]int{}
	dirs := map[vpath.Path]bool{{}: true}
	err := b.Walk(t.Context(), vpath.Must("/"), func(p vpath.Path, i backends.Info) error {
		parent := p.Parent()
		if i.Foreign != "" {
			parent = p
		}
		if !dirs[parent] {
			t.Errorf("Walk tells of %s before its folder", p)
		}
		if i.Dir && i.Foreign == "" {
			dirs[p] = true
		}
		if !strings.HasPrefix(p.String(), "/d") {
			seen[p.String()+" "+brief(i)]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		`/ foreign "back\\folder" (folder)`: 1, `/ foreign "back\\slash"`: 1, `/ foreign "` + nfd + `"`: 1, `/ foreign "control\x01"`: 1, `/ foreign "new\nline"`: 1,
		"/ok ok (folder)": 1, `/ok foreign "` + nfd + `" (folder)`: 1, "/ok/file file": 1, "/plain plain": 1, "/twin twin (folder)": 1, "/twin- twin-": 1,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("Walk differs (-want +got):\n%s", diff)
	}
	if !dirs[vpath.Must("/"+strings.TrimSuffix(strings.Repeat("d/", vpath.MaxDepth), "/"))] {
		t.Error("Walk ends above the deepest folder that a path can name")
	}
}

// TestWalkKeys feeds keys that no store at hand takes: two slashes in a row,
// and what lies beside a name in the order of bytes.
func TestWalkKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		root string
		keys []string
		want []string
	}{
		{"/firm", []string{"firm/", "firm/a", "firm/a b", "firm/a!", "firm/a.", "firm/a/", "firm/a/x", "firm/b"}, []string{"/a b", "/a!", "/a.", "/a/", "/a/x", "/b"}},
		{"/firm", []string{"firm//x", "firm//y", "firm/a//z"}, []string{"/ odd / dir", "/a/", "/a odd / dir"}},
		{"/firm", []string{"firm/a/b/c", "firm/a/d", "firm/e/"}, []string{"/a/", "/a/b/", "/a/b/c", "/a/d", "/e/"}},
		{"/firm", []string{"firm/t", "firm/t-", "firm/t-/x"}, []string{"/t-/", "/t-/x", "/t"}},
		{"/", []string{".portico", ".portico/x", ".porticoa", "a"}, []string{"/.porticoa", "/a"}},
		{"/firm", []string{"firm/.portico/x"}, []string{"/.portico/", "/.portico/x"}},
	} {
		s := &Storage{}
		at, err := s.At(vpath.Must(c.root))
		if err != nil {
			t.Fatal(err)
		}
		b := at.(*Backend)
		var got []string
		w := &walk{b: b, prefix: b.base, visit: func(p vpath.Path, i backends.Info) error {
			switch {
			case i.Foreign != "":
				got = append(got, fmt.Sprintf("%s odd %s dir", p, i.Foreign))
			case i.Dir:
				got = append(got, p.String()+"/")
			default:
				got = append(got, p.String())
			}
			return nil
		}}
		for _, key := range c.keys {
			if err := w.take(key, backends.Info{Size: 1}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.settle(""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("walk over %q differs (-want +got):\n%s", c.keys, diff)
		}
	}
}

// TestMetadataThatXMLCannotCarry is an object of a foreign tool whose header
// makes MinIO's listing with metadata unreadable. Nothing else may suffer.
func TestMetadataThatXMLCannotCarry(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	at := time.Unix(1700000000, 0).UTC()
	if _, err := b.Put(t.Context(), vpath.Must("/ours"), strings.NewReader("x"), backends.PutOptions{Size: 1, Meta: backends.Meta{Creator: "ann", ModTime: at}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Mkdir(t.Context(), vpath.Must("/dir"), backends.Meta{Creator: "ann"}); err != nil {
		t.Fatal(err)
	}
	_, err := store.Client(t).PutObject(t.Context(), b.s.o.Bucket, "firm/theirs", strings.NewReader("x"), 1, "", "", minio.PutObjectOptions{
		UserMetadata: map[string]string{"a!b": "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, members, err := b.List(t.Context(), vpath.Must("/"))
	if err != nil || len(members) != 3 || members[1].Creator != "ann" || !members[1].ModTime.Equal(at) || members[0].Creator != "ann" {
		t.Errorf("List = %+v, %v, want dir, ours and theirs", members, err)
	}
	n := 0
	err = b.Walk(t.Context(), vpath.Must("/"), func(p vpath.Path, i backends.Info) error {
		n++
		if p.Name() == "ours" && (i.Creator != "ann" || i.Size != 1) {
			t.Errorf("Walk tells %+v of ours", i)
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("Walk saw %d, %v, want 3", n, err)
	}
	if _, err := b.Stat(t.Context(), vpath.Must("/")); err != nil {
		t.Errorf("Stat = %v", err)
	}
	if err := b.Remove(t.Context(), vpath.Must("/theirs")); err != nil {
		t.Errorf("Remove = %v", err)
	}
}

// TestVersionedBucket: a folder whose files were all deleted is no folder.
func TestVersionedBucket(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	c := store.Client(t)
	if err := c.EnableVersioning(t.Context(), b.s.o.Bucket); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"firm/ghost/file", "firm/alive/file", "firm/file"} {
		plantObject(t, store, b.s.o.Bucket, key, "x")
	}
	for _, key := range []string{"firm/ghost/file", "firm/file"} {
		if err := c.RemoveObject(t.Context(), b.s.o.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, members, err := b.List(t.Context(), vpath.Must("/"))
	if err != nil || len(members) != 1 || members[0].Name != "alive" {
		t.Errorf("List = %+v, %v, want alive alone", members, err)
	}
	if _, err := b.Stat(t.Context(), vpath.Must("/ghost")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of a ghost = %v, want fs.ErrNotExist", err)
	}
	if err := putText(t.Context(), b, "/file", "again", backends.Condition{NotExist: true}); err != nil {
		t.Errorf("Put over a deleted file = %v", err)
	}
	if err := putText(t.Context(), b, "/ghost", "a file", backends.Condition{}); err != nil {
		t.Errorf("Put over a ghost = %v", err)
	}
}
