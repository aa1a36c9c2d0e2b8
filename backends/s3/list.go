package s3

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

const (
	pageSize = 1000 // what S3 gives at most
	parallel = 16   // calls side by side

	// subfolders is up to how many a listing asks for what their markers say
	// (creator, time). More would cost more than the listing: Stat tells.
	subfolders = 64
)

// errEnough ends a scan early.
var errEnough = errors.New("enough")

// List is one listing of a folder.
func (b *Backend) List(ctx context.Context, p vpath.Path) (backends.Info, []backends.Info, error) {
	l, err := b.list(ctx, p, b.s.o.MinIO)
	if isGarbled(err) {
		l, err = b.list(ctx, p, false)
	}
	if err == nil && !l.exists {
		err = b.notFolder(ctx, p)
	}
	if err != nil {
		return backends.Info{}, nil, fmt.Errorf("s3: list %s: %w", p, err)
	}
	l.self.Name, l.self.Dir = p.Name(), true
	return l.self, l.members, nil
}

// notFolder is the error for a path with no key below it.
func (b *Backend) notFolder(ctx context.Context, p vpath.Path) error {
	if p.IsRoot() {
		return nil
	}
	if b.reserved(p) {
		return fs.ErrNotExist
	}
	if _, err := b.s.head(ctx, b.key(p)); err != nil {
		return err
	}
	return fault.ErrNotDir
}

// listing is a folder as it comes in.
type listing struct {
	b       *Backend
	p       vpath.Path
	prefix  string
	rich    bool // entries come with their metadata
	exists  bool
	self    backends.Info
	members []backends.Info
}

func (b *Backend) list(ctx context.Context, p vpath.Path, rich bool) (*listing, error) {
	l := &listing{b: b, p: p, prefix: b.folder(p), rich: rich}
	if b.reserved(p) {
		return l, nil
	}
	err := b.s.scan(ctx, minio.ListObjectsOptions{Prefix: l.prefix, MaxKeys: pageSize, WithMetadata: rich}, l.add(ctx))
	if err != nil {
		return nil, err
	}
	if err := l.complete(ctx); err != nil {
		return nil, err
	}
	l.sort()
	return l, nil
}

// add takes one entry: the folder's marker, a member, or the prefix of a
// subfolder, which ends in a slash.
func (l *listing) add(ctx context.Context) func(minio.ObjectInfo) error {
	return func(o minio.ObjectInfo) (err error) {
		l.exists = true
		name, isDir := strings.CutSuffix(strings.TrimPrefix(o.Key, l.prefix), "/")
		switch {
		case o.Key == l.prefix:
			if l.rich {
				l.self = asFolder("", listedInfo("", o))
				return nil
			}
			marker, err := l.b.s.marker(ctx, o)
			l.self = asFolder("", marker)
			return err
		case l.b.top && l.p.IsRoot() && name == backends.Reserved:
			return nil
		}
		l.members = append(l.members, l.entry(name, isDir, o))
		return nil
	}
}

func (l *listing) entry(name string, isDir bool, o minio.ObjectInfo) backends.Info {
	if _, ok := member(l.p, name); !ok {
		return foreign(name, isDir)
	}
	if isDir {
		return backends.Info{Name: name, Dir: true}
	}
	return listedInfo(name, o)
}

