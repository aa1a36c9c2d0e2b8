// Package sqlite is the state store in one file, for one replica.
//
// One goroutine writes. It lends its transaction to one waiting Update after
// the other, commits once, and then answers them all (group commit), so that
// the price of one fsync is shared by all who wait for it. Reads go through a
// few connections of their own, which the write-ahead log lets run beside the
// writer.
//
// The settings are those of SQLite for data that must not be lost: WAL with
// synchronous=FULL syncs the log at each commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
package sqlite
