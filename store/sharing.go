package store

import (
	"context"
	"time"

	"portico/vpath"
)

// GrantState is how far a grant has come. Only accepted ones give anything.
type GrantState string

// The states of a grant.
const (
	Offered  GrantState = "offered" // its recipient has been asked, and has not answered
	Accepted GrantState = "accepted"
	Declined GrantState = "declined"
)

// Grant is a role that somebody gave to somebody at a path: a share, or what a
// link opens. Package acl judges it, package files alone writes it.
type Grant struct {
	ID        string // public and random
	Subject   string // whom it names: "contact:MAIL", "user:LOGIN", "link:ID"
	Path      vpath.Path
	Dir       bool
	Role      string // a built-in role of acl
	Giver     string // identity.Identity.ID of who gave it
	GiverName string // theirs when they gave it, for people to read
	State     GrantState
	Created   time.Time
	Until     time.Time // zero: for good
	Opened    time.Time // by its recipient, for the first time; zero: not yet
	Message   string    // of the giver, for the recipient
	Labels    bool      // the giver's labels go along
	Batch     string    // the same for all that were given in one go
}

// GrantReader finds grants, those that have run out too.
type GrantReader interface {
	// AcceptedGrants gives all that are accepted, for the rules.
	AcceptedGrants(ctx context.Context) ([]Grant, error)
	// GrantsChange is a number that each change of grants raises.
	GrantsChange(ctx context.Context) (int64, error)
	GrantByID(ctx context.Context, id string) (Grant, bool, error)
	GrantsTo(ctx context.Context, subject string) ([]Grant, error) // newest first
	GrantsBy(ctx context.Context, giver string) ([]Grant, error)   // newest first
	// GrantsAbove gives those at p and at each folder above it, GrantsBelow those
	// at p and anywhere below it; oldest first.
	GrantsAbove(ctx context.Context, p vpath.Path) ([]Grant, error)
	GrantsBelow(ctx context.Context, p vpath.Path) ([]Grant, error)
}

// GrantWriter changes grants. The tree functions take p and all below it.
type GrantWriter interface {
	PutGrant(g Grant) error // inserts, or replaces the one with its ID
	DropGrant(id string) error
	DropGrantsTo(subject string) error
	DropGrantsBelow(p vpath.Path) error
	MoveGrants(from, to vpath.Path) error // what to had is dropped first
}

// Link opens something to whoever holds its address. What it opens are the
// grants to "link:ID".
type Link struct {
	ID        string // public and random
	Sum       Sum    // of the token in its address
	Workspace string
	Name      string // for whom it is
	Contact   string // mail address of the contact for whom it is, "" for none
	Mode      string // "read", "deposit" (read and deposit) or "inbox" (deposit alone)
	Giver     string // identity.Identity.ID
	GiverName string
	Created   time.Time
	Until     time.Time // zero: for good
	Revoked   time.Time // zero: it stands

	Password string   // its hash, "" for none
	Version  int64    // raised by each change of its terms: what was unlocked before is locked again
	AskMail  bool     // visitors give a mail address, and prove it by a code
	Allowed  []string // addresses, and domains as "@firm.example"; nil for all
	ViewOnly bool     // no download

	MaxDownloads int // 0 for no limit
	Downloads    int // whose last byte left

	AskName      bool     // of who deposits
	Subfolders   bool     // one for each depositor
	MaxFiles     int      // deposits in all; 0 for no limit
	MaxBytes     int64    // of all deposits; 0 for the server's limit
	MaxFileBytes int64    // of one; 0 for the server's limit
	Types        []string // file name extensions, as ".pdf"; nil for all
	Files        int      // deposited so far
	Bytes        int64
}

// LinkReader finds links, revoked and expired ones too.
type LinkReader interface {
	LinkBySum(ctx context.Context, sum Sum) (Link, bool, error)
	LinkByID(ctx context.Context, id string) (Link, bool, error)
	LinksBy(ctx context.Context, giver string) ([]Link, error)     // newest first
	LinksIn(ctx context.Context, workspace string) ([]Link, error) // newest first
	// DownloadsOf gives the downloads of a link that have begun and are not over.
	DownloadsOf(ctx context.Context, link string) ([]Download, error)
}

// LinkWriter changes links.
type LinkWriter interface {
	PutLink(l Link) error // inserts, or replaces the one with its ID
	DropLink(id string) error
	PutDownload(d Download) error // inserts, or replaces the one with its ID
	DropDownload(id string) error
	DropDownloadsBefore(seen time.Time) error
}

