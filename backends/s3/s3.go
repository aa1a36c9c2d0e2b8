// Package s3 keeps files as plain objects in MinIO or another S3 store.
//
// A file /Clients/Acme/a.txt of the workspace firm is the object
// {prefix}firm/Clients/Acme/a.txt. A folder exists if any key begins with its
// name and a slash; Mkdir makes a zero-byte object of just that name, the
// marker, and whoever takes the last thing out of a folder without a marker
// leaves one behind. So any other S3 tool can read and write the bucket.
//
// # What an operation costs
//
// In calls to the store; those in brackets run side by side.
//
//	Stat      folder 1 (LIST), file or nothing 2 (LIST, HEAD)
//	List      1 per 1,000 members, + 1 if there are none, + 1 HEAD for each of up to 64
//	          subfolders. type s3: + 1 HEAD for each member, 16 at once
//	Walk      1 per 1,000 keys. type s3: + 1 HEAD for each key
//	Open      1 (GET); 2 where there is no file (LIST) or no such range (HEAD)
//	Put       [LIST of the name, HEAD of the parent's marker], 1; above 8 MiB the two in brackets
//	          twice, before and after the body, and 2 + 1 per 16 MiB. A parent without marker
//	          costs a LIST more, the workspace's root a HEAD less. type s3 with a condition: + 1 HEAD
//	Mkdir     as Put of a small file, + 1 HEAD
//	Remove    as Stat, 1, 1 HEAD of the parent's marker; up to 3 more if that has none
//	Copy      1 HEAD, the two of Put, 1; above 128 MiB 2 + 1 per 64 MiB
//	RemoveAll 1 LIST per 1,000 keys of each topmost folder, 1 DELETE per 1,000 keys,
//	          1 HEAD for each topmost path's parent
//
// # What the store must do, and what happens where it does not
//
// Conditions (PutOptions.If) are sent with the publishing request: MinIO and
// AWS check them at the moment of publication. Stores of type s3 may ignore
// the headers without a word. There, each conditional write of this process
// also takes a lock on its key and asks HEAD first: of two writers of one
// process one fails, of two processes both may win if the store ignores it.
//
// MinIO gives user metadata with a listing. Other stores do not: then List and
// Walk ask HEAD for each object, because a right limited to what the caller
// made (list:own) must not be guessed.
//
// A file's time is the client's (mtime), else that of Portico's clock when it
// took the file (portico-taken), else the store's. A copy, and so a move, keeps it.
//
// The SHA-256 of a file up to 8 MiB is in its user metadata. That of a larger
// one is known only when its metadata was sent long ago: Put returns it and
// nothing stores it. A copy of the object onto itself could, at the cost of
// moving all its bytes again and of a second version.
//
// In a bucket with versions a folder whose objects were all deleted may stay in
// MinIO's listings (minio#17810). Stat, which looks for a living key, says that
// it does not exist; List leaves it out where it looks at the subfolders.
//
// Where a foreign tool made a file and a folder of one name, Stat and List
// show the folder. Open, which makes one call, still reads the file. What lies
// below the name of a file ("a/b" beside "a"), MinIO keeps and lists nowhere.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Options describe one bucket, or the part of it below Prefix.
type Options struct {
	Endpoint  string // "https://minio.example:9000"; a path is refused
	Bucket    string
	Prefix    string // folder inside the bucket that is the storage's top; "" for the bucket
	Region    string // "us-east-1" if empty: MinIO's own, and the wrong one for most of AWS
	AccessKey string
	SecretKey string
	PathStyle bool   // the bucket stands in the path of requests, not in the host
	CAFile    string // PEM file of authorities to trust beside the system's

	// MinIO tells that the store is MinIO (type: minio): it lists metadata and
	// honours conditions.
	MinIO bool

	Budget *backends.Budget // memory for all uploads of the process
	Clock  func() time.Time

	OnCall func(backends.Call) // hears of each HTTP request, if set
	Log    *slog.Logger        // for what no caller can be told; nil for none
}

