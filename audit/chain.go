package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"portico/store"
)

// Row is what a row's JSON holds: an event and its place in the chain. That all
// of it is under the hash makes a file of rows a log that can be checked without
// the store.
type Row struct {
	Seq     int64  `json:"seq"`
	Replica string `json:"replica"` // the stream
	Event
	Sealed string `json:"sealed,omitempty"`     // what names the actor, under the key of the pseudonym
	Origin string `json:"sealed_src,omitempty"` // where it came from, under the key of the day
	Opened bool   `json:"opened,omitempty"`     // of a copy whose seals are open: it has no hash any more
	Prev   string `json:"prev"`                 // the hash of the row before, in hex
}

// DecodeRow reads a row back.
func DecodeRow(row []byte) (Row, error) {
	var r Row
	if err := json.Unmarshal(row, &r); err != nil {
		return Row{}, fmt.Errorf("audit: decode: %w", err)
	}
	return r, nil
}

// next is the row that follows head, which bind ends.
func next(head store.AuditStream, e Event) Row {
	return Row{Seq: head.Last + 1, Replica: head.Name, Event: clean(e)}
}

// bind chains a row to head. What is hashed is byte for byte what is stored, so
// there is no second form that a checker would have to find again.
func (k *Keys) bind(head store.AuditStream, r Row) (store.AuditRow, error) {
	prev := before(head.Head)
	r.Prev = hex.EncodeToString(prev)
	text, err := encode(r)
	if err != nil {
		return store.AuditRow{}, err
	}
	mac := k.chain()
	mac.Write(prev)
	mac.Write(text)
	return store.AuditRow{Stream: head.Name, Seq: r.Seq, Time: r.Time, JSON: text, Hash: mac.Sum(nil)}, nil
}

// before is the hash that the row behind head carries on from: zeros for the
// first row, so that what is hashed begins with 32 bytes in any case.
func before(head []byte) []byte {
	if len(head) == 0 {
		return make([]byte, sha256.Size)
	}
	return head
}

const (
	hashField = `,"hash":"`
	hashTail  = len(hashField) + 2*sha256.Size + len(`"}`)
)

var (
	errNoRow  = errors.New("this is not a row of an audit log")
	errOpened = errors.New("this is a copy with its seals open; portico audit export --sealed gives rows that can be checked")
)

// Line is a row for a file or a sink: its JSON with the hash as the last field,
// without a line's end.
func Line(r store.AuditRow) []byte {
	n := len(r.JSON) - 1
	if n < 0 {
		return nil // no row of ours
	}
	line := make([]byte, 0, n+hashTail)
	line = append(line, r.JSON[:n]...)
	line = append(line, hashField...)
	line = hex.AppendEncode(line, r.Hash)
	return append(line, `"}`...)
}

// ParseLine takes Line apart again, without a look at the hash. A line with so
// much as another blank is none: then its bytes are not those that were hashed.
func ParseLine(line []byte) (store.AuditRow, error) {
	n := len(line) - hashTail
	if n < 1 || line[0] != '{' || !bytes.HasPrefix(line[n:], []byte(hashField)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return store.AuditRow{}, errNoRow
	}
	digits := line[n+len(hashField) : len(line)-2]
	sum, err := hex.AppendDecode(nil, digits)
	if err != nil || !bytes.Equal(hex.AppendEncode(nil, sum), digits) { // capitals are another line, too
		return store.AuditRow{}, errNoRow
	}
	text := append(bytes.Clone(line[:n]), '}')
	p, err := parsePlace(text)
	if err == nil && p.Opened {
		return store.AuditRow{}, errOpened
	}
	if err != nil || p.Seq < 1 {
		return store.AuditRow{}, errNoRow
	}
	return store.AuditRow{Stream: p.Replica, Seq: p.Seq, Time: p.Time.UTC(), JSON: text, Hash: sum}, nil
}
