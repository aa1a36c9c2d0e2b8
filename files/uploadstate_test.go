package files_test

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// The uploads of memState.

func (s *memState) UploadByID(ctx context.Context, id string) (store.Upload, bool, error) {
	return s.read().UploadByID(ctx, id)
}

func (s *memState) UploadsOf(ctx context.Context, owner string) ([]store.Upload, error) {
	return s.read().UploadsOf(ctx, owner)
}

func (s *memState) UploadsOfAll(ctx context.Context, whose string) ([]store.Upload, error) {
	return s.read().UploadsOfAll(ctx, whose)
}

func (s *memState) UploadsExpired(ctx context.Context, now time.Time) ([]store.Upload, error) {
	return s.read().UploadsExpired(ctx, now)
}

func (r memRows) UploadByID(_ context.Context, id string) (store.Upload, bool, error) {
	u, ok := r.uploads[id]
	return u, ok, nil
}

func (r memRows) someUploads(want func(store.Upload) bool) (out []store.Upload) {
	for _, u := range r.uploads {
		if want(u) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b store.Upload) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (r memRows) UploadsOf(_ context.Context, owner string) ([]store.Upload, error) {
	return r.someUploads(func(u store.Upload) bool { return u.Owner == owner }), nil
}

func (r memRows) UploadsOfAll(_ context.Context, whose string) ([]store.Upload, error) {
	return r.someUploads(func(u store.Upload) bool { return strings.HasPrefix(u.Owner, whose+"/") }), nil
}

func (r memRows) UploadsExpired(_ context.Context, now time.Time) ([]store.Upload, error) {
	return r.someUploads(func(u store.Upload) bool { return !u.Expires.After(now) }), nil
}

func (x *memTx) PutUpload(u store.Upload) error { x.uploads[u.ID] = u; return nil }

func (x *memTx) DropUpload(id string) error { delete(x.uploads, id); return nil }

// procStager is a Stager as one process has it.
type procStager struct {
	backends.Stager
	r *replica
}

func (p procStager) Append(ctx context.Context, handle string, off, size int64, body io.Reader) (string, int64, error) {
	if err := p.r.call("Append"); err != nil {
		return handle, 0, err
	}
	return p.Stager.Append(ctx, handle, off, size, body)
}

// Finish dies where step says so, before or after the file is published.
func (p procStager) Finish(ctx context.Context, handle string, at vpath.Path, o backends.PutOptions) (backends.Info, error) {
	if err := p.r.call("Finish"); err != nil {
		return backends.Info{}, err
	}
	info, err := p.Stager.Finish(ctx, handle, at, o)
	if err == nil {
		err = p.r.call("Finished")
	}
	return info, err
}

// Finished is that of a storage that keeps no sum, as S3.
func (p procStager) Finished(ctx context.Context, handle string, at vpath.Path, o backends.PutOptions) (backends.Info, bool, error) {
	info, ok, err := p.Stager.Finished(ctx, handle, at, o)
	info.SHA256 = o.SHA256
	return info, ok, err
}

// IsBeside looks behind what another process made of the tree.
func (p procStager) IsBeside(other backends.Backend) bool {
	n, ok := p.Stager.(backends.Neighbour)
	if b, wrapped := other.(interface{ behind() backends.Backend }); wrapped {
		other = b.behind()
	}
	return ok && n.IsBeside(other)
}

func (p procStager) behind() backends.Backend { b, _ := p.Stager.(backends.Backend); return b }
