package files

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Landed tells what has become of a Copy or a Move.
type Landed struct {
	Created bool // nothing was replaced

	// Timed is set where the file has the time of TransferOptions.ModTime now, to the
	// second. A folder never has: its time is the storage's own, which tells when
	// something was last put into it, and the next file would end what was kept of
	// another.
	Timed bool
}

// made is what a copy, or a move by copying, has made: files come some at a time.
type made struct {
	mu    sync.Mutex
	etags map[vpath.Path]string // by the path of what was copied
	root  backends.Info         // of a file that was copied alone
}

func (m *made) add(from vpath.Path, info backends.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.etags == nil {
		m.etags = map[vpath.Path]string{}
	}
	m.etags[from], m.root = info.ETag, info
}

// timed tells whether the file that a copy has made has the time that was wished for.
func (x *transfer) timed() bool { return !x.dir() && isTime(x.made.root, x.o.ModTime) }

// isTime compares to the second, which is what HTTP can tell of a time.
func isTime(info backends.Info, t time.Time) bool {
	return !t.IsZero() && info.ModTime.Unix() == t.Unix()
}

// timeMoved gives a file that was moved the time that was wished for. The move stands,
// whatever comes of it. Most clients tell the time that the file has (rclone's
// backend/webdav sends X-OC-Mtime along with every MOVE): that costs nothing.
func (t *Tree) timeMoved(ctx context.Context, x *transfer) bool {
	switch {
	case x.o.ModTime.IsZero() || x.dir():
		return false
	case isTime(x.all[0].info, x.o.ModTime):
		return true // a move keeps it
	}
	timer, ok := x.dst.space.Backend.(backends.Timer)
	if !ok || stillHeld(ctx) != nil {
		return false
	}
	info, err := timer.SetModTime(ctx, x.dst.inner, x.o.ModTime)
	if err != nil {
		t.s.Log.WarnContext(ctx, "a file was moved without the time that its client gave", "path", x.dst.path, "err", err)
		return false
	}
	return isTime(info, x.o.ModTime)
}

// sumsAtOnce is how many checksums go into one transaction, for which all others wait.
const sumsAtOnce = 500

// keepSums carries the checksums of files over to their copies. They hold for one
// version (see takeSums), and a copy is a version of its own in most stores. They came
// along with the properties; here they are told which version they are of now. It must
// come when those are at their new place, as long as the source is at its old one: a
// file that was written meanwhile is not what was copied. Where it fails, nothing but
// the checksums is lost.
func (s *Service) keepSums(ctx context.Context, x *transfer) {
	rows, err := s.sumsOf(ctx, x)
	for len(rows) > 0 && err == nil {
		some := rows[:min(len(rows), sumsAtOnce)]
		rows = rows[len(some):]
		err = s.update(ctx, func(tx store.Tx) error {
			for _, row := range some {
				if err := tx.PutProp(row.path, row.prop); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "files were copied without their checksums", "path", x.dst.path, "err", err)
	}
}

// sumsRow is a property of a path.
type sumsRow struct {
	path vpath.Path
	prop store.Prop
}

// sumsOf are the checksums that hold for the new files.
func (s *Service) sumsOf(ctx context.Context, x *transfer) (rows []sumsRow, err error) {
	if !x.anew() {
		return nil, nil
	}
	have, err := s.State.PropBelow(ctx, x.dst.path, ownCloud, sumsName)
	if err != nil || len(have) == 0 {
		return nil, err
	}
	var of []member // by row
	for _, m := range x.all {
		made := x.made.etags[m.path]
		to, err := x.target(m)
		if err != nil || made == "" || made == m.info.ETag {
			continue
		}
		etag, sums, _ := strings.Cut(have[to.path].XML, " ")
		if sums != "" && etag == m.info.ETag {
			rows, of = append(rows, sumsRow{to.path, sumsProp(made, sums)}), append(of, m)
		}
	}
	return standing(ctx, rows, of), nil
}

// standing leaves out the rows whose files have changed. Both ends of the copy are held
// meanwhile, and the storage may be far away: it is asked for some at a time.
func standing(ctx context.Context, rows []sumsRow, of []member) []sumsRow {
	gone := each(ctx, of, func(ctx context.Context, m member) error { return m.stands(ctx) })
	kept := rows[:0]
	for i, row := range rows {
		if gone[of[i].path] == nil {
			kept = append(kept, row)
		}
	}
	return kept
}

// anew tells whether one of the files has become another version. Where a version is
// named by its bytes, as S3 does for most, none has.
func (x *transfer) anew() bool {
	return slices.ContainsFunc(x.all, func(m member) bool { made := x.made.etags[m.path]; return made != "" && made != m.info.ETag })
}

// stands is nil for a file that is the version still that was found.
func (m member) stands(ctx context.Context) error {
	info, err := m.space.Backend.Stat(ctx, m.inner)
	if err == nil && info.ETag != m.info.ETag {
		err = fault.ErrPrecondition
	}
	return err
}
