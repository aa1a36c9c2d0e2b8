package sharing

import (
	"cmp"
	"context"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// The modes of a link.
const (
	LinkRead    = "read"    // role viewer
	LinkDeposit = "deposit" // role depositor: read, and put things there
	LinkInbox   = "inbox"   // role inbox: put things there, and see nothing
)

// linkRole gives the role of a link's mode, "" for a word that is none.
func linkRole(mode string) string {
	switch mode {
	case LinkRead:
		return "viewer"
	case LinkDeposit:
		return "depositor"
	case LinkInbox:
		return "inbox"
	}
	return ""
}

// Limits of a link's terms.
const (
	maxAllowed = 200
	maxTypes   = 50
)

// LinkWish is a link as somebody wants it.
type LinkWish struct {
	Items   []vpath.Path // what it opens, in one workspace; of MakeLink alone
	Name    string       // for whom it is, for people to read
	Contact string       // mail address of the contact for whom it is, "" for none
	Mode    string       // LinkRead, LinkDeposit or LinkInbox
	Until   time.Time    // a day: it ends with it; zero for good
	Message string       // to the contact, with the mail that sends it

	Password     string // "" for none
	KeepPassword bool   // of ChangeLink: as it was, and Password is not looked at
	AskMail      bool
	Allowed      []string // addresses, and domains as "@firm.example"; they make AskMail true
	ViewOnly     bool
	MaxDownloads int

	AskName      bool
	Subfolders   bool
	MaxFiles     int
	MaxBytes     int64
	MaxFileBytes int64
	Types        []string // file name extensions, with or without the dot
}

// clean brings a wish into its one form. Terms that its mode has no use for are
// none: what nobody sees in a form must not hold later, when the mode is another.
func (s *Service) cleanLink(ctx context.Context, w LinkWish) (LinkWish, error) {
	var errs [6]error
	w.Name, errs[0] = line(fault.Say("name"), w.Name, maxName)
	w.Message, errs[1] = prose(fault.Say("message"), w.Message, maxMessage)
	w.Until, errs[2] = s.endOf(w.Until)
	w.Allowed, errs[3] = cleanAllowed(w.Allowed)
	w.Types, errs[4] = cleanTypes(w.Types)
	if w.Contact != "" {
		w.Contact, errs[5] = Address(w.Contact)
	}
	switch {
	case linkRole(w.Mode) == "":
		return w, fault.Tell(fs.ErrInvalid, "There is no kind of link %q; choose read, deposit or inbox.", short(w.Mode))
	case w.MaxDownloads < 0 || w.MaxFiles < 0 || w.MaxBytes < 0 || w.MaxFileBytes < 0:
		return w, fault.Tell(fs.ErrInvalid, "A limit is less than nothing; write a number above 0, or leave it empty for none.")
	case cmp.Or(errs[:]...) != nil:
		return w, cmp.Or(errs[:]...)
	}
	w.AskMail = w.AskMail || len(w.Allowed) > 0
	if w.Mode != LinkRead {
		w.ViewOnly = false
	}
	if w.ViewOnly || w.Mode == LinkInbox {
		w.MaxDownloads = 0
	}
	if w.Mode == LinkRead {
		w.AskName, w.Subfolders, w.MaxFiles, w.MaxBytes, w.MaxFileBytes, w.Types = false, false, 0, 0, 0, nil
	}
	w.AskName = w.AskName || w.Subfolders // a folder has their name
	if w.KeepPassword || w.Password == "" {
		return w, nil
	}
	// What is kept is the hash.
	var err error
	w.Password, err = s.hash(ctx, w.Password)
	return w, err
}

// cleanAllowed reads addresses and domains.
func cleanAllowed(list []string) ([]string, error) {
	var kept []string
	for _, one := range list {
		one = strings.ToLower(strings.TrimSpace(one))
		if one == "" {
			continue
		}
		// A domain is judged as the address of somebody there.
		whole, isDomain := one, strings.HasPrefix(one, "@")
		if isDomain {
			whole = "x" + one
		}
		clean, err := Address(whole)
		if err != nil {
			return nil, fault.Tell(fs.ErrInvalid, "%q is neither a mail address nor a domain; write name@firm.example or @firm.example.", short(one))
		}
		if isDomain {
			clean = clean[1:]
		}
		kept = append(kept, clean)
	}
	if len(kept) > maxAllowed {
		return nil, fault.Tell(fault.ErrTooLarge, "At most %d addresses and domains can be allowed; allow a domain instead.", maxAllowed)
	}
	return unique(kept), nil
}

// cleanTypes reads file name extensions.
func cleanTypes(list []string) ([]string, error) {
	extension := regexp.MustCompile(`^\.[a-z0-9]{1,16}$`)
	var kept []string
	for _, one := range list {
		one = strings.ToLower(strings.TrimSpace(one))
		if one == "" {
			continue
		}
		one = "." + strings.TrimPrefix(strings.TrimPrefix(one, "*"), ".")
		if !extension.MatchString(one) {
			return nil, fault.Tell(fs.ErrInvalid, "%q is no file type; write the end of a name, such as pdf.", short(one))
		}
		kept = append(kept, one)
	}
	if len(kept) > maxTypes {
		return nil, fault.Tell(fault.ErrTooLarge, "At most %d file types can be listed.", maxTypes)
	}
	return unique(kept), nil
}

// set gives a link the terms of a wish, and closes again what was open by those of
// before.
func (w LinkWish) set(l *store.Link) {
	l.Name, l.Contact, l.Mode, l.Until = w.Name, w.Contact, w.Mode, w.Until
	l.AskMail, l.Allowed, l.ViewOnly, l.MaxDownloads = w.AskMail, w.Allowed, w.ViewOnly, w.MaxDownloads
	l.AskName, l.Subfolders, l.MaxFiles, l.MaxBytes = w.AskName, w.Subfolders, w.MaxFiles, w.MaxBytes
	l.MaxFileBytes, l.Types = w.MaxFileBytes, w.Types
	if !w.KeepPassword {
		l.Password = w.Password
	}
	l.Version++
}
