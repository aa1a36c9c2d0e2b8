package config

import (
	"math"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// size reads a number of bytes: 512, 10MB (a million each) or 100GiB (2³⁰ each).
func (v value) size() int64 {
	s, ok := v.scalar("a size such as 100GiB")
	if !ok {
		return 0
	}
	m := regexp.MustCompile(`^(\d+) ?([KMGTP]?i?B)?$`).FindStringSubmatch(s)
	if m == nil || m[2] == "iB" {
		v.fault("%s is not a size; write a whole number and B, KiB, MiB, GiB, TiB, KB, MB, GB or TB, as in 100GiB", v.shown())
		return 0
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := unitOf(m[2])
	switch {
	case err != nil || n > math.MaxInt64/unit:
		v.fault("%s is more than can be counted; write a smaller size", v.shown())
		return 0
	case n == 0:
		v.fault("a size of 0 would let nothing in; leave the key out for the standard")
	}
	return n * unit
}

// unitOf is the bytes of one KiB, MB and so on.
func unitOf(name string) int64 {
	if name == "" || name == "B" {
		return 1
	}
	step := int64(1000)
	if name[1] == 'i' {
		step = 1024
	}
	unit := step
	for range strings.IndexByte("KMGTP", name[0]) {
		unit *= step
	}
	return unit
}

// duration reads 60s, 5m, 12h, 30d or 2y, and holds it against bounds, which are
// said in words as well.
func (v value) duration(least, most time.Duration, bounds string) time.Duration {
	s, ok := v.scalar("a duration such as 60s")
	if !ok {
		return 0
	}
	d, err := parseDuration(s)
	switch {
	case err != nil:
		v.fault("%s is not a duration; write a number and s, m, h, d or y, as in 60s or 30d", v.shown())
		return 0
	case d < least || d > most:
		v.fault("%s is out of bounds; write a duration from %s", v.shown(), bounds)
		return 0
	}
	return d
}

// parseDuration knows days and years beside what Go does. A year has 366 days:
// what must be kept for years may be kept a day longer, but not shorter.
func parseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	m := regexp.MustCompile(`^(\d{1,5})([dy])$`).FindStringSubmatch(s)
	if m == nil {
		return time.ParseDuration(s)
	}
	n, _ := strconv.Atoi(m[1])
	if m[2] == "y" {
		n *= 366
	}
	if n > int(math.MaxInt64/day) {
		return 0, errTooLong
	}
	return time.Duration(n) * day, nil
}

// lastDay reads the last day on which something holds; the result is its end.
// Days are those of UTC, so that all replicas agree.
func (v value) lastDay() (time.Time, bool) {
	s, ok := v.scalar("a date such as 2027-01-31")
	if !ok {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		v.fault("%s is not a date; write year-month-day, as in 2027-01-31", v.shown())
		return time.Time{}, false
	}
	return day.AddDate(0, 0, 1), true
}

// address reads host:port to listen on.
func (v value) address() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		v.fault("%s is not an address to listen on; write host:port, as in 127.0.0.1:8080 (an IPv6 host in brackets)", v.shown())
		return "", false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		v.fault("%s has no port between 0 and 65535; write host:port, as in 127.0.0.1:8080", v.shown())
		return "", false
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHostName(host) {
		v.fault("%s has no valid host before the port; write an IP address, as in 127.0.0.1:8080", v.shown())
		return "", false
	}
	return s, true
}

// isLoopback tells whether only this machine reaches an address. A name other
// than localhost is not trusted to stay where it points today.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return ip.Unmap().IsLoopback()
}

// isHostName tells RFC 1123 §2.1 names; "_" is taken too, since Docker's and
// Windows' networks have it.
func isHostName(s string) bool {
	return len(s) <= 253 && regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`).MatchString(s)
}

// url reads an address of one of some schemes. A fault does not repeat it: it
// may hold a password.
func (v value) url(example string, schemes ...string) (*url.URL, bool) {
	s, ok := v.text()
	if !ok {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || !isHost(u.Hostname()) || !isPort(u.Port()) {
		v.fault("this is not an address; write it as %s", example)
		return nil, false
	}
	if slices.Contains(schemes, u.Scheme) {
		return u, true
	}
	v.fault("the address must begin with %s://; write it as %s", strings.Join(schemes, ":// or "), example)
	return nil, false
}

// isHost tells an IP address or a name.
func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || isHostName(s)
}

// isPort tells a port's number, or none at all.
func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil
}

// bare tells whether u is no more than scheme://host:port, and says so if not.
func (v value) bare(u *url.URL, example string) bool {
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		v.fault("the address must end after the host and the port; write it as %s", example)
		return false
	}
	return true
}

// email reads one mail address, without a name around it.
func (v value) email() string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || strings.ContainsAny(s, "\r\n\"") {
		v.fault("%s is not a mail address; write it as name@firm.example", v.shown())
	}
	return s
}
