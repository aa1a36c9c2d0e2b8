package gateway

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/files"
)

func TestDepth(t *testing.T) {
	cases := []struct {
		in   []string
		want depth
		ok   bool
	}{
		{nil, depth{levels: 1}, true},
		{[]string{"0"}, depth{levels: 0}, true},
		{[]string{"1"}, depth{levels: 1}, true},
		{[]string{"infinity"}, depth{levels: depthInfinity}, true},
		{[]string{"Infinity"}, depth{levels: depthInfinity}, true},
		{[]string{" INFINITY "}, depth{levels: depthInfinity}, true},
		{[]string{"1,noroot"}, depth{levels: 1, membersOnly: true}, true},
		{[]string{"1, NoRoot"}, depth{levels: 1, membersOnly: true}, true},
		{[]string{"infinity,noroot"}, depth{levels: depthInfinity, membersOnly: true}, true},
		{[]string{""}, depth{}, false},
		{[]string{"2"}, depth{}, false},
		{[]string{"-1"}, depth{}, false},
		{[]string{"0,noroot"}, depth{}, false},
		{[]string{"infinite"}, depth{}, false},
		{[]string{"0", "1"}, depth{}, false},
		{[]string{"1,0"}, depth{}, false},
	}
	for _, c := range cases {
		got, err := parseDepth(c.in, 1)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseDepth(%q) = %+v, %v, want %+v, ok %v", c.in, got, err, c.want, c.ok)
		}
	}
}

func TestTimeout(t *testing.T) {
	cases := map[string]time.Duration{
		"":                                  0,
		"Second-3600":                       time.Hour,
		"second-180":                        3 * time.Minute,
		"Second-0":                          time.Second,
		"Infinite":                          time.Hour,
		"infinite":                          time.Hour,
		"Infinite, Second-4100000000":       time.Hour,
		"Second-4294967296":                 time.Hour,
		"Second-99999999999999999999999999": time.Hour,
		"Extend, Second-90":                 90 * time.Second,
		"Second--5":                         0,
		"Second-+5":                         0,
		"Second-":                           0,
		"Minute-5":                          0,
		"600":                               0,
		",,,":                               0,
		"Second-5x":                         0,
	}
	for in, want := range cases {
		if got := parseTimeout(in); got != want {
			t.Errorf("parseTimeout(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestOverwrite(t *testing.T) {
	for in, want := range map[string]bool{"": true, "T": true, "t": true, "\tT": true, "F": false, "f": false} {
		if got, err := parseOverwrite(in); got != want || err != nil {
			t.Errorf("parseOverwrite(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"true", "0", "no", "TF", "T,F"} {
		if _, err := parseOverwrite(in); err == nil {
			t.Errorf("parseOverwrite(%q) has no error", in)
		}
	}
}

func TestMtime(t *testing.T) {
	for in, want := range map[string]time.Time{
		"1700000000":     time.Unix(1700000000, 0),
		"1700000000.5":   time.Unix(1700000000, 5e8),
		"1700000000.123": time.Unix(1700000000, 123e6),
		"253402300799":   time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		if got, ok := parseMtime(in); !ok || !got.Equal(want) {
			t.Errorf("parseMtime(%q) = %v, %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "now", "0", "-1", "NaN", "+Inf", "1e300", "253402300800", "1700000000s"} {
		if got, ok := parseMtime(in); ok {
			t.Errorf("parseMtime(%q) = %v, want none", in, got)
		}
	}
}

func TestRange(t *testing.T) {
	one := func(off, n int64) []files.Range { return []files.Range{{Off: off, Len: n}} }
	cases := map[string][]files.Range{
		"bytes=0-0":                          one(0, 1),
		"bytes=0-":                           one(0, 0),
		"bytes=5-9":                          one(5, 5),
		"bytes=-7":                           one(-7, 0),
		"Bytes = 5 - 9":                      one(5, 5),
		"bytes=0-0,-1":                       {{Off: 0, Len: 1}, {Off: -1}},
		"bytes=,0-0,,":                       one(0, 1),
		"bytes=0-9223372036854775807":        one(0, 0),
		"bytes=1-9223372036854775807":        one(1, math.MaxInt64),
		"bytes=99999999999999999999-":        one(math.MaxInt64, 0),
		"bytes=-99999999999999999999":        one(-math.MaxInt64, 0),
		"bytes=-0":                           one(math.MaxInt64, 1),
		"":                                   nil,
		"bytes=":                             nil,
		"bytes=-":                            nil,
		"bytes=9-5":                          nil,
		"bytes=a-b":                          nil,
		"bytes=1":                            nil,
		"bytes=+1-2":                         nil,
		"bytes=0-1;2-3":                      nil,
		"bytes=--1":                          nil,
		"lines=0-1":                          nil,
		"bytes=" + strings.Repeat("0-0,", 9): nil,
	}
	for in, want := range cases {
		if diff := cmp.Diff(want, parseRange(in)); diff != "" {
			t.Errorf("parseRange(%q): -want +got\n%s", in, diff)
		}
	}
}

func TestResolveRanges(t *testing.T) {
	cases := []struct {
		header string
		want   []span
		ok     bool
	}{
		{"bytes=0-1,4-5", []span{{0, 2}, {4, 2}}, true},
		{"bytes=4-5,0-1", []span{{4, 2}, {0, 2}}, true},
		{"bytes=0-1,-2", []span{{0, 2}, {8, 2}}, true},
		{"bytes=0-1,20-30", []span{{0, 2}}, true},
		{"bytes=10-,20-30", nil, true},
		{"bytes=0-4,4-5", nil, false},
		{"bytes=0-,0-", nil, false},
		{"bytes=5-6,0-99", nil, false},
	}
	for _, c := range cases {
		got, ok := resolve(parseRange(c.header), 10)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(span{})); diff != "" || ok != c.ok {
			t.Errorf("resolve(%q, 10): ok %v, want %v; -want +got\n%s", c.header, ok, c.ok, diff)
		}
	}
}

func TestDisposition(t *testing.T) {
	for in, want := range map[string]string{
		"a.txt":        `attachment; filename="a.txt"`,
		"a b.txt":      `attachment; filename="a b.txt"`,
		`a"b.txt`:      `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`,
		"é.txt":        `attachment; filename="_.txt"; filename*=UTF-8''%C3%A9.txt`,
		"50%.txt":      `attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt`,
		"a;filename=b": `attachment; filename="a;filename=b"`,
		"a'b(c)*.txt":  `attachment; filename="a'b(c)*.txt"`,
		"文書.docx":      `attachment; filename="__.docx"; filename*=UTF-8''%E6%96%87%E6%9B%B8.docx`,
	} {
		if got := files.Disposition(in, false); got != want {
			t.Errorf("Disposition(%q) = %s, want %s", in, got, want)
		}
	}
}
