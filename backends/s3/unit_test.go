package s3

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"pgregory.net/rapid"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// TestTimesAreRclones holds the form against what rclone writes.
func TestTimesAreRclones(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"1700000000.123456789": time.Unix(1700000000, 123456789),
		"1700000000.5":         time.Unix(1700000000, 500000000),
		"1700000000":           time.Unix(1700000000, 0),
		"0":                    time.Unix(0, 0),
		"0.000000001":          time.Unix(0, 1),
		"-1.5":                 time.Unix(-2, 500000000),
		"-0.25":                time.Unix(-1, 750000000),
		"-86400":               time.Unix(-86400, 0),
	} {
		if got := formatTime(at); got != want {
			t.Errorf("formatTime(%v) = %q, want %q", at, got, want)
		}
		if got := parseTime(want); !got.Equal(at) {
			t.Errorf("parseTime(%q) = %v, want %v", want, got, at)
		}
	}
	for _, bad := range []string{"", ".", "x", "1.x", "--1", "1e9", " 1", "99999999999999999999", "1.2.3"} {
		if got := parseTime(bad); !got.IsZero() {
			t.Errorf("parseTime(%q) = %v, want none", bad, got)
		}
	}
	if got, want := parseTime("1.1234567899"), time.Unix(1, 123456789); !got.Equal(want) {
		t.Errorf("ten decimals give %v, want %v", got, want)
	}
}

func TestMetadataComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := backends.Meta{
			Creator:     rapid.String().Draw(t, "creator"),
			ModTime:     time.Unix(rapid.Int64Range(-1<<35, 1<<35).Draw(t, "sec"), rapid.Int64Range(0, 1e9-1).Draw(t, "nsec")).UTC(),
			SHA256:      rapid.StringMatching(`([0-9a-f]{64})?`).Draw(t, "sha"),
			ContentType: rapid.SampledFrom([]string{"text/plain", "application/octet-stream"}).Draw(t, "type"),
		}
		user := userMetadata(want, time.Unix(1, 0))
		shouted := map[string]string{}
		for key, value := range user {
			for _, c := range value {
				if c <= ' ' || c > '~' {
					t.Fatalf("%s = %q is no header value", key, value)
				}
			}
			shouted[http.CanonicalHeaderKey(key)] = value
		}
		got, taken := readMetadata(shouted, want.ContentType)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("metadata differs (-want +got):\n%s", diff)
		}
		if !taken.IsZero() {
			t.Fatalf("taken = %v beside the client's time", taken)
		}
	})
}

func TestMalformedMetadataIsAbsent(t *testing.T) {
	t.Parallel()
	got, taken := readMetadata(map[string]string{
		metaCreator: "%zz", metaModTime: "yesterday", metaSHA256: "beef", metaTaken: "now", "other": "x",
	}, typeUnknown)
	if (got != backends.Meta{}) || !taken.IsZero() {
		t.Errorf("readMetadata = %+v, %v, want nothing", got, taken)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]backends.Range{
		"":            {},
		"bytes=0-0":   {Len: 1},
		"bytes=0-9":   {Len: 10},
		"bytes=5-":    {Off: 5},
		"bytes=5-5":   {Off: 5, Len: 1},
		"bytes=-7":    {Off: -7},
		"bytes=-8":    {Off: -8, Len: 3},
		"bytes=10-29": {Off: 10, Len: 20},
	} {
		o, err := rangeOptions(r)
		if got := o.Header().Get("Range"); err != nil || got != want {
			t.Errorf("rangeOptions(%+v) = %q, %v, want %q", r, got, err, want)
		}
	}
	for _, r := range []backends.Range{{Off: 1, Len: -1}, {Off: 1 << 62, Len: 1 << 62}} {
		if _, err := rangeOptions(r); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("rangeOptions(%+v) = %v, want fs.ErrInvalid", r, err)
		}
	}
}

func TestTotalSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		r      backends.Range
		length int64
		size   int64
		err    error
	}{
		{"bytes 0-9/100", backends.Range{Len: 10}, 10, 100, nil},
		{"bytes 95-99/100", backends.Range{Off: -5}, 5, 100, nil},
		{"", backends.Range{Len: 10}, 7, 7, nil},                // all of a short file
		{"", backends.Range{Off: -10}, 7, 7, nil},               // the same
		{"", backends.Range{Len: 10}, 0, 0, fault.ErrRange},     // an empty file
		{"", backends.Range{Off: 3}, 100, 0, errAny},            // the range was ignored
		{"bytes 0-9/*", backends.Range{Len: 10}, 10, 0, errAny}, // no size
		{"bytes 0-4/100", backends.Range{Len: 10}, 5, 0, errAny},
	} {
		size, err := totalSize(http.Header{"Content-Range": {c.header}}, c.r, c.length)
		if c.err == errAny { //nolint:errorlint // a mark
			c.err = fault.ErrUnavailable
		}
		if size != c.size || !errors.Is(err, c.err) {
			t.Errorf("totalSize(%q, %+v, %d) = %d, %v, want %d, %v", c.header, c.r, c.length, size, err, c.size, c.err)
		}
	}
}

