package audit

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"portico/store"
)

// maxLine bounds a line of a log: a path may have 4 KiB, and each of its bytes
// six in JSON.
const maxLine = 256 << 10

// mark is a checkpoint that was read.
type mark struct {
	head []byte
	time time.Time
}

// marks are the checkpoints of one stream. The methods of nil know of none.
type marks struct {
	at       map[int64]mark
	last     int64
	compared int
}

// readMarks reads a file of checkpoints, by stream.
func readMarks(file io.Reader, k *Keys, report *Report) (map[string]*marks, error) {
	all := map[string]*marks{}
	n, bad := 0, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		c, err := k.parseCheckpoint(lines.Bytes())
		if err == nil {
			err = addMark(all, c, report)
		}
		if err != nil && report.room(&bad) {
			report.fault("", 0, "line %d of the checkpoints is not valid: %v", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("audit: checkpoints: line %d: %w", n+1, err)
	}
	return all, nil
}

func addMark(all map[string]*marks, c Checkpoint, report *Report) error {
	head, err := hex.DecodeString(c.Head)
	if err != nil {
		return err
	}
	m := all[c.Stream]
	if m == nil {
		m = &marks{at: map[int64]mark{}}
		all[c.Stream] = m
	}
	if was, ok := m.at[c.Seq]; ok && !bytes.Equal(was.head, head) {
		report.fault(c.Stream, c.Seq, "two checkpoints, of %s and %s, differ in its hash: the log was written anew between them", stamp(was.time), stamp(c.Time))
	}
	m.at[c.Seq] = mark{head, c.Time}
	m.last = max(m.last, c.Seq)
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// compare holds a row against its checkpoint, if it has one.
func (m *marks) compare(report *Report, stream string, r store.AuditRow) {
	if m == nil {
		return
	}
	c, ok := m.at[r.Seq]
	if !ok {
		return
	}
	m.compared++
	delete(m.at, r.Seq)
	if !bytes.Equal(c.head, r.Hash) {
		report.fault(stream, r.Seq, "is not the row that a checkpoint of %s has seen: the log was written anew", stamp(c.time))
	}
}

// count is how many were compared.
func (m *marks) count() int {
	if m == nil {
		return 0
	}
	return m.compared
}

// after tells that a checkpoint has seen more rows than there are.
func (m *marks) after(report *Report, stream string, last int64, whole bool) {
	if m == nil || m.last <= last {
		return
	}
	c := m.at[m.last]
	if whole {
		report.fault(stream, last, "is the last, but a checkpoint of %s has seen row %d: the tail was cut", stamp(c.time), m.last)
		return
	}
	report.fault(stream, last, "is the last, but a checkpoint of %s has seen row %d: the tail was cut, or later rows are in another file", stamp(c.time), m.last)
}