// Download is one of a link with a limit, under way: it holds a place until its
// last byte has left or it is given up.
type Download struct {
	ID      string
	Link    string
	Visitor string // who: a cookie's sum, or the address of a client without one
	What    string // the path inside the link, and the version
	Size    int64
	Sent    []byte // which ranges have left, as the door keeps them
	Began   time.Time
	Seen    time.Time // when it last sent something
}

// Deposit is a file that somebody from outside left, with its receipt. It stays
// when the file goes. One without a Name is a placeholder: a lock of theirs has
// made the empty file, and nothing has come to it yet. That ends with its file.
type Deposit struct {
	ID       string // public and random; stands on the receipt
	Path     vpath.Path
	Gone     bool   // the file is not there any more
	Owner    string // the creator kept with the file
	Subject  string // the contact or link that it came by: "contact:MAIL", "link:ID"
	By       string // the depositor's name
	Mail     string // and mail address, "" if unknown
	Grant    string // ID of the grant by which they could
	Name     string // as it was sent; "" for a placeholder
	Size     int64
	SHA256   string // hex
	Time     time.Time
	Receipt  []byte    // the signed text
	Opened   time.Time // by the firm for the first time, else by anybody who did not leave it; zero: not yet
	OpenedBy string    // who of the firm; "" as long as nobody there has
}

// IsPlaceholder tells an empty file that waits for its bytes from a deposit.
func (d Deposit) IsPlaceholder() bool { return d.Name == "" }

// DepositReader finds deposits, and placeholders.
type DepositReader interface {
	DepositByID(ctx context.Context, id string) (Deposit, bool, error)
	DepositAt(ctx context.Context, p vpath.Path) (Deposit, bool, error) // the newest whose file is there
	DepositsOf(ctx context.Context, owner string) ([]Deposit, error)    // newest first
	// PlaceholdersBy gives those whose file is there: of a link that has taken many
	// deposits, with their receipts, that is little.
	PlaceholdersBy(ctx context.Context, subject string) ([]Deposit, error) // newest first
	DepositsBelow(ctx context.Context, p vpath.Path) ([]Deposit, error)    // newest first
}

// DepositWriter changes deposits. The tree functions take p and all below it.
type DepositWriter interface {
	PutDeposit(d Deposit) error                // inserts, or replaces the one with its ID
	MoveDeposits(from, to vpath.Path) error    // what to had has gone first
	DepositsGoneBelow(p vpath.Path) error      // their files have gone; placeholders are dropped
	DropDepositsBefore(before time.Time) error // of files that have gone
}

// Label is a mark of one person on a file or folder, theirs alone.
type Label struct {
	Owner string // identity.Identity.ID
	Path  vpath.Path
	Name  string
	Color string // one of the palette's names
}

// LabelReader finds labels.
type LabelReader interface {
	// LabelsIn gives an owner's labels on p and its direct members.
	LabelsIn(ctx context.Context, owner string, p vpath.Path) ([]Label, error)
}

// LabelWriter changes labels. The tree functions take p and all below it.
type LabelWriter interface {
	PutLabel(l Label) error // inserts, or replaces the one with its owner, path and name
	DropLabel(owner string, p vpath.Path, name string) error
	DropLabelsBelow(p vpath.Path) error
	MoveLabels(from, to vpath.Path) error // what to had is dropped first
}

// Upload is a resumable upload under way. Package files alone writes it.
type Upload struct {
	ID      string // random: who does not know it cannot name it
	Owner   string // acl.Principal.ID of who began it
	Path    vpath.Path
	Size    int64  // announced; -1 if not known yet
	Offset  int64  // taken so far
	Handle  string // the backend's
	State   []byte // what package files keeps: the sum so far, the wish
	Created time.Time
	Expires time.Time
}

// UploadReader finds uploads.
type UploadReader interface {
	UploadByID(ctx context.Context, id string) (Upload, bool, error)
	UploadsOf(ctx context.Context, owner string) ([]Upload, error) // oldest first
	// UploadsOfAll are those of all whose owner begins with whose and a slash: of the
	// visitors of a link. Oldest first.
	UploadsOfAll(ctx context.Context, whose string) ([]Upload, error)
	UploadsExpired(ctx context.Context, now time.Time) ([]Upload, error) // oldest first
}

// UploadWriter changes uploads.
type UploadWriter interface {
	PutUpload(u Upload) error // inserts, or replaces the one with its ID
	DropUpload(id string) error
	DropUploadsOf(owner string) error
}
