package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	accountColumns   = `id, mail, name, password, changed, created, closed`
	sqlAccountByMail = `SELECT ` + accountColumns + ` FROM accounts WHERE mail = $1`
	sqlAccountByID   = `SELECT ` + accountColumns + ` FROM accounts WHERE id = $1`
	sqlDropAccount   = `DELETE FROM accounts WHERE id = $1`

	ticketColumns         = `sum, kind, subject, data, created, expires`
	sqlTicketBySum        = `SELECT ` + ticketColumns + ` FROM tickets WHERE sum = $1`
	sqlTicketsOf          = `SELECT ` + ticketColumns + ` FROM tickets WHERE kind = $1 AND subject = $2 ORDER BY created, sum`
	sqlDropTicket         = `DELETE FROM tickets WHERE sum = $1`
	sqlDropTicketsOf      = `DELETE FROM tickets WHERE kind = $1 AND subject = $2`
	sqlDropExpiredTickets = `DELETE FROM tickets WHERE expires <= $1`
)

func scanAccount(row scanner) (a store.Account, err error) {
	return a, row.Scan(&a.ID, &a.Mail, &a.Name, &a.Password, moment{&a.Changed}, moment{&a.Created}, &a.Closed)
}

// AccountByMail is of store.AccountReader.
func (r reader) AccountByMail(ctx context.Context, mail string) (store.Account, bool, error) {
	return one(ctx, r.on, sqlAccountByMail, scanAccount, mail)
}

// AccountByID is of store.AccountReader.
func (r reader) AccountByID(ctx context.Context, id string) (store.Account, bool, error) {
	return one(ctx, r.on, sqlAccountByID, scanAccount, id)
}

// PutAccount is of store.AccountWriter.
func (x *tx) PutAccount(a store.Account) error {
	return x.put("put account", "accounts", 1, accountColumns, a.ID, a.Mail, a.Name, a.Password,
		a.Changed.UnixMicro(), a.Created.UnixMicro(), a.Closed)
}

// DropAccount is of store.AccountWriter.
func (x *tx) DropAccount(id string) error { return x.do("drop account", sqlDropAccount, id) }

func scanTicket(row scanner) (t store.Ticket, err error) {
	return t, row.Scan(secret{&t.Sum}, &t.Kind, &t.Subject, &t.Data, moment{&t.Created}, moment{&t.Expires})
}

// TicketBySum is of store.TicketReader.
func (r reader) TicketBySum(ctx context.Context, sum store.Sum) (store.Ticket, bool, error) {
	return one(ctx, r.on, sqlTicketBySum, scanTicket, sum[:])
}

// TicketsOf is of store.TicketReader.
func (r reader) TicketsOf(ctx context.Context, kind, subject string) ([]store.Ticket, error) {
	return collect(ctx, r.on, sqlTicketsOf, scanTicket, kind, subject)
}

// PutTicket is of store.TicketWriter. It replaces one with the same Sum: a code
// of few digits may come twice.
func (x *tx) PutTicket(t store.Ticket) error {
	return x.put("put ticket", "tickets", 1, ticketColumns, t.Sum[:], t.Kind, t.Subject, blob(t.Data), t.Created.UnixMicro(), t.Expires.UnixMicro())
}

// DropTicket is of store.TicketWriter.
func (x *tx) DropTicket(sum store.Sum) error { return x.do("drop ticket", sqlDropTicket, sum[:]) }

// DropTicketsOf is of store.TicketWriter.
func (x *tx) DropTicketsOf(kind, subject string) error {
	return x.do("drop tickets", sqlDropTicketsOf, kind, subject)
}

// DropExpiredTickets is of store.TicketWriter.
func (x *tx) DropExpiredTickets(now time.Time) error {
	return x.do("drop expired tickets", sqlDropExpiredTickets, now.UnixMicro())
}
