package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/store"
)

// records is the log of the promise.
const records = 1000

// thousand is a log of 1,000 rows on a memory, with its file and its checkpoints:
// one of row 500 and one of row 1,000.
func thousand(tb testing.TB) (m *memory, file, checkpoints []byte) {
	tb.Helper()
	m = newMemory("gw-1")
	c := newClock()
	l := newLog(tb, m, c, Options{})
	var marks bytes.Buffer
	for range 2 {
		write(tb, l, c, records/2)
		item, err := l.keys.checkpoint(m.heads["gw-1"], c.now()).item()
		if err != nil {
			tb.Fatal(err)
		}
		marks.Write(item.Line)
		marks.WriteByte('\n')
	}
	return m, fileOf(m.rows["gw-1"]), marks.Bytes()
}

func fileOf(rows []store.AuditRow) []byte {
	var file bytes.Buffer
	for _, r := range rows {
		file.Write(Line(r))
		file.WriteByte('\n')
	}
	return file.Bytes()
}

func reader(text []byte) io.Reader {
	if text == nil {
		return nil
	}
	return bytes.NewReader(text)
}

func verify(t *testing.T, m *memory, k *Keys, checkpoints []byte) *Report {
	t.Helper()
	r, err := Verify(t.Context(), m, k, reader(checkpoints))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verifyLines(t *testing.T, file []byte, k *Keys, checkpoints []byte) *Report {
	t.Helper()
	r, err := VerifyLines(bytes.NewReader(file), k, reader(checkpoints))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantFault holds that a report has a fault with this text, and no more than most.
func wantFault(t *testing.T, r *Report, text string, most int) {
	t.Helper()
	if len(r.Faults) > most || !slices.ContainsFunc(r.Faults, func(f Finding) bool { return strings.Contains(f.String(), text) }) {
		t.Errorf("faults = %.300v, want one with %q and %d at most", r.Faults, text, most)
	}
}

func TestVerifySound(t *testing.T) {
	m, file, checkpoints := thousand(t)
	for name, r := range map[string]*Report{
		"store":             verify(t, m, testKeys(t), checkpoints),
		"file":              verifyLines(t, file, testKeys(t), checkpoints),
		"store, blind":      verify(t, m, testKeys(t), nil),
		"empty":             verify(t, newMemory("x"), testKeys(t), nil),
		"file, part":        verifyLines(t, file[bytes.IndexByte(file, '\n')+1:], testKeys(t), checkpoints),
		"file, public only": verifyLines(t, file, publicOnly(t), checkpoints),
	} {
		if !r.OK() || len(r.Warnings) > 0 || r.Left > 0 {
			t.Errorf("%s: faults %v, warnings %v", name, r.Faults, r.Warnings)
		}
		if blind := strings.Contains(strings.Join(r.Notes, "\n"), noteBlind); blind != (name == "store, blind" || name == "empty") {
			t.Errorf("%s: notes = %q", name, r.Notes)
		}
	}
	r := verify(t, m, testKeys(t), checkpoints)
	want := Span{Stream: "gw-1", First: 1, Last: records, Rows: records, Checkpoints: 2, Begin: r.Spans[0].Begin, End: r.Spans[0].Begin.Add((records - 1) * time.Second)}
	if len(r.Spans) != 1 || r.Spans[0] != want {
		t.Errorf("Spans = %+v, want %+v", r.Spans, want)
	}
}

func publicOnly(t *testing.T) *Keys {
	t.Helper()
	k, err := PublicKeys(testKeys(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVerifyFlippedByteOfStore flips each byte of what the store holds of each
// row. Rows before a flip are as they were: so the check goes on from there. It
// finds one fault, in the row that was changed.
func TestVerifyFlippedByteOfStore(t *testing.T) {
	t.Parallel()
	m, _, _ := thousand(t)
	rows := m.rows["gw-1"]
	sound := newLinks(testKeys(t), "gw-1", nil, &Report{})
	sound.begin(testKeys(t), store.AuditCut{}, false)
	flips := 0
	for n, row := range rows {
		try := func(where string, at int, flipped store.AuditRow) {
			flips++
			report := &Report{}
			l := *sound
			l.report = report
			l.check(flipped)
			if n+1 < len(rows) && at%16 == 0 { // the one behind it is sound
				l.check(rows[n+1])
			}
			if len(report.Faults) != 1 {
				t.Fatalf("row %d, %s, byte %d: faults = %v", row.Seq, where, at, report.Faults)
			}
		}
		text := bytes.Clone(row.JSON)
		for i := range text {
			text[i] ^= 1
			try("JSON", i, store.AuditRow{Stream: row.Stream, Seq: row.Seq, Time: row.Time, JSON: text, Hash: row.Hash})
			text[i] ^= 1
		}
		sum := bytes.Clone(row.Hash)
		for i := range sum {
			sum[i] ^= 0x80
			try("hash", i, store.AuditRow{Stream: row.Stream, Seq: row.Seq, Time: row.Time, JSON: row.JSON, Hash: sum})
			sum[i] ^= 0x80
		}
		try("time", 0, store.AuditRow{Stream: row.Stream, Seq: row.Seq, Time: row.Time.Add(time.Microsecond), JSON: row.JSON, Hash: row.Hash})
		sound.check(row)
	}
	if !sound.report.OK() || flips < records*250 {
		t.Errorf("%d flips; faults of the sound log: %v", flips, sound.report.Faults)
	}
}

// TestVerifyFlippedByteOfFile flips each byte of each line, from a file that is
// read whole for some of them.
func TestVerifyFlippedByteOfFile(t *testing.T) {
	t.Parallel()
	_, file, _ := thousand(t)
	lines := bytes.SplitAfter(file, []byte("\n"))[:records]
	k := testKeys(t)
	for n, line := range lines {
		behind := bytes.Join(lines[n+1:min(n+2, records)], nil)
		whole := slices.Concat(line, behind)
		for i := range line {
			whole[i] ^= 1
			if n%250 == 0 || n == records-1 {
				if r := verifyLines(t, whole, k, nil); r.OK() {
					t.Fatalf("line %d, byte %d: no fault\n%s", n+1, i, whole)
				}
			} else if unseen(k, whole[:len(line)]) {
				t.Fatalf("line %d, byte %d: no fault\n%s", n+1, i, whole)
			}
			whole[i] ^= 1
		}
	}
}

// unseen tells that a line is sound by itself.
func unseen(k *Keys, line []byte) bool {
	row, err := ParseLine(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		return false
	}
	report := &Report{}
	newLinks(k, row.Stream, nil, report).check(row)
	return report.OK()
}

func TestVerifyFlippedByteOfCheckpoints(t *testing.T) {
	_, _, checkpoints := thousand(t)
	k := testKeys(t)
	for i := range checkpoints {
		report := &Report{}
		checkpoints[i] ^= 1
		if _, err := readMarks(bytes.NewReader(checkpoints), k, report); err != nil {
			t.Fatal(err)
		}
		if report.OK() {
			t.Errorf("byte %d: no fault\n%s", i, checkpoints)
		}
		checkpoints[i] ^= 1
	}
}

// TestVerifyTampered changes whole rows in the store.
func TestVerifyTampered(t *testing.T) {
	other, _, _ := thousand(t)
	forged, err := testKeysOf(t, "x").link(other.heads["gw-1"], Event{Time: time.Now(), Action: Delete})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		do    func(m *memory, rows []store.AuditRow) []store.AuditRow
		blind string // the fault without checkpoints; "" for none
		want  string // with them
	}{
		{"swap of content", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			a, b := &rows[100], &rows[101]
			a.JSON, b.JSON, a.Hash, b.Hash, a.Time, b.Time = b.JSON, a.JSON, b.Hash, a.Hash, b.Time, a.Time
			return rows
		}, "row 101: was moved here: it is row 102", "row 101: was moved here: it is row 102"},
		{"reorder", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			rows[100], rows[101] = rows[101], rows[100]
			return rows
		}, "row 101: stands behind row 102", "row 101: stands behind row 102"},
		{"duplicate", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return slices.Insert(rows, 100, rows[99])
		}, "row 100: stands behind row 100", "row 100: stands behind row 100"},
		{"removal", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return slices.Delete(rows, 100, 102)
		}, "the rows 101 to 102 before it are missing", "the rows 101 to 102 before it are missing"},
		{"removal of one", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return slices.Delete(rows, 100, 101)
		}, "row 101 before it is missing", "row 101 before it is missing"},
		{"insertion", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return slices.Insert(rows, 100, store.AuditRow{Stream: "gw-1", Seq: 101, Time: rows[100].Time, JSON: forged.JSON, Hash: forged.Hash})
		}, "row 101: was changed", "row 101: was changed"},
		{"insertion at the end", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return append(rows, forged)
		}, "row 1001: stands behind row 1000", "row 1001: stands behind row 1000"},
		{"insertion at the end with its head", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			m.heads["gw-1"] = store.AuditStream{Name: "gw-1", First: 1, Last: 1001, Head: forged.Hash}
			return append(rows, forged)
		}, "row 1001: was changed", "row 1001: was changed"},
		{"head of the rows cut", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return rows[10:]
		}, "the rows 1 to 10 before it are missing", "the rows 1 to 10 before it are missing"},
		{"tail cut, head left", func(_ *memory, rows []store.AuditRow) []store.AuditRow {
			return rows[:990]
		}, "row 990: is the last row, but row 1000 was written", "the tail was cut"},
		{"tail cut with its head", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			m.heads["gw-1"] = store.AuditStream{Name: "gw-1", First: 1, Last: 990, Head: rows[989].Hash}
			return rows[:990]
		}, "", "row 990: is the last, but a checkpoint of 2026-03-01T12:16:40Z has seen row 1000: the tail was cut"},
		{"all gone", func(m *memory, _ []store.AuditRow) []store.AuditRow {
			clear(m.heads)
			return nil
		}, "", `stream "gw-1": is gone, but checkpoints have seen it up to row 1000`},
		{"another head", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			m.heads["gw-1"] = store.AuditStream{Name: "gw-1", First: 1, Last: 1000, Head: rows[989].Hash}
			return rows
		}, "is not the row that the store knows as the last", "is not the row that the store knows as the last"},
		{"another first", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			m.heads["gw-1"] = store.AuditStream{Name: "gw-1", First: 7, Last: 1000, Head: rows[999].Hash}
			return rows
		}, "row 7: is the first for the store, but row 1 ought to be", "row 7: is the first"},
		{"moved to another stream", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			for i := range rows {
				rows[i].Stream = "gw-2"
			}
			h := m.heads["gw-1"]
			h.Name = "gw-2"
			m.heads["gw-2"], m.rows["gw-2"] = h, rows
			delete(m.heads, "gw-1")
			return nil
		}, `it is row 1 of stream "gw-1"`, "is gone"},
		{"written anew by one who has the key", func(m *memory, rows []store.AuditRow) []store.AuditRow {
			k, head := testKeys(t), store.AuditStream{Name: "gw-1"}
			for i := range rows {
				rows[i], _ = k.link(head, Event{Time: rows[i].Time, Action: Put, Path: "/firm/other"})
				head.Last, head.Head = rows[i].Seq, rows[i].Hash
			}
			head.First = 1
			m.heads["gw-1"] = head
			return rows
		}, "", "row 500: is not the row that a checkpoint of 2026-03-01T12:08:20Z has seen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, checkpoints := thousand(t)
			m.rows["gw-1"] = c.do(m, m.rows["gw-1"])
			wantFault(t, verify(t, m, testKeys(t), checkpoints), c.want, 2*keepFindings)
			r := verify(t, m, testKeys(t), nil)
			if c.blind != "" {
				wantFault(t, r, c.blind, 2*keepFindings)
			} else if !r.OK() {
				t.Errorf("without checkpoints: faults = %v, want none", r.Faults)
			}
		})
	}
}

