package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"portico/fault"
)

// Table is what is known of the rows of one table.
type Table struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	Hash Hash   `json:"sha256"` // over all values in their order, the same in every database
}

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// String is the usual form in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is of encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// chunk is how many rows go in one statement. PostgreSQL allows 65535 arguments,
// and the widest table has 26 columns.
const chunk = 200

// chunkBytes is how much of blobs goes in one, about: a snapshot may have 8 MiB.
const chunkBytes = 4 << 20

// Copy puts all that from holds into to, a database of PostgreSQL that holds
// nothing, and reads it back: each table must have the same rows there. It is
// one transaction, beside which no replica writes to to, and so is done wholly
// or not at all. Nobody may write to from meanwhile.
func Copy(ctx context.Context, from *Pool, to *Engine) (all []Table, err error) {
	source, err := from.db.Conn(ctx)
	if err != nil {
		return nil, from.failed(ctx, err)
	}
	defer source.Close() //nolint:errcheck // it only reads
	target, err := to.db.Conn(ctx)
	if err != nil {
		return nil, to.failed(ctx, err)
	}
	defer func() {
		if err != nil { // end the connection, and so what it has begun
			_ = target.Raw(func(any) error { return driver.ErrBadConn })
			all = nil
		}
		_ = target.Close() // all is committed, or nothing
	}()
	if err := to.dialect.control(ctx, target, to.dialect.Begin...); err != nil {
		return nil, to.failed(ctx, err)
	}
	for _, t := range tables() {
		one, err := copyTable(ctx, t, from, to.Pool, source, target)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := to.dialect.control(ctx, target, `COMMIT`); err != nil {
		return nil, to.failed(ctx, err)
	}
	return all, nil
}

func copyTable(ctx context.Context, t table, from, to *Pool, source, target *sql.Conn) (Table, error) {
	there, err := t.read(ctx, target, nil)
	if err != nil {
		return Table{}, to.failed(ctx, err)
	}
	if there.Rows > 0 {
		return Table{}, fmt.Errorf("%s: copy: the database is not empty: table %s has %d rows; name one in which no Portico has worked yet: %w",
			to.dialect.Name, t.name, there.Rows, fault.ErrConflict)
	}
	one, err := t.read(ctx, source, func(rows [][]any) error {
		if err := t.write(ctx, target, rows); err != nil {
			return to.failed(ctx, err)
		}
		return nil
	})
	if err != nil {
		return Table{}, from.failed(ctx, err)
	}
	if there, err = t.read(ctx, target, nil); err != nil {
		return Table{}, to.failed(ctx, err)
	}
	if there != one {
		return Table{}, fmt.Errorf("%s: copy: table %s has %d rows there and %d here, or others: %w",
			to.dialect.Name, t.name, there.Rows, one.Rows, errDiffers)
	}
	return one, nil
}

var errDiffers = errors.New("the copy differs from what was copied; nothing was kept of it")

// read reads all rows in order, and gives them to take, if there is one, in
// lists of up to chunk, and of about chunkBytes.
func (t table) read(ctx context.Context, conn *sql.Conn, take func(rows [][]any) error) (Table, error) {
	found, sum := Table{Name: t.name}, sha256.New()
	rows, err := conn.QueryContext(ctx, t.selectAll())
	if err != nil {
		return found, err
	}
	defer rows.Close() //nolint:errcheck // Err below tells all
	var waiting [][]any
	size := 0
	for rows.Next() {
		row, err := t.scan(rows)
		if err != nil {
			return found, err
		}
		found.Rows++
		addRow(sum, row)
		if take == nil {
			continue
		}
		size += sizeOf(row)
		if waiting = append(waiting, row); len(waiting) == chunk || size >= chunkBytes {
			if err := take(waiting); err != nil {
				return found, err
			}
			waiting, size = waiting[:0], 0
		}
	}
	if err := rows.Err(); err != nil {
		return found, err
	}
	if len(waiting) > 0 {
		if err := take(waiting); err != nil {
			return found, err
		}
	}
	sum.Sum(found.Hash[:0])
	return found, nil
}

func sizeOf(row []any) (n int) {
	for _, v := range row {
		if b, ok := v.([]byte); ok {
			n += len(b)
		}
	}
	return n
}

// scan reads a row into values whose types do not depend on the database.
func (t table) scan(rows *sql.Rows) ([]any, error) {
	row := make([]any, len(t.columns))
	into := make([]any, len(t.columns))
	for i, c := range t.columns {
		switch c.kind {
		case 't':
			into[i] = new(string)
		case 'n':
			into[i] = new(int64)
		case 'f':
			into[i] = new(bool)
		default:
			into[i] = new([]byte)
		}
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range into {
		switch v := v.(type) {
		case *string:
			row[i] = *v
		case *int64:
			row[i] = *v
		case *bool:
			row[i] = *v
		case *[]byte:
			row[i] = *v
			if *v == nil && t.columns[i].kind == 'b' {
				row[i] = []byte{}
			}
		}
	}
	return row, nil
}

// addRow adds a row to a sum. Each value has its kind and its length, so that
// no two rows look alike.
func addRow(sum hash.Hash, row []any) {
	for _, v := range row {
		var b []byte
		kind := byte('0')
		switch v := v.(type) {
		case string:
			kind, b = 't', []byte(v)
		case int64:
			kind, b = 'n', strconv.AppendInt(nil, v, 10)
		case bool:
			kind, b = 'f', strconv.AppendBool(nil, v)
		case []byte:
			if v != nil {
				kind, b = 'b', v
			}
		}
		_, _ = sum.Write(append([]byte{kind}, binary.BigEndian.AppendUint64(nil, uint64(len(b)))...)) // a hash takes all
		_, _ = sum.Write(b)
	}
}

func (t table) write(ctx context.Context, conn *sql.Conn, rows [][]any) error {
	var args []any
	var values strings.Builder
	for i, row := range rows {
		if i > 0 {
			values.WriteString(", ")
		}
		for j := range row {
			values.WriteString([]string{"(", ", "}[min(j, 1)] + "$" + strconv.Itoa(len(args)+j+1))
		}
		values.WriteByte(')')
		args = append(args, row...)
	}
	_, err := conn.ExecContext(ctx, `INSERT INTO `+t.name+` (`+t.names()+`) VALUES `+values.String(), args...) //nolint:gosec // our own words
	return err
}
