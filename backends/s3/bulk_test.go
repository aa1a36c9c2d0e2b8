package s3

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

// TestCopyInParts copies above a threshold that a test can pay for.
func TestCopyInParts(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(testing.TB) parts.S3{"minio": parts.MinIO, "versitygw": parts.VersityGW} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, log := workspace(t, store(t), Options{MinIO: name == "minio"})
			b.s.limits = limits{copyWhole: 5 << 20, copyPart: 5 << 20}
			meta := backends.Meta{Creator: "ann", ModTime: time.Unix(1700000000, 5).UTC(), ContentType: "video/mp4"}
			const size = 12<<20 + 1
			if _, err := b.Put(t.Context(), vpath.Must("/a"), newNoise(size, nil), backends.PutOptions{Size: size, Meta: meta}); err != nil {
				t.Fatal(err)
			}
			log.take()
			info, err := b.Copy(t.Context(), vpath.Must("/a"), vpath.Must("/b"), backends.Meta{Creator: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(strings.Join(log.take(), " "), "UploadPartCopy"); n != 3 {
				t.Errorf("%d parts, want 3", n)
			}
			meta.Creator = "bob"
			stat, err := b.Stat(t.Context(), vpath.Must("/b"))
			if diff := cmp.Diff(stat, info); err != nil || diff != "" || stat.Meta != meta || stat.Size != size {
				t.Errorf("Stat = %+v, %v, want %+v; Copy differs (-stat +copy):\n%s", stat, err, meta, diff)
			}
			if read(t, b, "/a", backends.Range{}) != read(t, b, "/b", backends.Range{}) {
				t.Error("the copy has other bytes")
			}
		})
	}
}

// TestCopyOfAChangingSource replaces the source while it is copied: the copy is
// one version, and its Info that version's.
func TestCopyOfAChangingSource(t *testing.T) {
	t.Parallel()
	for action, whole := range map[string]int64{"CopyObject": 100 << 20, "UploadPartCopy": 5 << 20} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{MinIO: true})
			b.s.limits = limits{copyWhole: whole, copyPart: 5 << 20}
			p := vpath.Must("/a")
			if _, err := b.Put(t.Context(), p, newNoise(11<<20, nil), backends.PutOptions{Size: 11 << 20}); err != nil {
				t.Fatal(err)
			}
			front.on(action, 1, func(w http.ResponseWriter, r *http.Request) {
				front.off()
				if err := putText(r.Context(), b, "/a", "the new version", backends.Condition{}); err != nil {
					t.Error(err)
				}
				front.next.ServeHTTP(w, r)
			})
			info, err := b.Copy(t.Context(), p, vpath.Must("/b"), backends.Meta{})
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, b, "/b", backends.Range{}); got != "the new version" || info.Size != int64(len(got)) {
				t.Errorf("the copy has %d bytes, and Info %+v", len(got), info)
			}
			if left := front.Pending(t, b.s.o.Bucket); len(left) != 0 {
				t.Errorf("uploads left behind: %q", left)
			}
		})
	}
}

