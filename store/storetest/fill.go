package storetest

import (
	"errors"
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
		tx.PutAuditKey(store.AuditKey{Kind: "person", Name: id, Lookup: "of " + id, Wrapped: some}),
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
	return s.fillSharing(tx, id, i, some)
}

// fillSharing is fill of what people share, and of customers and notices.
func (s *suite) fillSharing(tx store.Tx, id string, i int, some []byte) error {
	odd, p := i%2 == 1, vpath.Must("/w/"+id)
	return errors.Join(
		tx.PutGrant(store.Grant{ID: id, Subject: "user:ann", Path: p, Dir: odd, State: store.Accepted, Created: now(), Labels: !odd, Message: id}),
		tx.PutLink(store.Link{
			ID: id, Sum: sum(id), Workspace: "w", Created: now(), Version: int64(i), AskMail: odd, Allowed: []string{id}, ViewOnly: !odd,
			Downloads: i, AskName: odd, Subfolders: !odd, MaxBytes: int64(i) << 40, Types: nil,
		}),
		tx.PutDownload(store.Download{ID: id, Link: "l", Size: int64(i), Sent: some, Began: now(), Seen: now()}),
		tx.PutDeposit(store.Deposit{ID: id, Path: p, Gone: odd, Name: id, Time: now(), Receipt: some}),
		tx.PutLabel(store.Label{Owner: "ann", Path: p, Name: id, Color: "red"}),
		tx.PutUpload(store.Upload{ID: id, Owner: "ann", Path: p, Size: -1, State: some, Created: now(), Expires: now()}),
		tx.PutContact(store.Contact{Workspace: "w", Mail: id, Name: id, Folders: []vpath.Path{p, vpath.Must("/w/b")}[:1+i%2], Created: now()}),
		tx.PutAccount(store.Account{ID: id, Mail: id, Created: now(), Closed: odd}),
		tx.PutTicket(store.Ticket{Sum: sum(id), Kind: "code", Subject: "s", Data: some, Created: now(), Expires: now()}),
		tx.PutNotice(store.Notice{ID: id, To: "ann", Mail: id, Data: some, Created: now(), Due: now(), Tries: i, Quiet: odd}),
		tx.PutNoise(noise("/w/a", "._")),
		tx.PutPreferences(store.Preferences{Owner: id, Theme: "dark", Muted: []string{id}}),
		tx.PutSnapshot(store.Snapshot{ID: id, Line: "l", Owner: "ann", Place: id, Sum: sum(id), Size: int64(len(some)), Data: some, Created: now(), Used: now()}),
	)
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
	s.dumpSharing(all)
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
		key, _, err := s.AuditKeyFor(ctx, "person", "of "+id)
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := s.SessionBySum(ctx, sum(id))
		if err != nil {
			t.Fatal(err)
		}
		all[id] = []any{
			u, person, session, key,
			must[[]store.Prop](s)(s.PropsOf(ctx, vpath.Must("/w/"+id))),
			must[int64](s)(s.SinkAt(ctx, "file", id)),
			must[map[string]store.Attempts](s)(s.Attempts(ctx, id)),
			must[store.Preferences](s)(s.PreferencesOf(ctx, id)),
		}
	}
}

// dumpSharing adds what fillSharing has put in, but for what Dump asks for by ID.
func (s *suite) dumpSharing(all map[string]any) {
	s.Helper()
	ctx, root := s.Context(), vpath.Path{}
	all["grants"] = must[[]store.Grant](s)(s.GrantsBelow(ctx, root))
	all["change"] = must[int64](s)(s.GrantsChange(ctx))
	all["links"] = must[[]store.Link](s)(s.LinksIn(ctx, "w"))
	all["downloads"] = must[[]store.Download](s)(s.DownloadsOf(ctx, "l"))
	all["deposits"] = must[[]store.Deposit](s)(s.DepositsBelow(ctx, root))
	all["labels"] = must[[]store.Label](s)(s.LabelsIn(ctx, "ann", vpath.Must("/w")))
	all["uploads"] = must[[]store.Upload](s)(s.UploadsOf(ctx, "ann"))
	all["contacts"] = must[[]store.Contact](s)(s.ContactsIn(ctx, "w"))
	all["tickets"] = must[[]store.Ticket](s)(s.TicketsOf(ctx, "code", "s"))
	all["notices"] = must[[]store.Notice](s)(s.NoticesTo(ctx, "ann", 1<<30))
	all["mails"] = must[[]store.Notice](s)(s.DueMails(ctx, now(), 1<<30))
	for i, one := range must[[]store.Snapshot](s)(s.SnapshotsOf(ctx, "ann")) {
		all[fmt.Sprintf("snapshot %d", i)], _ = found[store.Snapshot](s)(s.SnapshotByID(ctx, one.ID))
	}
	for i, c := range all["contacts"].([]store.Contact) { //nolint:forcetypeassert // two lines above
		a, _ := found[store.Account](s)(s.AccountByMail(ctx, c.Mail))
		all[fmt.Sprintf("account %d", i)] = a
	}
}

// plain writes the answers as text, so that no two of them are alike by chance.
func plain(all map[string]any) map[string]any {
	for key, v := range all {
		all[key] = fmt.Sprintf("%+v", v)
	}
	return all
}
