// Package sqlstore is the part of the state store that its databases share: the
// queries, the reads, and the one writer with its group commit. store/sqlite and
// store/postgres open a database, make its tables, and hand it over.
//
// One goroutine writes. It lends its transaction to one waiting Update after
// the other, commits once, and then answers them all (group commit), so that
// the price of one fsync is shared by all who wait for it. Reads go through a
// few connections of their own.
//
// The statements are written once, in the words that SQLite and PostgreSQL have
// in common: both know $1, ON CONFLICT and ||. What is left of the difference is
// a Dialect. The tables have the same names and columns in both; each database
// has its own migrations.
package sqlstore
