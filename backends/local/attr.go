package local

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"portico/backends"
)

// attr is what the extended attribute holds. As text it is a line a field, a
// letter, a space and the value, so that getfattr shows it and it is read
// without allocating much: a listing reads one for each file.
type attr struct {
	version     string // v: random, new with each Put
	creator     string // c
	contentType string // t
	sha256      string // s: of the content
	modTime     string // m: the client's time: seconds, or seconds.nanoseconds
	created     string // b: when the first version came, in the same form

	// The file's time and size as Portico left them. While they hold, no other
	// program has written the file, and modTime and sha256 speak of its content.
	stored string // f: nanoseconds
	size   string // n
}

// encode writes the fields that are set.
func (a *attr) encode() []byte {
	var b strings.Builder
	for _, f := range []struct {
		key   byte
		value string
	}{
		{'v', a.version},
		{'c', escape(a.creator)},
		{'t', escape(a.contentType)},
		{'s', a.sha256},
		{'m', a.modTime},
		{'b', a.created},
		{'f', a.stored},
		{'n', a.size},
	} {
		if f.value != "" {
			b.WriteByte(f.key)
			b.WriteByte(' ')
			b.WriteString(f.value)
			b.WriteByte('\n')
		}
	}
	return []byte(b.String())
}

// decode reads what encode wrote. What it does not know it leaves out: a later
// Portico may have written it.
func decode(raw []byte) attr {
	var a attr
	for line := range strings.Lines(string(raw)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "v":
			a.version = value
		case "c":
			a.creator = unescape(value)
		case "t":
			a.contentType = unescape(value)
		case "s":
			a.sha256 = value
		case "m":
			a.modTime = value
		case "b":
			a.created = value
		case "f":
			a.stored = value
		case "n":
			a.size = value
		}
	}
	return a
}

// escape keeps a value on its line.
func escape(s string) string {
	if !strings.ContainsAny(s, "%\n") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), "\n", "%0A")
}

func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "%0A", "\n"), "%25", "%")
}

// formatTime writes a time of any year, "" for none.
func formatTime(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Nanosecond() == 0:
		return strconv.FormatInt(t.Unix(), 10)
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

func parseTime(s string) time.Time {
	whole, part, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}
	}
	nsec, err := strconv.ParseInt(part, 10, 64)
	if err != nil {
		nsec = 0
	}
	return time.Unix(sec, nsec)
}

// remember notes how the file is left, so that fits can tell later.
func (a *attr) remember(st fs.FileInfo) {
	a.stored = strconv.FormatInt(st.ModTime().UnixNano(), 10)
	a.size = strconv.FormatInt(st.Size(), 10)
}

// fits tells whether the file is still as Portico left it.
func (a *attr) fits(st fs.FileInfo) bool {
	return says(a.stored, st.ModTime().UnixNano()) && says(a.size, st.Size())
}

// says tells whether a field is the number n, as remember writes it.
func says(field string, n int64) bool {
	var room [20]byte
	return field == string(strconv.AppendInt(room[:0], n, 10))
}

// info describes a file or folder by its attribute and what the disk knows.
func (a *attr) info(name string, st fs.FileInfo) backends.Info {
	info := backends.Info{
		Name:    name,
		Dir:     st.IsDir(),
		ModTime: st.ModTime(),
		Created: parseTime(a.created),
		Meta:    backends.Meta{Creator: a.creator},
	}
	if info.Dir {
		return info
	}
	info.Size, info.ETag, info.ContentType = st.Size(), a.etag(st), a.contentType
	if a.fits(st) {
		info.SHA256, info.Meta.ModTime = a.sha256, parseTime(a.modTime)
	}
	if !info.Meta.ModTime.IsZero() {
		info.ModTime = info.Meta.ModTime
	}
	return info
}

// etag is the version with the file's size and time, so that a change by another
// program gives another one. The time of the inode's change (ctime) has no part:
// a backup that is played back, or a chmod, would change it. A file without a
// version has its inode's number instead, which changes when a program writes a
// new file and renames it, as editors do.
func (a *attr) etag(st fs.FileInfo) string {
	version := a.version
	if version == "" {
		_, ino := identity(st)
		version = "i" + strconv.FormatUint(ino, 36)
	}
	return version + "." + strconv.FormatInt(st.Size(), 36) + "." + strconv.FormatInt(st.ModTime().UnixNano(), 36)
}
