package gateway

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"portico/files"
)

// depthInfinity is the Depth of a whole tree.
const depthInfinity = -1

// depth is a Depth header: 0, 1 or depthInfinity levels. membersOnly is the
// "1,noroot" of old Microsoft clients (MS-WDVME §2.2.2): all but the thing itself.
type depth struct {
	levels      int
	membersOnly bool
}

// parseDepth reads the Depth header in any case of letters.
func parseDepth(values []string, absent int) (depth, error) {
	if len(values) == 0 {
		return depth{levels: absent}, nil
	}
	word, noroot := strings.CutSuffix(strings.ToLower(strings.ReplaceAll(values[0], " ", "")), ",noroot")
	d := depth{membersOnly: noroot}
	switch {
	case len(values) > 1:
	case word == "0" && !noroot: // the thing itself, or nothing at all
		return d, nil
	case word == "1":
		d.levels = 1
		return d, nil
	case word == "infinity":
		d.levels = depthInfinity
		return d, nil
	}
	return depth{}, refuse(http.StatusBadRequest, "The Depth header is none of 0, 1 and infinity.")
}

// parseTimeout reads a Timeout header (RFC 4918 §10.7): the first term of a list
// that can be read; 0 if there is none. It is a wish, so nothing in it is an
// error, where x/net answers 400 to a lower-case "infinite"; package files
// brings it within bounds.
func parseTimeout(header string) time.Duration {
	for wish := range strings.SplitSeq(header, ",") {
		wish = strings.ToLower(strings.TrimSpace(wish))
		if wish == "infinite" {
			return files.MaxLock
		}
		if digits, ok := strings.CutPrefix(wish, "second-"); ok && isDigits(digits) {
			n, err := strconv.ParseInt(digits, 10, 32)
			if err != nil { // too large a number
				return files.MaxLock
			}
			return time.Duration(max(n, 1)) * time.Second // 0 would be no wish
		}
	}
	return 0
}

// isDigits is stricter than strconv, which takes signs and underscores.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parseMtime reads X-OC-Mtime, the time of change that rclone and the ownCloud
// clients send along with a file: seconds, whole or with a fraction. What cannot
// be a time is left alone, and without "accepted" in the answer the client
// sets it by PROPPATCH.
func parseMtime(header string) (time.Time, bool) {
	sec, err := strconv.ParseFloat(header, 64)
	if err != nil || math.IsNaN(sec) || sec <= 0 || sec > maxMtime {
		return time.Time{}, false
	}
	// A float64 has microseconds left beside the seconds of our time, no more.
	whole, frac := math.Modf(sec)
	return time.Unix(int64(whole), int64(math.Round(frac*1e6))*1e3).UTC(), true
}

// maxMtime is the end of the year 9999, the last that an HTTP date can show.
const maxMtime = 253402300799

// maxRanges is the number of ranges that one request may ask for; more are
// answered with the whole file, as RFC 9110 §14.2 allows.
const maxRanges = 8

// parseRange reads a Range header. Like a header that is absent, one that cannot
// be read or asks for too much gives no ranges (RFC 9110 §14.2: ignore it).
func parseRange(header string) []files.Range {
	spec, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(header, " ", "")), "bytes=")
	if !ok || strings.Count(spec, ",") >= 2*maxRanges {
		return nil
	}
	var out []files.Range
	for part := range strings.SplitSeq(spec, ",") {
		if part == "" { // RFC 9110 §5.6.1.2: empty elements of a list count for nothing
			continue
		}
		rg, ok := parseOneRange(part)
		if !ok || len(out) == maxRanges {
			return nil
		}
		out = append(out, rg)
	}
	return out
}

// parseOneRange reads first-last, first- or -count.
func parseOneRange(s string) (files.Range, bool) {
	first, last, ok := strings.Cut(s, "-")
	switch {
	case !ok || first == "" && last == "":
		return files.Range{}, false
	case first == "":
		n, ok := parseBytes(last)
		if n == 0 { // the last zero bytes: nothing satisfies it
			return files.Range{Off: math.MaxInt64, Len: 1}, ok
		}
		return files.Range{Off: -n}, ok
	}
	// RFC 9110 §14.1.1: without an end, up to the end of the file.
	off, ok := parseBytes(first)
	if last == "" || !ok {
		return files.Range{Off: off}, ok
	}
	end, ok := parseBytes(last)
	if !ok || end < off {
		return files.Range{}, false
	}
	if end-off == math.MaxInt64 { // Len would not fit, and no file is longer
		return files.Range{Off: off}, true
	}
	return files.Range{Off: off, Len: end - off + 1}, true
}

// parseBytes reads a number of bytes; one that is too large for us is the
// largest that is not.
func parseBytes(s string) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64, true
	}
	return n, true
}
