package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/gateway"
	"portico/identity"
)

// The terms for which it is kept who has a mail address, and what somebody is
// called. Notices and lists ask for the same few many times.
const (
	mailsTerm = time.Minute
	namesTerm = time.Minute
)

// colleagues finds the firm's people by what others know of them.
type colleagues struct {
	mails *identity.Recall // by mail address
	names *identity.Recall // by the ID of who made or did something
}

func (s *process) openColleagues() {
	s.colleagues = colleagues{
		mails: identity.NewRecall(identity.RecallOptions{Ask: s.byMail, Clock: s.clock, Term: mailsTerm}),
		names: identity.NewRecall(identity.RecallOptions{Ask: s.named, Clock: s.clock, Term: namesTerm}),
	}
}

// flush forgets what the people of before have said.
func (c colleagues) flush() {
	c.mails.Flush()
	c.names.Flush()
}

// byMail asks the people in force.
func (s *process) byMail(ctx context.Context, mail string) (identity.Identity, error) {
	return s.people.Load().ByMail(ctx, mail)
}

// colleague tells whether a mail address is that of one of the firm's people, for
// sharing.Options. An address that is the firm's and nobody's in particular is
// neither a colleague to share with nor free for a customer.
func (s *process) colleague(ctx context.Context, mail string) (identity.Identity, bool, error) {
	who, err := s.colleagues.mails.Find(ctx, identity.Login(mail).Key())
	switch {
	case errors.Is(err, identity.ErrTaken):
		return identity.Identity{}, false, fault.Tell(fs.ErrInvalid,
			"%s is an address of the firm, of a closed account or of several people; choose a colleague by name.", mail)
	case errors.Is(err, identity.ErrRefused):
		return identity.Identity{}, false, nil
	case err != nil:
		return identity.Identity{}, false, fmt.Errorf("app: colleague: %w", err)
	}
	return who, true, nil
}

// staff finds people of the firm by the first letters of a name, a login or an
// address, for sharing.Options.
func (s *process) staff(ctx context.Context, text string, limit int) ([]identity.Identity, error) {
	found, err := s.people.Load().Search(ctx, text, limit)
	if err != nil {
		return nil, fmt.Errorf("app: staff: %w", err)
	}
	return found, nil
}

// person is one of the firm's people by their login, for a look at what they see.
func (s *process) person(ctx context.Context, login string) (files.Person, error) {
	who, err := s.gate.People().ByLogin(ctx, identity.Login(login))
	switch {
	case errors.Is(err, identity.ErrRefused), err == nil && who.Contact:
		return files.Person{}, fmt.Errorf("app: person: %w", fs.ErrNotExist)
	case err != nil:
		return files.Person{}, fmt.Errorf("app: person: %w", err)
	}
	return gateway.Person(who), nil
}

// nameOf is what people call the creator or actor who has an ID, "" for one whom
// nobody knows any more, or not at the moment.
func (s *process) nameOf(ctx context.Context, id string) string {
	who, err := s.colleagues.names.Find(ctx, id)
	if err != nil {
		return ""
	}
	return who.Name
}

// named finds the name of an ID: that of a link's visitors is the link's.
func (s *process) named(ctx context.Context, id string) (identity.Identity, error) {
	rest, isLink := strings.CutPrefix(id, "link:")
	if !isLink {
		return s.gate.People().ByID(ctx, id)
	}
	link, _, _ := strings.Cut(rest, "/")
	l, found, err := s.state.LinkByID(ctx, link)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("app: name: %w", err)
	}
	if !found {
		return identity.Identity{}, identity.ErrRefused
	}
	return identity.Identity{ID: id, Name: l.Name}, nil
}
