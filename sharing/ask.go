package sharing

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// What asking for access takes.
const (
	askKind    = "ask"
	askTerm    = 24 * time.Hour // until the same folder may be asked for again
	asksADay   = 20             // of one person
	maxKeepers = 5              // who are told
	keepersMet = 25             // who are looked up to find those
	maxAskLine = 300            // characters
)

// AskAccess tells those who may give rights at p that somebody would like to have
// some: once a day for a folder and all that lies in it. The nearest are told, and
// whoever asks does not learn who. What they do not see is fs.ErrNotExist, as if it
// had never been.
func (s *Service) AskAccess(ctx context.Context, by By, p vpath.Path, message string) error {
	if !by.isStaff() || p.IsRoot() {
		return wrap("ask access", fs.ErrNotExist)
	}
	message, err := line(fault.Say("message"), message, maxAskLine)
	if err != nil {
		return wrap("ask access", err)
	}
	tree, err := s.tree(ctx, by)
	if err != nil {
		return wrap("ask access", err)
	}
	n, err := tree.Stat(ctx, p)
	if err != nil {
		return wrap("ask access", err)
	}
	if slices.Contains(tree.Rights(p), "grant") {
		return wrap("ask access", fault.Tell(fs.ErrInvalid, "You may give access here yourself."))
	}
	folder := p
	if !n.Dir {
		folder = p.Parent()
	}
	if err := s.mayAsk(ctx, s.State, by, folder); err != nil {
		return wrap("ask access", err)
	}
	keepers, err := s.keepers(ctx, tree, by, p)
	if err != nil {
		return wrap("ask access", err)
	}
	return wrap("ask access", s.State.Update(ctx, func(tx store.Tx) error { return s.putAsk(ctx, tx, by, p, folder, message, keepers) }))
}

// mayAsk refuses who has asked for the same today, or for very much.
func (s *Service) mayAsk(ctx context.Context, in store.TicketReader, by By, folder vpath.Path) error {
	had, err := in.TicketsOf(ctx, askKind, by.ID)
	if err != nil {
		return err
	}
	live := slices.DeleteFunc(had, func(t store.Ticket) bool { return !s.Clock().Before(t.Expires) })
	switch {
	case slices.ContainsFunc(live, func(t store.Ticket) bool { return t.Sum == askSum(by, folder) }):
		return fault.Tell(fault.ErrConflict, "You have asked for this today already, and they were told.")
	case len(live) >= asksADay:
		return fault.Tell(fault.ErrBusy, "You have asked for access %d times today. Ask again tomorrow, or call somebody.", len(live))
	}
	return nil
}

// askSum stands for somebody's question about a folder. It is no secret.
func askSum(by By, folder vpath.Path) store.Sum {
	return sumOf(askKind + "\n" + by.ID + "\n" + folder.String())
}

// keepers are the people to be told, with all their groups looked at: whoever may
// not give rights at p is not among them, whatever a rule names them for.
func (s *Service) keepers(ctx context.Context, tree *files.Tree, by By, p vpath.Path) (list []identity.Identity, err error) {
	logins, err := tree.Keepers(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, login := range logins[:min(len(logins), keepersMet)] {
		who, err := s.People.ByLogin(ctx, identity.Login(login))
		switch {
		case errors.Is(err, identity.ErrRefused), err == nil && (who.Contact || who.ID == by.ID):
			continue // a rule may name somebody who has left
		case err != nil:
			return nil, err
		}
		theirs, err := s.Files.As(ctx, s.Principal(who))
		if err != nil {
			return nil, err
		}
		if slices.Contains(theirs.Rights(p), "grant") {
			list = append(list, who)
		}
		if len(list) == maxKeepers {
			break
		}
	}
	if len(list) == 0 {
		return nil, fault.Tell(fault.ErrConflict, "Portico does not know who could be told here. Ask your administrator.")
	}
	return list, nil
}

// putAsk writes that somebody asked, and tells. Nobody is told of a mail that could
// not be delivered: its address would tell the one who asked who that is.
func (s *Service) putAsk(ctx context.Context, tx store.Tx, by By, p, folder vpath.Path, message string, keepers []identity.Identity) error {
	if err := s.mayAsk(ctx, tx, by, folder); err != nil {
		return err
	}
	now := s.Clock()
	t := store.Ticket{Sum: askSum(by, folder), Kind: askKind, Subject: by.ID, Created: now, Expires: now.Add(askTerm)}
	if err := tx.PutTicket(t); err != nil {
		return err
	}
	data := map[string]string{"by": by.Name, "item": s.folderName(p), "message": message, "link": s.address(askLink(by, p))}
	if by.Mail != "" {
		data["by"] += " (" + by.Mail + ")"
	}
	if p.Depth() > 1 {
		data["folder"] = s.title(p.Top()) + strings.TrimSuffix(p.Parent().Tail().String(), "/")
	}
	for _, who := range keepers {
		err := s.Tell.Tell(tx, notify.Notice{To: who.ID, Mail: who.Email, Name: who.Name, Event: notify.Asked, Brand: p.Top(), Data: data})
		if err != nil {
			return err
		}
	}
	return s.did(tx, by, "access-asked", p, "")
}

// askLink is where whoever is told gives access: the form of a share, which names
// the one who asked. A workspace is shared by no form: there it is its details.
func askLink(by By, p vpath.Path) string {
	if p.Depth() == 1 {
		return "/files" + p.Escaped() + "/?details=."
	}
	return "/share?" + url.Values{"in": {p.Parent().String()}, "item": {p.Name()}, "to": {by.Principal.Subject()}}.Encode()
}
