package mount

import (
	"time"

	"portico/lang"
)

// Report is what a watch has seen, for people.
type Report struct {
	Until time.Time
	Steps []Step
}

// Step is a line of it.
type Step struct {
	Name   string // a text's id
	State  string // "ok", "bad", or "" for not yet
	At     time.Time
	Cause  string // a text's id: what is wrong, and the mend
	Detail string // what the server answered
	Hint   string // of one that is missing yet: how to bring it about
}

// line is a step's words.
type line struct{ step, name, hint string }

func lines() []line {
	return []line{
		{reached, lang.ID("Reached the server"), lang.ID("Open the drive now, as it is described above. Nothing has come yet: check the address, and whether the device is online.")},
		{tls, lang.ID("The way is encrypted (TLS)"), ""},
		{signedIn, lang.ID("Signed in"), lang.ID("Enter your name and the app password.")},
		{class2, lang.ID("Asked what this drive can do (it can lock files)"), lang.ID("KDE and rclone never ask.")},
		{listed, lang.ID("Listed a folder"), lang.ID("Open a folder of the drive.")},
		{locked, lang.ID("Locked a file while it is open"), lang.ID("Open a document from the drive and change it. GNOME Files, KDE and rclone never lock.")},
		{written, lang.ID("Saved a file"), lang.ID("Copy a small file onto the drive.")},
		{renamed, lang.ID("Renamed a file"), lang.ID("Rename that file.")},
	}
}

// report puts a watch into words.
func (w *watch) report(until time.Time) Report {
	r := Report{Until: until}
	for _, l := range lines() {
		m, seen := w.Marks[l.step]
		s := Step{Name: l.name, At: m.At, Cause: m.Cause, Detail: m.Detail}
		switch {
		case m.OK:
			s.State = "ok"
		case seen:
			s.State = "bad"
		default:
			s.Hint = l.hint
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}
