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
	Prev string `json:"prev"` // the hash of the row before, in hex
}

// DecodeRow reads a row back.
func DecodeRow(row []byte) (Row, error) {
	var r Row
	if err := json.Unmarshal(row, &r); err != nil {
		return Row{}, fmt.Errorf("audit: decode: %w", err)
	}
	return r, nil
}

// link makes the row that follows head. What is hashed is byte for byte what is
// stored, so there is no second form that a checker would have to find again.
func (k *Keys) link(head store.AuditStream, e Event) (store.AuditRow, error) {
	e = clean(e)
	prev := before(head.Head)
	text, err := encode(Row{Seq: head.Last + 1, Replica: head.Name, Event: e, Prev: hex.EncodeToString(prev)})
	if err != nil {
		return store.AuditRow{}, err
	}
	mac := k.chain()
	mac.Write(prev)
	mac.Write(text)
	return store.AuditRow{Stream: head.Name, Seq: head.Last + 1, Time: e.Time, JSON: text, Hash: mac.Sum(nil)}, nil
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

var errNoRow = errors.New("this is not a row of an audit log")

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
	if err != nil || p.Seq < 1 {
		return store.AuditRow{}, errNoRow
	}
	return store.AuditRow{Stream: p.Replica, Seq: p.Seq, Time: p.Time.UTC(), JSON: text, Hash: sum}, nil
}
