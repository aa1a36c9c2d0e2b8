package audit

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"portico/store"
)

func TestChain(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{Plain: true})
	write(t, l, c, 3)
	const want = `{"seq":1,"replica":"gw-1","ts":"2026-03-01T12:00:01Z","actor":{"type":"staff","id":"id-ann","name":"ann"},` +
		`"action":"put","path":"/firm/a.txt","allowed":true,` +
		`"prev":"0000000000000000000000000000000000000000000000000000000000000000"}`
	if d := cmp.Diff(want, string(m.rows["gw-1"][0].JSON)); d != "" {
		t.Errorf("row (-want +got):\n%s", d)
	}
	for n, r := range m.rows["gw-1"] {
		row, err := DecodeRow(r.JSON)
		if err != nil || row.Seq != int64(n+1) || row.Replica != "gw-1" || !row.Time.Equal(r.Time) {
			t.Errorf("row %d = %+v, %v", n+1, row, err)
		}
		back, err := ParseLine(Line(r))
		if d := cmp.Diff(r, back); d != "" || err != nil {
			t.Errorf("ParseLine(Line) (-want +got), %v:\n%s", err, d)
		}
	}
}

// TestChainManyWriters appends from 64 goroutines, as requests do.
func TestChainManyWriters(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	var g sync.WaitGroup
	for range 64 {
		g.Go(func() {
			for range 10 {
				if err := l.Record(t.Context(), Event{Action: Delete, Path: "/firm/x", Why: "no"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	if r := verify(t, m, testKeys(t), nil); !r.OK() || r.Spans[0].Rows != 640 {
		t.Errorf("%+v", r)
	}
}

// hostile are texts that want to be more than a name in a line.
func hostile() []string {
	return []string{
		"a\nb", "a\r\nTue fake row", "\x1b[2Ja", "\x1b]0;title\x07", "a\u009b31mred", "a\u0085b", "\u2028\u2029", "\u202egnp.exe", "\u2066x\u2069",
		`","allowed":true,"x":"`, `"}` + "\n" + `{"seq":1`, "a\x00b", "\xff\xfe", `,"hash":"` + strings.Repeat("0", 64) + `"}`, "=cmd|' /C calc'!A0", "<script>",
	}
}

// TestLineInjection is THREATS.md row 77: no name adds a line or a field.
func TestLineInjection(t *testing.T) {
	m, c := newMemory("gw\n1"), newClock()
	l := newLog(t, m, c, Options{})
	for _, text := range hostile() {
		e := Event{
			RequestID: text, Actor: Actor{ID: text, Login: text}, Agent: text, Action: Move,
			Path: "/firm/" + text, Dest: text, Why: text, Rule: text, Error: text,
		}
		if err := l.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	file := fileOf(m.rows["gw\n1"])
	if n := bytes.Count(file, []byte("\n")); n != len(hostile()) {
		t.Errorf("%d lines, want %d", n, len(hostile()))
	}
	for _, r := range strings.ReplaceAll(string(file), "\n", "") {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
			t.Errorf("the file holds %U", r)
		}
	}
	for n, line := range bytes.Split(bytes.TrimSpace(file), []byte("\n")) {
		row, err := DecodeRow(line)
		if err != nil || row.Allowed || row.Seq != int64(n+1) {
			t.Errorf("%s: %+v, %v", line, row, err)
		}
	}
	if r := verifyLines(t, file, testKeys(t), nil); !r.OK() {
		t.Errorf("faults = %v", r.Faults)
	}
}

// link makes the row that follows head, in plain.
func (k *Keys) link(head store.AuditStream, e Event) (store.AuditRow, error) {
	return k.bind(head, next(head, e))
}

func TestParseLineRefuses(t *testing.T) {
	k := testKeys(t)
	row, err := k.link(store.AuditStream{Name: "a"}, Event{Time: time.Unix(1, 0), Action: Put, Path: "/é"})
	if err != nil {
		t.Fatal(err)
	}
	line := string(Line(row))
	for _, c := range []string{
		"", "{}", line + " ", " " + line, line[1:], line[:len(line)-1], strings.Replace(line, `,"hash":"`, `, "hash":"`, 1),
		line[:len(line)-3] + "G\"}", strings.Replace(line, `"seq":1`, `"seq":0`, 1), strings.Replace(line, `"seq":1`, `"seq":-1`, 1),
		line[:len(line)-66] + strings.ToUpper(line[len(line)-66:]), `{"seq":x,"hash":"` + strings.Repeat("0", 64) + `"}`,
	} {
		if _, err := ParseLine([]byte(c)); err == nil {
			t.Errorf("ParseLine(%q) = nil", c)
		}
	}
	if Line(store.AuditRow{}) != nil {
		t.Error("Line of nothing is something")
	}
}

func FuzzParseLine(f *testing.F) {
	row, err := testKeys(f).link(store.AuditStream{Name: "a"}, Event{Time: time.Unix(1, 0), Action: Put, Path: "/é"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(Line(row))
	f.Add([]byte(`{"seq":1,"hash":"` + strings.Repeat("0", 64) + `"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := ParseLine(line)
		if err != nil {
			return
		}
		if !bytes.Equal(Line(row), line) {
			t.Errorf("Line(ParseLine(%q)) = %q", line, Line(row))
		}
		report := &Report{}
		newLinks(testKeys(t), row.Stream, nil, report).check(row)
		_ = report.Faults
	})
}

func FuzzEncode(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text, int64(1))
	}
	f.Fuzz(func(t *testing.T, path, agent string, n int64) {
		k := testKeys(t)
		r, err := k.link(store.AuditStream{Name: agent, Last: n & 0xFFFF}, Event{Time: time.UnixMicro(n & (1<<50 - 1)), Path: path, Agent: agent, Bytes: n})
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(r.JSON) || bytes.ContainsAny(r.JSON, "\n\r\x00\x1b\x7f") {
			t.Errorf("row = %q", r.JSON)
		}
		back, err := ParseLine(Line(r))
		if err != nil || !bytes.Equal(back.JSON, r.JSON) || !bytes.Equal(back.Hash, r.Hash) {
			t.Errorf("ParseLine(%q) = %+v, %v", Line(r), back, err)
		}
		report := &Report{}
		newLinks(k, back.Stream, nil, report).check(back)
		if !report.OK() {
			t.Errorf("faults = %v", report.Faults)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	k := testKeys(f)
	item, err := k.checkpoint(store.AuditStream{Name: "a", Last: 7, Head: []byte("head")}, time.Unix(5, 0)).item()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(item.Line)
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := k.parseCheckpoint(line)
		if err == nil && (c.Stream != "a" || c.Seq != 7 || !c.Time.Equal(time.Unix(5, 0)) || c.Head != "68656164") {
			t.Errorf("%q is taken as %+v", line, c)
		}
	})
}
