package audit

import (
	"fmt"
	"time"
)

// keepFindings bounds what a report has of the rows of one stream, and of the
// checkpoints: with the wrong key, each of them is a fault.
const keepFindings = 100

// Finding is one thing that Verify found.
type Finding struct {
	Stream string `json:"stream,omitempty"`
	Seq    int64  `json:"seq,omitempty"`
	Text   string `json:"text"` // a sentence
}

// String is the finding with its place.
func (f Finding) String() string {
	switch {
	case f.Stream == "":
		return f.Text
	case f.Seq == 0:
		return fmt.Sprintf("stream %q: %s", f.Stream, f.Text)
	}
	return fmt.Sprintf("stream %q, row %d: %s", f.Stream, f.Seq, f.Text)
}

// Span is what a log holds of one stream.
type Span struct {
	Stream      string    `json:"stream"`
	First       int64     `json:"first"` // 0 where there is no row
	Last        int64     `json:"last"`
	Rows        int64     `json:"rows"`
	Checkpoints int       `json:"checkpoints"` // that were compared with it
	Begin       time.Time `json:"begin,omitzero"`
	End         time.Time `json:"end,omitzero"`
}

// Report is the answer of Verify.
type Report struct {
	Spans    []Span    `json:"streams"`
	Faults   []Finding `json:"faults"`   // the log was tampered with, or is broken
	Warnings []Finding `json:"warnings"` // what has an innocent reason, too
	Notes    []string  `json:"notes"`    // what was not looked at, or cannot be seen
	Left     int       `json:"left"`     // faults and warnings beyond those that are listed
}

// OK tells that there is no fault.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) fault(stream string, seq int64, format string, args ...any) {
	r.Faults = append(r.Faults, Finding{stream, seq, fmt.Sprintf(format, args...)})
}

func (r *Report) warn(stream string, seq int64, format string, args ...any) {
	r.Warnings = append(r.Warnings, Finding{stream, seq, fmt.Sprintf(format, args...)})
}

// room counts one more of what may be many, and tells whether it is to be listed.
func (r *Report) room(n *int) bool {
	if *n++; *n > keepFindings {
		r.Left++
		return false
	}
	return true
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
