package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"portico/store"
)

// ErrNobody tells that nothing of a person is in the log that could be erased.
var ErrNobody = errors.New("the audit log has nothing sealed of that person")

// Person is what a log holds of somebody.
type Person struct {
	IDs        []string // mostly one; none for a login that has only failed to sign in
	Logins     []string
	Pseudonyms []string // whose keys are there
	Rows       int64    // that nobody can tie to the person once these are gone
	Plain      int64    // that name the person in plain, and stay so
}

// Sealed are the roles of a store that are needed to read what is sealed.
type Sealed interface {
	store.AuditReader
	store.AuditKeyReader
}

// Find looks for somebody by login or by id. A login that was of several people
// is refused, with their ids. Where there is no key the error is ErrNobody.
func Find(ctx context.Context, r Sealed, k *Keys, who string) (Person, error) {
	s := search{}
	if who == "" {
		return Person{}, ErrNobody
	}
	if err := eachRow(ctx, r, NewOpener(k, r), s.add); err != nil {
		return Person{}, fmt.Errorf("audit: find: %w", err)
	}
	p, err := s.person(who)
	if err != nil {
		return Person{}, err
	}
	if err := p.findKeys(ctx, r, k, who); err != nil {
		return Person{}, fmt.Errorf("audit: find: %w", err)
	}
	if len(p.Pseudonyms) == 0 {
		return p, ErrNobody
	}
	return p, nil
}

// name is how rows know somebody: a login alone is of a sign-in that failed.
type name struct{ id, login string }

// tally is what there is of one name.
type tally struct {
	sealed, plain int64
	pseudonyms    map[string]bool
}

// search gathers the rows of all people.
type search map[name]*tally

func (s search) add(_ store.AuditRow, r Row) error {
	who, as := name{r.Actor.ID, r.Actor.Login}, r.Actor.Pseudonym
	if who == (name{}) || who == (name{as, erased}) {
		return nil
	}
	t := s[who]
	if t == nil {
		t = &tally{pseudonyms: map[string]bool{}}
		s[who] = t
	}
	if as == "" {
		t.plain++
		return nil
	}
	t.sealed++
	t.pseudonyms[as] = true
	return nil
}

// person is whoever has the id or, if nobody has, the login.
func (s search) person(who string) (Person, error) {
	ids, logins := s.pick(func(n name) bool { return n.id == who })
	if len(ids) == 0 {
		ids, logins = s.pick(func(n name) bool { return n.login == who })
		logins[who] = true
	}
	delete(ids, "")
	if len(ids) > 1 {
		return Person{}, fmt.Errorf("the login %q was of several people: name one by the id: %s", who, strings.Join(slices.Sorted(maps.Keys(ids)), ", "))
	}
	if len(ids) == 1 {
		_, logins = s.pick(func(n name) bool { return ids[n.id] })
	}
	p := Person{IDs: slices.Sorted(maps.Keys(ids)), Logins: slices.Sorted(maps.Keys(logins))}
	for n, t := range s {
		if ids[n.id] || n.id == "" && logins[n.login] {
			p.Rows += t.sealed
			p.Plain += t.plain
			p.Pseudonyms = slices.AppendSeq(p.Pseudonyms, maps.Keys(t.pseudonyms))
		}
	}
	return p, nil
}

// pick gives the ids and the logins of the names that are meant.
func (s search) pick(meant func(name) bool) (ids, logins map[string]bool) {
	ids, logins = map[string]bool{}, map[string]bool{}
	for n := range s {
		if meant(n) {
			ids[n.id] = true
			logins[n.login] = true
		}
	}
	return ids, logins
}

// findKeys adds the keys that no row tells of any more, since those were cut.
func (p *Person) findKeys(ctx context.Context, r store.AuditKeyReader, k *Keys, who string) error {
	lookups := []string{k.lookup("id", who), k.lookup("login", who)}
	for _, id := range p.IDs {
		lookups = append(lookups, k.lookup("id", id))
	}
	for _, login := range p.Logins {
		lookups = append(lookups, k.lookup("login", login))
	}
	for _, lookup := range lookups {
		key, found, err := r.AuditKeyFor(ctx, ofPerson, lookup)
		if err != nil {
			return err
		}
		if found {
			p.Pseudonyms = append(p.Pseudonyms, key.Name)
		}
	}
	slices.Sort(p.Pseudonyms)
	p.Pseudonyms = slices.Compact(p.Pseudonyms)
	return nil
}

// Erase destroys the keys of a person, and records of each that it did. All rows
// stay, and verify as before.
func (l *Log) Erase(ctx context.Context, p Person) error {
	err := l.o.Store.Update(ctx, func(tx store.Tx) error { //nolint:contextcheck // Append says why
		for _, pseudonym := range p.Pseudonyms {
			if err := tx.DropAuditKey(ofPerson, pseudonym); err != nil {
				return err
			}
			e := Event{Actor: Actor{Type: SystemItself, Via: "command"}, Action: Erasure, Dest: pseudonym, Allowed: true}
			if err := l.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: erase: %w", err)
	}
	l.seal.drop()
	return nil
}