// Storage is one bucket, or a part of it.
type Storage struct {
	o      Options
	prefix string // "" or ends in a slash

	// idem sends requests that may be sent twice, again and again with jitter
	// where the store stumbles; once sends those that may not.
	idem, once *minio.Core
	transport  *http.Transport

	buffers sync.Pool // of *[]byte, partSize long
	locks   keyLocks
	limits  limits

	versions atomic.Int32 // see isVersioned
}

// limits are constants but for tests, which cannot copy 5 GiB.
type limits struct {
	copyWhole int64 // larger files are copied in parts
	copyPart  int64
}

// Open checks the options and makes a Storage. It does not ask the store
// anything: Portico starts while its store is away, and works when it is back.
// See Check.
func Open(_ context.Context, o Options) (*Storage, error) {
	u, prefix, err := o.validate()
	if err != nil {
		return nil, fmt.Errorf("s3: open: %w", err)
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Storage{o: o, prefix: prefix, limits: limits{copyWhole: 128 << 20, copyPart: 64 << 20}}
	s.buffers.New = func() any { b := make([]byte, partSize); return &b }
	if s.transport, err = newTransport(o.CAFile); err != nil {
		return nil, fmt.Errorf("s3: open: %w", err)
	}
	if s.idem, err = s.client(u, retries); err != nil {
		return nil, fmt.Errorf("s3: open: %w", err)
	}
	if s.once, err = s.client(u, 1); err != nil {
		return nil, fmt.Errorf("s3: open: %w", err)
	}
	return s, nil
}

func (s *Storage) client(u *url.URL, attempts int) (*minio.Core, error) {
	lookup := minio.BucketLookupAuto
	if s.o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	return minio.NewCore(u.Host, &minio.Options{
		BucketLookup: lookup,
		Creds:        credentials.NewStaticV4(s.o.AccessKey, s.o.SecretKey, ""),
		Secure:       u.Scheme == "https",
		Region:       s.o.Region, // set, so that no call is spent on asking for it
		Transport:    &tracer{next: s.transport, bucket: s.o.Bucket, onCall: s.o.OnCall, clock: s.o.Clock},
		MaxRetries:   attempts,
	})
}

// validate finds all that is wrong with the options.
func (o *Options) validate() (endpoint *url.URL, prefix string, err error) {
	var errs []error
	must := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New(what))
		}
	}
	u, err := url.Parse(o.Endpoint)
	must(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == "" && u.User == nil,
		`endpoint must be a URL such as "https://minio.example:9000", without a path or a password`)
	must(o.Bucket != "", "bucket is empty: name the bucket that holds the files")
	must(o.AccessKey != "" && o.SecretKey != "", "access_key and secret_key must both be set")
	must(o.Budget != nil, "there is no memory budget")
	must(o.Clock != nil, "there is no clock")
	p, err := vpath.Parse("/" + strings.Trim(o.Prefix, "/"))
	must(err == nil && p.Top() != backends.Reserved, `prefix must be a plain folder name such as "team/files", and not .portico`)
	if !p.IsRoot() {
		prefix = p.String()[1:] + "/"
	}
	return u, prefix, errors.Join(errs...)
}

// At is the tree below root.
func (s *Storage) At(root vpath.Path) (backends.Backend, error) {
	if root.Top() == backends.Reserved {
		return nil, fmt.Errorf("s3: at %s: %w", root, errReserved())
	}
	b := &Backend{s: s, base: s.prefix, top: root.IsRoot()}
	if !root.IsRoot() {
		b.base += root.String()[1:] + "/"
	}
	return b, nil
}

// Check asks for the bucket.
func (s *Storage) Check(ctx context.Context) error {
	inner, w := watch(ctx, quick)
	defer w.stop()
	ok, err := s.idem.BucketExists(inner, s.o.Bucket)
	if err == nil && !ok {
		err = minio.ErrorResponse{Code: minio.NoSuchBucket, StatusCode: http.StatusNotFound}
	}
	if err != nil {
		return fmt.Errorf("s3: check: %w", s.fault(ctx, inner, err))
	}
	return nil
}

// Close drops the connections.
func (s *Storage) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

func errReserved() error {
	return fault.Tell(fs.ErrPermission, "The name %s is kept for Portico itself.", backends.Reserved)
}
