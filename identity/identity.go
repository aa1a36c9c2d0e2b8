// Package identity finds out who is asking.
package identity

import (
	"context"
	"errors"
)

// ErrRefused is a login that does not exist, a password that is wrong or an
// account that is closed: the caller is never told which.
var ErrRefused = errors.New("the name or the password is wrong")

// Login is the name that somebody types to sign in.
type Login string

// Identity is somebody who has proved who they are.
type Identity struct {
	ID     string // immutable and opaque; kept with what they create
	Login  Login  // as the directory spells it
	Name   string // for people to read
	Email  string
	Groups []string // names that the directory gives; the config's groups are the policy's matter
}

// Provider knows people. The errors are ErrRefused and those that wrap
// fault.ErrUnavailable: a directory that is away or a hash queue that is full,
// to be answered with 503, never 401, so that drives keep their passwords.
type Provider interface {
	// Authenticate proves a login by a password. It takes the same time for a
	// login that does not exist.
	Authenticate(ctx context.Context, login Login, password string) (Identity, error)
}
