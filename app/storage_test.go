package app

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/backends"
	"portico/backends/all"
	"portico/backends/local"
	"portico/backends/s3"
	"portico/config"
)

// TestDriverOptions wants each key of the config to reach its driver.
func TestDriverOptions(t *testing.T) {
	budget := backends.NewBudget(uploadBudget)
	bucket := func(change func(*config.S3)) *config.S3 {
		c := &config.S3{
			Endpoint: &url.URL{Scheme: "https", Host: "minio.example:9000"}, Bucket: "documents", Prefix: "a/b/", Region: "eu-west-1",
			AccessKey: "key", SecretKey: config.NewSecret("secret"),
		}
		change(c)
		return c
	}
	options := func(change func(*s3.Options)) all.Options {
		o := &s3.Options{
			Endpoint: "https://minio.example:9000", Bucket: "documents", Prefix: "a/b/", Region: "eu-west-1",
			AccessKey: "key", SecretKey: "secret", Budget: budget,
		}
		change(o)
		return all.Options{S3: o}
	}
	for _, c := range []struct {
		name string
		in   config.Storage
		want all.Options
	}{
		{"local", config.Storage{Type: "local", Local: &config.Local{Path: "data/files"}}, all.Options{Local: &local.Options{Dir: "data/files"}}},
		{"s3", config.Storage{Type: "s3", S3: bucket(func(*config.S3) {})}, options(func(*s3.Options) {})},
		{"s3 with path_style", config.Storage{Type: "s3", S3: bucket(func(c *config.S3) { c.PathStyle = true })}, options(func(o *s3.Options) { o.PathStyle = true })},
		{"minio", config.Storage{Type: "minio", S3: bucket(func(c *config.S3) { c.PathStyle = true })}, options(func(o *s3.Options) { o.MinIO, o.PathStyle = true, true })},
		{"minio without path_style", config.Storage{Type: "minio", S3: bucket(func(*config.S3) {})}, options(func(o *s3.Options) { o.MinIO = true })},
	} {
		calls := 0
		got := driverOptions(c.in, budget, time.Now, slog.New(slog.DiscardHandler), func(backends.Call) { calls++ })
		ignore := cmp.Options{
			cmpopts.IgnoreFields(local.Options{}, "Rand", "Clock", "OnCall"), cmpopts.IgnoreFields(s3.Options{}, "Clock", "OnCall", "Log"),
			cmp.Comparer(func(a, b *backends.Budget) bool { return a == b }),
		}
		if d := cmp.Diff(c.want, got, ignore); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if got.Local != nil {
			got.Local.OnCall(backends.Call{})
		} else {
			got.S3.OnCall(backends.Call{})
		}
		if calls != 1 {
			t.Errorf("%s: the calls are not told", c.name)
		}
	}
}

// TestStorageAway starts over a bucket that does not exist: the server serves,
// is not ready, and its log says what to do.
func TestStorageAway(t *testing.T) {
	store := noBucket(t)
	h := start(t, "{type: local, path: DIR/files}", `{type: minio, endpoint: "`+store+`", bucket: documents, access_key: key, secret_key: canary-secret}`)
	eventually(t, "the log names the bucket", func() bool { return strings.Contains(h.log.String(), `bucket \"documents\" does not exist`) })
	if status, text := h.do("GET", "/readyz", "", ""); status != 503 || !strings.Contains(text, "storage disk: unavailable") {
		t.Errorf("readyz: %d, %s", status, text)
	}
	if status, text := h.do("GET", "/dav/firm/a", "", password); status != 503 || strings.Contains(text, "127.0.0.1") {
		t.Errorf("GET: %d, %s", status, text)
	}
	if status, _ := h.do("PROPFIND", "/dav/", "", password, "Depth", "1"); status == 404 {
		t.Error("the drive is gone while its storage is away")
	}
	if strings.Contains(h.log.String(), "canary-secret") {
		t.Errorf("the log has the secret:\n%s", h.log)
	}
}
