package sqlstore

import (
	"context"
	"time"

	"portico/store"
	"portico/vpath"
)

const (
	depositColumns = `id, path, gone, owner, subject, depositor, mail, grant_id, name, size, sha256, time, receipt, opened, opened_by`
	deposits       = `SELECT ` + depositColumns + ` FROM deposits WHERE `
	lastFirst      = ` ORDER BY time DESC, id`

	sqlDepositByID   = deposits + `id = $1`
	sqlDepositAt     = deposits + `path = $1 AND NOT gone` + lastFirst + ` LIMIT 1`
	sqlDepositsOf    = deposits + `owner = $1` + lastFirst
	sqlPlaceholders  = deposits + `subject = $1 AND name = '' AND NOT gone` + lastFirst
	sqlDepositsBelow = deposits + `path >= $1 AND path < $2` + lastFirst

	sqlMoveDeposits = `UPDATE deposits` + setMovedTo
	sqlDepositsGone = `UPDATE deposits SET gone = $3` + inTree
	// A placeholder was never a deposit, and leaves no history.
	sqlDropHolders  = `DELETE FROM deposits` + inTree + ` AND name = ''`
	sqlDropDeposits = `DELETE FROM deposits WHERE gone AND time < $1`
)

func scanDeposit(row scanner) (d store.Deposit, err error) {
	return d, row.Scan(&d.ID, where{&d.Path}, &d.Gone, &d.Owner, &d.Subject, &d.By, &d.Mail, &d.Grant, &d.Name, &d.Size, &d.SHA256,
		moment{&d.Time}, &d.Receipt, moment{&d.Opened}, &d.OpenedBy)
}

// DepositByID is of store.DepositReader.
func (r reader) DepositByID(ctx context.Context, id string) (store.Deposit, bool, error) {
	return one(ctx, r.on, sqlDepositByID, scanDeposit, id)
}

// DepositAt is of store.DepositReader.
func (r reader) DepositAt(ctx context.Context, p vpath.Path) (store.Deposit, bool, error) {
	return one(ctx, r.on, sqlDepositAt, scanDeposit, key(p))
}

// DepositsOf is of store.DepositReader.
func (r reader) DepositsOf(ctx context.Context, owner string) ([]store.Deposit, error) {
	return collect(ctx, r.on, sqlDepositsOf, scanDeposit, owner)
}

// PlaceholdersBy is of store.DepositReader.
func (r reader) PlaceholdersBy(ctx context.Context, subject string) ([]store.Deposit, error) {
	return collect(ctx, r.on, sqlPlaceholders, scanDeposit, subject)
}

// DepositsBelow is of store.DepositReader.
func (r reader) DepositsBelow(ctx context.Context, p vpath.Path) ([]store.Deposit, error) {
	from, to := below(p)
	return collect(ctx, r.on, sqlDepositsBelow, scanDeposit, from, to)
}

// PutDeposit is of store.DepositWriter.
func (x *tx) PutDeposit(d store.Deposit) error {
	return x.put("put deposit", "deposits", 1, depositColumns, d.ID, key(d.Path), d.Gone, d.Owner, d.Subject, d.By, d.Mail, d.Grant,
		d.Name, d.Size, d.SHA256, d.Time.UnixMicro(), blob(d.Receipt), d.Opened.UnixMicro(), d.OpenedBy)
}

// MoveDeposits is of store.DepositWriter. It refuses what MoveProps refuses. Those
// whose files have gone follow their folder too: who may see its history asks
// for it where the folder is now.
func (x *tx) MoveDeposits(from, to vpath.Path) error {
	ok, err := x.moves("move deposits", from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DepositsGoneBelow(to); err != nil {
		return err
	}
	return x.do("move deposits", sqlMoveDeposits, moved(from, to)...)
}

// DepositsGoneBelow is of store.DepositWriter.
func (x *tx) DepositsGoneBelow(p vpath.Path) error {
	from, to := below(p)
	if err := x.do("placeholders gone", sqlDropHolders, from, to); err != nil {
		return err
	}
	return x.do("deposits gone", sqlDepositsGone, from, to, true)
}

// DropDepositsBefore is of store.DepositWriter.
func (x *tx) DropDepositsBefore(before time.Time) error {
	return x.do("drop deposits", sqlDropDeposits, before.UnixMicro())
}
