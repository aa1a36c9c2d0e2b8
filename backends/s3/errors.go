package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/minio/minio-go/v7"

	"portico/fault"
)

// fault turns an error of minio-go into one of the set that package backends
// promises. ctx is the caller's, inner the one that the request ran with.
//
// Whatever is not known to speak of the object is ErrUnavailable: an answer of
// a proxy or of a store that is not ready must never look like a missing file.
func (s *Storage) fault(ctx, inner context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if cause := context.Cause(inner); errors.Is(cause, errStalled) {
		return fmt.Errorf("%w: %w", fault.ErrUnavailable, cause)
	}
	resp, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		// Not wrapped: the text may hold a context.Canceled that is not the caller's.
		return fmt.Errorf("%w: %s", fault.ErrUnavailable, err.Error())
	}
	if known := byCode(resp.Code); known != nil {
		return fmt.Errorf("%w (%s)", known, resp.Code)
	}
	if text := s.mend(resp); text != "" {
		return fmt.Errorf("%w: %s", fault.ErrUnavailable, text)
	}
	return fmt.Errorf("%w (%d %s: %s)", statusFault(resp.StatusCode), resp.StatusCode, resp.Code, resp.Message)
}

// byCode knows the codes that speak of an object, of AWS, of MinIO
// (cmd/api-errors.go) and of versitygw (s3err/s3err.go).
func byCode(code string) error {
	switch code {
	case minio.NoSuchKey:
		return fs.ErrNotExist
	case minio.PreconditionFailed, "ConditionalRequestConflict":
		return fault.ErrPrecondition
	case minio.InvalidRange:
		return fault.ErrRange
	case "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "NoSpaceLeftOnDevice":
		return fault.ErrQuota
	case minio.EntityTooLarge:
		return fault.ErrTooLarge
	case "KeyTooLongError", minio.XMinioInvalidObjectName, "XMinioInvalidResourceName", "InvalidObjectName":
		return fault.Tell(fs.ErrInvalid, "The storage refuses this name: choose a shorter or plainer one.")
	case "ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory":
		return fault.ErrIsDir
	case "ObjectParentIsFile", "XMinioParentIsObject":
		return fault.ErrNotDir
	case "DirectoryNotEmpty", "DirectoryObjectContainsData":
		return fault.ErrNotEmpty
	}
	return nil
}

// mend is what an admin must do, "" if that is not known.
func (s *Storage) mend(resp minio.ErrorResponse) string {
	switch resp.Code {
	case minio.NoSuchBucket:
		return fmt.Sprintf("the bucket %q does not exist at %s: create it, or correct bucket in the configuration", s.o.Bucket, s.o.Endpoint)
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled", "AccountProblem":
		return fmt.Sprintf("%s refuses access to the bucket %q (%s): check access_key, secret_key and the rights of that key",
			s.o.Endpoint, s.o.Bucket, resp.Code)
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect":
		return fmt.Sprintf("%s serves another region than %q (%s %s): set region in the configuration",
			s.o.Endpoint, s.o.Region, resp.Code, resp.Region)
	case "RequestTimeTooSkewed":
		return "the clocks of this machine and of the store differ by more than 15 minutes: set them"
	}
	return ""
}

// callFault is what a status means for the metrics.
func callFault(status int) error {
	if status == http.StatusNotFound {
		return fs.ErrNotExist
	}
	return statusFault(status)
}

// statusFault is what a bare status says. 404 is not here: only a code that
// names the key means a missing file.
func statusFault(status int) error {
	switch status {
	case http.StatusPreconditionFailed:
		return fault.ErrPrecondition
	case http.StatusRequestedRangeNotSatisfiable:
		return fault.ErrRange
	case http.StatusInsufficientStorage:
		return fault.ErrQuota
	}
	return fault.ErrUnavailable
}

// isCode tells whether the store answered err with that code.
func isCode(err error, code string) bool {
	resp, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && resp.Code == code
}
