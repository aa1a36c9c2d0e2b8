package ldap

import (
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

func TestPasswordSet(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 30, 15, 0, time.UTC)
	for _, c := range []struct {
		attribute, value string
		want             time.Time
	}{
		{"pwdChangedTime", "20260301123015Z", at},
		{"pwdChangedTime", "20260301123015.25Z", at.Add(250 * time.Millisecond)},
		{"pwdChangedTime", "20260301133015+0100", at},
		{"pwdChangedTime", "yesterday", time.Time{}},
		{"pwdLastSet", "134168418150000000", at},
		{"pwdLastSet", "134168418152500000", at.Add(250 * time.Millisecond)},
		{"pwdLastSet", "0", time.Time{}},
		{"pwdLastSet", "-1", time.Time{}},
		{"pwdLastSet", "9223372036854775807", time.Time{}},
		{"cn", "Ann", time.Time{}},
	} {
		e := goldap.NewEntry("uid=ann", map[string][]string{c.attribute: {c.value}})
		if got := passwordSet(e); !got.Equal(c.want) {
			t.Errorf("%s %s = %v, want %v", c.attribute, c.value, got, c.want)
		}
	}
}
