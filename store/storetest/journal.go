package storetest

import (
	"errors"
	"fmt"
	"time"

	"portico/store"
	"portico/vpath"
)

func journal(s *suite) {
	first := store.Move{
		ID: "z", From: vpath.Must("/w/a"), To: vpath.Must("/w/b c'%"), Dir: true, Phase: "copy",
		Began: now(), Audit: []byte{0, 1, '"'},
	}
	second := store.Move{ID: "a", From: vpath.Must("/w/x"), To: vpath.Must("/v"), Phase: "copy", Began: now()} // the same moment
	third := store.Move{ID: "m", From: vpath.Must("/w/y"), To: vpath.Must("/u"), Phase: "copy", Began: now().Add(time.Microsecond)}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutMove(first), tx.PutMove(third), tx.PutMove(second))
	})
	s.equal("Moves", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{first, second, third})
	first.Phase, first.Audit = "delete", nil
	s.update(func(tx store.Tx) error { return tx.PutMove(first) })
	s.equal("a phase later", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{first, second, third})
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropMove("z"), tx.DropMove("none")) })
	s.equal("after DropMove", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{second, third})
}

func auditRows(s *suite) {
	var wanted []store.AuditRow
	for i := range 5 {
		row := store.AuditRow{Seq: int64(i + 1), Time: now().Add(time.Duration(-i) * time.Second), JSON: fmt.Appendf(nil, `{"n":%d,"ü":"\u0000"}`, i)}
		wanted = append(wanted, row)
		s.update(func(tx store.Tx) error { return tx.AppendAudit(row.Time, row.JSON) })
		// What is undone leaves no gap.
		_ = s.Update(s.Context(), func(tx store.Tx) error {
			return errors.Join(tx.AppendAudit(now(), []byte(`{}`)), errors.New("no"))
		})
	}
	rows := func(after int64, limit int) []store.AuditRow {
		return must[[]store.AuditRow](s)(s.AuditRows(s.Context(), after, limit))
	}
	s.equal("all", rows(0, 100), wanted)
	s.equal("a page", rows(1, 2), wanted[1:3])
	s.equal("the end", rows(5, 100), []store.AuditRow{})
	s.equal("none", rows(0, 0), []store.AuditRow{})
	s.equal("a limit below zero", rows(0, -1), []store.AuditRow{})
	s.reopen()
	s.update(func(tx store.Tx) error { return tx.AppendAudit(now(), []byte(`{}`)) })
	if got := rows(5, 1); len(got) != 1 || got[0].Seq != 6 {
		s.Errorf("after a reopening the next row is %v, want 6", got)
	}
}
