package s3

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Reap aborts the uploads below the storage's prefix that began before a time,
// and tells how many.
//
// All of the bucket's uploads are listed: MinIO lists them by "" or by an exact
// key, and finds nothing for a folder's prefix. What was begun before MinIO's
// own last start it lists only by exact key, and removes by itself after a day
// (its stale_uploads_expiry).
func (s *Storage) Reap(ctx context.Context, before time.Time) (int, error) {
	stale, err := s.stale(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("s3: reap: %w", err)
	}
	for i, up := range stale {
		if err := s.abortUpload(ctx, up.Key, up.UploadID); err != nil {
			return i, fmt.Errorf("s3: reap %s: %w", up.Key, err)
		}
	}
	return len(stale), nil
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
