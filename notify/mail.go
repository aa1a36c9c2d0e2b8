package notify

import (
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Mail is one that is ready to go. Nothing in it has a line end but Text and HTML.
type Mail struct {
	ID             string // of the notice; the same at each try
	From, FromName string
	To, ToName     string
	ReplyTo        string    // "" for none
	Host           string    // ours
	Date           time.Time // of this try
	Written        time.Time // the notice
	Language       string
	Subject        string
	Text, HTML     string
}

// message is the mail as go-mail has it, which encodes names and folds lines.
func (m *Mail) message() (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("portico-"+m.ID))
	// The functions with "Format" in their names put a name between quotes as it is,
	// and one with a quote in it adds a recipient.
	if !addressable(m.To) {
		return nil, fmt.Errorf("notify: mail: the recipient's address cannot be used: %w", ErrRefused)
	}
	msg.FromMailAddress(&mail.Address{Name: phrase(m.FromName), Address: m.From})
	msg.ToMailAddress(&mail.Address{Name: phrase(m.ToName), Address: m.To})
	if m.ReplyTo != "" {
		msg.ReplyToMailAddress(&mail.Address{Address: m.ReplyTo})
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.Date)
	// Made of the notice, so that a receiver who gets a mail twice, from a server in
	// between that was not sure either, can drop one (RFC 5322 §3.6.4).
	msg.SetMessageIDWithValue(m.ID + "@" + m.From[strings.LastIndex(m.From, "@")+1:])
	// No absence notes and no bounces of robots come back (RFC 3834 §5; the second is
	// what Exchange wants for it).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("List-Id", "<notices."+m.Host+">") // RFC 2919: to sort mails by
	msg.SetGenHeader(gomail.HeaderContentLang, m.Language)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

// phrase is a name as net/mail can write it: a backslash in a name with letters
// beyond ASCII it leaves in the encoded word, where RFC 2047 §5 (3) allows none, and
// readers then find no address.
func phrase(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// WriteTo writes it as it goes over the wire (RFC 5322).
func (m *Mail) WriteTo(w io.Writer) (int64, error) {
	msg, err := m.message()
	if err != nil {
		return 0, err
	}
	n, err := msg.WriteTo(w)
	if err != nil {
		return n, fmt.Errorf("notify: mail: %w", err)
	}
	return n, nil
}