var errAny = errors.New("any")

func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, header, want string }{
		{"HEAD", "/docs/", "", "HeadBucket"},
		{"HEAD", "/docs/docs", "", "HeadObject"},
		{"GET", "/docs/?list-type=2", "", "ListObjectsV2"},
		{"GET", "/docs/?uploads=", "", "ListMultipartUploads"},
		{"GET", "/docs/?versioning=", "", "GetBucketVersioning"},
		{"GET", "/docs/", "", "GetBucket"},
		{"GET", "/docs/a/b", "", "GetObject"},
		{"PUT", "/docs/a", "", "PutObject"},
		{"PUT", "/docs/a", "X-Amz-Copy-Source", "CopyObject"},
		{"PUT", "/docs/a?partNumber=1", "", "UploadPart"},
		{"PUT", "/docs/a?partNumber=1", "X-Amz-Copy-Source", "UploadPartCopy"},
		{"POST", "/docs/a?uploads=", "", "CreateMultipartUpload"},
		{"POST", "/docs/a?uploadId=1", "", "CompleteMultipartUpload"},
		{"POST", "/docs/?delete=", "", "DeleteObjects"},
		{"DELETE", "/docs/a", "", "DeleteObject"},
		{"DELETE", "/docs/a?uploadId=1", "", "AbortMultipartUpload"},
		{"PATCH", "/docs/a", "", "PATCH"},
	} {
		u, err := url.Parse("http://s3.example" + c.target)
		if err != nil {
			t.Fatal(err)
		}
		req := &http.Request{Method: c.method, URL: u, Header: http.Header{}}
		req.Header.Set(cmpOr(c.header, "X-None"), "/docs/b")
		if got := action(req, "docs"); got != c.want {
			t.Errorf("action(%s %s) = %q, want %q", c.method, c.target, got, c.want)
		}
	}
	virtual := &url.URL{Scheme: "https", Host: "docs.s3.amazonaws.com", Path: "/docs"}
	if got := action(&http.Request{Method: "HEAD", URL: virtual}, "docs"); got != "HeadObject" {
		t.Errorf("action of a virtual host's object = %q, want HeadObject", got)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := &Storage{o: Options{Bucket: "docs", Endpoint: "http://minio.example:9000", Region: "us-east-1"}}
	for _, c := range []struct {
		code   string
		status int
		want   error
		says   string
	}{
		{"NoSuchKey", 404, fs.ErrNotExist, ""},
		{"PreconditionFailed", 412, fault.ErrPrecondition, ""},
		{"ConditionalRequestConflict", 409, fault.ErrPrecondition, ""},
		{"InvalidRange", 416, fault.ErrRange, ""},
		{"XMinioStorageFull", 507, fault.ErrQuota, ""},
		{"QuotaExceeded", 403, fault.ErrQuota, ""},
		{"Whatever", 507, fault.ErrQuota, ""},
		{"EntityTooLarge", 400, fault.ErrTooLarge, ""},
		{"KeyTooLongError", 400, fs.ErrInvalid, "refuses this name"},
		{"ExistingObjectIsDirectory", 409, fault.ErrIsDir, ""},
		{"ObjectParentIsFile", 409, fault.ErrNotDir, ""},
		{"DirectoryNotEmpty", 409, fault.ErrNotEmpty, ""},
		{"NoSuchBucket", 404, fault.ErrUnavailable, `bucket "docs" does not exist at http://minio.example:9000`},
		{"AccessDenied", 403, fault.ErrUnavailable, "check access_key"},
		{"SignatureDoesNotMatch", 403, fault.ErrUnavailable, "check access_key"},
		{"AuthorizationHeaderMalformed", 400, fault.ErrUnavailable, "set region"},
		{"RequestTimeTooSkewed", 403, fault.ErrUnavailable, "clocks"},
		{"SlowDown", 503, fault.ErrUnavailable, ""},
		{"404 Not Found", 404, fault.ErrUnavailable, ""}, // a proxy's, not the store's
		{"", 0, fault.ErrUnavailable, ""},
	} {
		err := s.fault(t.Context(), t.Context(), minio.ErrorResponse{Code: c.code, StatusCode: c.status})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error()+fault.Told(err), c.says) {
			t.Errorf("fault(%s) = %v, want %v with %q", c.code, err, c.want, c.says)
		}
		if c.want != fs.ErrNotExist && errors.Is(err, fs.ErrNotExist) { //nolint:errorlint // the table's own value
			t.Errorf("fault(%s) = %v looks like a missing file", c.code, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.fault(cancelled, cancelled, context.Canceled); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("fault of a cancelled ctx = %v, want context.Canceled alone", err)
	}
	if err := s.fault(t.Context(), cancelled, context.Canceled); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, context.Canceled) {
		t.Errorf("fault of our own cancelling = %v, want ErrUnavailable alone", err)
	}
}