func testKeysOf(t *testing.T, text string) *Keys {
	t.Helper()
	k, err := NewKeys(bytes.Repeat([]byte(text), 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVerifyTamperedFile changes whole lines.
func TestVerifyTamperedFile(t *testing.T) {
	_, file, checkpoints := thousand(t)
	sound := bytes.SplitAfter(file, []byte("\n"))[:records]
	for _, c := range []struct {
		name string
		do   func(lines [][]byte) [][]byte
		want string
		most int
	}{
		{"swap", func(l [][]byte) [][]byte { l[100], l[101] = l[101], l[100]; return l }, "row 101: stands behind row 102", 2},
		{"insertion", func(l [][]byte) [][]byte { return slices.Insert(l, 100, []byte("{}\n")) }, "line 101 was changed or is broken", 1},
		{"removal", func(l [][]byte) [][]byte { return slices.Delete(l, 100, 101) }, "row 101 before it is missing", 1},
		{"tail cut", func(l [][]byte) [][]byte { return l[:900] }, "row 900: is the last, but a checkpoint", 1},
		{"old row again", func(l [][]byte) [][]byte { return append(l, l[3]) }, "row 4: stands behind row 1000", 1},
		{"forged row again", func(l [][]byte) [][]byte {
			return append(l, bytes.Replace(l[998], []byte("a.txt"), []byte("b.txt"), 1))
		}, "row 999: stands behind row 1000", 1},
		{"all gone", func([][]byte) [][]byte { return nil }, "is not in this file", 1},
		{"CRLF", func(l [][]byte) [][]byte {
			l[5] = append(bytes.TrimRight(l[5], "\n"), "\r\n"...)
			return l
		}, "line 6 was changed", 2},
		{"torn", func(l [][]byte) [][]byte { l[999] = l[999][:100]; return l }, "line 1000 was changed", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := bytes.Join(c.do(slices.Clone(sound)), nil)
			wantFault(t, verifyLines(t, broken, testKeys(t), checkpoints), c.want, c.most)
		})
	}
	// What a sink gets again after an interruption is no fault.
	again := bytes.Join(slices.Concat(sound[:600], sound[100:]), nil)
	if r := verifyLines(t, again, testKeys(t), checkpoints); !r.OK() || len(r.Warnings)+r.Left != 500 {
		t.Errorf("sent again: faults %v, %d warnings, want 500", r.Faults, len(r.Warnings)+r.Left)
	}
	// With the public key alone a cut and a row that was left out are seen.
	cut := bytes.Join(sound[:900], nil)
	wantFault(t, verifyLines(t, cut, publicOnly(t), checkpoints), "a checkpoint", 1)
}

func TestVerifyWrongKey(t *testing.T) {
	m, _, checkpoints := thousand(t)
	r := verify(t, m, testKeysOf(t, "x"), checkpoints)
	wantFault(t, r, "it is signed with the key", 2*keepFindings)
	wantFault(t, r, "was changed: its hash", 2*keepFindings)
	if r.Left == 0 {
		t.Error("Left = 0, want what is beyond the bound")
	}
}

func TestVerifyCheckpointsDiffer(t *testing.T) {
	m, _, checkpoints := thousand(t)
	head := m.heads["gw-1"]
	head.Head = bytes.Repeat([]byte{1}, 32)
	item, err := testKeys(t).checkpoint(head, newClock().now()).item()
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, verify(t, m, testKeys(t), append(checkpoints, item.Line...)), "differ in its hash", 2)
}

func TestVerifyClockSetBack(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	write(t, l, c, 5)
	c.add(-time.Hour)
	write(t, l, c, 5)
	r := verify(t, m, testKeys(t), nil)
	if !r.OK() || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].String(), "row 6: is 59m59s older") {
		t.Errorf("faults %v, warnings %v", r.Faults, r.Warnings)
	}
}

func TestReportIsJSON(t *testing.T) {
	m, _, _ := thousand(t)
	text, err := json.Marshal(verify(t, m, testKeys(t), nil))
	if err != nil || !strings.Contains(string(text), `"faults":[]`) || !strings.Contains(string(text), `"stream":"gw-1"`) {
		t.Errorf("%s, %v", text, err)
	}
}
