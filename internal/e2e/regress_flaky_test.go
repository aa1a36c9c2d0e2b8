package e2e

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"

	"portico/internal/parts"
)

// The rows are those of the defects that show when the storage fails in the middle.

// flaky stands between a server and MinIO and spoils what a test tells it to.
type flaky struct {
	*server
	spoil atomic.Pointer[func(http.ResponseWriter, *http.Request) (done bool)]
	calls atomic.Int64 // that changed something
}

// startFlaky runs the standard server over MinIO behind a flaky.
func startFlaky(t *testing.T) *flaky {
	t.Helper()
	m := parts.MinIO(t)
	target, err := url.Parse(m.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil := f.spoil.Load(); spoil != nil && (*spoil)(w, r) {
			return
		}
		if r.Method != "GET" && r.Method != "HEAD" {
			f.calls.Add(1)
		}
		proxy.ServeHTTP(w, r)
	})}
	go server.Serve(l) //nolint:errcheck // ends with the test
	t.Cleanup(func() { server.Close() })
	f.server = start(t, storage{"flaky", func(t *testing.T) string {
		return strings.Replace(inBucket(t, m), m.Endpoint, "http://"+l.Addr().String(), 1)
	}})
	return f
}

// spoiled runs f while the calls that match are spoilt.
func (f *flaky) spoiled(matches func(*http.Request) bool, how http.HandlerFunc, run func()) {
	f.t.Helper()
	var hit atomic.Bool
	spoil := func(w http.ResponseWriter, r *http.Request) bool {
		if !matches(r) {
			return false
		}
		hit.Store(true)
		how(w, r)
		return true
	}
	f.spoil.Store(&spoil)
	run()
	f.spoil.Store(nil)
	if !hit.Load() {
		f.t.Error("no call was spoilt: the test tests nothing")
	}
}

// away answers as a store that is overloaded.
func away(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusServiceUnavailable)
}

// TestRow5_LockInDoubt locks a file while the storage does not say whether it is
// there.
func TestRow5_LockInDoubt(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	f.do("bob", "PUT", "/dav/firm/f", "bytes").want(201)
	before := f.calls.Load()
	for name, how := range map[string]http.HandlerFunc{
		"overloaded": away,
		"cut":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"refused":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	} {
		f.spoiled(func(r *http.Request) bool { return r.Method == "HEAD" || r.Method == "GET" }, how, func() {
			a := f.do("bob", "LOCK", "/dav/firm/f", lockBody)
			if a.status < 500 {
				t.Errorf("LOCK while the storage is %s: %d, want 5xx; %s", name, a.status, a.body)
			}
		})
	}
	if n := f.calls.Load() - before; n != 0 {
		t.Errorf("LOCK made %d changes in the storage", n)
	}
	f.do("bob", "PROPFIND", "/dav/firm/f", propfindOf("<D:lockdiscovery/>"), "Depth", "0").want(207).lacks("activelock")
	f.holds("/dav/firm/f", "bytes")
}

