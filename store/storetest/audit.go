package storetest

import (
	"errors"
	"fmt"
	"time"

	"portico/fault"
	"portico/store"
)

// auditRow is a row whose contents are made of its number.
func auditRow(stream string, seq int64) store.AuditRow {
	return store.AuditRow{
		Stream: stream, Seq: seq, Time: now().Add(time.Duration(-seq) * time.Second), // a clock that runs backwards
		JSON: fmt.Appendf(nil, `{"n":%d,"ü":"\u0000"}`, seq), Hash: []byte{0, byte(seq), 0xff},
	}
}

// putAudit appends rows from one number to another.
func (s *suite) putAudit(stream string, from, to int64) (rows []store.AuditRow) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for seq := from; seq <= to; seq++ {
			rows = append(rows, auditRow(stream, seq))
			if err := tx.AppendAudit(rows[len(rows)-1]); err != nil {
				return err
			}
		}
		return nil
	})
	return rows
}

func (s *suite) auditRows(stream string, after int64, limit int) []store.AuditRow {
	s.Helper()
	return must[[]store.AuditRow](s)(s.AuditRows(s.Context(), stream, after, limit))
}

func (s *suite) head(stream string) store.AuditStream {
	s.Helper()
	return must[store.AuditStream](s)(s.AuditHead(s.Context(), stream))
}

func auditRows(s *suite) {
	var wanted []store.AuditRow
	for seq := range int64(5) {
		wanted = append(wanted, s.putAudit("main", seq+1, seq+1)...)
		// What is undone leaves no gap.
		_ = s.Update(s.Context(), func(tx store.Tx) error {
			return errors.Join(tx.AppendAudit(auditRow("main", seq+2)), errNo)
		})
	}
	s.equal("all", s.auditRows("main", 0, 100), wanted)
	s.equal("a page", s.auditRows("main", 1, 2), wanted[1:3])
	s.equal("the end", s.auditRows("main", 5, 100), []store.AuditRow{})
	s.equal("none", s.auditRows("main", 0, 0), []store.AuditRow{})
	s.equal("a limit below zero", s.auditRows("main", 0, -1), []store.AuditRow{})
	s.equal("another stream", s.auditRows("mai", 0, 100), []store.AuditRow{})
	s.reopen()
	s.equal("after a reopening", s.auditRows("main", 0, 100), wanted)
	s.putAudit("main", 6, 6)
}

func auditStreams(s *suite) {
	s.equal("no streams", must[[]store.AuditStream](s)(s.AuditStreams(s.Context())), []store.AuditStream{})
	s.equal("nothing yet", s.head("b"), store.AuditStream{Name: "b", First: 1})
	s.putAudit("b", 1, 3)
	s.putAudit("é", 1, 1)
	s.putAudit("a", 1, 1)
	s.putAudit("B", 1, 1)
	s.putAudit("b", 4, 4)
	s.update(func(tx store.Tx) error {
		if err := tx.AppendAudit(auditRow("c", 1)); err != nil {
			return err
		}
		head := must[store.AuditStream](s)(tx.AuditHead(s.Context(), "c"))
		s.equal("inside", head, store.AuditStream{Name: "c", First: 1, Last: 1, Head: auditRow("c", 1).Hash})
		s.equal("outside", s.head("c"), store.AuditStream{Name: "c", First: 1})
		return nil
	})
	var wanted []store.AuditStream
	for _, name := range []string{"B", "a", "b", "c", "é"} { // by bytes
		last := int64(1)
		if name == "b" {
			last = 4
		}
		wanted = append(wanted, store.AuditStream{Name: name, First: 1, Last: last, Head: auditRow(name, last).Hash})
		s.equal("head of "+name, s.head(name), wanted[len(wanted)-1])
	}
	s.equal("streams", must[[]store.AuditStream](s)(s.AuditStreams(s.Context())), wanted)
}