func TestOpenRefusesBadOptions(t *testing.T) {
	t.Parallel()
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Options{
		Endpoint: "http://127.0.0.1:1", Bucket: "docs", AccessKey: "a", SecretKey: "very-secret", Clock: time.Now, Budget: backends.NewBudget(1),
	}
	for says, change := range map[string]func(*Options){
		"endpoint must":  func(o *Options) { o.Endpoint = "minio.example:9000" },
		"endpoint must ": func(o *Options) { o.Endpoint = "http://host/path" },
		"a password":     func(o *Options) { o.Endpoint = "http://ann:pw@host" },
		"bucket":         func(o *Options) { o.Bucket = "" },
		"access_key":     func(o *Options) { o.AccessKey = "" },
		"secret_key":     func(o *Options) { o.SecretKey = "" },
		"memory budget":  func(o *Options) { o.Budget = nil },
		"clock":          func(o *Options) { o.Clock = nil },
		"prefix":         func(o *Options) { o.Prefix = "a//b" },
		".portico":       func(o *Options) { o.Prefix = ".portico" },
		"ca_file":        func(o *Options) { o.CAFile = filepath.Join(t.TempDir(), "none") },
		"no certificate": func(o *Options) { o.CAFile = noPEM },
	} {
		o := good
		change(&o)
		_, err := Open(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(says)) {
			t.Errorf("Open = %v, want an error about %q", err, says)
			continue
		}
		if strings.Contains(err.Error(), "very-secret") || strings.Contains(err.Error(), ":pw@") {
			t.Errorf("Open tells a secret: %v", err)
		}
	}
	_, err := Open(t.Context(), Options{})
	for _, says := range []string{"endpoint", "bucket", "access_key", "budget", "clock"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Open of nothing = %v, want all faults at once, %q too", err, says)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, root, path, key, folder string }{
		{"", "/", "/a/b", "a/b", "a/b/"},
		{"", "/", "/", "", ""},
		{"", "/firm", "/a", "firm/a", "firm/a/"},
		{"", "/firm", "/", "firm/", "firm/"},
		{"team/x", "/firm", "/a", "team/x/firm/a", "team/x/firm/a/"},
		{"/team/", "/", "/a", "team/a", "team/a/"},
	} {
		s, err := Open(t.Context(), Options{
			Endpoint: "http://127.0.0.1:1", Bucket: "docs", Prefix: c.prefix, AccessKey: "a", SecretKey: "b", Clock: time.Now, Budget: backends.NewBudget(1),
		})
		if err != nil {
			t.Fatal(err)
		}
		at, err := s.At(vpath.Must(c.root))
		if err != nil {
			t.Fatal(err)
		}
		b, p := at.(*Backend), vpath.Must(c.path)
		if b.key(p) != c.key || b.folder(p) != c.folder {
			t.Errorf("keys of %s in %q%s = %q, %q, want %q, %q", c.path, c.prefix, c.root, b.key(p), b.folder(p), c.key, c.folder)
		}
	}
}

func TestKeyLocks(t *testing.T) {
	t.Parallel()
	var l keyLocks
	var wg sync.WaitGroup
	counts := map[string]*int{"a": new(int), "b": new(int)}
	for i := range 200 {
		wg.Go(func() {
			key := []string{"a", "b"}[i%2]
			unlock, err := l.lock(t.Context(), key)
			if err != nil {
				t.Error(err)
				return
			}
			*counts[key]++ // the race detector is the judge
			unlock()
		})
	}
	wg.Wait()
	if *counts["a"] != 100 || *counts["b"] != 100 || len(l.keys) != 0 {
		t.Errorf("counts %d and %d, %d locks left, want 100, 100, 0", *counts["a"], *counts["b"], len(l.keys))
	}
	unlock, err := l.lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.lock(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("lock with a cancelled ctx = %v", err)
	}
	unlock()
	if len(l.keys) != 0 {
		t.Errorf("%d locks left", len(l.keys))
	}
}

func TestWatcher(t *testing.T) {
	t.Parallel()
	ctx, w := watch(t.Context(), 20*time.Millisecond)
	defer w.stop()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, errStalled) {
		t.Errorf("cause = %v, want errStalled", cause)
	}
	ctx, w = watch(t.Context(), time.Hour)
	w.hold()
	w.kick()
	w.stop()
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		t.Error("a request that was over counts as stalled")
	}
}
