package audit

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"portico/store"
)

// exported is a log of two streams.
func exported(t *testing.T) *memory {
	t.Helper()
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	for n, e := range []Event{
		{Actor: Actor{ID: "user:ann", Login: "ann"}, Path: "/firm/a.txt"},
		{Actor: Actor{ID: "id-bob", Login: "bob"}, Path: "/firm/ab"},
		{Actor: Actor{ID: "id-bob", Login: "bob"}, Action: Move, Path: "/x", Dest: "/firm/a/b"},
		{Actor: Actor{ID: "id-cem", Login: "cem"}, Path: "/firm/a", Agent: "=1+1"},
		{Action: SignIn, Actor: Actor{Login: "ann"}, Why: "wrong password"},
	} {
		m.name = []string{"gw-1", "gw-2"}[n%2]
		c.add(time.Hour)
		e.Time = c.now()
		if err := m.Update(t.Context(), func(tx store.Tx) error { return l.Append(tx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func export(t *testing.T, m *memory, f Filter, asCSV bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := Export(t.Context(), m, NewOpener(testKeys(t), m), f, asCSV, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestExportFilter(t *testing.T) {
	m := exported(t)
	at := func(hour int) time.Time { return time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name string
		f    Filter
		want string // the hours
	}{
		{"all, by time", Filter{}, "13 14 15 16 17"},
		{"from", Filter{From: at(15)}, "15 16 17"},
		{"to", Filter{To: at(15)}, "13 14"},
		{"both", Filter{From: at(14), To: at(16)}, "14 15"},
		{"login", Filter{User: "ann"}, "13 17"},
		{"login of a rule", Filter{User: "bob"}, "14 15"},
		{"id", Filter{User: "id-cem"}, "16"},
		{"path", Filter{Path: "/firm/a"}, "15 16"},
		{"path above", Filter{Path: "/firm"}, "13 14 15 16"},
		{"path and user", Filter{Path: "/firm/a", User: "bob"}, "15"},
		{"none", Filter{User: "eve"}, ""},
	} {
		var hours []string
		for line := range strings.Lines(export(t, m, c.f, false)) {
			row, err := DecodeRow([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			hours = append(hours, row.Time.Format("15"))
		}
		if got := strings.Join(hours, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if err := Export(t.Context(), m, nil, Filter{Path: "firm"}, false, &bytes.Buffer{}); err == nil {
		t.Error("Export of a path that is none = nil")
	}
}

// TestExportVerifies holds that an export of all is a log that can be checked.
func TestExportVerifies(t *testing.T) {
	m := exported(t)
	var out bytes.Buffer
	if err := Export(t.Context(), m, nil, Filter{}, false, &out); err != nil {
		t.Fatal(err)
	}
	r := verifyLines(t, out.Bytes(), testKeys(t), nil)
	if !r.OK() || len(r.Spans) != 2 || r.Spans[0].Rows != 3 || r.Spans[1].Rows != 2 {
		t.Errorf("%+v", r)
	}
}

func TestExportCSV(t *testing.T) {
	m := exported(t)
	records, err := csv.NewReader(strings.NewReader(export(t, m, Filter{}, true))).ReadAll()
	if err != nil || len(records) != 6 || len(records[0]) != len(columns()) {
		t.Fatalf("%v, %v", records, err)
	}
	column := func(row int, name string) string {
		for i, n := range records[0] {
			if n == name {
				return records[row][i]
			}
		}
		return "?"
	}
	if column(3, "dest") != "/firm/a/b" || column(4, "ua") != "'=1+1" || column(5, "why") != "wrong password" || column(5, "allowed") != "false" || len(column(1, "hash")) != 64 {
		t.Errorf("%v", records)
	}
	if got := export(t, m, Filter{User: "eve"}, true); got != "" {
		t.Errorf("no rows = %q", got)
	}
}

func TestHarmless(t *testing.T) {
	for cell, want := range map[string]string{
		"":                "",
		"a=1":             "a=1",
		"=1+1":            "'=1+1",
		"+1":              "'+1",
		"-1":              "'-1",
		"@SUM(A1)":        "'@SUM(A1)",
		"\t=1":            "'\t=1",
		"＝1":              "'＝1",
		"\r=1":            "␍=1",
		"\n=1":            "␊=1",
		"\x1b[2J":         "␛[2J",
		"a\u202eb\u0085c": `a\u202eb\u0085c`,
		"Ünïcode, \"q\"":  "Ünïcode, \"q\"",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("harmless(%q) = %q, want %q", cell, got, want)
		}
	}
}

// TestExportBroken names the row that cannot be read, and a reader that has gone.
func TestExportBroken(t *testing.T) {
	m := exported(t)
	if err := Export(t.Context(), m, nil, Filter{}, true, gone{}); !errors.Is(err, errGone) {
		t.Errorf("Export = %v, want %v", err, errGone)
	}
	m.rows["gw-2"][0].JSON = []byte("{")
	if err := Export(t.Context(), m, nil, Filter{}, true, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), `stream "gw-2", row 1`) {
		t.Errorf("Export = %v", err)
	}
}

var errGone = errors.New("gone")

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errGone }