// complete asks for what the listing did not tell: of files where the store
// gives no metadata, and of subfolders.
func (l *listing) complete(ctx context.Context) error {
	dirs := 0
	for _, m := range l.members {
		if m.Dir && m.Foreign == "" {
			dirs++
		}
	}
	var ask []*backends.Info
	for i := range l.members {
		m := &l.members[i]
		if m.Foreign == "" && (!l.rich || m.Dir && dirs <= subfolders) {
			ask = append(ask, m)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	err := each(ctx, len(ask), func(ctx context.Context, i int) error { return l.ask(ctx, ask[i]) })
	l.members = slices.DeleteFunc(l.members, func(m backends.Info) bool { return m == backends.Info{} })
	return err
}

// ask completes one member. One that is gone meanwhile becomes the zero Info.
func (l *listing) ask(ctx context.Context, m *backends.Info) error {
	key := l.prefix + m.Name
	if m.Dir {
		key += "/"
	}
	o, err := l.b.s.head(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist) && m.Dir:
		alive, err := l.b.s.isAlive(ctx, key)
		if err == nil && !alive {
			*m = backends.Info{}
		}
		return err
	case errors.Is(err, fs.ErrNotExist):
		*m = backends.Info{}
		return nil
	case err != nil:
		return err
	case m.Dir:
		*m = asFolder(m.Name, fileInfo("", o))
	default:
		*m = fileInfo(m.Name, o)
	}
	return nil
}

// sort orders by name and drops a file that has a folder's name.
func (l *listing) sort() {
	slices.SortFunc(l.members, func(a, b backends.Info) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Foreign, b.Foreign), folderFirst(a, b))
	})
	l.members = slices.CompactFunc(l.members, func(a, b backends.Info) bool {
		return a.Foreign == "" && b.Foreign == "" && a.Name == b.Name
	})
}

func folderFirst(a, b backends.Info) int {
	switch {
	case a.Dir == b.Dir:
		return 0
	case a.Dir:
		return -1
	}
	return 1
}

// isAlive tells whether a prefix that MinIO listed holds any object that lives:
// in a bucket with versions, one whose objects were all deleted stays in the
// listings (minio#17810). Without versions the listing is right.
func (s *Storage) isAlive(ctx context.Context, prefix string) (bool, error) {
	if !s.isVersioned(ctx) {
		return true, nil
	}
	keys, err := s.keys(ctx, prefix, 1)
	return len(keys) > 0, err
}

// Answers of isVersioned, kept for the life of the process.
const (
	versionsUnknown = iota
	versionsNone
	versionsKept
)

// isVersioned asks once whether the bucket keeps versions. A store that does
// not know the question, or does not let us ask, is taken for one without.
func (s *Storage) isVersioned(ctx context.Context) bool {
	if known := s.versions.Load(); known != versionsUnknown {
		return known == versionsKept
	}
	inner, w := watch(ctx, quick)
	defer w.stop()
	conf, err := s.idem.GetBucketVersioning(inner, s.o.Bucket)
	answer := int32(versionsNone)
	switch {
	case err == nil && conf.Status != "":
		answer = versionsKept
	case err != nil && errors.Is(s.fault(ctx, inner, err), fault.ErrUnavailable) && inner.Err() != nil:
		return false // no answer: ask again next time
	}
	s.versions.Store(answer)
	return answer == versionsKept
}

// scan calls visit for each entry of a listing, page by page.
//
// MinIO writes the names of user metadata as XML elements, and a foreign tool
// may have chosen one that XML does not allow ("a!b"). Then the page cannot be
// read, and isGarbled tells the caller to list without metadata.
func (s *Storage) scan(ctx context.Context, o minio.ListObjectsOptions, visit func(minio.ObjectInfo) error) error {
	inner, w := watch(ctx, quick)
	defer w.stop()
	o.FetchOwner = new(bool) // no: it makes a page a third longer
	for entry := range s.idem.ListObjectsIter(inner, s.o.Bucket, o) {
		w.hold()
		if entry.Err != nil {
			if o.WithMetadata && isGarbled(entry.Err) && inner.Err() == nil {
				return entry.Err
			}
			return s.fault(ctx, inner, entry.Err)
		}
		if err := visit(entry); err != nil {
			return err
		}
		w.kick()
	}
	// A cancelled listing just ends (minio-go, listObjectsV2).
	return s.fault(ctx, inner, inner.Err())
}

func isGarbled(err error) bool {
	_, ok := errors.AsType[*xml.SyntaxError](err)
	return ok
}

// each runs do for 0…n-1, some side by side, and stops at the first error.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range n {
		g.Go(func() error {
			if gctx.Err() != nil {
				return gctx.Err()
			}
			return do(gctx, i)
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
