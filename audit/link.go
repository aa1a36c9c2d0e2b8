package audit

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"hash"
	"time"

	"portico/store"
)

const (
	// Rows are written in the order of their commits, and have the time of the
	// request. So some seconds back are usual, and a clock may be set.
	backwards = time.Minute

	// A sink that was interrupted gets up to a batch of rows again.
	keepSeen = sendEach
)

// place is what a row says of itself.
type place struct {
	Seq     int64     `json:"seq"`
	Replica string    `json:"replica"`
	Time    time.Time `json:"ts"`
	Prev    string    `json:"prev"`
	Opened  bool      `json:"opened"`
}

func parsePlace(row []byte) (place, error) {
	var p place
	return p, json.Unmarshal(row, &p)
}

// links checks the rows of one stream, one after the other.
type links struct {
	stream string
	mac    hash.Hash // nil where the secret is not known
	marks  *marks    // the stream's checkpoints
	report *Report
	span   Span
	found  int // faults and warnings of rows

	next int64    // the Seq that is due; 0 for whichever comes
	prev [][]byte // what the next row may follow: the hash of the row before, as it stands there and as it should; nil for anything
	last time.Time
	seen map[int64][]byte // the hashes of the last rows; nil where no row may come twice
}

func (l *links) fault(seq int64, format string, args ...any) {
	if l.report.room(&l.found) {
		l.report.fault(l.stream, seq, format, args...)
	}
}

func (l *links) warn(seq int64, format string, args ...any) {
	if l.report.room(&l.found) {
		l.report.warn(l.stream, seq, format, args...)
	}
}

// check takes the next row.
func (l *links) check(r store.AuditRow) {
	if l.span.Rows++; l.span.Rows == 1 {
		l.span.First, l.span.Begin = r.Seq, r.Time
	}
	if l.next == 0 {
		l.next = r.Seq
	}
	switch {
	case r.Seq < l.next && l.again(r):
		return
	case r.Seq < l.next:
		l.fault(r.Seq, "stands behind row %d: rows were swapped, inserted or written twice", l.next-1)
		return
	case r.Seq > l.next+1:
		l.fault(r.Seq, "the rows %d to %d before it are missing", l.next, r.Seq-1)
		l.prev = nil
	case r.Seq > l.next:
		l.fault(r.Seq, "row %d before it is missing", l.next)
		l.prev = nil
	}
	sum := l.judge(r)
	l.marks.compare(l.report, l.stream, r)
	l.next, l.prev = r.Seq+1, [][]byte{r.Hash, sum}
	l.span.Last, l.span.End = r.Seq, r.Time
	if l.seen != nil {
		l.seen[r.Seq] = r.Hash
		delete(l.seen, r.Seq-keepSeen)
	}
}

// again tells of a row that has come before, just as it is.
func (l *links) again(r store.AuditRow) bool {
	was, ok := l.seen[r.Seq]
	if !ok || !hmac.Equal(was, r.Hash) {
		return false
	}
	p, err := parsePlace(r.JSON)
	if err != nil {
		return false
	}
	if sum, ok := l.sum(p, r.JSON); !ok || l.mac != nil && !hmac.Equal(sum, r.Hash) {
		return false
	}
	l.warn(r.Seq, "stands here again, unchanged: the writing was interrupted at some time")
	return true
}

// judge holds a row against its hash, against its place and against the row
// before, and tells of the first thing that is wrong. It gives the hash that the
// row should have.
func (l *links) judge(r store.AuditRow) []byte {
	p, err := parsePlace(r.JSON)
	sum, ok := l.sum(p, r.JSON)
	switch {
	case err != nil || !ok:
		l.fault(r.Seq, "was changed: it is no longer a row as Portico writes it")
	case l.mac != nil && !hmac.Equal(sum, r.Hash):
		l.fault(r.Seq, "was changed: its hash is not that of its content")
	case p.Seq != r.Seq || p.Replica != l.stream:
		l.fault(r.Seq, "was moved here: it is row %d of stream %q", p.Seq, p.Replica)
	case !p.Time.Equal(r.Time):
		l.fault(r.Seq, "its time in the store (%s) is not that of its content", r.Time.Format(time.RFC3339Nano))
	case !l.follows(p):
		l.fault(r.Seq, "does not follow the row before it: one of the two was exchanged")
	case p.Time.Before(l.last.Add(-backwards)):
		l.warn(r.Seq, "is %v older than the row before it: was the clock set back?", l.last.Sub(p.Time).Round(time.Second))
	}
	if err == nil {
		l.last = p.Time
	}
	return sum
}

// sum is the hash that a row should have. Without the secret it is nil.
func (l *links) sum(p place, row []byte) ([]byte, bool) {
	prev, err := hex.DecodeString(p.Prev)
	if err != nil || len(prev) != len(before(nil)) {
		return nil, false
	}
	if l.mac == nil {
		return nil, true
	}
	l.mac.Reset()
	l.mac.Write(prev)
	l.mac.Write(row)
	return l.mac.Sum(nil), true
}

func (l *links) follows(p place) bool {
	if l.prev == nil {
		return true
	}
	prev, _ := hex.DecodeString(p.Prev) // sum has checked it
	for _, want := range l.prev {
		if want != nil && bytes.Equal(prev, want) {
			return true
		}
	}
	return false
}
