// Package identity finds out who is asking.
package identity

import (
	"context"
	"errors"
	"time"
)

// ErrRefused is a login that does not exist, a password that is wrong or an
// account that is closed: the caller is never told which.
var ErrRefused = errors.New("the name or the password is wrong")

// ErrTaken is the ErrRefused of a Directory's ByLogin for a login that it has and
// lets nobody in with: the account is closed, or two entries share the login. A
// directory that comes after it must not give that login to somebody else, whom
// the rules would take for the first. To the letter it reads like ErrRefused.
var ErrTaken error = takenError{}

type takenError struct{}

func (takenError) Error() string { return ErrRefused.Error() }
func (takenError) Unwrap() error { return ErrRefused }

// WrongError is the ErrRefused of a password that was looked at. It tells the audit
// whose login it was for, so that nobody is looked up once more for that: the time
// that takes would tell who works here (THREATS.md row 59). To the letter it reads
// like ErrRefused.
type WrongError struct {
	Whose Login // as the directory spells it; "" where nobody has it, or it is not known
}

func (*WrongError) Error() string { return ErrRefused.Error() }

// Unwrap makes it an ErrRefused.
func (*WrongError) Unwrap() error { return ErrRefused }

// Login is the name that somebody types to sign in.
type Login string

// Identity is somebody who has proved who they are.
type Identity struct {
	ID     string // immutable and opaque; kept with what they create
	Login  Login  // as the directory spells it
	Name   string // for people to read
	Email  string
	Groups []Membership // of the directory; the config's groups are the policy's matter
	Limit  Limit        // of the app password that they came with
	Key    string       // the ID of that app password; "" where they came with their own

	Contact bool // a customer, whose Login is their mail address; not one of the firm

	PasswordSet time.Time // when they got their present password; zero where the directory does not tell
}

// ContactPrefix begins the ID of a contact, before that of their account.
const ContactPrefix = "contact:"

// Membership is one group that somebody is in. The list of an Identity has each
// group once, and one that others are in only through it before those.
type Membership struct {
	Group   string
	Through string // the group of the list that is a member of this one; "" where the person is
}

// Limit is what an app password holds back of its owner's rights; the zero
// value nothing.
type Limit struct {
	Workspace string // the only one that exists; "" for all
	ReadOnly  bool
}

// Provider knows people. The errors are ErrRefused and those that wrap
// fault.ErrUnavailable: a directory that is away or a hash queue that is full,
// to be answered with 503, never 401, so that drives keep their passwords.
type Provider interface {
	// Authenticate proves a login by a password. It takes the same time for a
	// login that does not exist.
	Authenticate(ctx context.Context, login Login, password string) (Identity, error)
}

// Directory is a Provider that also finds people without their password: for an
// app password, for a sign-in that somebody else vouches for (OIDC), for the
// admin's "why". Whoever is not there or closed is ErrRefused.
type Directory interface {
	Provider
	ByLogin(ctx context.Context, login Login) (Identity, error)
	ByID(ctx context.Context, id string) (Identity, error)
}

// SignIn is what somebody presents at any of the doors: the drive, the pages,
// the API, a link.
type SignIn struct {
	Login    Login
	Password string
	Address  string // where the request came from, as netip.Addr prints it
	Drive    bool   // a drive remembers passwords, so that some firms want app passwords there
	Via      string // "dav", "page" or "api", for the audit
}

// Gate lets people in: the one check of passwords that all doors share. Its
// errors are ErrRefused, ErrAppPassword, *ThrottledError and those that wrap
// fault.ErrUnavailable.
type Gate interface {
	SignIn(ctx context.Context, in SignIn) (Identity, error)
}

// ErrAppPassword is a password that may be right, at a door that takes app
// passwords alone. It is not looked at, but where customers have passwords and the
// firm's people have none: there it is what everybody hears who is no customer, or
// mistyped.
var ErrAppPassword = errors.New("this door takes app passwords alone")

// ThrottledError is too many wrong passwords from one address, or for one
// account: what was presented now was not looked at.
type ThrottledError struct {
	After time.Duration // until the next attempt is looked at
}

func (e *ThrottledError) Error() string {
	return "too many wrong passwords: try again later"
}
