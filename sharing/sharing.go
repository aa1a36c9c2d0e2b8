// Package sharing is what people do with files beside using them: they know
// customers, let them in, share with them and with each other, hand out links,
// and take deposits.
//
// It judges nothing by itself. Who may share what, and what a share is worth,
// package files says, through the tree of the one who acts. What is shared is a
// grant, which files alone writes; contacts, accounts, invitations, links,
// deposits, labels and preferences are written here. Whatever belongs together
// is one transaction, with the notices of it: nothing is told that was not done.
package sharing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/identity/throttle"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// ErrGone is a secret that was good once: it was used, a newer one was sent, or
// its time is over.
var ErrGone = errors.New("not good any more")

// ErrSignIn is an invitation to somebody who has a password: they sign in with
// it, and accept. An invitation sets a password once, never a new one
// (CVE-2026-34389).
var ErrSignIn = errors.New("sign in to accept")

// Teller writes what people are told, in the transaction of what it tells.
type Teller interface {
	Tell(tx store.Tx, n notify.Notice) error
}

// Files is the one door, as this room needs it: *files.Service.
type Files interface {
	As(ctx context.Context, p files.Principal) (*files.Tree, error)
	Window(ctx context.Context, p files.Principal) (*files.Window, error)
	Answer(ctx context.Context, p files.Principal, id string, accept bool, also ...files.Also) (store.Grant, error)
	WithdrawAll(ctx context.Context, tx store.Tx, subject string, below vpath.Path) error
	WithdrawThese(ctx context.Context, tx store.Tx, ids ...string) error
	GrantsChanged(ctx context.Context) error
}

// Directory finds the firm's people without their password.
type Directory interface {
	ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error)
	ByID(ctx context.Context, id string) (identity.Identity, error)
}

// Deed is what somebody did to people and not to files, for the audit.
type Deed struct {
	By     By // the zero value: the server itself
	Action string
	Path   vpath.Path // what it concerns; the root for none
	About  string     // a mail address, an ID: never a secret
}

// Options are what a Service stands on.
type Options struct {
	State    store.State
	Files    Files
	Tell     Teller
	Throttle *throttle.Throttle
	Queue    *identity.Queue // hashes passwords
	People   Directory       // everybody who may sign in, from memory where it may

	// Principal is somebody of People as package files knows them.
	Principal func(identity.Identity) files.Principal
	// Colleague tells whether the firm's own directories know a mail address.
	Colleague func(ctx context.Context, mail string) (identity.Identity, bool, error)
	// Staff, if set, finds people of the firm by the first letters of a name, a
	// login or an address.
	Staff func(ctx context.Context, text string, limit int) ([]identity.Identity, error)

	// Audit, if set, records a deed in the transaction that does it.
	Audit func(tx store.Tx, d Deed) error
	// Changed, if set, hears that a password is another or an account was closed:
	// proofs that are remembered are to be forgotten.
	Changed func()
	// Title is a workspace's, for people to read.
	Title func(workspace string) string
	Firm  string // whose name is on receipts
	// Base is the address of the pages, for links in mails: never the Host header.
	Base func() *url.URL

	Secret     []byte   // 32 bytes or more, from which the key of receipts is derived
	OldSecrets [][]byte // those of before: receipts made with them are still known

	// Zone is the firm's: a day of it is what shares and links end with. Nil is UTC.
	Zone func() *time.Location

	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Service does what people ask for. Many may use it at once.
type Service struct {
	Options
	signer    signer
	addresses addresses
	proofs    *identity.Cache // of links' passwords
}

// New makes a Service.
func New(o Options) (*Service, error) {
	signer, err := newSigner(o.Secret, o.OldSecrets)
	if err != nil {
		return nil, fmt.Errorf("sharing: %w", err)
	}
	proofs, err := identity.NewCache(identity.CacheOptions{Clock: o.Clock, Rand: o.Rand})
	if err != nil {
		return nil, fmt.Errorf("sharing: %w", err)
	}
	if o.Zone == nil {
		o.Zone = func() *time.Location { return time.UTC }
	}
	o.Secret, o.OldSecrets = nil, nil // nothing that prints a Service prints them
	return &Service{Options: o, signer: signer, proofs: proofs}, nil
}

// By is who acts.
type By struct {
	Principal files.Principal
	ID        string // identity.Identity.ID
	Name      string
	Mail      string
	Contact   bool // a customer, known by Mail
}

// isStaff tells the firm's people from those outside: customers, and visitors of
// links.
func (by By) isStaff() bool {
	kind, _ := cutSubject(by.Principal.Subject())
	return kind == "user"
}

// Person is somebody in a list.
type Person struct {
	Subject string // "contact:MAIL" or "user:LOGIN"
	Name    string
	Mail    string
	Contact bool
	State   store.GrantState   // of what they were given, where that is what the list is of
	Portal  store.ContactState // of a contact
	Grants  []string           // IDs of those that the one who asks may end with Stop
}

// tree is the files as somebody may see and use them.
func (s *Service) tree(ctx context.Context, by By) (*files.Tree, error) {
	s.learn(by)
	return s.Files.As(ctx, by.Principal)
}

// did records a deed.
func (s *Service) did(tx store.Tx, by By, action string, p vpath.Path, about string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit(tx, Deed{By: by, Action: action, Path: p, About: about})
}

// changed tells everybody who remembers what somebody may do that it is another
// now.
func (s *Service) changed(ctx context.Context) error {
	if s.Changed != nil {
		s.Changed()
	}
	return s.Files.GrantsChanged(ctx)
}

// title is a workspace's name for people.
func (s *Service) title(workspace string) string {
	if s.Title != nil {
		if t := s.Title(workspace); t != "" {
			return t
		}
	}
	return workspace
}

// address is a page's, for a mail.
func (s *Service) address(path string) string {
	if s.Base == nil {
		return path
	}
	u := s.Base()
	return u.Scheme + "://" + u.Host + path
}

// root is a workspace's.
func root(workspace string) (vpath.Path, error) {
	p, err := vpath.Path{}.Child(workspace)
	if err != nil {
		return p, fault.Tell(fmt.Errorf("sharing: workspace: %w", err), "There is no such workspace.")
	}
	return p, nil
}
