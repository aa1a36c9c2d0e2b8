package memstate

import (
	"cmp"
	"context"
	"maps"
	"strings"
	"time"

	"portico/store"
	"portico/vpath"
)

func grants(c *content) map[string]store.Grant { return c.grants }

func grantAge(g store.Grant) (time.Time, string) { return g.Created, g.ID }

// AcceptedGrants is of store.GrantReader.
func (r reader) AcceptedGrants(context.Context) ([]store.Grant, error) {
	return pick(r, grants, func(g store.Grant) bool { return g.State == store.Accepted }, oldest(grantAge))
}

// GrantsChange is of store.GrantReader.
func (r reader) GrantsChange(context.Context) (n int64, err error) {
	err = r.look(func(c *content) { n = c.change })
	return n, err
}

// GrantByID is of store.GrantReader.
func (r reader) GrantByID(_ context.Context, id string) (store.Grant, bool, error) {
	return get(r, grants, id)
}

// GrantsTo is of store.GrantReader.
func (r reader) GrantsTo(_ context.Context, subject string) ([]store.Grant, error) {
	return pick(r, grants, func(g store.Grant) bool { return g.Subject == subject }, newest(grantAge))
}

// GrantsBy is of store.GrantReader.
func (r reader) GrantsBy(_ context.Context, giver string) ([]store.Grant, error) {
	return pick(r, grants, func(g store.Grant) bool { return g.Giver == giver }, newest(grantAge))
}

// GrantsAbove is of store.GrantReader.
func (r reader) GrantsAbove(_ context.Context, p vpath.Path) ([]store.Grant, error) {
	return pick(r, grants, func(g store.Grant) bool { return g.Path.Contains(p) }, oldest(grantAge))
}

// GrantsBelow is of store.GrantReader.
func (r reader) GrantsBelow(_ context.Context, p vpath.Path) ([]store.Grant, error) {
	return pick(r, grants, func(g store.Grant) bool { return p.Contains(g.Path) }, oldest(grantAge))
}

// PutGrant is of store.GrantWriter.
func (x *tx) PutGrant(g store.Grant) error {
	x.grants[g.ID] = g
	x.change++
	return nil
}

// dropGrants drops those that are unwanted, and raises the number if there were any.
func (x *tx) dropGrants(unwanted func(store.Grant) bool) error {
	had := len(x.grants)
	maps.DeleteFunc(x.grants, func(_ string, g store.Grant) bool { return unwanted(g) })
	if len(x.grants) != had {
		x.change++
	}
	return nil
}

// DropGrant is of store.GrantWriter.
func (x *tx) DropGrant(id string) error {
	return x.dropGrants(func(g store.Grant) bool { return g.ID == id })
}

// DropGrantsTo is of store.GrantWriter.
func (x *tx) DropGrantsTo(subject string) error {
	return x.dropGrants(func(g store.Grant) bool { return g.Subject == subject })
}

// DropGrantsBelow is of store.GrantWriter.
func (x *tx) DropGrantsBelow(p vpath.Path) error {
	return x.dropGrants(func(g store.Grant) bool { return p.Contains(g.Path) })
}

// MoveGrants is of store.GrantWriter.
func (x *tx) MoveGrants(from, to vpath.Path) error {
	return move(from, to, x.DropGrantsBelow, func(rename func(*vpath.Path) bool) {
		for id, g := range x.grants {
			if rename(&g.Path) {
				x.grants[id] = g
				x.change++
			}
		}
	})
}

func links(c *content) map[string]store.Link { return c.links }

func linkAge(l store.Link) (time.Time, string) { return l.Created, l.ID }

// LinkBySum is of store.LinkReader.
func (r reader) LinkBySum(_ context.Context, sum store.Sum) (store.Link, bool, error) {
	return first(pick(r, links, func(l store.Link) bool { return l.Sum == sum }, newest(linkAge)))
}

