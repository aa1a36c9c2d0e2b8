// Package backends holds the contract between Portico and whatever stores the
// files: a folder on disk (local), MinIO or another S3 store (s3), or memory
// (mem, for tests).
//
// A driver is dumb: it stores and finds. Rights, locks, conditions between
// several paths, content types, quotas and audit live in package files, the
// only caller. backendtest.Run is the suite that each driver passes.
package backends

import (
	"context"
	"io"
	"time"

	"portico/vpath"
)

// Reserved is the folder at a storage's top that belongs to Portico: temporary
// files and side stores. No Backend lists it or reaches into it.
const Reserved = ".portico"

// Storage is one entry of the config's storage section, opened.
type Storage interface {
	// At is the tree below root, a folder of the storage; the root of vpath
	// serves the whole storage. The folder itself always exists for its Backend.
	At(root vpath.Path) (Backend, error)

	// Check answers nil if the storage can be read and written now, else an
	// error that wraps fault.ErrUnavailable. It costs one cheap call.
	Check(ctx context.Context) error

	// Reap removes what uploads that began before the given time have left
	// behind (temporary files, open multipart uploads) and tells how many.
	Reap(ctx context.Context, before time.Time) (int, error)

	// Close ends background work and drops connections. No Backend of this
	// storage may be used after it.
	Close() error
}

// Backend is one workspace's tree of files. Paths are inside the workspace; the
// root is a folder that always exists and cannot be removed. All methods may be
// called at once from many goroutines.
//
// Errors are those of package fault and io/fs, wrapped. A store that is away,
// refuses the credentials or answers nonsense is fault.ErrUnavailable, never
// fs.ErrNotExist: a missing answer must not look like a missing file.
// A cancelled ctx gives ctx.Err(). A fence in ctx is asked right before each step
// that others could see, as late as can be; what it refuses is not done, and its
// error is the call's, or fault.ErrUnavailable.
type Backend interface {
	// Stat describes a file or folder. fs.ErrNotExist if there is none, also
	// where an element above it is a file.
	Stat(ctx context.Context, p vpath.Path) (Info, error)

	// List is one listing of a folder: the folder itself, as Stat describes it,
	// and all its members sorted by name, or an error. The folder's own Info
	// comes out of the same calls to the store (a marker object stands in the
	// listing). fs.ErrNotExist as for Stat, fault.ErrNotDir for a file. Where the
	// store holds a file and a folder of one name, the folder wins.
	List(ctx context.Context, p vpath.Path) (self Info, members []Info, err error)

	// Open reads a file, or r of it. Info.Size is the size of the whole file,
	// and Info describes the very version that the reader gives. The caller
	// closes the reader. fault.ErrIsDir for a folder; fault.ErrRange, with Info
	// filled in, for a range outside the file.
	Open(ctx context.Context, p vpath.Path, r Range) (io.ReadCloser, Info, error)

	// Put stores body as p, durably, and replaces a file that is there.
	// Nothing can be seen of it before body has ended with io.EOF and
	// o.Commit has agreed; any other error of body, of Commit or of the
	// store, and a cancelled ctx, leave what was there. A reader has the old
	// version or the new one, never a mix. It returns the error of body or
	// Commit as it is, wrapped.
	// fault.ErrNoParent if the parent folder does not exist, fault.ErrIsDir if p
	// is a folder, fault.ErrNotDir if an element above p is a file,
	// fault.ErrPrecondition if o.If does not hold at the moment of publication,
	// fault.ErrQuota if the disk is full.
	Put(ctx context.Context, p vpath.Path, body io.Reader, o PutOptions) (Info, error)

	// Mkdir makes one empty folder, durably, that stays when its last member
	// goes. fs.ErrExist if a file or folder is there, fault.ErrNoParent,
	// fault.ErrNotDir as for Put.
	Mkdir(ctx context.Context, p vpath.Path, m Meta) (Info, error)

	// Remove ends a file or an empty folder, durably. fs.ErrNotExist if there
	// is none, fault.ErrNotEmpty for a folder that holds anything, be it a name
	// that List cannot show. The parent stays a folder.
	Remove(ctx context.Context, p vpath.Path) error
}

// Info describes a file or folder.
type Info struct {
	Name    string // last element, NFC; "" for the root
	Dir     bool
	Size    int64     // bytes; 0 for folders
	ModTime time.Time // Meta.ModTime if it was given, else when the store took the file
	Created time.Time // zero if unknown
	ETag    string    // strong validator without quotes, changes with each version; "" for folders
	Meta

	// Foreign is a name that the store holds and vpath refuses (a backslash, a
	// control character, bytes that are not UTF-8, another normal form). Only
	// List returns such entries, with Name empty, so that callers never take
	// the folder for empty. They cannot be reached.
	Foreign string
}

