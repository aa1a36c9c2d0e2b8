package portal

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 12, 9, 30, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"today 08:05 UTC":     time.Date(2027, 3, 12, 8, 5, 0, 0, time.UTC),
		"today 00:05 UTC":     time.Date(2027, 3, 12, 1, 5, 0, 0, time.FixedZone("Brussels", 3600)),
		"yesterday 23:59 UTC": time.Date(2027, 3, 11, 23, 59, 0, 0, time.UTC),
		"1 March":             time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC),
		"31 December 2026":    time.Date(2026, 12, 31, 9, 0, 0, 0, time.UTC),
	} {
		if got := moment(at, now); got != want {
			t.Errorf("moment(%v) = %q, want %q", at, got, want)
		}
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", 200 * time.Millisecond: "1 second", 1500 * time.Millisecond: "2 seconds", 90 * time.Second: "90 seconds",
		91 * time.Second: "2 minutes", 30 * time.Minute: "30 minutes", 91 * time.Minute: "2 hours",
	} {
		if got := inWords(d); got != want {
			t.Errorf("inWords(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 12, 9, 30, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"never": {}, "": now.AddDate(0, 0, 365), "1y": now.AddDate(0, 0, 365), "30d": now.AddDate(0, 0, 30), "3650d": now.AddDate(0, 0, 3650),
		"2027-06-01T00:00:00+02:00": time.Date(2027, 5, 31, 22, 0, 0, 0, time.UTC),
	} {
		if got, wrong := parseExpiry(s, now); wrong != "" || !got.Equal(want) {
			t.Errorf("parseExpiry(%q) = %v, %q, want %v", s, got, wrong, want)
		}
	}
	for _, s := range []string{"d", "y", "0d", "-1d", "+1d", "1.5d", "1w", "11y", "99999999999999999999d", "1 d", "soon", "Never", "2027-06-01"} {
		if got, wrong := parseExpiry(s, now); wrong == "" {
			t.Errorf("parseExpiry(%q) = %v, want a sentence", s, got)
		}
	}
}
