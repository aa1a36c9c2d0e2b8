package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	uploadColumns = `id, owner, path, size, taken, handle, state, created, expires`
	uploads       = `SELECT ` + uploadColumns + ` FROM uploads WHERE `

	sqlUploadByID     = uploads + `id = $1`
	sqlUploadsOf      = uploads + `owner = $1` + oldestFirst
	sqlUploadsOfAll   = uploads + `owner >= $1 AND owner < $2` + oldestFirst
	sqlUploadsExpired = uploads + `expires <= $1` + oldestFirst
	sqlDropUpload     = `DELETE FROM uploads WHERE id = $1`
	sqlDropUploadsOf  = `DELETE FROM uploads WHERE owner = $1`
)

func scanUpload(row scanner) (u store.Upload, err error) {
	return u, row.Scan(&u.ID, &u.Owner, where{&u.Path}, &u.Size, &u.Offset, &u.Handle, &u.State, moment{&u.Created}, moment{&u.Expires})
}

// UploadByID is of store.UploadReader.
func (r reader) UploadByID(ctx context.Context, id string) (store.Upload, bool, error) {
	return one(ctx, r.on, sqlUploadByID, scanUpload, id)
}

// UploadsOf is of store.UploadReader.
func (r reader) UploadsOf(ctx context.Context, owner string) ([]store.Upload, error) {
	return collect(ctx, r.on, sqlUploadsOf, scanUpload, owner)
}

// UploadsOfAll is of store.UploadReader. "0" is the character after "/".
func (r reader) UploadsOfAll(ctx context.Context, whose string) ([]store.Upload, error) {
	return collect(ctx, r.on, sqlUploadsOfAll, scanUpload, whose+"/", whose+"0")
}

// UploadsExpired is of store.UploadReader.
func (r reader) UploadsExpired(ctx context.Context, now time.Time) ([]store.Upload, error) {
	return collect(ctx, r.on, sqlUploadsExpired, scanUpload, now.UnixMicro())
}

// PutUpload is of store.UploadWriter.
func (x *tx) PutUpload(u store.Upload) error {
	return x.put("put upload", "uploads", 1, uploadColumns, u.ID, u.Owner, key(u.Path), u.Size, u.Offset, u.Handle, blob(u.State),
		u.Created.UnixMicro(), u.Expires.UnixMicro())
}

// DropUpload is of store.UploadWriter.
func (x *tx) DropUpload(id string) error { return x.do("drop upload", sqlDropUpload, id) }

// DropUploadsOf is of store.UploadWriter.
func (x *tx) DropUploadsOf(owner string) error {
	return x.do("drop uploads of", sqlDropUploadsOf, owner)
}
