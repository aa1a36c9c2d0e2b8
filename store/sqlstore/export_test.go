package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"portico/store"
)

// What the tests of this package need to see. They are of the package
// sqlstore_test, since they open the databases, which import this one.

const MaxBatch = maxBatch

// Raw runs a statement in a transaction.
func Raw(t store.Tx, statement string) error { return t.(*tx).do("test", statement) }

// Conn is the connection below a transaction.
func Conn(t store.Tx) *sql.Conn { return t.(*tx).w.conn }

// Quit is closed when Close has begun.
func (e *Engine) Quit() <-chan struct{} { return e.writer.quit }

// DB is what the reads go through, and Adapted a statement in its words.
func (p *Pool) DB() *sql.DB                 { return p.db }
func (p *Pool) Adapted(query string) string { return p.dialect.adapt(query) }

// TestTurnTooLate: the context ended after the writer took the turn and before
// f began.
func TestTurnTooLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := newTurn()
	late.run(ctx, &tx{w: &writer{dialect: &Dialect{}}}, func(store.Tx) error {
		t.Error("f ran")
		return nil
	})
	if err := <-late.ran; !errors.Is(err, context.Canceled) {
		t.Errorf("the verdict is %v, want context.Canceled", err)
	}
}

// Statements are all that name a row, a path or a stream; the others read a
// whole table by right.
func Statements() []string {
	return []string{
		sqlLocksOn, sqlLocksBelow, sqlLocksOf, sqlLocks, sqlDropLock, sqlDropLocksBelow, sqlDropExpiredLocks,
		sqlPropsOf, sqlAround, sqlCountProps, sqlPropsAt, sqlPropBelow, sqlDropProp, sqlDropProps, sqlDropPropsBelow, sqlMoveProps, sqlCopyProps, sqlCopyPropsOf,
		sqlDropMove, sqlDropIntent, sqlUsage, sqlAddUsage,
		sqlAuditRows, sqlAuditHead, sqlCutAudit, sqlSinkAt, sqlAppendAudit,
		sqlAuditKey, sqlAuditKeyFor, sqlDropAuditKey, sqlDropAuditKeys,
		sqlPasswordBySum, sqlPasswordsOf, sqlDropPassword, sqlTouchPassword,
		sqlSessionBySum, sqlTouchSession, sqlDropSession, sqlDropSessionsOf, sqlDropExpiredSessions,
		sqlPersonByID, sqlAttempts, sqlDropAttempts,
		sqlAcceptedGrants, sqlGrantByID, sqlGrantsTo, sqlGrantsBy, sqlGrantsAbove, sqlGrantsBelow,
		sqlDropGrant, sqlDropGrantsTo, sqlDropGrantsBelow, sqlMoveGrants, sqlGrantsChange,
		sqlLinkBySum, sqlLinkByID, sqlLinksBy, sqlLinksIn, sqlDropLink, sqlDownloadsOf, sqlDropDownload, sqlDropDownloads,
		sqlDepositByID, sqlDepositAt, sqlDepositsOf, sqlPlaceholders, sqlDepositsBelow, sqlMoveDeposits, sqlDepositsGone, sqlDropDeposits,
		sqlLabelsIn, sqlDropLabel, sqlDropLabelsBelow, sqlMoveLabels,
		sqlUploadByID, sqlUploadsOf, sqlUploadsOfAll, sqlUploadsExpired, sqlDropUpload, sqlDropUploadsOf,
		sqlContactByMail, sqlContactsIn, sqlContactsOf, sqlDropContact, sqlDropFoldersOf, sqlDropFoldersIn, sqlMoveFoldersFor,
		sqlAccountByMail, sqlAccountByID, sqlDropAccount,
		sqlTicketBySum, sqlTicketsOf, sqlDropTicket, sqlDropTicketsOf, sqlDropExpiredTickets,
		sqlNoticesTo, sqlUnreadTo, sqlDueMails, sqlWaitingMails, sqlReadNotices, sqlDropNoticesTo, sqlDropNotices, sqlPreferencesOf,
	}
}

// Tables are the columns that Copy copies.
func Tables() map[string][]string {
	all := make(map[string][]string)
	for _, t := range tables() {
		for _, c := range t.columns {
			all[t.name] = append(all[t.name], c.name)
		}
	}
	return all
}
