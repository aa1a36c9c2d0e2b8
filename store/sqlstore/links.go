package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	linkColumns = `id, sum, workspace, name, contact, mode, giver, giver_name, created, until_at, revoked, ` +
		`password, version, ask_mail, allowed, view_only, max_downloads, downloads, ` +
		`ask_name, subfolders, max_files, max_bytes, max_file_bytes, types, files, bytes`
	links = `SELECT ` + linkColumns + ` FROM links WHERE `

	sqlLinkBySum = links + `sum = $1`
	sqlLinkByID  = links + `id = $1`
	sqlLinksBy   = links + `giver = $1` + newestFirst
	sqlLinksIn   = links + `workspace = $1` + newestFirst
	sqlDropLink  = `DELETE FROM links WHERE id = $1`

	downloadColumns  = `id, link, visitor, what, size, sent, began, seen`
	sqlDownloadsOf   = `SELECT ` + downloadColumns + ` FROM downloads WHERE link = $1 ORDER BY began, id`
	sqlDropDownload  = `DELETE FROM downloads WHERE id = $1`
	sqlDropDownloads = `DELETE FROM downloads WHERE seen < $1`
)

func scanLink(row scanner) (l store.Link, err error) {
	return l, row.Scan(&l.ID, secret{&l.Sum}, &l.Workspace, &l.Name, &l.Contact, &l.Mode, &l.Giver, &l.GiverName,
		moment{&l.Created}, moment{&l.Until}, moment{&l.Revoked},
		&l.Password, &l.Version, &l.AskMail, texts{&l.Allowed}, &l.ViewOnly, &l.MaxDownloads, &l.Downloads,
		&l.AskName, &l.Subfolders, &l.MaxFiles, &l.MaxBytes, &l.MaxFileBytes, texts{&l.Types}, &l.Files, &l.Bytes)
}

// LinkBySum is of store.LinkReader.
func (r reader) LinkBySum(ctx context.Context, sum store.Sum) (store.Link, bool, error) {
	return one(ctx, r.on, sqlLinkBySum, scanLink, sum[:])
}

// LinkByID is of store.LinkReader.
func (r reader) LinkByID(ctx context.Context, id string) (store.Link, bool, error) {
	return one(ctx, r.on, sqlLinkByID, scanLink, id)
}

// LinksBy is of store.LinkReader.
func (r reader) LinksBy(ctx context.Context, giver string) ([]store.Link, error) {
	return collect(ctx, r.on, sqlLinksBy, scanLink, giver)
}

// LinksIn is of store.LinkReader.
func (r reader) LinksIn(ctx context.Context, workspace string) ([]store.Link, error) {
	return collect(ctx, r.on, sqlLinksIn, scanLink, workspace)
}

// DownloadsOf is of store.LinkReader.
func (r reader) DownloadsOf(ctx context.Context, link string) ([]store.Download, error) {
	return collect(ctx, r.on, sqlDownloadsOf, func(row scanner) (d store.Download, err error) {
		return d, row.Scan(&d.ID, &d.Link, &d.Visitor, &d.What, &d.Size, &d.Sent, moment{&d.Began}, moment{&d.Seen})
	}, link)
}

// PutLink is of store.LinkWriter.
func (x *tx) PutLink(l store.Link) error {
	return x.put("put link", "links", 1, linkColumns, l.ID, l.Sum[:], l.Workspace, l.Name, l.Contact, l.Mode, l.Giver, l.GiverName,
		l.Created.UnixMicro(), l.Until.UnixMicro(), l.Revoked.UnixMicro(),
		l.Password, l.Version, l.AskMail, list(l.Allowed), l.ViewOnly, l.MaxDownloads, l.Downloads,
		l.AskName, l.Subfolders, l.MaxFiles, l.MaxBytes, l.MaxFileBytes, list(l.Types), l.Files, l.Bytes)
}

// DropLink is of store.LinkWriter.
func (x *tx) DropLink(id string) error { return x.do("drop link", sqlDropLink, id) }

// PutDownload is of store.LinkWriter.
func (x *tx) PutDownload(d store.Download) error {
	return x.put("put download", "downloads", 1, downloadColumns, d.ID, d.Link, d.Visitor, d.What, d.Size, blob(d.Sent),
		d.Began.UnixMicro(), d.Seen.UnixMicro())
}

// DropDownload is of store.LinkWriter.
func (x *tx) DropDownload(id string) error { return x.do("drop download", sqlDropDownload, id) }

// DropDownloadsBefore is of store.LinkWriter.
func (x *tx) DropDownloadsBefore(seen time.Time) error {
	return x.do("drop downloads", sqlDropDownloads, seen.UnixMicro())
}