// LinkByID is of store.LinkReader.
func (r reader) LinkByID(_ context.Context, id string) (store.Link, bool, error) {
	return get(r, links, id)
}

// LinksBy is of store.LinkReader.
func (r reader) LinksBy(_ context.Context, giver string) ([]store.Link, error) {
	return pick(r, links, func(l store.Link) bool { return l.Giver == giver }, newest(linkAge))
}

// LinksIn is of store.LinkReader.
func (r reader) LinksIn(_ context.Context, workspace string) ([]store.Link, error) {
	return pick(r, links, func(l store.Link) bool { return l.Workspace == workspace }, newest(linkAge))
}

// DownloadsOf is of store.LinkReader.
func (r reader) DownloadsOf(_ context.Context, link string) ([]store.Download, error) {
	return pick(r, func(c *content) map[string]store.Download { return c.downloads },
		func(d store.Download) bool { return d.Link == link },
		oldest(func(d store.Download) (time.Time, string) { return d.Began, d.ID }))
}

// PutLink is of store.LinkWriter.
func (x *tx) PutLink(l store.Link) error {
	x.links[l.ID] = l
	return nil
}

// DropLink is of store.LinkWriter.
func (x *tx) DropLink(id string) error {
	delete(x.links, id)
	return nil
}

// PutDownload is of store.LinkWriter.
func (x *tx) PutDownload(d store.Download) error {
	x.downloads[d.ID] = d
	return nil
}

// DropDownload is of store.LinkWriter.
func (x *tx) DropDownload(id string) error {
	delete(x.downloads, id)
	return nil
}

// DropDownloadsBefore is of store.LinkWriter.
func (x *tx) DropDownloadsBefore(seen time.Time) error {
	maps.DeleteFunc(x.downloads, func(_ string, d store.Download) bool { return d.Seen.Before(seen) })
	return nil
}

func deposits(c *content) map[string]store.Deposit { return c.deposits }

func depositAge(d store.Deposit) (time.Time, string) { return d.Time, d.ID }

// DepositByID is of store.DepositReader.
func (r reader) DepositByID(_ context.Context, id string) (store.Deposit, bool, error) {
	return get(r, deposits, id)
}

// DepositAt is of store.DepositReader.
func (r reader) DepositAt(_ context.Context, p vpath.Path) (store.Deposit, bool, error) {
	return first(pick(r, deposits, func(d store.Deposit) bool { return d.Path == p && !d.Gone }, newest(depositAge)))
}

// DepositsOf is of store.DepositReader.
func (r reader) DepositsOf(_ context.Context, owner string) ([]store.Deposit, error) {
	return pick(r, deposits, func(d store.Deposit) bool { return d.Owner == owner }, newest(depositAge))
}

// PlaceholdersBy is of store.DepositReader.
func (r reader) PlaceholdersBy(_ context.Context, subject string) ([]store.Deposit, error) {
	return pick(r, deposits, func(d store.Deposit) bool { return d.Subject == subject && d.IsPlaceholder() && !d.Gone }, newest(depositAge))
}

// DepositsBelow is of store.DepositReader.
func (r reader) DepositsBelow(_ context.Context, p vpath.Path) ([]store.Deposit, error) {
	return pick(r, deposits, func(d store.Deposit) bool { return p.Contains(d.Path) }, newest(depositAge))
}

// PutDeposit is of store.DepositWriter.
func (x *tx) PutDeposit(d store.Deposit) error {
	x.deposits[d.ID] = d
	return nil
}

// MoveDeposits is of store.DepositWriter.
func (x *tx) MoveDeposits(from, to vpath.Path) error {
	return move(from, to, x.DepositsGoneBelow, func(rename func(*vpath.Path) bool) {
		for id, d := range x.deposits {
			if rename(&d.Path) {
				x.deposits[id] = d
			}
		}
	})
}

