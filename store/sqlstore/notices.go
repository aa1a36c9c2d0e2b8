package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	noticeColumns = `id, recipient, mail, language, event, data, batch, created, due, tries, done, trouble, quiet, read_at`
	notices       = `SELECT ` + noticeColumns + ` FROM notices WHERE `

	sqlNoticesTo = notices + `recipient = $1 AND NOT quiet` + newestFirst + ` LIMIT $2`
	sqlUnreadTo  = `SELECT count(*) FROM notices WHERE recipient = $1 AND NOT quiet AND read_at = $2`
	// waits is a column of its own, and "waits" alone the condition of two indexes:
	// who looks for mails every few seconds does not read the years of the others.
	sqlDueMails     = notices + `waits AND due <= $1` + oldestFirst + ` LIMIT $2`
	sqlWaitingMails = notices + `waits AND batch = $1 AND mail = $2` + oldestFirst

	sqlReadNotices   = `UPDATE notices SET read_at = $1 WHERE recipient = $2 AND read_at = $3`
	sqlDropNoticesTo = `DELETE FROM notices WHERE recipient = $1`
	sqlDropNotices   = `DELETE FROM notices WHERE created < $1 AND NOT waits`

	preferenceColumns = `owner, language, theme, muted`
	sqlPreferencesOf  = `SELECT ` + preferenceColumns + ` FROM preferences WHERE owner = $1`
)

func scanNotice(row scanner) (n store.Notice, err error) {
	return n, row.Scan(&n.ID, &n.To, &n.Mail, &n.Language, &n.Event, &n.Data, &n.Batch, moment{&n.Created}, moment{&n.Due},
		&n.Tries, moment{&n.Done}, &n.Trouble, &n.Quiet, moment{&n.Read})
}

// unread is what the time of reading is before it is known.
func unread() int64 { return time.Time{}.UnixMicro() }

// NoticesTo is of store.NoticeReader.
func (r reader) NoticesTo(ctx context.Context, to string, limit int) ([]store.Notice, error) {
	// SQLite takes a negative limit for none at all.
	return collect(ctx, r.on, sqlNoticesTo, scanNotice, to, max(limit, 0))
}

// UnreadTo is of store.NoticeReader.
func (r reader) UnreadTo(ctx context.Context, to string) (int, error) {
	n, err := number(ctx, r.on, sqlUnreadTo, to, unread())
	return int(n), err
}

// DueMails is of store.NoticeReader.
func (r reader) DueMails(ctx context.Context, now time.Time, limit int) ([]store.Notice, error) {
	return collect(ctx, r.on, sqlDueMails, scanNotice, now.UnixMicro(), max(limit, 0))
}

// WaitingMails is of store.NoticeReader.
func (r reader) WaitingMails(ctx context.Context, batch, mail string) ([]store.Notice, error) {
	return collect(ctx, r.on, sqlWaitingMails, scanNotice, batch, mail)
}

// PutNotice is of store.NoticeWriter.
func (x *tx) PutNotice(n store.Notice) error {
	return x.put("put notice", "notices", 1, noticeColumns+", waits", n.ID, n.To, n.Mail, n.Language, n.Event, blob(n.Data), n.Batch,
		n.Created.UnixMicro(), n.Due.UnixMicro(), n.Tries, n.Done.UnixMicro(), n.Trouble, n.Quiet, n.Read.UnixMicro(),
		n.Mail != "" && n.Done.IsZero())
}

// ReadNotices is of store.NoticeWriter.
func (x *tx) ReadNotices(to string, at time.Time) error {
	return x.do("read notices", sqlReadNotices, at.UnixMicro(), to, unread())
}

// DropNoticesTo is of store.NoticeWriter.
func (x *tx) DropNoticesTo(to string) error { return x.do("drop notices", sqlDropNoticesTo, to) }

// DropNoticesBefore is of store.NoticeWriter.
func (x *tx) DropNoticesBefore(created time.Time) error {
	return x.do("drop notices", sqlDropNotices, created.UnixMicro())
}

// PreferencesOf is of store.PreferencesReader.
func (r reader) PreferencesOf(ctx context.Context, owner string) (store.Preferences, error) {
	p, _, err := one(ctx, r.on, sqlPreferencesOf, func(row scanner) (p store.Preferences, err error) {
		return p, row.Scan(&p.Owner, &p.Language, &p.Theme, texts{&p.Muted})
	}, owner)
	p.Owner = owner
	return p, err
}

// PutPreferences is of store.PreferencesWriter.
func (x *tx) PutPreferences(p store.Preferences) error {
	return x.put("put preferences", "preferences", 1, preferenceColumns, p.Owner, p.Language, p.Theme, list(p.Muted))
}
