package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"go.uber.org/goleak"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

// noise is a body of n bytes that nobody has in memory. each is called before
// each MiB, with the number of bytes given so far.
type noise struct {
	left, given int64
	random      *rand.ChaCha8
	each        func(given int64) error
}

func newNoise(n int64, each func(given int64) error) *noise {
	return &noise{left: n, random: rand.NewChaCha8([32]byte{1}), each: each}
}

func (n *noise) Read(p []byte) (int, error) {
	if n.left == 0 {
		return 0, io.EOF
	}
	if n.given%(1<<20) == 0 && n.each != nil {
		if err := n.each(n.given); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), n.left, 1<<20-n.given%(1<<20))]
	_, _ = n.random.Read(p)
	n.left -= int64(len(p))
	n.given += int64(len(p))
	return len(p), nil
}

// TestPutMemory is not parallel: it measures the heap of the process.
func TestPutMemory(t *testing.T) {
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, peak := heap(), int64(0)
	body := newNoise(300<<20, func(given int64) error {
		if given%(10<<20) == 0 {
			peak = max(peak, heap())
		}
		return nil
	})
	info, err := b.Put(t.Context(), vpath.Must("/large"), body, backends.PutOptions{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if grown := peak - before; grown > 40<<20 || grown < partSize {
		t.Errorf("the heap grew by %d MiB, want 16 to 40", grown>>20)
	}
	rc, stored, err := b.Open(t.Context(), vpath.Must("/large"), backends.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, rc); err != nil || n != 300<<20 {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != info.SHA256 {
		t.Errorf("content has SHA-256 %s, Put said %s", got, info.SHA256)
	}
	if stored.ETag != info.ETag || stored.SHA256 != "" || !strings.HasSuffix(stored.ETag, "-19") {
		t.Errorf("Open = %+v, want the ETag %s of 19 parts and no SHA-256", stored, info.ETag)
	}
}

// TestBrokenUploadsLeaveNothing breaks uploads at every stage. It is not
// parallel: it counts goroutines.
func TestBrokenUploadsLeaveNothing(t *testing.T) {
	front := spoil(t, parts.MinIO(t))
	b, _ := workspace(t, front.S3, Options{MinIO: true})
	b.s.Close()
	leak := goleak.IgnoreCurrent()
	p := vpath.Must("/file")
	old, err := b.Put(t.Context(), p, strings.NewReader("old"), backends.PutOptions{Size: 3})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("cut")
	cutAt := func(at int64) func(int64) error {
		return func(given int64) error {
			if given == at {
				return broken
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		size   int64
		each   func(int64) error
		o      backends.PutOptions
		cancel int64 // bytes after which ctx ends
		rule   func()
		want   error
	}{
		"small body cut":          {size: 3 << 20, each: cutAt(2 << 20), want: broken},
		"taste cut":               {size: 3 << 20, each: cutAt(0), o: backends.PutOptions{Size: -1}, want: broken},
		"first part cut":          {size: 40 << 20, each: cutAt(12 << 20), want: broken},
		"third part cut":          {size: 60 << 20, each: cutAt(50 << 20), o: backends.PutOptions{Size: -1}, want: broken},
		"cut as net/http does":    {size: 40 << 20, each: func(n int64) error { return eofAt(n, 20<<20) }, want: io.ErrUnexpectedEOF},
		"cancelled":               {size: 60 << 20, cancel: 40 << 20, want: context.Canceled},
		"commit refuses, small":   {size: 1 << 20, o: backends.PutOptions{Commit: func() error { return broken }}, want: broken},
		"commit refuses, large":   {size: 20 << 20, o: backends.PutOptions{Commit: func() error { return broken }}, want: broken},
		"stale condition, large":  {size: 20 << 20, o: backends.PutOptions{If: backends.Condition{ETag: "feed"}}, want: fault.ErrPrecondition},
		"exists already, large":   {size: 20 << 20, o: backends.PutOptions{If: backends.Condition{NotExist: true}}, want: fault.ErrPrecondition},
		"shorter than announced":  {size: 20 << 20, o: backends.PutOptions{Size: 30 << 20}, want: fault.ErrTruncated},
		"longer than announced":   {size: 20 << 20, o: backends.PutOptions{Size: 10 << 20}, want: fault.ErrTruncated},
		"a little too short":      {size: 2 << 20, o: backends.PutOptions{Size: 3 << 20}, want: fault.ErrTruncated},
		"a little too long":       {size: 3 << 20, o: backends.PutOptions{Size: 2 << 20}, want: fault.ErrTruncated},
		"small though announced":  {size: 2 << 20, o: backends.PutOptions{Size: 30 << 20}, want: fault.ErrTruncated},
		"full disk at a part":     {size: 40 << 20, rule: func() { front.on("UploadPart", -1, fail(507, "XMinioStorageFull")) }, want: fault.ErrQuota},
		"full disk at the end":    {size: 20 << 20, rule: func() { front.on("CompleteMultipartUpload", -1, fail(507, "XMinioStorageFull")) }, want: fault.ErrQuota},
		"full disk, small":        {size: 1 << 20, rule: func() { front.on("PutObject", -1, fail(507, "XMinioStorageFull")) }, want: fault.ErrQuota},
		"parts are refused":       {size: 40 << 20, rule: func() { front.on("UploadPart", -1, fail(403, "AccessDenied")) }, want: fault.ErrUnavailable},
		"connections break":       {size: 40 << 20, rule: func() { front.on("UploadPart", -1, cut) }, want: fault.ErrUnavailable},
		"no beginning":            {size: 40 << 20, rule: func() { front.on("CreateMultipartUpload", -1, cut) }, want: fault.ErrUnavailable},
		"no end":                  {size: 20 << 20, rule: func() { front.on("CompleteMultipartUpload", -1, cut) }, want: fault.ErrUnavailable},
		"more than the store has": {size: 1, o: backends.PutOptions{Size: maxSize + 1}, want: fault.ErrTooLarge},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.cancel > 0 {
			c.each = func(given int64) error {
				if given == c.cancel {
					cancel()
				}
				return nil
			}
		}
		if c.o.Size == 0 {
			c.o.Size = c.size
		}
		front.off()
		if c.rule != nil {
			c.rule()
		}
		_, err := b.Put(ctx, p, newNoise(c.size, c.each), c.o)
		cancel()
		front.off()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: Put = %v, want %v", name, err, c.want)
		}
		if now, err := b.Stat(t.Context(), p); err != nil || now.ETag != old.ETag {
			t.Errorf("%s: Stat = %+v, %v, want the old version", name, now, err)
		}
		if left := front.Pending(t, b.s.o.Bucket); len(left) != 0 {
			t.Fatalf("%s: uploads left behind: %q", name, left)
		}
	}
	_ = b.s.Close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, leak, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func eofAt(given, at int64) error {
	if given == at {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// TestBytesAreGuarded: the payload is not signed, its checksum is sent, and a
// byte that changed on the way is refused.
func TestBytesAreGuarded(t *testing.T) {
	t.Parallel()
	for action, size := range map[string]int64{"PutObject": 1000, "UploadPart": 20 << 20} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{MinIO: true})
			front.on(action, -1, func(w http.ResponseWriter, r *http.Request) {
				if h := r.Header.Get("X-Amz-Content-Sha256"); h != "UNSIGNED-PAYLOAD" {
					t.Errorf("payload hash %q, want UNSIGNED-PAYLOAD", h)
				}
				if r.Header.Get("X-Amz-Checksum-Crc32c") == "" {
					t.Error("no CRC32C")
				}
				data, err := io.ReadAll(r.Body)
				if err != nil {
					return // given up, because the other part was refused already
				}
				data[0] ^= 1
				r.Body = io.NopCloser(bytes.NewReader(data))
				front.next.ServeHTTP(w, r)
			})
			if _, err := b.Put(t.Context(), vpath.Must("/file"), newNoise(size, nil), backends.PutOptions{Size: size}); !errors.Is(err, fault.ErrUnavailable) {
				t.Errorf("Put of a spoiled body = %v, want ErrUnavailable", err)
			}
			front.off()
			if _, members, err := b.List(t.Context(), vpath.Must("/")); err != nil || len(members) != 0 {
				t.Errorf("List = %v, %v, want nothing", members, err)
			}
		})
	}
}

// TestUploadsShareTheBudget: more uploads than the budget has room for wait for
// each other, and all end.
func TestUploadsShareTheBudget(t *testing.T) {
	t.Parallel()
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true, Budget: backends.NewBudget(40 << 20)})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			p := vpath.Must(fmt.Sprintf("/file %d", i))
			if _, err := b.Put(t.Context(), p, newNoise(20<<20, nil), backends.PutOptions{Size: -1}); err != nil {
				t.Errorf("Put = %v", err)
			}
		})
	}
	wg.Wait()
}