// DepositsGoneBelow is of store.DepositWriter.
func (x *tx) DepositsGoneBelow(p vpath.Path) error {
	for id, d := range x.deposits {
		switch {
		case !p.Contains(d.Path):
		case d.IsPlaceholder():
			delete(x.deposits, id)
		default:
			d.Gone = true
			x.deposits[id] = d
		}
	}
	return nil
}

// DropDepositsBefore is of store.DepositWriter.
func (x *tx) DropDepositsBefore(before time.Time) error {
	maps.DeleteFunc(x.deposits, func(_ string, d store.Deposit) bool { return d.Gone && d.Time.Before(before) })
	return nil
}

// labelKey is what a label is known by.
type labelKey struct {
	owner string
	path  vpath.Path
	name  string
}

// LabelsIn is of store.LabelReader.
func (r reader) LabelsIn(_ context.Context, owner string, p vpath.Path) ([]store.Label, error) {
	return pick(r, func(c *content) map[labelKey]store.Label { return c.labels }, func(l store.Label) bool {
		return l.Owner == owner && (l.Path == p || !l.Path.IsRoot() && l.Path.Parent() == p)
	}, func(a, b store.Label) int { return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.Name, b.Name)) })
}

// PutLabel is of store.LabelWriter.
func (x *tx) PutLabel(l store.Label) error {
	x.labels[labelKey{l.Owner, l.Path, l.Name}] = l
	return nil
}

// DropLabel is of store.LabelWriter.
func (x *tx) DropLabel(owner string, p vpath.Path, name string) error {
	delete(x.labels, labelKey{owner, p, name})
	return nil
}

// DropLabelsBelow is of store.LabelWriter.
func (x *tx) DropLabelsBelow(p vpath.Path) error {
	maps.DeleteFunc(x.labels, func(k labelKey, _ store.Label) bool { return p.Contains(k.path) })
	return nil
}

// MoveLabels is of store.LabelWriter.
func (x *tx) MoveLabels(from, to vpath.Path) error {
	return move(from, to, x.DropLabelsBelow, func(rename func(*vpath.Path) bool) {
		for k, l := range maps.Clone(x.labels) { // or the loop would meet what it has made
			if rename(&l.Path) {
				delete(x.labels, k)
				x.labels[labelKey{l.Owner, l.Path, l.Name}] = l
			}
		}
	})
}

func uploads(c *content) map[string]store.Upload { return c.uploads }

func uploadAge(u store.Upload) (time.Time, string) { return u.Created, u.ID }

// UploadByID is of store.UploadReader.
func (r reader) UploadByID(_ context.Context, id string) (store.Upload, bool, error) {
	return get(r, uploads, id)
}

// UploadsOf is of store.UploadReader.
func (r reader) UploadsOf(_ context.Context, owner string) ([]store.Upload, error) {
	return pick(r, uploads, func(u store.Upload) bool { return u.Owner == owner }, oldest(uploadAge))
}

// UploadsOfAll is of store.UploadReader.
func (r reader) UploadsOfAll(_ context.Context, whose string) ([]store.Upload, error) {
	return pick(r, uploads, func(u store.Upload) bool { return strings.HasPrefix(u.Owner, whose+"/") }, oldest(uploadAge))
}

// UploadsExpired is of store.UploadReader.
func (r reader) UploadsExpired(_ context.Context, now time.Time) ([]store.Upload, error) {
	return pick(r, uploads, func(u store.Upload) bool { return !u.Expires.After(now) }, oldest(uploadAge))
}

// PutUpload is of store.UploadWriter.
func (x *tx) PutUpload(u store.Upload) error {
	x.uploads[u.ID] = u
	return nil
}

// DropUpload is of store.UploadWriter.
func (x *tx) DropUpload(id string) error {
	delete(x.uploads, id)
	return nil
}

// DropUploadsOf is of store.UploadWriter.
func (x *tx) DropUploadsOf(owner string) error {
	maps.DeleteFunc(x.uploads, func(_ string, u store.Upload) bool { return u.Owner == owner })
	return nil
}
