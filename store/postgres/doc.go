// Package postgres is the state store on a PostgreSQL server, for several
// replicas at once. How it reads and writes is in store/sqlstore; this package
// connects, makes the tables, and keeps the replicas out of each other's way.
//
// # One writer for all
//
// Each replica has one connection that writes, with group commit. A batch
// begins with an advisory lock that all replicas share, so one batch runs after
// the other, whoever asked for it. That makes an Update here what it is in
// SQLite: what f reads cannot change before it is committed, two replicas never
// judge the same locks at once, and nothing has to be tried again because of a
// serialization failure. The price is one wait for the batches of the others,
// which group commit keeps few.
//
// # Leases
//
// A second connection, the lease session, holds advisory locks that live as long
// as it does: the replica's name, and the paths that it has claimed. The server
// ends a session that is silent for 15 s (idle_session_timeout), so a replica
// that is frozen or cut off loses its claims without anybody's help. The replica
// asks for an answer every 3 s, and counts its claims as lost 10 s after it
// asked last for one that came: before the server gives them to another.
//
// A pooler between Portico and the server must not share sessions among its
// clients (PgBouncer's pool_mode transaction does): locks belong to sessions.
package postgres
