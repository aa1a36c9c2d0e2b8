package backendtest

import (
	"context"
	"errors"
	"io/fs"

	"portico/fault"
)

var (
	errNotExist = fs.ErrNotExist
	errExist    = fs.ErrExist
	errBody     = errors.New("the body broke")
	errCommit   = errors.New("the caller does not agree")
	errVisit    = errors.New("the visitor has enough")
)

// allErrors are those that a caller tells apart.
func allErrors() []error {
	return []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid,
		fault.ErrIsDir, fault.ErrNotDir, fault.ErrNotEmpty, fault.ErrNoParent, fault.ErrConflict,
		fault.ErrPrecondition, fault.ErrRange, fault.ErrTruncated, fault.ErrTooLarge, fault.ErrQuota,
		fault.ErrUnavailable, fault.ErrBusy, context.Canceled, context.DeadlineExceeded,
		errBody, errCommit, errVisit,
	}
}

// refusals are what a call into Portico's own folder may end with.
func refusals() []error {
	return []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, fault.ErrNoParent}
}