// TestCopyKeepsForeignHeaders copies another tool's object, with a change.
func TestCopyKeepsForeignHeaders(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	_, err := store.Client(t).PutObject(t.Context(), b.s.o.Bucket, "firm/a", strings.NewReader("x"), 1, "", "", minio.PutObjectOptions{
		ContentType: "text/html", CacheControl: "no-cache", ContentDisposition: "attachment", ContentLanguage: "nl", ContentEncoding: "identity",
		UserMetadata: map[string]string{"Invoice": "2026-17", metaModTime: "1500000000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1600000000, 0)
	if _, err := b.Copy(t.Context(), vpath.Must("/a"), vpath.Must("/a"), backends.Meta{ModTime: at}); err != nil { // onto itself
		t.Fatal(err)
	}
	o, err := store.Client(t).StatObject(t.Context(), b.s.o.Bucket, "firm/a", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"type": o.ContentType, "cache": o.Metadata.Get("Cache-Control"), "disposition": o.Metadata.Get("Content-Disposition"),
		"language": o.Metadata.Get("Content-Language"), "encoding": o.Metadata.Get("Content-Encoding"),
		"invoice": o.UserMetadata["Invoice"], "mtime": o.UserMetadata["Mtime"],
	}
	want := map[string]string{
		"type": "text/html", "cache": "no-cache", "disposition": "attachment", "language": "nl", "encoding": "identity",
		"invoice": "2026-17", "mtime": "1600000000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}

// TestTimesSurviveAMove: a move is a copy here, and must not make a file look new.
func TestTimesSurviveAMove(t *testing.T) {
	t.Parallel()
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true})
	now := time.Date(2026, 5, 4, 3, 2, 1, 5, time.UTC)
	b.s.o.Clock = func() time.Time { return now }
	put, err := b.Put(t.Context(), vpath.Must("/a"), strings.NewReader("x"), backends.PutOptions{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	b.s.o.Clock = func() time.Time { return now.Add(time.Hour) }
	for _, m := range []backends.Meta{{}, {Creator: "bob"}} {
		info, err := b.Copy(t.Context(), vpath.Must("/a"), vpath.Must("/b"), m)
		if err != nil || !info.ModTime.Equal(now) || !put.ModTime.Equal(now) || !info.Meta.ModTime.IsZero() {
			t.Errorf("Copy = %+v, %v, want the time %v, which is not the client's", info, err, now)
		}
	}
}

func TestReap(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(testing.TB) parts.S3{"minio": parts.MinIO, "versitygw": parts.VersityGW} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := workspace(t, store(t), Options{MinIO: name == "minio", Prefix: "team"})
			c := store(t).Client(t)
			for _, key := range []string{"team/firm/dir/a", "team/firm/b", "other/c", "teams"} {
				id, err := c.NewMultipartUpload(t.Context(), b.s.o.Bucket, key, minio.PutObjectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.PutObjectPart(t.Context(), b.s.o.Bucket, key, id, 1, strings.NewReader("part"), 4, minio.PutObjectPartOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := b.s.Reap(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
				t.Errorf("Reap of an hour ago = %d, %v, want none", n, err)
			}
			if n, err := b.s.Reap(t.Context(), time.Now().Add(time.Hour)); n != 2 || err != nil {
				t.Errorf("Reap = %d, %v, want 2", n, err)
			}
			left := strings.Join(store(t).Pending(t, b.s.o.Bucket), " ")
			if strings.Contains(left, "team/") || !strings.Contains(left, "other/c") || !strings.Contains(left, "teams") {
				t.Errorf("left: %q, want those of others", left)
			}
		})
	}
}

// TestRemoveAllLeavesWhatItWasNotGiven: a folder into which something came
// meanwhile stays, with its marker, and so do the folders above it.
func TestRemoveAllLeavesWhatItWasNotGiven(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	for _, dir := range []string{"/a", "/a/b", "/a/c", "/d"} {
		if _, err := b.Mkdir(t.Context(), vpath.Must(dir), backends.Meta{Creator: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"firm/a/b/x", "firm/a/b/late", "firm/a/c/y", "firm/a/c", "firm/e/f"} { // a/c is a twin
		plantObject(t, store, b.s.o.Bucket, key, "x")
	}
	var given []vpath.Path
	for _, path := range []string{"/a/b/x", "/a/b", "/a/c/y", "/a/c", "/a", "/d", "/e/f", "/gone", "/"} {
		given = append(given, vpath.Must(path))
	}
	got := map[string]bool{}
	for p, err := range b.RemoveAll(t.Context(), given) {
		got[p.String()] = true
		if !p.IsRoot() && !errors.Is(err, fault.ErrNotEmpty) {
			t.Errorf("RemoveAll: %s: %v, want ErrNotEmpty", p, err)
		}
	}
	if diff := cmp.Diff(map[string]bool{"/a/b": true, "/a": true, "/": true}, got); diff != "" {
		t.Errorf("what stays differs (-want +got):\n%s", diff)
	}
	var keys []string
	for o := range store.Client(t).Client.ListObjects(t.Context(), b.s.o.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		keys = append(keys, o.Key)
	}
	if diff := cmp.Diff([]string{"firm/a/", "firm/a/b/", "firm/a/b/late", "firm/a/c", "firm/e/"}, keys); diff != "" {
		t.Errorf("keys differ (-want +got):\n%s", diff)
	}
}

// TestRemoveAllTellsWhatFailed: a file that the store will not delete, an answer
// that leaves names out, and none at all.
func TestRemoveAllTellsWhatFailed(t *testing.T) {
	t.Parallel()
	const head = `<?xml version="1.0"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
	answer := func(body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(head + body + "</DeleteResult>")) }
	}
	for name, c := range map[string]struct {
		rule func(http.ResponseWriter, *http.Request)
		want map[string]error
	}{
		"refused":  {answer(`<Deleted><Key>firm/a/x</Key></Deleted><Error><Key>firm/a/y</Key><Code>AccessDenied</Code><Message>no</Message></Error>`), map[string]error{"/a/y": fault.ErrUnavailable, "/a": fault.ErrNotEmpty}},
		"left out": {answer(`<Deleted><Key>firm/a/x</Key></Deleted>`), map[string]error{"/a/y": fault.ErrUnavailable, "/a": fault.ErrNotEmpty}},
		"garbled":  {answer(`<Deleted>`), map[string]error{"/a/x": fault.ErrUnavailable, "/a/y": fault.ErrUnavailable, "/a": fault.ErrNotEmpty}},
		"denied":   {fail(403, "AccessDenied"), map[string]error{"/a/x": fault.ErrUnavailable, "/a/y": fault.ErrUnavailable, "/a": fault.ErrNotEmpty}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{MinIO: true})
			for _, key := range []string{"firm/a/", "firm/a/x", "firm/a/y"} {
				plantObject(t, parts.MinIO(t), b.s.o.Bucket, key, "x")
			}
			front.on("DeleteObjects", -1, c.rule)
			got := b.RemoveAll(t.Context(), []vpath.Path{vpath.Must("/a/x"), vpath.Must("/a/y"), vpath.Must("/a")})
			if len(got) != len(c.want) {
				t.Errorf("RemoveAll = %v, want %v", got, c.want)
			}
			for path, want := range c.want {
				if err := got[vpath.Must(path)]; !errors.Is(err, want) {
					t.Errorf("RemoveAll: %s: %v, want %v", path, err, want)
				}
			}
		})
	}
}

func TestRemoveAllWithACancelledContext(t *testing.T) {
	t.Parallel()
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true})
	if err := putText(t.Context(), b, "/a", "x", backends.Condition{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.RemoveAll(ctx, []vpath.Path{vpath.Must("/a")})[vpath.Must("/a")]; !errors.Is(err, context.Canceled) {
		t.Errorf("RemoveAll = %v, want context.Canceled", err)
	}
	if got := read(t, b, "/a", backends.Range{}); got != "x" {
		t.Errorf("content = %q", got)
	}
}
