package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/internal/parts"
	"portico/vpath"
)

// TestConditionOfLargeUploads is the trap of minio-go's own PutObject: the
// condition is judged when the upload begins, and a file that is made
// meanwhile overwritten.
func TestConditionOfLargeUploads(t *testing.T) {
	t.Parallel()
	for _, isMinIO := range []bool{true, false} {
		t.Run(fmt.Sprintf("minio=%v", isMinIO), func(t *testing.T) {
			t.Parallel()
			store := parts.MinIO(t)
			mine, _ := workspace(t, store, Options{MinIO: isMinIO})
			other := openStorage(t, store, Options{MinIO: isMinIO, Bucket: mine.s.o.Bucket}) // another replica
			theirs, err := other.At(vpath.Must("/firm"))
			if err != nil {
				t.Fatal(err)
			}
			p := vpath.Must("/new")
			body := newNoise(20<<20, func(given int64) error {
				if given != 10<<20 {
					return nil
				}
				_, err := theirs.Put(t.Context(), p, strings.NewReader("quick"), backends.PutOptions{Size: 5})
				return err
			})
			_, err = mine.Put(t.Context(), p, body, backends.PutOptions{Size: 20 << 20, If: backends.Condition{NotExist: true}})
			if !errors.Is(err, fault.ErrPrecondition) {
				t.Errorf("Put = %v, want ErrPrecondition", err)
			}
			if got := read(t, mine, "/new", backends.Range{}); got != "quick" {
				t.Errorf("content has %d bytes, want the other's", len(got))
			}
		})
	}
}

// TestLargeWritersRace sends multipart uploads with one condition at once.
func TestLargeWritersRace(t *testing.T) {
	t.Parallel()
	b, _ := workspace(t, parts.MinIO(t), Options{MinIO: true})
	var won []string
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			info, err := b.Put(t.Context(), vpath.Must("/one"), newNoise(9<<20, nil), backends.PutOptions{Size: -1, If: backends.Condition{NotExist: true}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, info.ETag)
			} else if !errors.Is(err, fault.ErrPrecondition) {
				t.Errorf("Put = %v", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d writers won, want 1", len(won))
	}
	if left := parts.MinIO(t).Pending(t, b.s.o.Bucket); len(left) != 0 {
		t.Errorf("uploads left behind: %q", left)
	}
}

// TestStoreWithoutConditions: two writers of one process, and a store that
// ignores the headers or refuses them.
func TestStoreWithoutConditions(t *testing.T) {
	t.Parallel()
	for name, ignore := range map[string]bool{"ignores": true, "refuses": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{})
			rule := func(_ string, w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("If-None-Match")+r.Header.Get("If-Match") == "" {
					return false
				}
				if ignore {
					// A signed header cannot be taken away, but a plain client
					// can do what such a store would.
					data, _ := io.ReadAll(r.Body)
					up, err := parts.MinIO(t).Client(t).PutObject(r.Context(), b.s.o.Bucket, strings.TrimPrefix(r.URL.Path, "/"+b.s.o.Bucket+"/"),
						bytes.NewReader(data), int64(len(data)), "", "", minio.PutObjectOptions{})
					if err != nil {
						t.Error(err)
					}
					w.Header().Set("ETag", `"`+up.ETag+`"`)
					return true
				}
				fail(501, "NotImplemented")(w, r)
				return true
			}
			front.rule.Store(&rule)
			won := 0
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					text := fmt.Sprint("writer ", i)
					_, err := b.Put(t.Context(), vpath.Must("/new"), strings.NewReader(text), backends.PutOptions{
						Size: int64(len(text)), If: backends.Condition{NotExist: true},
					})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won++
					} else if !errors.Is(err, fault.ErrPrecondition) {
						t.Errorf("Put = %v", err)
					}
				})
			}
			wg.Wait()
			if won != 1 {
				t.Errorf("%d writers won, want 1", won)
			}
		})
	}
}

