package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a config, and its mend.
type Fault struct {
	File string
	Line int // from 1; 0 where the file as a whole could not be read
	Text string
}

// String is "file:line: what is wrong; the mend", always one line.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// Faults is all that is wrong with a config, sorted by line.
//
//nolint:errname // it is a list of faults, and reads so where it is used
type Faults []Fault

// Error is one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by line, and keeps one of faults that say the same.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(fs)
}

// add notes a fault. The text becomes one line whatever was put into it.
func (l *loader) add(line int, format string, args ...any) {
	l.faults = append(l.faults, l.fault(line, format, args...))
}

// warn notes what is allowed but probably not meant.
func (l *loader) warn(line int, format string, args ...any) {
	l.warnings = append(l.warnings, l.fault(line, format, args...))
}

// fault makes one; a file's lines and an error of the system may hold line ends,
// and a fault of two lines would be read as two.
func (l *loader) fault(line int, format string, args ...any) Fault {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	return Fault{File: l.file, Line: max(line, 1), Text: text}
}
