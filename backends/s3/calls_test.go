package s3

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/internal/parts"
	"portico/vpath"
)

// TestCalls holds the table in the package's documentation.
func TestCalls(t *testing.T) {
	t.Parallel()
	b, log := workspace(t, parts.MinIO(t), Options{MinIO: true})
	ctx := t.Context()
	p := vpath.Must
	put := func(path, content string) {
		if _, err := b.Put(ctx, p(path), strings.NewReader(content), backends.PutOptions{Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	plantObject(t, parts.MinIO(t), b.s.o.Bucket, "firm/bare/only", "x")
	for _, c := range []struct {
		what string
		do   func()
		want []string
	}{
		{"Mkdir in the root", func() { _, err := b.Mkdir(ctx, p("/dir"), backends.Meta{}); must(err) }, []string{"HeadObject", "ListObjectsV2", "PutObject"}},
		{"Mkdir", func() { _, err := b.Mkdir(ctx, p("/dir/sub"), backends.Meta{}); must(err) }, []string{"HeadObject", "HeadObject", "ListObjectsV2", "PutObject"}},
		{"Put in the root", func() { put("/file", "x") }, []string{"ListObjectsV2", "PutObject"}},
		{"Put", func() { put("/dir/file", "x") }, []string{"HeadObject", "ListObjectsV2", "PutObject"}},
		{"Put in a folder without marker", func() { put("/bare/file", "x") }, []string{"HeadObject", "ListObjectsV2", "ListObjectsV2", "PutObject"}},
		{"Put of 20 MiB", func() { put("/dir/large", strings.Repeat("x", 20<<20)) }, []string{
			"CompleteMultipartUpload", "CreateMultipartUpload", "HeadObject", "HeadObject", "ListObjectsV2", "ListObjectsV2", "UploadPart", "UploadPart",
		}},
		{"Stat of a folder", func() { _, err := b.Stat(ctx, p("/dir")); must(err) }, []string{"ListObjectsV2"}},
		{"Stat of a file", func() { _, err := b.Stat(ctx, p("/file")); must(err) }, []string{"HeadObject", "ListObjectsV2"}},
		{"Stat of nothing", func() { _, _ = b.Stat(ctx, p("/none")) }, []string{"HeadObject", "ListObjectsV2"}},
		{"List of 3 members", func() { _, _, err := b.List(ctx, p("/dir")); must(err) }, []string{"HeadObject", "ListObjectsV2"}},
		{"List of no members", func() { _, _, err := b.List(ctx, p("/dir/sub")); must(err) }, []string{"ListObjectsV2"}},
		{"List of nothing", func() { _, _, _ = b.List(ctx, p("/none")) }, []string{"HeadObject", "ListObjectsV2"}},
		{"Walk", func() { must(b.Walk(ctx, p("/"), func(vpath.Path, backends.Info) error { return nil })) }, []string{"ListObjectsV2"}},
		{"Open", func() { read(t, b, "/file", backends.Range{}) }, []string{"GetObject"}},
		{"Open of a range", func() { read(t, b, "/dir/large", backends.Range{Off: 5 << 20, Len: 10}) }, []string{"GetObject"}},
		{"Open of the end", func() { read(t, b, "/dir/large", backends.Range{Off: -10}) }, []string{"GetObject"}},
		{"Open outside", func() { _, _, _ = b.Open(ctx, p("/file"), backends.Range{Off: 10}) }, []string{"GetObject", "HeadObject"}},
		{"Open of nothing", func() { _, _, _ = b.Open(ctx, p("/none"), backends.Range{}) }, []string{"GetObject", "ListObjectsV2"}},
		{"Copy", func() { _, err := b.Copy(ctx, p("/file"), p("/dir/copy"), backends.Meta{}); must(err) }, []string{"CopyObject", "HeadObject", "HeadObject", "ListObjectsV2"}},
		{"Remove", func() { must(b.Remove(ctx, p("/dir/copy"))) }, []string{"DeleteObject", "HeadObject", "HeadObject", "ListObjectsV2"}},
		{"Remove in the root", func() { must(b.Remove(ctx, p("/file"))) }, []string{"DeleteObject", "HeadObject", "ListObjectsV2"}},
		{"Remove of the last without marker", func() { must(b.Remove(ctx, p("/bare/file"))); must(b.Remove(ctx, p("/bare/only"))) }, []string{
			"DeleteObject", "DeleteObject", "HeadObject", "HeadObject", "HeadObject", "HeadObject",
			"ListObjectsV2", "ListObjectsV2", "ListObjectsV2", "ListObjectsV2", "ListObjectsV2", "PutObject",
		}},
		{"RemoveAll of a tree", func() {
			for path, err := range b.RemoveAll(ctx, []vpath.Path{p("/dir/file"), p("/dir/large"), p("/dir/sub"), p("/dir")}) {
				t.Errorf("RemoveAll: %s: %v", path, err)
			}
		}, []string{"DeleteObjects", "DeleteObjects", "ListObjectsV2"}},
		{"Check", func() { must(b.s.Check(ctx)) }, []string{"HeadBucket"}},
		{"Reap", func() { _, err := b.s.Reap(ctx, b.s.o.Clock()); must(err) }, []string{"ListMultipartUploads", "ListObjectsV2"}},
	} {
		log.take()
		c.do()
		got := log.take()
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("calls of %s differ (-want +got):\n%s", c.what, diff)
		}
	}
}

// read gives the content of a file.
func read(t *testing.T, b *Backend, path string, r backends.Range) string {
	t.Helper()
	rc, _, err := b.Open(t.Context(), vpath.Must(path), r)
	if err != nil {
		t.Fatalf("Open(%s): %v", path, err)
	}
	defer rc.Close()
	data, err := io.ReadAll(rc)
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	return string(data)
}

// TestTenThousandFiles is the PROPFIND of a large folder: Stat and List.
func TestTenThousandFiles(t *testing.T) {
	t.Parallel()
	const files = 10_000
	store := parts.MinIO(t)
	b, log := workspace(t, store, Options{MinIO: true})
	if _, err := b.Mkdir(t.Context(), vpath.Must("/big"), backends.Meta{Creator: "ann"}); err != nil {
		t.Fatal(err)
	}
	plantMany(t, store, b.s.o.Bucket, "firm/big/", files)
	log.take()
	if _, err := b.Stat(t.Context(), vpath.Must("/big")); err != nil {
		t.Fatal(err)
	}
	self, members, err := b.List(t.Context(), vpath.Must("/big"))
	if err != nil {
		t.Fatal(err)
	}
	if calls := log.take(); len(calls) > 12 {
		t.Errorf("%d calls: %v, want 12 at most", len(calls), calls)
	}
	if len(members) != files || self.Creator != "ann" {
		t.Errorf("List gave %d members and the creator %q, want %d and ann", len(members), self.Creator, files)
	}
	for i, m := range members {
		if want := fmt.Sprintf("file %05d", i); m.Name != want || m.Creator != "bob" || m.Size != 1 || m.ETag == "" {
			t.Fatalf("member %d = %+v, want %q by bob", i, m, want)
		}
	}

	seen := 0
	if err := b.Walk(t.Context(), vpath.Must("/big"), func(vpath.Path, backends.Info) error { seen++; return nil }); err != nil {
		t.Fatal(err)
	}
	if calls := log.take(); len(calls) > 11 || seen != files {
		t.Errorf("Walk saw %d files in %d calls, want %d in 11", seen, len(calls), files)
	}
}

// plantMany writes many small objects in a few requests, as a tar that MinIO
// unpacks.
func plantMany(t *testing.T, store parts.S3, bucket, prefix string, n int) {
	t.Helper()
	objects := make(chan minio.SnowballObject)
	go func() {
		defer close(objects)
		for i := range n {
			select {
			case objects <- minio.SnowballObject{
				Key: fmt.Sprintf("%sfile %05d", prefix, i), Size: 1, Content: strings.NewReader("x"),
				Headers: map[string][]string{"X-Amz-Meta-" + metaCreator: {"bob"}},
			}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	if err := store.Client(t).PutObjectsSnowball(t.Context(), bucket, minio.SnowballOptions{InMemory: true}, objects); err != nil {
		t.Fatal(err)
	}
}
