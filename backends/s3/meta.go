package s3

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/backends"
)

// Names of user metadata, without "x-amz-meta-". mtime is rclone's name, and so
// is its form, so that rclone and Portico show one time for one file.
const (
	metaModTime = "mtime"
	metaCreator = "portico-creator"
	metaSHA256  = "portico-sha256"

	// metaTaken is when Portico stored a file whose client gave no time, in the
	// form of mtime. The store's own time will not do: the answer to a PUT does
	// not tell it, and a move, which is a copy, would change it.
	metaTaken = "portico-taken"

	// metaUpload names the upload in pieces that a file came by: see Finished.
	metaUpload = "portico-upload"
)

// typeUnknown is what AWS stores where a client names no content type;
// typeFolder is what a marker is.
const (
	typeUnknown = "binary/octet-stream"
	typeFolder  = "application/x-directory"
)

// userMetadata is m as it is stored, at a time. The creator is percent-encoded: a header
// carries ASCII only, and stores disagree on what to do with other bytes.
func userMetadata(m backends.Meta, taken time.Time) map[string]string {
	user := make(map[string]string, 6)
	if m.Creator != "" {
		user[metaCreator] = url.PathEscape(m.Creator)
	}
	if !m.ModTime.IsZero() {
		user[metaModTime] = formatTime(m.ModTime)
	} else if !taken.IsZero() {
		user[metaTaken] = formatTime(taken)
	}
	if m.SHA256 != "" {
		user[metaSHA256] = m.SHA256
	}
	return user
}

// readMetadata is the inverse. Keys come in any case: HEAD gives "Mtime", a
// listing "mtime" or "X-Amz-Meta-Mtime". What is malformed is as good as absent.
func readMetadata(user map[string]string, contentType string) (m backends.Meta, taken time.Time) {
	m.ContentType = contentType
	if contentType == typeUnknown {
		m.ContentType = ""
	}
	for key, value := range user {
		switch strings.ToLower(key) {
		case metaModTime:
			m.ModTime = parseTime(value)
		case metaTaken:
			taken = parseTime(value)
		case metaCreator:
			if id, err := url.PathUnescape(value); err == nil {
				m.Creator = id
			}
		case metaSHA256:
			if raw, err := hex.DecodeString(value); err == nil && len(raw) == 32 {
				m.SHA256 = value
			}
		}
	}
	return m, taken
}

// formatTime writes seconds with up to nine decimals, as rclone does
// (swift.TimeToFloatString).
func formatTime(t time.Time) string {
	sec, nsec, sign := t.Unix(), int64(t.Nanosecond()), ""
	if sec < 0 { // -1.5 s is stored by time as -2 s and 500 ms
		sign, sec = "-", -sec
		if nsec > 0 {
			sec, nsec = sec-1, 1e9-nsec
		}
	}
	text := fmt.Sprintf("%s%d.%09d", sign, sec, nsec)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// parseTime reads what formatTime, rclone or another tool wrote, and
// is zero for what is no time. More than nine decimals are cut off.
func parseTime(text string) time.Time {
	digits, negative := strings.CutPrefix(text, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	frac = (frac + "000000000")[:9]
	sec, err := strconv.ParseUint(whole, 10, 40) // up to the year 36,812
	nsec, err2 := strconv.ParseUint(frac, 10, 32)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	if negative {
		return time.Unix(-int64(sec), -int64(nsec)).UTC()
	}
	return time.Unix(int64(sec), int64(nsec)).UTC()
}

// fileInfo describes a file by what HEAD or GET said of it.
func fileInfo(name string, o minio.ObjectInfo) backends.Info {
	m, taken := readMetadata(o.UserMetadata, o.ContentType)
	return describe(name, o, m, taken)
}

// listedInfo describes a file by its entry in a listing with metadata.
func listedInfo(name string, o minio.ObjectInfo) backends.Info {
	contentType := ""
	for key, value := range o.UserMetadata {
		if strings.EqualFold(key, "content-type") {
			contentType = value
		}
	}
	m, taken := readMetadata(o.UserMetadataStripped, contentType)
	return describe(name, o, m, taken)
}

func describe(name string, o minio.ObjectInfo, m backends.Meta, taken time.Time) backends.Info {
	info := backends.Info{Name: name, Size: o.Size, ETag: strings.Trim(o.ETag, `"`), Meta: m}
	switch {
	case !m.ModTime.IsZero():
		info.ModTime = m.ModTime
	case !taken.IsZero():
		info.ModTime = taken
	default: // a listing tells milliseconds and HEAD seconds: both must agree
		info.ModTime = o.LastModified.UTC().Truncate(time.Second)
	}
	return info
}

// asFolder is what a marker's Info says of its folder.
func asFolder(name string, marker backends.Info) backends.Info {
	return backends.Info{
		Name: name, Dir: true, ModTime: marker.ModTime,
		Meta: backends.Meta{Creator: marker.Creator, ModTime: marker.Meta.ModTime},
	}
}
