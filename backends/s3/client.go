package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"portico/backends"
)

// retries is how often an idempotent request is sent. minio-go waits between
// them for a random part of 0.2, 0.4, 0.8 and 1 s: an outage is an error after
// about a second and a half.
const retries = 4

// How long a request may make no progress, its retries included.
const (
	quick  = 9 * time.Second  // HEAD, LIST, the headers of a GET: so a store that hangs is an error within 10 s
	upload = 30 * time.Second // since the last bytes were taken: the disk may be busy
	slow   = 5 * time.Minute  // the store works on its own: copies, the end of a multipart upload
)

// newTransport is one pool of connections. Compression is off, as the bytes of
// a file must not be touched; HTTP/2 is off, as one connection would carry all.
func newTransport(caFile string) (*http.Transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pem, err := os.ReadFile(caFile) //nolint:gosec // named by the admin
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
			conf.RootCAs = x509.NewCertPool()
		}
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no certificate in PEM form", caFile)
		}
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer(&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}),
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     60 * time.Second,
		DisableCompression:  true,
		WriteBufferSize:     64 << 10,
		ReadBufferSize:      64 << 10,
	}, nil
}

// errStalled ends a request that makes no progress.
var errStalled = errors.New("the store does not answer")

// watcher cancels a context when nothing has happened for a while.
type watcher struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// watch gives ctx a watcher. The caller stops it when the request is over.
func watch(ctx context.Context, limit time.Duration) (context.Context, *watcher) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() {
		cancel(fmt.Errorf("%w for %v", errStalled, limit))
	})
	return ctx, &watcher{limit: limit, timer: timer, cancel: cancel}
}

// kick tells of progress, and starts a watcher that is held.
func (w *watcher) kick() { w.timer.Reset(w.limit) }

// hold stops the time while the store is not the one to wait for.
func (w *watcher) hold() { w.timer.Stop() }

func (w *watcher) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// tracer tells of each HTTP request.
type tracer struct {
	next   http.RoundTripper
	bucket string
	onCall func(backends.Call)
	clock  func() time.Time
}

// RoundTrip sends one request.
func (t *tracer) RoundTrip(req *http.Request) (*http.Response, error) {
	name, start := action(req, t.bucket), t.clock()
	req, err := fence(req, name)
	if err != nil {
		return nil, err
	}
	resp, err := send(t.next, req)
	if err == nil && strings.HasPrefix(name, "List") {
		resp, err = onlyXML(resp)
	}
	if t.onCall == nil {
		return resp, err
	}
	call := backends.Call{Name: name, Err: err, Took: t.clock().Sub(start)}
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		call.Err = callFault(resp.StatusCode)
	}
	t.onCall(call)
	return resp, err
}

// onlyXML refuses the page of a proxy that stands where a listing should: read
// as one, it would be a listing of nothing, and a folder look empty.
func onlyXML(resp *http.Response) (*http.Response, error) {
	kind := resp.Header.Get("Content-Type")
	if resp.StatusCode != http.StatusOK || strings.Contains(kind, "xml") {
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, fmt.Errorf("a listing came as %q, not as XML: is there a proxy between?", kind)
}

// action is S3's own name for a request.
func action(req *http.Request, bucket string) string {
	q := req.URL.Query()
	path := strings.TrimPrefix(req.URL.Path, "/")
	if rest, ok := strings.CutPrefix(path, bucket); ok && !strings.HasPrefix(req.URL.Host, bucket+".") {
		path = strings.TrimPrefix(rest, "/")
	}
	switch req.Method {
	case http.MethodHead:
		if path == "" {
			return "HeadBucket"
		}
		return "HeadObject"
	case http.MethodGet:
		return getAction(q, path)
	case http.MethodPut:
		return putAction(q, req.Header)
	case http.MethodPost:
		return postAction(q)
	case http.MethodDelete:
		if q.Has("uploadId") {
			return "AbortMultipartUpload"
		}
		return "DeleteObject"
	}
	return req.Method
}

func getAction(q url.Values, path string) string {
	switch {
	case q.Has("list-type"):
		return "ListObjectsV2"
	case q.Has("uploads"):
		return "ListMultipartUploads"
	case q.Has("versioning"):
		return "GetBucketVersioning"
	case path == "":
		return "GetBucket"
	}
	return "GetObject"
}

func putAction(q url.Values, h http.Header) string {
	isCopy := h.Get("X-Amz-Copy-Source") != ""
	switch {
	case q.Has("partNumber") && isCopy:
		return "UploadPartCopy"
	case q.Has("partNumber"):
		return "UploadPart"
	case isCopy:
		return "CopyObject"
	}
	return "PutObject"
}

func postAction(q url.Values) string {
	switch {
	case q.Has("delete"):
		return "DeleteObjects"
	case q.Has("uploads"):
		return "CreateMultipartUpload"
	}
	return "CompleteMultipartUpload"
}
