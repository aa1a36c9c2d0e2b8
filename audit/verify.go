package audit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"portico/store"
)

const (
	noteBlind = "No checkpoints were given. A tail that was cut, and a log that was written anew by someone who has the key, cannot be seen without them."
	noteLimit = "Checkpoints tell of a cut tail, and of a log that was written anew, up to the last of them, and only as far as nobody could write both the log and the checkpoints."
	noteNoKey = "The secret key was not given: the hashes of rows were compared with each other and with the checkpoints, but not with the content of the rows."
)

// Verify checks what a store holds, beside a server that writes to it. What is
// wrong is in the report; the error is that of a store or a file that could not
// be read. checkpoints may be nil.
func Verify(ctx context.Context, r store.AuditReader, k *Keys, checkpoints io.Reader) (*Report, error) {
	report, marked, err := begin(k, checkpoints) // before the store: later ones would have seen rows that we do not look at
	if err != nil {
		return nil, err
	}
	cuts, err := cutsOf(ctx, r)
	if err != nil {
		return nil, err
	}
	streams, err := r.AuditStreams(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	for _, s := range streams {
		if err := verifyStream(ctx, r, k, s, cuts, marked[s.Name], report); err != nil {
			return nil, fmt.Errorf("audit: verify: %w", err)
		}
		delete(marked, s.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(marked)) {
		report.fault(name, 0, "is gone, but checkpoints have seen it up to row %d", marked[name].last)
	}
	return report, nil
}

func begin(k *Keys, checkpoints io.Reader) (*Report, map[string]*marks, error) {
	report := &Report{Spans: []Span{}, Faults: []Finding{}, Warnings: []Finding{}, Notes: []string{}}
	if k.mac == nil {
		report.note(noteNoKey)
	}
	if checkpoints == nil {
		report.note(noteBlind)
		return report, nil, nil
	}
	report.note(noteLimit)
	marked, err := readMarks(checkpoints, k, report)
	return report, marked, err
}

func cutsOf(ctx context.Context, r store.AuditReader) (map[string]store.AuditCut, error) {
	cuts, err := r.AuditCuts(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	all := map[string]store.AuditCut{}
	for _, c := range cuts {
		all[c.Stream] = c
	}
	return all, nil
}

// newLinks begins a stream.
func newLinks(k *Keys, stream string, m *marks, report *Report) *links {
	l := &links{stream: stream, marks: m, report: report, span: Span{Stream: stream}}
	if k.mac != nil {
		l.mac = k.chain()
	}
	return l
}

// verifyStream checks the rows up to those that s knows of: later ones are a
// server's that is at work. So is a cut that comes while we read: then it begins
// anew.
func verifyStream(ctx context.Context, r store.AuditReader, k *Keys, s store.AuditStream, cuts map[string]store.AuditCut, m *marks, report *Report) error {
	for {
		part := &Report{}
		l := newLinks(k, s.Name, m.clone(), part)
		cut, isCut := cuts[s.Name]
		l.begin(k, cut, isCut)
		if err := l.read(ctx, r, s.Last); err != nil {
			return err
		}
		if err := l.beyond(ctx, r, s.Last); err != nil {
			return err
		}
		newer, err := cutsOf(ctx, r)
		if err != nil {
			return err
		}
		if newer[s.Name].Seq <= cut.Seq {
			l.end(s, cut)
			report.merge(part, l.span)
			return nil
		}
		cuts = newer
		if s, err = r.AuditHead(ctx, s.Name); err != nil {
			return err
		}
	}
}

// begin holds the beginning of a stream against its cut.
func (l *links) begin(k *Keys, cut store.AuditCut, isCut bool) {
	l.next, l.prev = 1, [][]byte{before(nil)}
	if !isCut {
		return
	}
	l.next, l.prev = cut.Seq+1, [][]byte{cut.Hash}
	if !k.signed(cutText(cut), cut.Signature) {
		l.report.fault(l.stream, cut.Seq, "and those before it were removed, but the signature of that cut is not right")
		return
	}
	l.marks.compare(l.report, l.stream, store.AuditRow{Seq: cut.Seq, Hash: cut.Hash})
}

func (l *links) read(ctx context.Context, r store.AuditReader, upto int64) error {
	for at := int64(0); ; {
		rows, err := r.AuditRows(ctx, l.stream, at, sendEach)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if at = row.Seq; at > upto {
				return nil
			}
			l.check(row)
		}
	}
}

// beyond looks for a row that no writer knows of. One that is written now has
// its end of the stream with it.
func (l *links) beyond(ctx context.Context, r store.AuditReader, upto int64) error {
	rows, err := r.AuditRows(ctx, l.stream, upto, 1)
	if err != nil || len(rows) == 0 {
		return err
	}
	head, err := r.AuditHead(ctx, l.stream)
	if err == nil && head.Last < rows[0].Seq {
		l.report.fault(l.stream, rows[0].Seq, "stands behind row %d, which is the end of the stream: it was inserted", head.Last)
	}
	return err
}

// end holds the end of a stream against what the store says of it, and against
// the checkpoints.
func (l *links) end(s store.AuditStream, cut store.AuditCut) {
	last := max(l.span.Last, cut.Seq)
	switch {
	case last < s.Last:
		l.report.fault(s.Name, last, "is the last row, but row %d was written: the tail was cut", s.Last)
	case s.Last > 0 && !l.isHead(s.Head):
		l.report.fault(s.Name, last, "is not the row that the store knows as the last")
	}
	if s.Last > 0 && s.First != cut.Seq+1 {
		l.report.fault(s.Name, s.First, "is the first for the store, but row %d ought to be", cut.Seq+1)
	}
	l.marks.after(l.report, s.Name, last, true)
	l.span.Checkpoints = l.marks.count()
}

func (l *links) isHead(head []byte) bool {
	return slices.ContainsFunc(l.prev, func(h []byte) bool { return h != nil && bytes.Equal(h, head) })
}

// clone lets a stream be read again.
func (m *marks) clone() *marks {
	if m == nil {
		return nil
	}
	return &marks{at: maps.Clone(m.at), last: m.last}
}

func (r *Report) merge(part *Report, span Span) {
	for _, f := range part.Faults {
		r.fault(f.Stream, f.Seq, "%s", f.Text)
	}
	for _, f := range part.Warnings {
		r.warn(f.Stream, f.Seq, "%s", f.Text)
	}
	r.Left += part.Left
	r.Spans = append(r.Spans, span)
}

// VerifyLines checks a file as a File sink writes it. It may begin anywhere, as
// the parts of a rotated one do, and hold several streams.
func VerifyLines(file io.Reader, k *Keys, checkpoints io.Reader) (*Report, error) {
	report, marked, err := begin(k, checkpoints)
	if err != nil {
		return nil, err
	}
	streams := map[string]*links{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	for n := 1; lines.Scan(); n++ {
		row, err := ParseLine(lines.Bytes())
		if err != nil {
			report.fault("", 0, "line %d was changed or is broken: %v", n, err)
			continue
		}
		l := streams[row.Stream]
		if l == nil {
			l = newLinks(k, row.Stream, marked[row.Stream], report)
			l.seen = map[int64][]byte{}
			streams[row.Stream] = l
			if row.Seq == 1 {
				l.prev = [][]byte{before(nil)}
			}
		}
		l.check(row)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	endLines(report, streams, marked)
	return report, nil
}

// wholeLines is bufio.ScanLines, but for a CR before the LF, which is a change as
// any other byte is.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func endLines(report *Report, streams map[string]*links, marked map[string]*marks) {
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		l := streams[name]
		if first := l.span.First; first > 1 {
			report.note("Stream %q begins here with row %d: what was before is in older files, or was cut.", name, first)
		}
		l.marks.after(report, name, l.span.Last, false)
		l.span.Checkpoints = l.marks.count()
		report.Spans = append(report.Spans, l.span)
	}
	for _, name := range slices.Sorted(maps.Keys(marked)) {
		if streams[name] == nil {
			report.fault(name, 0, "is not in this file, but checkpoints have seen it up to row %d", marked[name].last)
		}
	}
}