// TestRcloneReadsOurTimes looks at the object as another tool does.
func TestRcloneReadsOurTimes(t *testing.T) {
	t.Parallel()
	store := parts.MinIO(t)
	b, _ := workspace(t, store, Options{MinIO: true})
	_, err := b.Put(t.Context(), vpath.Must("/a.txt"), strings.NewReader("x"), backends.PutOptions{
		Size: 1, Meta: backends.Meta{Creator: "yaml:Zoë", ModTime: time.Unix(1700000000, 123456789), ContentType: "text/plain"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := store.Client(t).StatObject(t.Context(), b.s.o.Bucket, "firm/a.txt", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := minio.StringMap{
		"Mtime":           "1700000000.123456789",
		"Portico-Creator": "yaml:Zo%C3%AB",
		"Portico-Sha256":  "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
	}
	if diff := cmp.Diff(want, o.UserMetadata); diff != "" || o.ContentType != "text/plain" {
		t.Errorf("object has the type %q, and metadata that differ (-want +got):\n%s", o.ContentType, diff)
	}
}

// The folder that a file goes into, and the file's own name, are looked at when
// Commit has agreed, which may have waited for whoever made or removed a folder
// there. A file beside a folder of its name would be acknowledged and seen by
// nobody.
func TestPutLooksAfterCommit(t *testing.T) {
	t.Parallel()
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true})
	if _, err := b.Mkdir(t.Context(), vpath.Must("/dir"), backends.Meta{}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{10, singleMax + 1} {
		name := vpath.Must(fmt.Sprintf("/taken %d", size))
		_, err := b.Put(t.Context(), name, newNoise(size, nil), backends.PutOptions{Size: size, Commit: func() error {
			_, err := b.Mkdir(t.Context(), name, backends.Meta{})
			return err
		}})
		if !errors.Is(err, fault.ErrIsDir) {
			t.Errorf("put %d bytes where a folder came: %v, want %v", size, err, fault.ErrIsDir)
		}
	}
	_, err := b.Put(t.Context(), vpath.Must("/dir/a"), newNoise(10, nil), backends.PutOptions{Size: 10, Commit: func() error {
		return b.Remove(t.Context(), vpath.Must("/dir"))
	}})
	if !errors.Is(err, fault.ErrNoParent) {
		t.Errorf("put into a folder that went: %v, want %v", err, fault.ErrNoParent)
	}
}
