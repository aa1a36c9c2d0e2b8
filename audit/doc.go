// Package audit records who did what to which file, so that nobody can change
// the record unseen.
//
// # The chain
//
// Each replica writes a stream of rows, numbered without gaps. A row is one line
// of JSON: an event with its number, its stream and the hash of the row before.
// Its own hash is
//
//	HMAC-SHA256(key, hash of the row before ‖ JSON)
//
// over the very bytes that are stored, so there is no canonical form that a
// checker would have to make again. A row is appended in the transaction that
// changes the state it speaks of. In a file or a sink the hash is the last field
// of the line.
//
// # What is found, and what is not
//
// Who can write the store but has no key can change, remove, insert or swap
// nothing unseen, with one exception: the newest rows can be removed, because
// what is left is a chain that is right. And who has the key can write all of it
// anew. Against both there are checkpoints, heads of the streams that are signed
// (Ed25519) and go to a place of their own: Verify finds what disagrees with
// them, up to the last one. Whoever can write both the log and the checkpoints
// and has the key is not found by any means of this package.
//
// # Intents
//
// A file's bytes and the store have no common transaction. So before a change of
// files its intent is made durable, and the row of the outcome ends it. An intent
// that outlives its process becomes a row which says that the outcome is not
// known. Where no intent can be written, the change is refused: there is none
// without a trace.
//
// # Sinks
//
// Sinks are fed from the store and never by a request: one that is away or hangs
// is behind, no more, and gets all of it later, in order and at least once. How
// far each has come is kept in the store.
//
// # Retention
//
// Old rows are cut from the beginning of a stream. The cut is signed and holds
// the hash of the last row removed, to which the first row that is left is
// chained. What a sink has not taken is never cut.
package audit
