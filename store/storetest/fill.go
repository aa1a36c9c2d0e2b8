package storetest

import (
	"fmt"
	"testing"
	"time"

	"portico/store"
	"portico/vpath"
)

// Fill puts n of everything into a store that is empty.
func Fill(t *testing.T, st store.State, n int) {
	t.Helper()
	s := &suite{T: t, State: st}
	for i := range n {
		s.update(func(tx store.Tx) error { return s.fill(tx, i) })
	}
	s.update(func(tx store.Tx) error {
		cut := store.AuditCut{Stream: "old", Seq: 1, Hash: auditRow("old", 1).Hash, Time: now()}
		if err := tx.AppendAudit(auditRow("old", 1)); err != nil {
			return err
		}
		return tx.CutAudit(cut)
	})
}

// fill puts one of everything. Flags and what may be empty alternate.
func (s *suite) fill(tx store.Tx, i int) error {
	id := fmt.Sprintf("%d Ü'\"%%", n9(i))
	odd := i%2 == 1
	var some []byte
	if odd {
		some = []byte{0, byte(i), 0xff}
	}
	l := lock("/w/"+id, odd)
	l.Shared, l.OwnerXML = !odd, "<o/>"
	for _, err := range []error{
		tx.PutLock(l),
		tx.PutProp(l.Path, prop("p", id)),
		tx.PutMove(store.Move{ID: id, From: l.Path, To: vpath.Must("/v/" + id), Dir: odd, Phase: "copy", Began: now(), Audit: some}),
		tx.PutIntent(store.Intent{ID: id, Replica: "main", Began: now(), Audit: some}),
		Append(s.Context(), tx, "main", fmt.Appendf(nil, `{"id":%q}`, id)),
		tx.PutSinkAt("file", id, int64(i)),
		tx.PutUsage(store.Usage{Workspace: id, Bytes: int64(i) << 40, Counted: now()}),
		tx.PutAppPassword(store.AppPassword{ID: id, Sum: sum(id), Owner: "ann", Login: "Ann", Name: id, ReadOnly: odd, Created: now()}),
		tx.PutSession(store.Session{Sum: sum(id), Owner: "ann", Data: some, Created: now(), Seen: now(), Expires: now().Add(time.Hour)}),
		tx.PutPerson(store.Person{ID: id, Login: id, Groups: []string{id, "b"}, Seen: now()}),
		tx.PutAttempts(store.Attempts{Key: id, Count: i, First: now(), Last: now(), Strikes: i}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// n9 gives the numbers another order than that of their making.
func n9(i int) int { return i*7919 + 9 }

// Dump asks a store that Fill has filled for all that it holds.
func Dump(t *testing.T, st store.State) map[string]any {
	t.Helper()
	s := &suite{T: t, State: st}
	ctx := t.Context()
	root := vpath.Path{}
	all := map[string]any{
		"locks":   must[[]store.Lock](s)(s.Locks(ctx, time.Unix(0, 0))),
		"below":   must[[]store.Lock](s)(s.LocksBelow(ctx, root, now())),
		"moves":   must[[]store.Move](s)(s.Moves(ctx)),
		"intents": must[[]store.Intent](s)(s.Intents(ctx)),
		"streams": must[[]store.AuditStream](s)(s.AuditStreams(ctx)),
		"rows":    must[[]store.AuditRow](s)(s.AuditRows(ctx, "main", 0, 1<<30)),
		"cuts":    must[[]store.AuditCut](s)(s.AuditCuts(ctx)),
		"mine":    must[[]store.AppPassword](s)(s.AppPasswordsOf(ctx, "ann")),
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d Ü'\"%%", n9(i))
		u, found, err := s.Usage(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return plain(all)
		}
		person, _, err := s.PersonByID(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := s.SessionBySum(ctx, sum(id))
		if err != nil {
			t.Fatal(err)
		}
		all[id] = []any{
			u, person, session,
			must[[]store.Prop](s)(s.PropsOf(ctx, vpath.Must("/w/"+id))),
			must[int64](s)(s.SinkAt(ctx, "file", id)),
			must[map[string]store.Attempts](s)(s.Attempts(ctx, id)),
		}
	}
}

// plain writes the answers as text, so that no two of them are alike by chance.
func plain(all map[string]any) map[string]any {
	for key, v := range all {
		all[key] = fmt.Sprintf("%+v", v)
	}
	return all
}