// auditOrder offers rows that do not follow.
func auditOrder(s *suite) {
	s.putAudit("main", 1, 3)
	s.putAudit("other", 1, 1)
	for _, seq := range []int64{-1, 0, 1, 3, 5, 1 << 40} {
		err := s.Update(s.Context(), func(tx store.Tx) error {
			err := tx.AppendAudit(auditRow("main", seq))
			if !errors.Is(err, fault.ErrConflict) || errors.Is(err, fault.ErrUnavailable) {
				s.Errorf("AppendAudit of %d after 3 = %v, want fault.ErrConflict", seq, err)
			}
			return err
		})
		if !errors.Is(err, fault.ErrConflict) {
			s.Errorf("Update = %v, want fault.ErrConflict", err)
		}
	}
	// The refusal is one of the row, not of the transaction.
	s.update(func(tx store.Tx) error {
		_ = tx.AppendAudit(auditRow("main", 7))
		return tx.AppendAudit(auditRow("main", 4))
	})
	s.equal("rows", len(s.auditRows("main", 0, 100)), 4)
}

func auditCuts(s *suite) {
	s.putAudit("a", 1, 5)
	rest := s.putAudit("b", 1, 5)[2:]
	cut := func(stream string, seq int64) store.AuditCut {
		return store.AuditCut{Stream: stream, Seq: seq, Hash: auditRow(stream, seq).Hash, Time: now(), Signature: []byte{0, 7}}
	}
	s.equal("no cuts", must[[]store.AuditCut](s)(s.AuditCuts(s.Context())), []store.AuditCut{})
	s.update(func(tx store.Tx) error { return errors.Join(tx.CutAudit(cut("b", 1)), tx.CutAudit(cut("a", 5))) })
	s.update(func(tx store.Tx) error { return tx.CutAudit(cut("b", 2)) })
	for _, bad := range []store.AuditCut{cut("b", 2), cut("b", 1), cut("b", 6), cut("b", 0), cut("none", 1)} {
		err := s.Update(s.Context(), func(tx store.Tx) error { return tx.CutAudit(bad) })
		if !errors.Is(err, fault.ErrConflict) {
			s.Errorf("CutAudit(%s at %d) = %v, want fault.ErrConflict", bad.Stream, bad.Seq, err)
		}
	}
	s.equal("cuts", must[[]store.AuditCut](s)(s.AuditCuts(s.Context())), []store.AuditCut{cut("a", 5), cut("b", 2)})
	s.equal("rows of b", s.auditRows("b", 0, 100), rest)
	s.equal("rows of a", s.auditRows("a", 0, 100), []store.AuditRow{})
	s.equal("streams", must[[]store.AuditStream](s)(s.AuditStreams(s.Context())), []store.AuditStream{
		{Name: "a", First: 6, Last: 5, Head: auditRow("a", 5).Hash},
		{Name: "b", First: 3, Last: 5, Head: auditRow("b", 5).Hash},
	})
	s.reopen()
	s.putAudit("a", 6, 6) // the numbers go on
	s.equal("a goes on", s.head("a"), store.AuditStream{Name: "a", First: 6, Last: 6, Head: auditRow("a", 6).Hash})
}

func auditSinks(s *suite) {
	at := func(sink, stream string) int64 { return must[int64](s)(s.SinkAt(s.Context(), sink, stream)) }
	s.equal("at first", at("file", "a"), int64(0))
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSinkAt("file", "a", 5), tx.PutSinkAt("file", "b", 7), tx.PutSinkAt("syslog", "a", 9))
	})
	s.update(func(tx store.Tx) error { return tx.PutSinkAt("file", "a", 6) })
	s.equal("file, a", at("file", "a"), int64(6))
	s.equal("file, b", at("file", "b"), int64(7))
	s.equal("syslog, a", at("syslog", "a"), int64(9))
	s.equal("syslog, b", at("syslog", "b"), int64(0))
}
