package app

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"portico/audit"
	"portico/fault"
	"portico/lang"
	"portico/portal/staff"
	"portico/store"
	"portico/vpath"
)

// rowsLooked bounds the rows of the audit that one request looks at for what was
// done to one file: some tens of milliseconds. Who wants to know more asks again.
const rowsLooked = 5000

// activity is what was done to a path, the newest first, from a place on that an
// earlier answer gave: see staff.Options.
func (s *process) activity(ctx context.Context, p vpath.Path, from string, limit int) (staff.Activity, error) {
	keys, err := auditKeys(s.cfg.Load())
	if err != nil {
		return staff.Activity{}, err
	}
	at, err := audit.ParsePlace(from)
	if err != nil {
		return staff.Activity{}, fault.Tell(errors.Join(fs.ErrInvalid, err), "The address is not complete: begin at the newest again.")
	}
	opener := audit.NewOpener(keys, s.state)
	var all staff.Activity
	rest, err := audit.Back(ctx, s.state, at, rowsLooked, func(row store.AuditRow) (bool, error) {
		e, err := audit.Decode(row.JSON) // the path is in plain: the seal is opened for few
		if err != nil || !e.Allowed || e.Path != p.String() && e.Dest != p.String() || deed(e) == "" {
			return true, nil //nolint:nilerr // a row of another make tells nothing here
		}
		opened, err := opener.Open(ctx, row)
		if err != nil {
			return false, err
		}
		if opened.Error != "" { // allowed, and not done: somebody else's lock was in the way, or the disk was full
			return true, nil
		}
		all.Deeds = append(all.Deeds, staff.Deed{Time: opened.Time.Truncate(time.Second), Who: s.actorName(ctx, opened.Actor), What: deed(e)})
		return len(all.Deeds) < limit, nil
	})
	all.Older = rest.String()
	return all, err
}

// actorName is who did it, as people know them.
func (s *process) actorName(ctx context.Context, a audit.Actor) string {
	if name := s.nameOf(ctx, a.ID); name != "" {
		return name
	}
	return a.Login
}

// deed is words for an event. What an editor has written to a file of its own, and
// gives the name of the document then, is a change of that: nobody knows the other one.
func deed(e audit.Event) string {
	switch from, to := isForPrograms(e.Path), isForPrograms(e.Dest); {
	case from && (e.Dest == "" || to):
		return ""
	case from:
		return words(audit.Put)
	case to && e.Action == audit.Copy:
		return words(audit.Read)
	}
	return words(e.Action)
}

func isForPrograms(path string) bool {
	return vpath.IsForPrograms(path[strings.LastIndexByte(path, '/')+1:])
}

// words is what an action is called on the page, "" for what is not told there.
func words(a audit.Action) string {
	switch a {
	case audit.Put:
		return lang.ID("changed")
	case audit.Mkdir:
		return lang.ID("made")
	case audit.Delete:
		return lang.ID("deleted")
	case audit.Move:
		return lang.ID("moved")
	case audit.Copy:
		return lang.ID("copied")
	case audit.Share:
		return lang.ID("shared")
	case audit.Read:
		return lang.ID("opened")
	default:
		return ""
	}
}
