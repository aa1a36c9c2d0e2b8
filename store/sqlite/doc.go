// Package sqlite is the state store in one file, for one replica. How it reads
// and writes is in store/sqlstore; the write-ahead log lets its reads run beside
// the writer.
//
// The settings are those of SQLite for data that must not be lost: WAL with
// synchronous=FULL syncs the log at each commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
package sqlite
