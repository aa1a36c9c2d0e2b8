package notify

import (
	"context"
	"errors"
)

// Mailer is a way out for mails.
type Mailer interface {
	// Open makes ready to send: a connection on which the server has proved who it
	// is, and we have. An error says nothing of any mail.
	Open(ctx context.Context) (Session, error)
}

// Session is a Mailer made ready, for one mail after the other.
type Session interface {
	// Send hands a mail on. nil: it was taken. An error wraps ErrRefused or
	// ErrUnclear; one that wraps neither tells that the mail was not taken, and may
	// be tried again. After ErrBroken the session is of no use.
	Send(ctx context.Context, m *Mail) error
	// Close ends it. A second call does nothing.
	Close()
}

// What became of a mail that was not taken.
var (
	// ErrRefused: this mail will never be taken.
	ErrRefused = errors.New("the mail was refused")
	// ErrUnclear: it has left, and nobody answered.
	ErrUnclear = errors.New("nobody knows whether the mail was taken")
	// ErrBroken: the session has ended.
	ErrBroken = errors.New("the connection to the mail server has ended")
)
