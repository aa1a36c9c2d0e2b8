package local_test

import "io/fs"

var (
	errNotExist   = fs.ErrNotExist
	errPermission = fs.ErrPermission
)
