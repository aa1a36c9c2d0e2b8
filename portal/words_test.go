package portal

import (
	"testing"
	"time"
)

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
