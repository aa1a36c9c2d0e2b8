package sharing

import (
	"context"
	"io/fs"
	"net/mail"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// Address is a mail address as people are known by it: in lower case and NFC. A
// text that is none, or has more than one, is fs.ErrInvalid.
//
// RFC 5321 §2.4 leaves the case of the local part to its host. No host that
// customers have tells two people apart by it, and people type it as they like.
func Address(text string) (string, error) {
	text = strings.ToLower(norm.NFC.String(strings.TrimSpace(text)))
	a, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	switch {
	case err != nil, a.Address != text, a.Name != "", len(text) > 254, at > 64, // RFC 5321 §4.5.3.1
		!strings.Contains(text[at+1:], "."), strings.ContainsAny(text, "\"()<>[]:;,\\/ "), hasControl(text):
		return "", fault.Tell(fs.ErrInvalid, "%q is not a mail address; write one like name@firm.example.", short(text))
	}
	return text, nil
}

// hasControl tells what cannot be shown, or makes a text show other than it is: line
// ends that would be a header of a mail, marks that turn the direction of writing.
func hasControl(text string) bool {
	return !utf8.ValidString(text) || strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0
}

// short keeps what somebody typed from filling a page.
func short(text string) string {
	const most = 80
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

// Limits of what people write, in characters.
const (
	maxName    = 200
	maxNotes   = 4000
	maxMessage = 1000 // of four bytes at most: see files.MaxMessage
)

// line is a text of one line, as it is kept.
func line(what fault.Sentence, text string, most int) (string, error) {
	text = strings.TrimSpace(norm.NFC.String(text))
	switch {
	case utf8.RuneCountInString(text) > most:
		return "", fault.Tell(fs.ErrInvalid, "The %s is longer than %d characters; shorten it.", what, most)
	case hasControl(text):
		return "", fault.Tell(fs.ErrInvalid, "The %s has a character that cannot be shown; type it anew.", what)
	}
	return text, nil
}

// prose is a text of several lines.
func prose(what fault.Sentence, text string, most int) (string, error) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\t", " ")
	if _, err := line(what, strings.ReplaceAll(text, "\n", " "), most); err != nil {
		return "", err
	}
	return strings.TrimSpace(norm.NFC.String(text)), nil
}

// maxAddresses bounds what is remembered of people.
const maxAddresses = 10_000

// addresses remember where people get their mail, by identity.Identity.ID. A
// transaction may wait for nothing, so that a directory cannot be asked in one:
// what was learned before stands.
type addresses struct {
	mu   sync.Mutex
	mail map[string]string
}

// put forgets everybody when there are too many: they are learned again.
func (a *addresses) put(id, mail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mail == nil || len(a.mail) >= maxAddresses {
		a.mail = map[string]string{}
	}
	a.mail[id] = mail
}

// get is false for somebody who was not seen since the process began.
func (a *addresses) get(id string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	mail, ok := a.mail[id]
	return mail, ok
}

// learn remembers where somebody who acts here gets their mail.
func (s *Service) learn(by By) {
	if by.ID != "" && !by.Contact {
		s.addresses.put(by.ID, by.Mail)
	}
}

// lookupTime bounds a look-up that a transaction waits for. It happens once for a
// person and process: package files has asked for the giver just before.
const lookupTime = time.Second

// mailOf is where somebody gets their mail, "" for nowhere.
func (s *Service) mailOf(ctx context.Context, in store.AccountReader, id string) string {
	if account, ok := strings.CutPrefix(id, identity.ContactPrefix); ok {
		a, found, err := in.AccountByID(ctx, account)
		if err != nil || !found || a.Closed {
			return ""
		}
		return a.Mail
	}
	if mail, ok := s.addresses.get(id); ok {
		return mail
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	who, err := s.People.ByID(ctx, id)
	if err != nil {
		return "" // they have the notice on their page
	}
	s.addresses.put(id, who.Email)
	return who.Email
}