// TestLostAnswers: the store did it, and nobody heard.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action string
		size   int64
		o      backends.PutOptions
	}{
		"small":            {"PutObject", 100, backends.PutOptions{}},
		"small, new":       {"PutObject", 100, backends.PutOptions{If: backends.Condition{NotExist: true}}},
		"small, with meta": {"PutObject", 100, backends.PutOptions{Meta: backends.Meta{Creator: "ann", ModTime: time.Unix(1, 0)}}},
		"large":            {"CompleteMultipartUpload", 20 << 20, backends.PutOptions{}},
		"large, new":       {"CompleteMultipartUpload", 20 << 20, backends.PutOptions{If: backends.Condition{NotExist: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, log := workspace(t, front.S3, Options{MinIO: true})
			c.o.Size = c.size
			front.on(c.action, 1, front.lose)
			info, err := b.Put(t.Context(), vpath.Must("/file"), newNoise(c.size, nil), c.o)
			if err != nil {
				t.Fatalf("Put = %v, want the file that is there", err)
			}
			if n := strings.Count(strings.Join(log.take(), " "), c.action); n != 1 {
				t.Errorf("%d requests to publish, want 1", n)
			}
			stat, err := b.Stat(t.Context(), vpath.Must("/file"))
			if diff := cmp.Diff(stat, info); err != nil || diff != "" {
				t.Errorf("Put told another version (-stat +put):\n%s, %v", diff, err)
			}
		})
	}
}

// TestStumblingStore answers 503, or cuts, and then does what is asked.
func TestStumblingStore(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"HeadObject", "ListObjectsV2", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject", "GetObject", "DeleteObject"} {
		for name, stumble := range map[string]func(http.ResponseWriter, *http.Request){"SlowDown": fail(503, "SlowDown"), "cut": cut} {
			t.Run(action+" "+name, func(t *testing.T) {
				t.Parallel()
				front := spoil(t, parts.MinIO(t))
				b, _ := workspace(t, front.S3, Options{MinIO: true})
				front.on(action, 2, stumble)
				for path, size := range map[string]int64{"/small": 10, "/large": 20 << 20} {
					o := backends.PutOptions{Size: size, If: backends.Condition{NotExist: true}}
					if _, err := b.Put(t.Context(), vpath.Must(path), newNoise(size, nil), o); err != nil {
						t.Fatalf("Put(%s) = %v", path, err)
					}
				}
				if got := read(t, b, "/large", backends.Range{}); len(got) != 20<<20 {
					t.Errorf("content has %d bytes", len(got))
				}
				if err := b.Remove(t.Context(), vpath.Must("/small")); err != nil {
					t.Errorf("Remove = %v", err)
				}
			})
		}
	}
}

// TestLostAnswerAfterTheEnd: the answer was lost, and when that shows, the caller's
// context has ended, and with it what kept others away. What they have put there
// meanwhile is not replaced by the older file.
func TestLostAnswerAfterTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action string
		size   int64
	}{"small": {"PutObject", 100}, "large": {"CompleteMultipartUpload", 20 << 20}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := spoil(t, parts.MinIO(t))
			b, _ := workspace(t, front.S3, Options{MinIO: true})
			ctx, end := context.WithCancel(t.Context())
			defer end()
			front.on(c.action, 1, func(http.ResponseWriter, *http.Request) {
				end()
				_, err := b.Put(t.Context(), vpath.Must("/file"), strings.NewReader("newer"), backends.PutOptions{Size: 5}) //nolint:contextcheck // another caller's
				if err != nil {
					t.Errorf("Put = %v", err)
				}
				panic(http.ErrAbortHandler)
			})
			if _, err := b.Put(ctx, vpath.Must("/file"), newNoise(c.size, nil), backends.PutOptions{Size: c.size}); err == nil {
				t.Error("Put = nil, though nobody knows what became of it")
			}
			if stat, err := b.Stat(t.Context(), vpath.Must("/file")); err != nil || stat.Size != 5 {
				t.Errorf("Stat = %d bytes, %v, want the newer file", stat.Size, err)
			}
		})
	}
}
