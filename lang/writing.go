package lang

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// writing is how a language writes numbers and dates: the facts of CLDR 46 that
// the pages need.
type writing struct {
	group, decimal   string
	months           []string
	dot              string // after the day
	today, yesterday string
	units            []string // of bytes, in steps of a thousand
}

const (
	thin   = "\u202f" // narrow space that breaks no line
	hard   = "\u00a0" // space that breaks no line
	months = 12
)

func writingOf(tag string) writing {
	bytes := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	switch tag {
	case "nl":
		return writing{".", ",", strings.Fields("januari februari maart april mei juni juli augustus september oktober november december"), "", "vandaag", "gisteren", bytes}
	case "fr":
		return writing{thin, ",", strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"), "", "aujourd’hui", "hier", []string{"o", "ko", "Mo", "Go", "To", "Po"}}
	case "sv":
		return writing{hard, ",", strings.Fields("januari februari mars april maj juni juli augusti september oktober november december"), "", "i dag", "i går", bytes}
	case "de":
		return writing{".", ",", strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"), ".", "heute", "gestern", bytes}
	}
	return writing{",", ".", strings.Fields("January February March April May June July August September October November December"), "", "today", "yesterday", bytes}
}

// Number writes n with its thousands apart.
func (t *Text) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + t.w.group + s[i:]
	}
	return sign + s
}

// Size writes bytes as people read them: "1.4 MB", in steps of a thousand as disks
// are sold. A negative size is not known, and is a dash.
func (t *Text) Size(n int64) string {
	if n < 0 {
		return "–"
	}
	f, step := float64(n), 0
	for f >= 999.5 && step < len(t.w.units)-1 {
		f, step = f/1000, step+1
	}
	digits := 0
	if step > 0 && f < 9.95 {
		digits = 1
	}
	s := strings.Replace(strconv.FormatFloat(f, 'f', digits, 64), ".", t.w.decimal, 1)
	return s + hard + t.w.units[step]
}

// month is "12 March".
func (t *Text) month(at time.Time) string {
	return strconv.Itoa(at.Day()) + t.w.dot + " " + t.w.months[(int(at.Month())-1)%months]
}

// Day is "12 March 2027".
func (t *Text) Day(at time.Time) string {
	at = at.In(t.zone)
	return t.month(at) + " " + strconv.Itoa(at.Year())
}

// Moment is "today 14:05", "yesterday 14:05", "12 March" in the year of now, and
// else a day.
func (t *Text) Moment(at, now time.Time) string {
	at, now = at.In(t.zone), now.In(t.zone)
	switch {
	case sameDay(at, now):
		return t.w.today + " " + at.Format("15:04")
	case sameDay(at, now.AddDate(0, 0, -1)):
		return t.w.yesterday + " " + at.Format("15:04")
	case at.Year() == now.Year():
		return t.month(at)
	}
	return t.Day(at)
}

// Since is when something began, after a word for since: "10:42", or with the day
// where that is not today's: "21 November, 10:42".
func (t *Text) Since(at, now time.Time) string {
	at, now = at.In(t.zone), now.In(t.zone)
	if sameDay(at, now) {
		return at.Format("15:04")
	}
	return t.month(at) + ", " + at.Format("15:04")
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// Stamp is the full time with its zone, for hover: "12 March 2027 14:05:09 CET".
func (t *Text) Stamp(at time.Time) string {
	at = at.In(t.zone)
	return t.Day(at) + " " + at.Format("15:04:05 MST")
}

// Wait is a wait for people to read, rounded up: "2 minutes".
func (t *Text) Wait(d time.Duration) string {
	seconds := max(int(math.Ceil(d.Seconds())), 1)
	switch minutes := (seconds + 59) / 60; {
	case seconds <= 90:
		return t.N("{n} seconds", seconds)
	case minutes <= 90:
		return t.N("{n} minutes", minutes)
	default:
		return t.N("{n} hours", (minutes+59)/60)
	}
}
