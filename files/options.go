package files

import (
	"time"

	"golang.org/x/net/webdav"

	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// Range is a part of a file, as backends defines it.
type Range = backends.Range

// Guard holds the conditions of one request. The zero value has none.
type Guard struct {
	// If is the If header (RFC 4918 §10.4), nil if there was none. It holds if
	// any of its lists does.
	If []List

	// Tokens are lock tokens that the request submits outside If: Word 2016
	// sends Lock-Token alone with a PUT.
	Tokens []string

	// Match and NoneMatch are If-Match and If-None-Match (RFC 9110 §13.1), nil
	// if absent; ETags without quotes, "*" alone for any. A weak tag never
	// equals a strong one, so the parser leaves it in with its W/ prefix.
	Match, NoneMatch []string

	// ModifiedSince and UnmodifiedSince are the dates of the same section, zero
	// if absent, to the second.
	ModifiedSince, UnmodifiedSince time.Time
}

// List is one list of an If header: it holds if all conditions hold.
type List struct {
	// Resource is the tag, nil for an untagged list, which speaks of the
	// request's own path. A tag that names another server is Elsewhere.
	Resource  *vpath.Path
	Elsewhere bool
	// Conditions: Token, or ETag without quotes, and Not.
	Conditions []webdav.Condition
}

// PutOptions go with one Put.
type PutOptions struct {
	Size    int64     // announced length, -1 if unknown
	ModTime time.Time // the client's time of change, zero if it sent none
	Guard   Guard

	// Sums are checksums of the body, "SHA1:hex MD5:hex", that its reader holds it to:
	// it ends in an error where they differ. They are kept with this version.
	Sums string

	// Waits is set for a client that sends the body only when all else is judged
	// (RFC 9110 §10.1.1): that may cost a call to the storage which would come later.
	Waits bool
}

// TransferOptions go with one Copy or Move.
type TransferOptions struct {
	Overwrite bool
	Shallow   bool // Copy a folder without its members (Depth: 0)
	Guard     Guard

	// ModTime is the client's time of change of a file at its new place, zero if it sent
	// none: then it keeps the one that it had. Landed tells whether it was kept.
	ModTime time.Time
}

// LockOptions go with one Lock.
type LockOptions struct {
	Infinite bool
	Shared   bool
	OwnerXML string        // well-formed XML, its namespaces declared
	Timeout  time.Duration // wished for; 0 for the default
	Guard    Guard
}

// PropChange sets a property, or removes it.
type PropChange struct {
	Remove     bool
	store.Prop // XML is unused for Remove

	// ModTime, if set, is a file's new time of change, and the Prop is none.
	ModTime time.Time
}
