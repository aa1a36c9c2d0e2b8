package app

import (
	"context"
	"slices"
	"time"

	"portico/audit"
	"portico/lang"
	"portico/portal/staff"
	"portico/vpath"
)

// lastRows bounds the rows of each stream that are looked at for what was done to
// one file: older deeds are in the export.
const lastRows = 2000

// activity is what was done to a path lately, the newest first.
func (s *process) activity(ctx context.Context, p vpath.Path, limit int) ([]staff.Deed, error) {
	keys, err := auditKeys(s.cfg.Load())
	if err != nil {
		return nil, err
	}
	opener := audit.NewOpener(keys, s.state)
	streams, err := s.state.AuditStreams(ctx)
	if err != nil {
		return nil, err
	}
	var all []audit.Event
	for _, stream := range streams {
		rows, err := s.state.AuditRows(ctx, stream.Name, max(stream.First-1, stream.Last-lastRows), lastRows)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			e, err := audit.Decode(row.JSON) // the path is in plain: the seal is opened for few
			if err != nil || !e.Allowed || e.Path != p.String() && e.Dest != p.String() || words(e.Action) == "" {
				continue
			}
			opened, err := opener.Open(ctx, row)
			if err != nil {
				return nil, err
			}
			all = append(all, opened.Event)
		}
	}
	slices.SortFunc(all, func(a, b audit.Event) int { return b.Time.Compare(a.Time) })
	deeds := make([]staff.Deed, 0, min(limit, len(all)))
	for _, e := range all[:min(limit, len(all))] {
		deeds = append(deeds, staff.Deed{Time: e.Time.Truncate(time.Second), Who: s.actorName(ctx, e.Actor), What: words(e.Action)})
	}
	return deeds, nil
}

// actorName is who did it, as people know them.
func (s *process) actorName(ctx context.Context, a audit.Actor) string {
	if name := s.nameOf(ctx, a.ID); name != "" {
		return name
	}
	return a.Login
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
