package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"portico/vpath"
)

// path is a path as bodies name it: "/firm/Clients/letter.txt", not escaped.
type path struct{ vpath.Path }

// UnmarshalJSON reads a path.
func (p *path) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	at, err := vpath.Parse(s)
	if err != nil {
		return fmt.Errorf("%q is no path such as /firm/Clients/letter.txt", clip(s))
	}
	p.Path = at
	return nil
}

// plain are the paths of a body.
func plain(list []path) []vpath.Path {
	all := make([]vpath.Path, len(list))
	for i, p := range list {
		all[i] = p.Path
	}
	return all
}

// day is the last day of something, as bodies name it: "2026-12-31".
type day struct{ time.Time }

// UnmarshalJSON reads a day; "" and null are none.
func (d *day) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err //nolint:wrapcheck // names itself
	}
	if s == "" {
		d.Time = time.Time{}
		return nil
	}
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return fmt.Errorf("%q is no day such as 2026-12-31", clip(s))
	}
	d.Time = at
	return nil
}

// clip bounds what an answer repeats of a question.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxClip)], "") }

const maxClip = 64
