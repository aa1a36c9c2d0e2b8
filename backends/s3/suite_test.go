package s3

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/backends/backendtest"
	"portico/internal/parts"
	"portico/vpath"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func TestContractOnMinIO(t *testing.T) {
	t.Parallel()
	contract(t, parts.MinIO(t), true)
}

// TestContractAsPlainS3 runs MinIO as any other store: no metadata in listings,
// conditions not trusted.
func TestContractAsPlainS3(t *testing.T) {
	t.Parallel()
	contract(t, parts.MinIO(t), false)
}

func TestContractOnVersityGW(t *testing.T) {
	t.Parallel()
	contract(t, parts.VersityGW(t), false)
}

func contract(t *testing.T, store parts.S3, isMinIO bool) {
	t.Helper()
	plant := func(t *testing.T, s backends.Storage, name, content string) {
		t.Helper()
		plantObject(t, store, s.(*Storage).o.Bucket, name, content)
	}
	again := func(t *testing.T, s backends.Storage) backends.Storage {
		t.Helper()
		again, err := Open(t.Context(), storeOptions(store, Options{MinIO: isMinIO, Bucket: s.(*Storage).o.Bucket}))
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	backendtest.RunWith(t, backendtest.Options{Plant: plant, Again: again, MaxFolder: 245}, func(t *testing.T) backends.Storage {
		t.Helper()
		s := openStorage(t, store, Options{MinIO: isMinIO})
		// At cannot make the folder of a workspace, as it asks the store nothing;
		// the suite looks for it from the storage's top.
		plantObject(t, store, s.o.Bucket, "suite/", "")
		return s
	})
}

// plantObject writes an object as another tool would.
func plantObject(t *testing.T, store parts.S3, bucket, key, content string) {
	t.Helper()
	_, err := store.Client(t).PutObject(t.Context(), bucket, key, strings.NewReader(content), int64(len(content)), "", "", minio.PutObjectOptions{})
	if err != nil {
		t.Fatalf("PutObject(%q): %v", key, err)
	}
}

// buckets numbers the buckets of the process, one for each test.
var buckets atomic.Int64

// openStorage opens a fresh bucket, or o.Bucket.
func openStorage(t *testing.T, store parts.S3, o Options) *Storage {
	t.Helper()
	if o.Bucket == "" {
		o.Bucket = fmt.Sprintf("test-%d", buckets.Add(1))
		store.MakeBucket(t, o.Bucket)
	}
	s, err := Open(t.Context(), storeOptions(store, o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// storeOptions fills in what a store needs.
func storeOptions(store parts.S3, o Options) Options {
	o.Endpoint, o.AccessKey, o.SecretKey, o.Clock = store.Endpoint, store.AccessKey, store.SecretKey, time.Now
	if o.Budget == nil {
		o.Budget = backends.NewBudget(256 << 20)
	}
	return o
}

// workspace opens a Backend on a fresh bucket, with the calls that it makes.
func workspace(t *testing.T, store parts.S3, o Options) (*Backend, *calls) {
	t.Helper()
	log := &calls{}
	o.OnCall = log.add
	b, err := openStorage(t, store, o).At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	return b.(*Backend), log
}

// calls remembers the names of requests.
type calls struct {
	mu    sync.Mutex
	names []string
}

func (c *calls) add(call backends.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, call.Name)
}

// take gives the calls since the last time.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	return names
}
