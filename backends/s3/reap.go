package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Reap aborts the uploads below the storage's prefix that nothing has come for
// since a time, and tells how many.
//
// All of the bucket's uploads are listed: MinIO lists them by "" or by an exact
// key, and finds nothing for a folder's prefix. What was begun before MinIO's
// own last start it lists only by exact key, and removes by itself after a day
// (its stale_uploads_expiry).
func (s *Storage) Reap(ctx context.Context, before time.Time) (int, error) {
	n, err := s.reap(ctx, before)
	if err != nil {
		return n, fmt.Errorf("s3: reap: %w", err)
	}
	return n, nil
}

func (s *Storage) reap(ctx context.Context, before time.Time) (n int, err error) {
	waiting, err := s.waiting(ctx, s.prefix+stagedFolder)
	if err != nil {
		return 0, err
	}
	stale, err := s.stale(ctx, before)
	if err != nil {
		return 0, err
	}
	for _, up := range stale {
		dead, err := s.isDead(ctx, up, before, waiting)
		if err == nil && dead {
			err = s.abortUpload(ctx, up.Key, up.UploadID)
			n++
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", up.Key, err)
		}
	}
	for _, w := range waiting {
		if !w.last.Before(before) {
			continue
		}
		if err := s.drop(ctx, w); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// isDead tells that neither a part nor a tail came since a time. One that comes
// in pieces may have begun days ago.
func (s *Storage) isDead(ctx context.Context, up minio.ObjectMultipartInfo, before time.Time, waiting map[string]*tails) (bool, error) {
	if w := waiting[stagedAt(s.prefix, up.UploadID)]; w != nil && !w.last.Before(before) {
		return false, nil
	}
	for after := 0; ; {
		page, err := s.partsPage(ctx, up.Key, up.UploadID, after)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has ended meanwhile
			return true, nil
		case err != nil:
			return false, err
		}
		for _, p := range page.ObjectParts {
			if !p.LastModified.Before(before) {
				return false, nil
			}
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= after {
			return true, nil
		}
		after = page.NextPartNumberMarker
	}
}

// stale lists the uploads that began before a time.
func (s *Storage) stale(ctx context.Context, before time.Time) ([]minio.ObjectMultipartInfo, error) {
	var stale []minio.ObjectMultipartInfo
	for key, id := "", ""; ; {
		page, err := s.uploads(ctx, key, id)
		if err != nil {
			return nil, err
		}
		for _, up := range page.Uploads {
			if strings.HasPrefix(up.Key, s.prefix) && up.Initiated.Before(before) {
				stale = append(stale, up)
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == "" {
			return stale, nil
		}
		key, id = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func (s *Storage) uploads(ctx context.Context, key, id string) (minio.ListMultipartUploadsResult, error) {
	inner, w := watch(ctx, quick)
	defer w.stop()
	page, err := s.idem.ListMultipartUploads(inner, s.o.Bucket, "", key, id, "", pageSize)
	return page, s.fault(ctx, inner, err)
}

// abortUpload frees the parts of an upload. One that is gone is no failure.
func (s *Storage) abortUpload(ctx context.Context, key, id string) error {
	inner, w := watch(ctx, quick)
	defer w.stop()
	err := s.idem.AbortMultipartUpload(inner, s.o.Bucket, key, id)
	if isCode(err, minio.NoSuchUpload) {
		return nil
	}
	return s.fault(ctx, inner, err)
}

// abandon aborts an upload that broke, whatever has become of its ctx.
func (s *Storage) abandon(ctx context.Context, key, id string) {
	if err := s.abortUpload(context.WithoutCancel(ctx), key, id); err != nil {
		s.o.Log.WarnContext(ctx, "a broken upload could not be aborted; it costs room until the reaper finds it", "key", key, "err", err)
	}
}