// TestRow9_ListingIsNeverCutShort breaks the storage's answer in the middle of a
// listing: an error is told, and never a short list.
func TestRow9_ListingIsNeverCutShort(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	f.do("bob", "MKCOL", "/dav/firm/d", "").want(201)
	for i := range 5 {
		f.do("bob", "PUT", fmt.Sprintf("/dav/firm/d/%d", i), "x").want(201)
	}
	for name, how := range map[string]http.HandlerFunc{
		"overloaded": away,
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>`+
				`<Contents><Key>firm/d/0</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag></Contents>`)
		},
	} {
		f.spoiled(func(r *http.Request) bool { return r.URL.Query().Has("list-type") }, how, func() {
			if a := f.do("bob", "PROPFIND", "/dav/firm/d", "", "Depth", "1"); a.status < 500 || strings.Contains(a.body, "multistatus") {
				t.Errorf("a listing that is %s: %d, want 5xx without a list; %s", name, a.status, a.body)
			}
			if a := f.do("bob", "DELETE", "/dav/firm/d", ""); a.status < 500 {
				t.Errorf("DELETE over a listing that is %s: %d, want 5xx", name, a.status)
			}
		})
	}
	if n := strings.Count(f.do("bob", "PROPFIND", "/dav/firm/d", "", "Depth", "1").want(207).body, "<D:response>"); n != 6 {
		t.Errorf("%d entries afterwards, want 6", n)
	}
}

// TestRow11_FailedCopyKeepsTheOld fails the storage's copy under COPY and MOVE:
// what was to be replaced is there as it was, and so is the source.
func TestRow11_FailedCopyKeepsTheOld(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	f.do("bob", "MKCOL", "/dav/firm/src", "").want(201)
	f.do("bob", "MKCOL", "/dav/firm/dst", "").want(201)
	files := map[string]string{"/src/a": "new a", "/src/b": "new b", "/dst/a": "old a", "/dst/c": "old c", "/file": "new", "/old": "old"}
	for path, text := range files {
		f.do("bob", "PUT", "/dav/firm"+path, text).want(201)
	}
	copies := func(r *http.Request) bool { return r.Header.Get("X-Amz-Copy-Source") != "" }
	for _, method := range []string{"COPY", "MOVE"} {
		for src, dst := range map[string]string{"/src": "/dst", "/file": "/old"} {
			f.spoiled(copies, away, func() {
				if a := f.do("bob", method, "/dav/firm"+src, "", "Destination", f.dav(dst), "Overwrite", "T"); a.status < 500 && a.status != 207 {
					t.Errorf("%s that fails: %d, want 5xx or 207; %s", a.what, a.status, a.body)
				}
			})
			for path, text := range files {
				f.holds("/dav/firm"+path, text)
			}
		}
	}
}

// TestRow11_ImpatientClient goes away in the middle of a MOVE, which is done all
// the same: never is half of a tree here and half there.
func TestRow11_ImpatientClient(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	f.do("bob", "MKCOL", "/dav/firm/src", "").want(201)
	for i := range 6 {
		f.do("bob", "PUT", fmt.Sprintf("/dav/firm/src/%d", i), "x").want(201)
	}
	ctx, leave := context.WithCancel(t.Context())
	spoil := func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("X-Amz-Copy-Source") != "" {
			leave() // at the first copy
		}
		return false
	}
	f.spoil.Store(&spoil)
	r, err := http.NewRequestWithContext(ctx, "MOVE", f.dav("/src"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Destination", f.dav("/dst"))
	r.SetBasicAuth("bob", password)
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
	}
	if ctx.Err() == nil {
		t.Fatal("the client did not leave: the test tests nothing")
	}
	eventually(t, "the tree has arrived as a whole", func() bool {
		return f.do("bob", "PROPFIND", "/dav/firm/src", "", "Depth", "0").status == 404 &&
			strings.Count(f.do("bob", "PROPFIND", "/dav/firm/dst", "", "Depth", "1").body, "<D:response>") == 7
	})
}

// stuck runs f while the object whose name ends so cannot be deleted, alone or among
// others, which can.
func (f *flaky) stuck(name string, run func()) {
	f.t.Helper()
	store := parts.MinIO(f.t).Client(f.t)
	var hit atomic.Bool
	spoil := func(w http.ResponseWriter, r *http.Request) bool {
		many := r.Method == http.MethodPost && r.URL.Query().Has("delete")
		if !many {
			return r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, name) && refuseDelete(w, &hit)
		}
		var list struct {
			Keys []string `xml:"Object>Key"`
		}
		if xml.NewDecoder(r.Body).Decode(&list) != nil {
			return false
		}
		var answer strings.Builder
		answer.WriteString(`<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
		for _, key := range list.Keys {
			if strings.HasSuffix(key, name) {
				hit.Store(true)
				fmt.Fprintf(&answer, "<Error><Key>%s</Key><Code>SlowDown</Code><Message>busy</Message></Error>", key)
				continue
			}
			if err := store.RemoveObject(r.Context(), strings.Trim(r.URL.Path, "/"), key, minio.RemoveObjectOptions{}); err != nil {
				f.t.Error(err)
			}
			fmt.Fprintf(&answer, "<Deleted><Key>%s</Key></Deleted>", key)
		}
		_, _ = io.WriteString(w, answer.String()+"</DeleteResult>")
		return true
	}
	f.spoil.Store(&spoil)
	run()
	f.spoil.Store(nil)
	if !hit.Load() {
		f.t.Error("nothing was stuck: the test tests nothing")
	}
}

func refuseDelete(w http.ResponseWriter, hit *atomic.Bool) bool {
	hit.Store(true)
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}
