// Package all names the drivers: one line for each.
package all

import (
	"context"
	"errors"

	"portico/backends"
	"portico/backends/local"
	"portico/backends/s3"
)

// Options are those of exactly one driver; the others are nil.
type Options struct {
	Local *local.Options
	S3    *s3.Options
}

// Open opens a storage with the driver whose options are given.
func Open(ctx context.Context, o Options) (backends.Storage, error) {
	switch {
	case o.Local != nil:
		return local.Open(*o.Local)
	case o.S3 != nil:
		return s3.Open(ctx, *o.S3)
	}
	return nil, errors.New("all: no options of any driver")
}