// Meta travels with a file in the store: user metadata of an object, an
// extended attribute on disk. It survives Copy and Rename.
type Meta struct {
	Creator     string    // who made it, an identity.ID; "" if a foreign tool did
	ModTime     time.Time // the client's own time of change; zero if it sent none
	SHA256      string    // of the content, hex; "" if unknown (see PutOptions)
	ContentType string    // as given to Put; "" if unknown
}

// PutOptions go with one Put.
type PutOptions struct {
	// Size is the announced length, -1 if unknown. A driver may trust it to
	// choose its way; the caller's body gives an error when it does not hold.
	Size int64
	Meta // its SHA256 is ignored: the driver works it out as the bytes pass

	// Loose is for Stager.Begin alone: Finish must be able to publish under any
	// name. A store that binds the bytes to Begin's may have to copy them then.
	Loose bool

	If Condition

	// Commit, if set, is called once, after the last byte has been read and
	// stored out of sight and right before publication. Its error aborts. It
	// may block.
	Commit func() error
}

// Condition is checked together with the publication, so that of two writers
// with the same condition one fails.
type Condition struct {
	NotExist bool   // p must not exist
	ETag     string // p must exist with this ETag
}

// Range is a part of a file. The zero value is all of it.
type Range struct {
	Off int64 // first byte; negative: the last -Off bytes, Len is ignored
	Len int64 // number of bytes; 0: up to the end
}

// Resolve is the part of a file of size bytes that r means: offset and length.
// It is false for a range that lies outside (RFC 9110 §14.1.2).
func (r Range) Resolve(size int64) (off, n int64, ok bool) {
	switch {
	case r == Range{}:
		return 0, size, true
	case r.Off < 0:
		n = min(-r.Off, size)
		return size - n, n, n > 0
	case r.Off >= size:
		return 0, 0, false
	case r.Len == 0:
		return r.Off, size - r.Off, true
	}
	return r.Off, min(r.Len, size-r.Off), true
}

// The abilities below are optional. A caller asks with a type assertion on the
// Backend; what is missing is done through the seven methods above.

// Copier copies within the store, without moving the bytes through Portico.
type Copier interface {
	// Copy makes dst from the file src, with src's Meta but for m's fields
	// that are set. Errors as for Put; fs.ErrNotExist and fault.ErrIsDir are src's.
	Copy(ctx context.Context, src, dst vpath.Path, m Meta) (Info, error)
}

// Renamer moves at once: whoever looks sees the old place or the new one.
type Renamer interface {
	// Rename moves a file or a folder with all below it, Meta included. A file
	// at dst is replaced; a folder at dst is fs.ErrExist. fs.ErrNotExist is src's,
	// fault.ErrNoParent and fault.ErrNotDir are dst's.
	Rename(ctx context.Context, src, dst vpath.Path) error
}

// Walker lists a whole tree in a few calls.
type Walker interface {
	// Walk calls visit for every file and folder below p, not for p itself, with
	// its path inside the workspace, each folder before what lies in it. A foreign
	// entry comes with its folder's path. An error of visit ends the walk and is returned.
	Walk(ctx context.Context, p vpath.Path, visit func(vpath.Path, Info) error) error
}

// Namer knows the names in a folder without a look at each of its members.
type Namer interface {
	// Names is List that tells no more of a member than Name, Dir and Foreign. It
	// may name what is gone by the time that somebody looks.
	Names(ctx context.Context, p vpath.Path) (self Info, members []Info, err error)

	// Describe tells what List would of some members of the folder p, in the order
	// of their names. A name that is not there is left out.
	Describe(ctx context.Context, p vpath.Path, names []string) ([]Info, error)
}

// Remover removes many at once.
type Remover interface {
	// RemoveAll removes files and empty folders in the order given, which has
	// members before their folders. The answer names those that could not be
	// removed; a path that is gone already is no failure.
	RemoveAll(ctx context.Context, paths []vpath.Path) map[vpath.Path]error
}

// Timer changes the time of a file without its bytes.
type Timer interface {
	// SetModTime gives the file p the client's time of change, and leaves all else of
	// it: its bytes, its ETag, what the store knows of it. An S3 store has a copy made in
	// place, which for a file that was uploaded in parts may be a version with an ETag
	// of its own. fs.ErrNotExist as for Stat, fault.ErrIsDir for a folder.
	SetModTime(ctx context.Context, p vpath.Path, t time.Time) (Info, error)
}

// Sizer knows the room that is left.
type Sizer interface {
	// Free is the number of bytes that can still be written.
	Free(ctx context.Context) (int64, error)
}

// Call is one call that a driver made to its store, for metrics and tests.
type Call struct {
	Name string // the store's own word: "GetObject", "rename"
	Err  error
	Took time.Duration
}
