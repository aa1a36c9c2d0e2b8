package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"portico/vpath"
)

// Finder is what a Directory of the firm's people may be able to do besides: find
// them by what is written of them, for somebody who shares with a colleague. Those
// it gives may lack their Groups: they are to be named, and not to be judged.
type Finder interface {
	// ByMail finds who has a mail address, in any case of its letters. Its errors
	// are those of Directory.ByLogin: ErrRefused where nobody has it, and ErrTaken
	// where it belongs here and to nobody in particular: to an account that is
	// closed, or to several. It must not become a customer's then.
	ByMail(ctx context.Context, mail string) (Identity, error)

	// Search finds those whom text Fits, by name, and no more than limit of them.
	// Nobody is no error.
	Search(ctx context.Context, text string, limit int) ([]Identity, error)
}

// Fits tells whether text begins the login, the mail address, the name or a word
// of the name, in any case of its letters.
func (i Identity) Fits(text string) bool {
	want := fold(strings.TrimSpace(text))
	if want == "" {
		return false
	}
	name := fold(i.Name)
	if strings.HasPrefix(i.Login.Key(), want) || strings.HasPrefix(fold(i.Email), want) || strings.HasPrefix(name, want) {
		return true
	}
	for at, r := range name {
		// The rest of the name and not the word alone: "van den b" finds Jan Van den Berg.
		if rest := name[at+len(string(r)):]; !inWord(r) && strings.HasPrefix(rest, want) {
			return true
		}
	}
	return false
}

// inWord tells the letters of a name from what stands between its words.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// HasMail tells whether a mail address is theirs, as their address or as the
// login that they sign in with.
func (i Identity) HasMail(mail string) bool {
	want := fold(mail)
	return want != "" && (fold(i.Email) == want || i.Login.Key() == want)
}

// fold makes one of the spellings of a text, as Login.Key does.
func fold(s string) string { return Login(s).Key() }

// Found makes the answer of a Search: those whom text fits, each login once, by
// name and then by login, and no more than limit. Of two with one login it keeps
// the first: that is whom the rules mean.
func Found(all []Identity, text string, limit int) []Identity {
	var found []Identity
	seen := map[string]bool{}
	for _, who := range all {
		if key := who.Login.Key(); !seen[key] && who.Fits(text) {
			seen[key] = true
			found = append(found, who)
		}
	}
	slices.SortFunc(found, func(a, b Identity) int {
		return cmp.Or(cmp.Compare(vpath.Fold(a.Name), vpath.Fold(b.Name)), cmp.Compare(a.Login, b.Login), cmp.Compare(a.ID, b.ID))
	})
	return found[:max(0, min(limit, len(found)))]
}

// Only is the answer of a ByMail: the one who has the address.
func Only(all []Identity) (Identity, error) {
	switch len(all) {
	case 0:
		return Identity{}, ErrRefused
	case 1:
		return all[0], nil
	}
	return Identity{}, ErrTaken
}
