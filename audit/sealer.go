package audit

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"

	"portico/fault"
	"portico/store"
)

const (
	// holdFor bounds how long a key that another process has destroyed may still
	// be used here.
	holdFor = time.Minute

	// holdMost bounds the keys that are held, some 1 KiB each.
	holdMost = 4096
)

// sealer seals rows. It holds keys for a while, so that a row costs no question
// to the store.
type sealer struct {
	keys   *Keys
	clock  func() time.Time
	random io.Reader

	mu    sync.Mutex
	boxes map[string]held // by kind and lookup
}

type held struct {
	box
	until time.Time
}

// fresh are keys that a transaction has made or read. A transaction may be
// undone, and then no row may be sealed with what it has made: so they are held
// when their row is appended, and let go with all others when the store refuses
// the next row, which is how an undone one shows.
type fresh map[string]box

// seal makes a row one without personal data in plain. The keys that it lacks
// are made in the transaction.
func (s *sealer) seal(tx store.Tx, r Row) (Row, fresh, error) {
	lookup := s.keys.lookupOf(r.Actor)
	p, o := r.part(lookup != "")
	got := fresh{}
	if lookup != "" {
		b, err := s.person(tx, lookup, got)
		if err != nil {
			return r, nil, err
		}
		r.Actor.Pseudonym = b.name
		if r.Sealed, err = b.seal(s.random, p, r.place()); err != nil {
			return r, nil, err
		}
	}
	if o != (origin{}) {
		b, err := s.day(tx, r.Time, got)
		if err != nil {
			return r, nil, err
		}
		if r.Origin, err = b.seal(s.random, o, r.place()); err != nil {
			return r, nil, err
		}
	}
	return r, got, nil
}

func (s *sealer) person(tx store.Tx, lookup string, got fresh) (box, error) {
	return s.box(tx, ofPerson, lookup, got, func() (string, error) {
		var b [8]byte
		if _, err := io.ReadFull(s.random, b[:]); err != nil {
			return "", fmt.Errorf("audit: random: %w: %w", fault.ErrUnavailable, err)
		}
		return "p_" + hex.EncodeToString(b[:]), nil
	})
}

func (s *sealer) day(tx store.Tx, at time.Time, got fresh) (box, error) {
	name := s.keys.dayOf(at)
	return s.box(tx, ofDay, name, got, func() (string, error) { return name, nil })
}

// box gives a key that is held, or that is in the store, or a new one. Replicas
// write one after the other, so that two of them make one key.
func (s *sealer) box(tx store.Tx, kind, lookup string, got fresh, name func() (string, error)) (box, error) {
	if b, ok := s.held(kind + lookup); ok {
		return b, nil
	}
	key, found, err := tx.AuditKeyFor(context.Background(), kind, lookup) // the transaction is bounded by its Update
	if err != nil {
		return box{}, err
	}
	var b box
	if found {
		b, err = s.keys.unwrap(key)
	} else {
		b, err = s.make(tx, kind, lookup, name)
	}
	if err == nil {
		got[kind+lookup] = b
	}
	return b, err
}

func (s *sealer) make(tx store.Tx, kind, lookup string, name func() (string, error)) (box, error) {
	as, err := name()
	if err != nil {
		return box{}, err
	}
	key, b, err := s.keys.wrapped(s.random, kind, as, lookup)
	if err != nil {
		return box{}, err
	}
	return b, tx.PutAuditKey(key)
}

func (s *sealer) held(id string) (box, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.boxes[id]
	left := h.until.Sub(s.clock())
	return h.box, ok && left > 0 && left <= holdFor // a clock may be set back
}

// hold keeps keys whose row is appended.
func (s *sealer) hold(got fresh) {
	if len(got) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.boxes)+len(got) > holdMost {
		clear(s.boxes)
	}
	for id, b := range got {
		s.boxes[id] = held{b, s.clock().Add(holdFor)}
	}
}

// drop lets all go.
func (s *sealer) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.boxes)
}
