package storetest

import (
	"errors"

	"portico/fault"
	"portico/store"
)

func auditKey(kind, name, lookup string) store.AuditKey {
	return store.AuditKey{Kind: kind, Name: name, Lookup: lookup, Wrapped: []byte{0, 0xff, name[0]}}
}

// auditKeys makes and destroys keys: one must be gone for both ways of asking.
func auditKeys(s *suite) {
	ann, bob := auditKey("person", "p_1", "l1"), auditKey("person", "p_2", "l2")
	days := []store.AuditKey{auditKey("day", "2026-02-28", "2026-02-28"), auditKey("day", "2026-03-01", "2026-03-01"), auditKey("day", "p_1", "l1")}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutAuditKey(ann), tx.PutAuditKey(bob), tx.PutAuditKey(days[0]), tx.PutAuditKey(days[1]), tx.PutAuditKey(days[2]))
	})
	s.wantKeys(true, ann, bob, days[0], days[1], days[2])
	s.wantKeys(false, auditKey("person", "p_3", "l3"), auditKey("Day", "p_1", "l1"), auditKey("person", "2026-03-01", "2026-03-01"))

	for _, bad := range []store.AuditKey{auditKey("person", "p_1", "l9"), auditKey("person", "p_9", "l1")} {
		s.update(func(tx store.Tx) error { // which goes on
			if err := tx.PutAuditKey(bad); !errors.Is(err, fault.ErrConflict) || errors.Is(err, fault.ErrUnavailable) {
				s.Errorf("PutAuditKey(%v) = %v, want fault.ErrConflict", bad, err)
			}
			return nil
		})
	}
	_ = s.Update(s.Context(), func(tx store.Tx) error {
		return errors.Join(tx.DropAuditKey("person", "p_1"), tx.PutAuditKey(auditKey("person", "p_4", "l4")), errNo)
	})
	s.wantKeys(true, ann)
	s.wantKeys(false, auditKey("person", "p_4", "l4"))

	s.update(func(tx store.Tx) error {
		n, err := tx.DropAuditKeysBefore("day", "2026-03-01")
		s.equal("destroyed", n, int64(1))
		return errors.Join(err, tx.DropAuditKey("person", "p_1"), tx.DropAuditKey("person", "none"))
	})
	s.wantKeys(false, ann, days[0])
	s.reopen()
	s.wantKeys(true, bob, days[1], days[2])
	s.update(func(tx store.Tx) error { return tx.PutAuditKey(auditKey("person", "p_5", "l1")) }) // the same person's next
	s.wantKeys(true, auditKey("person", "p_5", "l1"))
}

// wantKeys looks for keys in both ways, outside and inside a transaction.
func (s *suite) wantKeys(there bool, keys ...store.AuditKey) {
	s.Helper()
	look := func(r store.AuditKeyReader, k store.AuditKey) {
		s.Helper()
		byName, found, err := r.AuditKey(s.Context(), k.Kind, k.Name)
		byLookup, foundToo, errToo := r.AuditKeyFor(s.Context(), k.Kind, k.Lookup)
		if err := errors.Join(err, errToo); err != nil || found != there || foundToo != there {
			s.Errorf("key %v is found %t and %t, %v; want %t", k, found, foundToo, err, there)
		}
		want := k
		if !there {
			want = store.AuditKey{}
		}
		s.equal("by name", byName, want)
		s.equal("by lookup", byLookup, want)
	}
	for _, k := range keys {
		look(s.State, k)
		s.update(func(tx store.Tx) error {
			look(tx, k)
			return nil
		})
	}
}
